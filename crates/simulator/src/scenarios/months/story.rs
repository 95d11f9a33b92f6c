//! Three months of the shop: everything that can be sold, and everything that can delay it or take it back.

use chrono::TimeDelta;

use super::shop::Shop;
use crate::finance::{Acceptance, Kind, Month, Sold};
use crate::orders::Cents;

/// Plays them.
pub(super) async fn play(shop: &mut Shop<'_, '_>, [first, second, third]: [Month; 3]) {
    first_month(shop, first, second).await;
    second_month(shop, second).await;
    third_month(shop, third).await;
    shop.uses(second, Cents(1_234));
    shop.uses(third, Cents(75));
}

async fn first_month(shop: &mut Shop<'_, '_>, month: Month, next: Month) {
    shop.buys("a month is bought", Kind::New, Cents::whole(100), month.at(5, 10)).await;
    let renewal = shop.sold(Kind::Renew, Cents::whole(100), next.at(0, 22));
    let renewal = Sold { effective: Some(next.at(1, 0)), ..renewal };
    shop.renews("a month is bought", "it is renewed on the last day, for the next month", renewal).await;
    shop.tries("a trial begins", month.at(6, 10)).await;
    let formal = shop.sold(Kind::TrialConvert, Cents::whole(120), month.at(20, 10));
    shop.renews("a trial begins", "the trial becomes a purchase", formal).await;
    shop.buys("bought, for two days", Kind::New, Cents::whole(100), month.at(8, 10)).await;
    shop.gives_back("bought, for two days", "it is given back within its month", month.at(10, 9)).await;
    shop.buys("bought on the last day", Kind::New, Cents::whole(100), next.at(0, 14)).await;
    shop.gives_back("bought on the last day", "it is given back before the bill is run", next.at(2, 9)).await;
    shop.buys("bought, and billed", Kind::New, Cents::whole(200), month.at(12, 10)).await;
    shop.gives_back("bought, and billed", "it is given back after it was billed", next.at(15, 10)).await;
    shop.buys("a package", Kind::Package, Cents(3_333), month.at(9, 10)).await;
    let credit = shop.sold(Kind::New, Cents::whole(250), month.at(25, 10));
    shop.sells("bought on credit", Sold { paid: Some(next.at(20, 10)), ..credit }).await;
    let service = shop.sold(Kind::New, Cents::whole(400), month.at(3, 10));
    shop.sells("a service to be accepted", Sold { acceptance: Acceptance::At(next.at(15, 10)), ..service }).await;
    shop.buys("a purchase that is billed wrong", Kind::New, Cents::whole(100), month.at(13, 10)).await;
    shop.buys("a purchase that the bill forgets", Kind::New, Cents::whole(60), month.at(14, 10)).await;
}

async fn second_month(shop: &mut Shop<'_, '_>, month: Month) {
    shop.buys("bought once and for all", Kind::OneTime, Cents(4_990), month.at(7, 10)).await;
    let with_voucher = shop.sold(Kind::New, Cents::whole(500), month.at(11, 10));
    shop.sells("bought with a voucher", Sold { voucher: Cents::whole(20), ..with_voucher }).await;
    shop.buys("a purchase that is billed twice", Kind::New, Cents::whole(80), month.at(12, 10)).await;
    shop.buys("a purchase with another fee", Kind::New, Cents::whole(100), month.at(13, 10)).await;
    shop.buys("a purchase that is billed later", Kind::New, Cents::whole(70), month.at(14, 10)).await;
}

async fn third_month(shop: &mut Shop<'_, '_>, month: Month) {
    shop.buys("a large purchase that reaches a tier", Kind::New, Cents::whole(600_000), month.at(6, 10)).await;
    let upgrade = shop.sold(Kind::Change, Cents::whole(300), month.at(10, 10));
    shop.upgrades("a month is bought", "the first customer upgrades", upgrade).await;
    let renewal = shop.sold(Kind::Renew, Cents::whole(1_200), month.at(5, 10));
    let begins = month.next().next().at(1, 0);
    shop.renews("bought with a voucher", "renewed far ahead", Sold { effective: Some(begins), ..renewal }).await;
    let cancelled = "the renewal is given back before it begins";
    shop.cancels("bought with a voucher", "renewed far ahead", cancelled, month.at(15, 10)).await;
    shop.buys("a purchase without its tier", Kind::New, Cents::whole(1_000), month.at(7, 10)).await;
    shop.buys("a purchase that only its refund is billed of", Kind::New, Cents::whole(90), month.at(8, 10)).await;
    let given_back = "it is given back the next day";
    shop.gives_back("a purchase that only its refund is billed of", given_back, month.at(9, 10)).await;
    let unpaid = shop.sold(Kind::New, Cents::whole(150), month.at(16, 10));
    shop.sells("bought on credit, and not repaid", Sold { paid: None, ..unpaid }).await;
    let unaccepted = shop.sold(Kind::New, Cents::whole(180), month.at(17, 10) + TimeDelta::minutes(30));
    shop.sells("a service that nobody has accepted", Sold { acceptance: Acceptance::Open, ..unaccepted }).await;
}
