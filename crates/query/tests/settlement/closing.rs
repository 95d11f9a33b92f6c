//! Closing months, and correcting them.

use serde_json::json;

use crate::shop::Shop;

#[actix_web::test]
async fn a_month_is_closed_once_and_corrected_later() {
    let shop = Shop::new().await;
    shop.sell("CS1", "2024-05-05T02:00:00Z", "100.00").await;
    assert_eq!(shop.see("/periods/202405/close").await["can_be_closed"], true);
    assert_eq!(shop.post("finance", "/periods/202406/close", "").await.problem(409).0, "period-not-over");
    let closed = shop.act("/periods/202405/close", "").await;
    assert_eq!((closed["closed_before"].as_bool(), closed["lines"].as_u64()), (Some(false), Some(1)));
    assert_eq!(shop.act("/periods/202405/close", "").await["closed_before"], true);
    assert_eq!(shop.see("/periods/202405").await["state"], "CLOSED");

    // It turns out that the order cost less: the closed line stays, a correction is proposed.
    let cheaper = json!({ "order_id": "CS1", "order_line_id": "CS1-000001", "sales_amount": "80.00" });
    shop.act("/statements", cheaper.to_string()).await;
    let lines = shop.see("/lines?recomputed=true").await;
    assert_eq!(
        lines["lines"][0]["recomputed"]["difference"].as_str().map(|text| text.trim_end_matches('0')),
        Some("-19.")
    );
    let proposed = shop.see("/adjustments").await["proposed"][0].clone();
    assert_eq!((proposed["period"].as_str(), proposed["amount"].as_str()), (Some("202406"), Some("-19.00")));

    let mut adjustment = json!({
        "period": "202405", "id": "ticket-4711", "corrects": "202405", "line_id": "CS1-000001", "amount": "-19.00",
        "note": "the order cost less",
    });
    let refused = shop.post("finance", "/adjustments", adjustment.to_string()).await;
    assert_eq!(refused.problem(409).0, "period-closed");
    adjustment["period"] = "202406".into();
    let taken = shop.act("/adjustments", adjustment.to_string()).await;
    assert_eq!(
        (taken["recorded"].as_bool(), taken["line_id"].as_str()),
        (Some(true), Some("adjustment/202406/ticket-4711"))
    );
    assert_eq!(shop.act("/adjustments", adjustment.to_string()).await["recorded"], false);
    adjustment["amount"] = "-18.00".into();
    let other = shop.post("finance", "/adjustments", adjustment.to_string()).await;
    assert_eq!(other.problem(409).0, "adjustment-exists");

    let adjustments = shop.see("/adjustments").await;
    assert_eq!(adjustments["proposed"].as_array().unwrap().len(), 0);
    assert_eq!(adjustments["adjustments"][0]["id"], "ticket-4711");
    for id in ["adjustment/202406/ticket-4711", "adjustment%2F202406%2Fticket-4711"] {
        assert_eq!(shop.see(&format!("/lines/{id}")).await["line_type"], "ADJUSTMENT", "{id}");
    }
    shop.set_clock("2024-07-10T04:00:00Z");
    let june = shop.see("/periods/202406").await;
    assert_eq!(june["tabs"][0]["columns"]["adjustment"], "-19.00");
}
