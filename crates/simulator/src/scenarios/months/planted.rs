//! Bills with planted differences, and what must be found.

use super::shop::Shop;
use crate::finance::{Acceptance, Bill, Kind, Month, Row, Sold};
use crate::message::OrderLine;
use crate::orders::Cents;

/// A difference that must be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    /// The outcome's code.
    pub(super) outcome: &'static str,
    /// What it is matched by: `line` or `refund_of`.
    pub(super) by: &'static str,
    /// The order line.
    pub(super) id: String,
    /// The code of the most probable cause.
    pub(super) cause: &'static str,
}

/// A bill, and what is wrong with it.
pub(super) struct Planted {
    pub(super) bill: Bill,
    pub(super) differences: Vec<Difference>,
}

impl Planted {
    fn new(bill: Bill) -> Self {
        Self { bill, differences: vec![] }
    }

    fn differs(&mut self, outcome: &'static str, id: &str, cause: &'static str) {
        self.differences.push(Difference { outcome, by: "line", id: id.into(), cause });
    }
}

/// The bills of three months. Besides, amounts are rounded on them, which is no difference.
pub(super) fn bills(shop: &Shop<'_, '_>, [first, second, third]: [Month; 3]) -> [Planted; 3] {
    let [mut one, mut two, mut three] = [first, second, third].map(|month| Planted::new(shop.books.bill(month)));

    let off = shop.line("a purchase that is billed wrong");
    one.bill.set_off(&off, Cents(-37));
    one.differs("AMOUNT_DIFFERS", &off, "UNEXPLAINED");
    let forgotten = shop.line("a purchase that the bill forgets");
    one.bill.leave_out(&forgotten);
    one.differs("MISSING_ON_BILL", &forgotten, "UNEXPLAINED");
    let unheard = unheard(shop, first);
    one.differs("UNKNOWN_TO_US", unheard.sold.name(), "NOT_HEARD_OF");
    one.bill.add(unheard);

    let twice = shop.line("a purchase that is billed twice");
    two.bill.repeat(&twice);
    two.differs("AMOUNT_DIFFERS", &twice, "DUPLICATE");
    let dear = shop.line("a purchase with another fee");
    two.bill.settle_by(&dear, 1_000, 0);
    two.differs("AMOUNT_DIFFERS", &dear, "OTHER_FEE_RATIO");
    let late = shop.line("a purchase that is billed later");
    if let Some(row) = two.bill.leave_out(&late) {
        three.bill.add(row);
    }
    two.differs("MISSING_ON_BILL", &late, "OTHER_PERIOD_EFFECTIVE");
    three.differs("UNKNOWN_TO_US", &late, "OTHER_PERIOD_EFFECTIVE");

    let untiered = shop.line("a purchase without its tier");
    three.bill.settle_by(&untiered, shop.books.fee(), 0);
    three.differs("AMOUNT_DIFFERS", &untiered, "TIER_NOT_APPLIED");
    let half = shop.line("a purchase that only its refund is billed of");
    three.bill.leave_out(&half);
    three.differs("MISSING_ON_BILL", &half, "REFUND_PAIRING");
    let surprise = surprising_refund(shop, third);
    let given_back = surprise.sold.original.as_ref().map(|line| line.order_line_id.clone()).unwrap_or_default();
    three.differences.push(Difference {
        outcome: "UNKNOWN_TO_US",
        by: "refund_of",
        id: given_back,
        cause: "REFUND_NOT_HEARD_OF",
    });
    three.bill.add(surprise);
    [one, two, three]
}

/// A sale that nobody told of.
fn unheard(shop: &Shop<'_, '_>, month: Month) -> Row {
    let sold = shop.sold(Kind::New, Cents::whole(45), month.at(21, 10));
    Row { sold, fee: shop.books.fee(), tier: 0, settled: Cents(4_275) }
}

/// A refund that nobody told of, of something that was billed two months ago.
fn surprising_refund(shop: &Shop<'_, '_>, month: Month) -> Row {
    let original = shop.line("the trial becomes a purchase");
    let original = shop.books.sold().iter().find(|sold| sold.name() == original).and_then(|sold| sold.line.clone());
    let at = month.at(22, 10);
    let sold = Sold {
        line: Some(OrderLine::fresh()),
        original,
        effective: Some(at),
        paid: Some(at),
        acceptance: Acceptance::NotNeeded,
        ..shop.sold(Kind::Refund, Cents::whole(-120), at)
    };
    Row { sold, fee: shop.books.fee(), tier: 0, settled: Cents::whole(-114) }
}
