//! Prices and refunds that are worked out and not recorded, by the switches of the seller.

use chopmark_domain::cause::Cause;
use chopmark_domain::ids::Sku;
use chopmark_domain::settlement::policy::{Policy, PoweredOff, TermDays, VolumeDiscount};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::SellerTerms;
use chopmark_domain::settlement::usage::image::PartialHour;

use serde_json::{Value, json};

use crate::shop::{Shop, seller, terms};

/// A shop whose seller has other switches from now on.
async fn switched(policy: Policy) -> Shop {
    let shop = Shop::new().await;
    let terms = SellerTerms { policy, ..SellerTerms::of(Site::Cn) };
    let since = "2024-01-02T00:00:00Z".parse().unwrap();
    shop.commands.apply_catalog(&seller("acme"), &terms, &[], since, &Cause::System).await.unwrap();
    shop
}

async fn amount(shop: &Shop, asked: &Value) -> String {
    shop.act("/quotes", asked.to_string()).await["amount"].as_str().unwrap().to_owned()
}

fn upgrade() -> Value {
    let term = json!({"from": "2024-05-31T16:00:00Z", "months": 1});
    json!({"at": "2024-06-15T16:00:00Z", "upgrade": {"old_price": "1000", "new_price": "1600", "term": term}})
}

fn scale_out(pricing: &str) -> Value {
    let term = json!({"from": "2024-05-31T16:00:00Z", "months": 1});
    let brackets = json!([{"up_to": "10", "unit_price": "100"}, {"unit_price": "80"}]);
    json!({"at": "2024-06-15T16:00:00Z", "scale_out": {
        "pricing": pricing, "users_before": 10, "users_after": 15, "price_before": "1000", "brackets": brackets,
        "term": term, "discount": "0.9",
    }})
}

fn minutes(pricing: &str) -> Value {
    let brackets = json!([{"up_to": "3", "unit_price": "0.30"}, {"unit_price": "0.20"}]);
    json!({"usage": {"pricing": pricing, "brackets": brackets, "quantity": "8"}})
}

fn hours(state: &str) -> Value {
    let span = json!({"from": "2024-05-05T01:40:00Z", "to": "2024-05-05T03:10:00Z", "state": state});
    json!({"image_hours": {"hourly_price": "0.50", "spans": [span]}})
}

#[actix_web::test]
async fn the_worked_numbers_of_the_marketplaces_pages_come_out() {
    let shop = Shop::new().await;
    let quote = shop.act("/quotes", upgrade().to_string()).await;
    assert_eq!(
        (&quote["amount"], &quote["shown"], &quote["currency"]),
        (&"300".into(), &"300.00".into(), &"CNY".into())
    );
    let last = quote["explanation"].as_array().unwrap().last().unwrap();
    assert_eq!(last, "sales_amount = new_price_for_the_rest 800 - old_price_for_the_rest 500 = 300");
    assert_eq!(amount(&shop, &minutes("step")).await, "1.9");
    assert_eq!(amount(&shop, &minutes("tier")).await, "1.6");
    assert_eq!(amount(&shop, &scale_out("volume")).await, "180");
    assert_eq!(amount(&shop, &scale_out("tiered")).await, "90");
    assert_eq!(amount(&shop, &hours("normal")).await, "0.75");
    assert_eq!(amount(&shop, &hours("in_arrears")).await, "0");
}

#[actix_web::test]
async fn hours_belong_to_the_month_of_beijing() {
    let shop = Shop::new().await;
    let span = json!({"from": "2024-05-31T15:30:00Z", "to": "2024-05-31T17:00:00Z"});
    let quote = shop.act("/quotes", json!({"image_hours": {"hourly_price": "1", "spans": [span]}}).to_string()).await;
    let months = json!([
        {"period": "202405", "seconds": 1_800, "amount": "0.5"}, {"period": "202406", "seconds": 3_600, "amount": "1"},
    ]);
    assert_eq!(quote["periods"], months);
}

#[actix_web::test]
async fn every_switch_of_prices_changes_what_is_answered() {
    let days = switched(Policy { term_days: TermDays::Thirty365, ..Policy::default() }).await;
    let mut may = upgrade();
    may["upgrade"]["term"]["from"] = "2024-04-30T16:00:00Z".into();
    may["at"] = "2024-05-16T16:00:00Z".into();
    assert_eq!(amount(&days, &may).await, "300", "15 of 30 days, though May has 31");
    assert_eq!(amount(&Shop::new().await, &may).await, "290.322580645162");

    let volume = switched(Policy { volume_discount: VolumeDiscount::None, ..Policy::default() }).await;
    assert_eq!(amount(&volume, &scale_out("volume")).await, "200");

    let ceil = switched(Policy { partial_hour: PartialHour::Ceil, ..Policy::default() }).await;
    assert_eq!(amount(&ceil, &hours("normal")).await, "1.5");

    assert_eq!(amount(&ceil, &hours("powered_off")).await, "1.5");
    let free = switched(Policy { powered_off: PoweredOff::Free, ..Policy::default() }).await;
    assert_eq!(amount(&free, &hours("powered_off")).await, "0");
}

#[actix_web::test]
async fn a_product_has_its_own_price_and_part_of_an_hour() {
    let shop = Shop::new().await;
    let mut product = terms();
    product.settlement.hourly_price = Some("2".parse().unwrap());
    product.settlement.partial_hour = Some(PartialHour::Ceil);
    let wanted = [(Sku::parse("plan").unwrap(), product)];
    let since = "2024-01-02T00:00:00Z".parse().unwrap();
    let settled = SellerTerms::of(Site::Cn);
    shop.commands.apply_catalog(&seller("acme"), &settled, &wanted, since, &Cause::System).await.unwrap();
    let mut asked = hours("normal");
    asked["image_hours"]["sku"] = "plan".into();
    assert_eq!(amount(&shop, &asked).await, "1.5", "a price that is named comes first");
    asked["image_hours"].as_object_mut().unwrap().remove("hourly_price");
    assert_eq!(amount(&shop, &asked).await, "6");
}

#[actix_web::test]
async fn a_term_that_is_given_back_is_counted_by_the_hour() {
    let shop = Shop::new().await;
    let mut asked = json!({"at": "2024-01-15T10:40:00Z", "currency": "USD", "refund": {
        "paid": "758", "provisioned_at": "2024-01-01T02:30:00Z", "expires_at": "2024-02-01T15:59:59Z",
    }});
    let quote = shop.act("/quotes", asked.to_string()).await;
    assert_eq!((&quote["amount"], &quote["currency"]), (&"414".into(), &"USD".into()));
    let rule = json!({
        "order_hours": 758, "used_hours": 344, "estimated": true, "five_days_until": "2024-01-06T02:30:00Z",
        "needs_approval": false,
    });
    assert_eq!(quote["refund"], rule);
    asked["refund"]["paid"] = "75800".into();
    asked["refund"]["handling_fee"] = "400".into();
    let quote = shop.act("/quotes", asked.to_string()).await;
    assert_eq!((&quote["amount"], &quote["refund"]["estimated"]), (&"41000".into(), &false.into()));
    assert_eq!(quote["refund"]["needs_approval"], true);
}

#[actix_web::test]
async fn what_cannot_be_worked_out_is_told() {
    let shop = Shop::new().await;
    let mut both = upgrade();
    both["usage"] = minutes("step")["usage"].clone();
    let mut late = upgrade();
    late["at"] = "2024-06-30T16:00:00Z".into();
    let mut endless = upgrade();
    endless["upgrade"]["term"]["years"] = 1.into();
    let mut falling = minutes("step");
    falling["usage"]["brackets"][1]["up_to"] = "2".into();
    let mut negative = minutes("step");
    negative["usage"]["quantity"] = "-8".into();
    let mut unpriced = hours("normal");
    unpriced["image_hours"].as_object_mut().unwrap().remove("hourly_price");
    let mut unknown = hours("normal");
    unknown["image_hours"]["sku"] = "other".into();
    for (asked, complaint) in [
        (json!({}), "ask for one of"),
        (both, "ask for one of"),
        (late, "not within the term"),
        (endless, "either `months` or `years`"),
        (falling, "`brackets`"),
        (negative, "`quantity`"),
        (unpriced, "`hourly_price`"),
        (unknown, "no product other"),
        (minutes("free"), "`pricing`"),
        (scale_out("free"), "`pricing`"),
        (hours("asleep"), "`state`"),
    ] {
        let (kind, detail) = shop.post("finance", "/quotes", asked.to_string()).await.problem(400);
        assert_eq!(kind, "malformed-request");
        assert!(detail.contains(complaint), "{detail}");
    }
    let refused = shop.post("support", "/quotes", upgrade().to_string()).await;
    assert_eq!(refused.problem(403).0, "forbidden");
}
