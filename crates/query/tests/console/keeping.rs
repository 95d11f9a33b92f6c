//! What is done at the console comes back in its pages: with a bookkeeper who follows the log.

use chopmark_domain::access::Role;
use tokio_util::sync::DropGuard;

use crate::books::with_keeper;
use crate::browser::Browser;
use crate::house::House;

const DETAILS: &str = "\
    order_id,order_line_id,line_type,sku_code,charging_mode,effective_at,paid_at,sales_amount,fee_ratio,currency\n\
    CS7,CS7-000001,NEW,saas,PERIOD,2026-10-05 10:00:00,2026-10-05 10:00:00,100.00,5%,CNY\n";

async fn kept() -> (House, DropGuard) {
    let (house, stop) = with_keeper(House::new().await).await;
    house.token("finance-token", Role::Finance, &["acme"]).await;
    house.project().await;
    (house, stop)
}

/// Brings the transaction details and takes them up; gives the session's secret.
async fn bring_details(browser: &mut Browser<'_>) -> String {
    let secret = browser.form_secret().await;
    let page = browser.bring(&secret, "transactions", DETAILS).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.has("Transaction details").has("Rows about order lines").has_not("taken up before");
    let digest = page.field("sha256");
    let form = [("form_secret", secret.as_str()), ("seller", "acme"), ("sha256", &digest)];
    let form = [&form[..], &[("category", "transactions"), ("name", "codes")]].concat();
    let columns: Vec<_> =
        DETAILS.lines().next().unwrap().split(',').flat_map(|code| [("header", code), ("field", code)]).collect();
    let done = browser.post("/console/bills/import", &[form, columns].concat()).await;
    assert_eq!((done.status, done.header("location")), (303, "/console/bills?seller=acme&done=transactions"));
    browser.get("/console/bills?seller=acme&done=transactions").await.has("The transaction details are taken up");
    secret
}

#[actix_web::test]
async fn transaction_details_become_lines_and_are_known_when_they_come_again() {
    let (house, _stop) = kept().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let secret = bring_details(&mut browser).await;
    let line = browser.get("/console/settlement/line?id=CS7-000001").await;
    line.has("95.00").has("Row of the transaction details");
    browser.bring(&secret, "transactions", DETAILS).await.has("was taken up before");
}

#[actix_web::test]
async fn a_month_is_closed_and_what_is_known_later_goes_on_a_later_bill() {
    let (house, _stop) = kept().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let secret = bring_details(&mut browser).await;
    let close = [("form_secret", secret.as_str()), ("seller", "acme")];
    browser.get("/console/settlement/202610/close").await.has("95.00").has("Close 2026-10");
    let closed = browser.post("/console/settlement/202610/close", &close).await;
    assert_eq!(
        (closed.status, closed.header("location")),
        (303, "/console/settlement/202610?seller=acme&done=closed"),
        "{}",
        closed.text
    );
    browser.get("/console/settlement/202610?done=closed").await.has("The month is closed").has("CS7-000001");
    browser.get("/console/settlement/202610/close").await.has("It was closed with").has_not("Close 2026-10</button>");

    let facts = [("id", "CS7-000001"), ("order_id", "CS7"), ("order_line_id", "CS7-000001"), ("sales_amount", "80.00")];
    let stated = browser.post("/console/settlement/line", &[&close[..], &facts[..]].concat()).await;
    assert_eq!(stated.status, 303, "{}", stated.text);
    let line = browser.get(stated.header("location")).await;
    line.has("The facts are recorded").has("Recomputed, it would be 76.00 now");
    browser.get("/console/settlement/202610/close").await.has("−19.00");

    let adjustment = [
        ("id", "ticket-4711"),
        ("corrects", "202610"),
        ("line_id", "CS7-000001"),
        ("amount", "-19.00"),
        ("note", "less"),
    ];
    let adjustment = [&close[..], &adjustment[..]].concat();
    let refused = browser.post("/console/settlement/202610", &adjustment).await;
    assert_eq!(refused.status, 409, "that month is closed");
    let recorded = browser.post("/console/settlement/202611", &adjustment).await;
    assert_eq!(recorded.status, 303, "{}", recorded.text);
    browser
        .get(recorded.header("location"))
        .await
        .has("The adjustment is recorded")
        .has("adjustment/202611/ticket-4711");
    browser.get("/console/settlement/202610/close").await.has("Nothing to correct");
}

#[actix_web::test]
async fn facts_are_stated_as_times_of_beijing_or_as_not_yet_and_never_both() {
    let (house, _stop) = kept().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let secret = bring_details(&mut browser).await;
    let line = [("form_secret", secret.as_str()), ("seller", "acme"), ("id", "CS7-000001")];
    let line = [&line[..], &[("order_id", "CS7"), ("order_line_id", "CS7-000001")]].concat();
    for (facts, status) in [
        (vec![], 400),
        (vec![("paid_at", "2026-10-09T12:00"), ("paid_at_not", "not_yet")], 400),
        (vec![("paid_at", "soon")], 400),
        (vec![("sales_amount", "much")], 400),
        (vec![("effective_at", "2026-10-09T12:00"), ("paid_at_not", "not_yet")], 303),
    ] {
        let said = browser.post("/console/settlement/line", &[&line[..], &facts[..]].concat()).await;
        assert_eq!(said.status, status, "{facts:?}: {}", said.text);
    }
    let page = browser.get("/console/settlement/line?id=CS7-000001").await;
    page.has("2026-10-09 12:00:00").has("Not paid in full").has("Operator: finance-token");
    assert_eq!(browser.post("/console/settlement/line", &line[1..]).await.status, 403, "without the secret");
}
