//! Tiers hold for the whole month of a product, so one sale may change every line of it.

use chopmark_domain::order::OrderType;
use rust_decimal::Decimal;

use super::desk::{Desk, Fate};
use super::shop::{Shop, settled_at};

fn amount(yuan: i64) -> Decimal {
    Decimal::new(yuan, 0)
}

/// So many sales of 1,000 in May.
fn small_sales(count: u32) -> Shop {
    let mut shop = Shop::new("2024-05-02T00:00:00Z");
    for n in 0..count {
        shop.sell(&format!("i-{n}"), &format!("small{n}"), amount(1_000));
    }
    shop
}

#[tokio::test]
async fn a_sale_that_reaches_a_tier_changes_every_line_of_the_month() {
    let mut shop = small_sales(7);
    let desk = Desk::of(&shop.records).await;
    assert_eq!(desk.settled("small3").await, amount(950));
    shop.sell("i-big", "big", amount(1_500_000));
    desk.fold(&shop.records, 1_024, 3).await;
    assert_eq!(desk.settled("big").await, amount(1_455_000));
    for n in 0..7 {
        assert_eq!(desk.settled(&format!("small{n}")).await, amount(970), "small{n}");
    }
    desk.adds_up().await;
}

#[tokio::test]
async fn a_tier_that_is_lost_is_lost_for_every_line_of_the_month() {
    let mut shop = small_sales(3);
    shop.sell("i-big", "big", amount(600_000));
    let desk = Desk::of(&shop.records).await;
    assert_eq!(desk.settled("small1").await, amount(960));
    // It takes effect a month later, says the console.
    shop.state("big", settled_at("2024-06-10T00:00:00Z"));
    desk.fold(&shop.records, 1_024, 500).await;
    assert_eq!(desk.settled("small1").await, amount(950));
    assert_eq!(desk.settled("big").await, amount(576_000), "the tier of June");
    desk.adds_up().await;
}

#[tokio::test]
async fn a_process_that_dies_while_lines_are_drawn_up_anew_goes_on_where_it_was() {
    let mut shop = small_sales(9);
    shop.sell("i-big", "big", amount(1_500_000));
    let expected = Desk::of(&shop.records).await.text().await;
    let desk = Desk::new();
    desk.fold(&shop.records[..shop.records.len() - 1], 1_024, 500).await;
    desk.is_dealt(vec![Fate::Done, Fate::DiesAfter, Fate::DiesBefore, Fate::Done, Fate::DiesAfter]);
    desk.fold(&shop.records, 1_024, 2).await;
    assert_eq!(desk.text().await, expected);
}

#[tokio::test]
async fn terms_that_change_draw_everything_up_anew() {
    let mut shop = small_sales(5);
    let desk = Desk::of(&shop.records).await;
    // The first terms were wrong: those that hold at the time of a sale are the last that were given.
    shop.wait_until("2024-05-01T00:00:00Z");
    shop.product("gold", 3, Decimal::new(10, 2));
    desk.fold(&shop.records, 1_024, 2).await;
    for n in 0..5 {
        assert_eq!(desk.settled(&format!("small{n}")).await, amount(900), "small{n}");
    }
    desk.adds_up().await;
}

#[tokio::test]
async fn cases_that_are_drawn_up_together_go_by_one_amount_of_their_month() {
    let mut shop = Shop::new("2024-05-02T00:00:00Z");
    shop.sell("i-0", "a", amount(500_000));
    let desk = Desk::of(&shop.records).await;
    // In one transaction the first gives up what the second brings.
    shop.answer("a", OrderType::New, amount(100_000));
    shop.sell("i-1", "b", amount(400_000));
    desk.fold(&shop.records, 1_024, 500).await;
    assert_eq!([desk.settled("a").await, desk.settled("b").await], [amount(96_000), amount(384_000)]);
}
