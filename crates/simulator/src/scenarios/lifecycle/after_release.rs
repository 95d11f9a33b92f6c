//! The end of an instance, and what is answered after it.

use chopmark_domain::license::Scene;
use chopmark_domain::order::OrderType;
use chopmark_huawei::answer::ResultCode;
use chopmark_huawei::callback::FreezeStatus;

use super::{Life, in_days};
use crate::console::Expected;
use crate::message::{Message, OrderLine, Refresh};
use crate::scenarios::wanted::Wanted;

impl Life<'_, '_> {
    pub(super) async fn release(&mut self, purchase: &OrderLine, renewal: &Refresh) {
        let order = self.play.order(OrderType::Unsubscribe, in_days(0), 100);
        self.play.register(&order);
        let unsubscribed = Message::ReleaseInstance { instance: self.instance.clone(), order: Some(order.line) };
        self.succeed("unsubscribed and released", &unsubscribed).await;
        self.check("over", &Wanted::released(), None, None).await;
        self.answer_what_was_taken_up_before(purchase, renewal, &unsubscribed).await;
        self.refuse_what_is_new().await;
        self.check("still over", &Wanted::released(), None, None).await;
    }

    async fn answer_what_was_taken_up_before(
        &mut self,
        purchase: &OrderLine,
        renewal: &Refresh,
        unsubscribed: &Message,
    ) {
        let not_renewed = Message::ReleaseInstance { instance: self.instance.clone(), order: None };
        self.succeed("released again, the same order", unsubscribed).await;
        self.succeed("released again, no order", &not_renewed).await;
        self.succeed("the last renewal arrives again", &self.refreshing(renewal)).await;
        self.status("frozen after its end", FreezeStatus::Freeze).await;
        let purchase = Message::NewInstance { order: purchase.clone() };
        let expected = Expected::same_instance(&self.instance);
        self.play.deliver("the purchase arrives again", &purchase, &expected).await;
    }

    async fn refuse_what_is_new(&mut self) {
        let renewal = self.play.refresh(Scene::Renewal, in_days(2190), 100);
        let upgrade = Message::UpgradeInstance { instance: self.instance.clone(), order: OrderLine::fresh() };
        let cases = [
            ("a new renewal of what is over", self.refreshing(&renewal)),
            ("a new upgrade of what is over", upgrade),
            ("unfreezing what is over", self.changing(FreezeStatus::Unfreeze)),
        ];
        for (name, message) in cases {
            let expected = Expected::failure(ResultCode::UnknownInstance);
            self.play.deliver(name, &message, &expected).await;
        }
    }
}
