//! What the pages of settlement say, and what their forms do.

use std::collections::BTreeMap;

use chopmark_domain::access::Role;
use chopmark_domain::cause::Cause;
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::bill::event::BillImported;
use chopmark_domain::settlement::bill::mapping::Mapping;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::reconciliation::judgement::Judgement;

use chopmark_log::Position;

use crate::books::with_books;
use crate::browser::Browser;
use crate::house::{House, seller};
use crate::shelf::billed;

pub(crate) async fn open() -> House {
    let house = with_books(House::new().await).await;
    house.token("finance-token", Role::Finance, &["acme"]).await;
    house.project().await;
    house
}

#[actix_web::test]
async fn the_overview_draws_every_month_and_says_the_same_numbers_beneath() {
    let house = open().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let page = browser.get("/console/settlement").await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.has("<svg").has("id=\"chart-desc\"").has("2026-06").has("2026-11");
    page.has("16,400.00").has("15,580.00").has("−820.00");
    let (chart, table) = page.text.split_once("</svg>").unwrap();
    for amount in ["24,800.00", "−3,420.00", "20,140.00"] {
        assert!(chart.contains(amount) && table.contains(amount), "{amount}");
    }
    page.has("class=\"ahead\"").has("/console/settlement/none?seller=acme");
}

#[actix_web::test]
async fn a_period_lists_its_lines_and_can_be_narrowed() {
    let house = open().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let page = browser.get("/console/settlement/202610").await;
    page.has("CS2610020001-000001").has("26,980.00").has("−4,750.00").has("Bill imported");
    let refunds = browser.get("/console/settlement/202610?type=REFUND").await;
    refunds.has("CS2610200004-000001").has_not("CS2610020001-000001");
    let order = browser.get("/console/settlement/202610?order=CS2610030002").await;
    order.has("CS2610030002-000001").has_not("CS2610020001-000001");
    browser.get("/console/settlement/202610?order=nobody").await.has("Nothing matches");
    browser.get("/console/settlement/none").await.has("CS2611120003-000001").has("Facts missing");
    browser.get("/console/settlement/202611?estimated=true").await.has("CS2611020001").has_not("CS2611050002");
    assert_eq!(browser.get("/console/settlement/2026").await.status, 400);
}

#[actix_web::test]
async fn a_line_goes_from_gross_to_net_and_to_the_events_behind_it() {
    let house = open().await;
    house.buy("acme", "CS1").await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let page = browser.get("/console/settlement/line?id=CS2610030002-000001").await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.has("1,000.00").has("−50.00").has("950.00");
    page.has("settlement amount = sales amount 1000 × seller&#39;s share 0.95 = 950")
        .has("2026-10-03 10:00:00")
        .has("Events behind it");
    assert_eq!(browser.get("/console/settlement/line?id=nobody").await.status, 404);
    let waiting = browser.get("/console/settlement/line?id=CS2611120003-000001").await;
    waiting.has("when it is paid in full").has("not told yet");
}

#[actix_web::test]
async fn differences_come_first_with_their_causes_and_can_be_judged() {
    let house = open().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let page = browser.get("/console/settlement/202610/reconciliation").await;
    page.has("Missing on the bill").has("CS2610040003-000001").has("Another amount").has("Not expected");
    page.has_not("CS2610020001-000001");
    let first = page.text.find("CS2610040003-000001").unwrap();
    assert!(first < page.text.find("CS2610030002-000001").unwrap(), "the most money first");
    browser.get("/console/settlement/202610/reconciliation?pairs=all").await.has("CS2610020001-000001");
}

#[actix_web::test]
async fn a_judgement_is_an_event_with_the_token_s_name() {
    let house = open().await;
    let identity =
        BillIdentity { seller: seller("acme"), category: Category::Generic, period: Period::parse("202610").unwrap() };
    let mapping = Mapping { name: "codes".into(), columns: BTreeMap::new() };
    let (file_name, sha256) = ("bill.xlsx".into(), "0".repeat(64));
    let imported = BillImported { revision: 1, file_name, sha256, mapping, rows: 1 };
    house.commands.import_bill(&identity, imported, &[billed(2, "CS1", "95.00")], &Cause::System).await.unwrap();
    let mut browser = Browser::of(&house, "finance-token").await;
    let page = browser.get("/console/settlement/202610/reconciliation").await;
    let field = |name: &str| page.field(name).replace("&#34;", "\"").replace("&quot;", "\"");
    let (secret, key, currency, difference) =
        (field("form_secret"), field("key"), field("currency"), field("difference"));
    let form = |secret| {
        [
            ("form_secret", secret),
            ("seller", "acme"),
            ("category", "generic"),
            ("key", key.as_str()),
            ("currency", currency.as_str()),
            ("difference", difference.as_str()),
            ("note", "ticket 4711"),
            ("judgement", "DISPUTED"),
        ]
    };
    let path = "/console/settlement/202610/reconciliation";
    assert_eq!(browser.post(path, &form("wrong")).await.status, 403);
    let done = browser.post(path, &form(secret.as_str())).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let next = done.header("location").to_owned();
    browser.get(&next).await.has("marked as disputed");
    let kept = house.commands.bill(&identity).await.unwrap();
    let judged: Vec<_> = kept.judgements.iter().map(|judged| (judged.judgement, judged.note.as_str())).collect();
    assert_eq!(judged, [(Judgement::Disputed, "ticket 4711")]);
    let head = house.commands.log().head().await.unwrap();
    let last = house.commands.log().read_all(Position(head.0 - 1), 1).await.unwrap().records.pop().unwrap();
    assert!(String::from_utf8(last.metadata).unwrap().contains("finance-token"));
}

#[actix_web::test]
async fn a_bill_is_looked_at_before_it_is_taken() {
    let house = open().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    browser.get("/console/bills").await.has("2026-10").has("bill.xlsx");
    let secret = browser.form_secret().await;
    let file = "order_line_id,settle_amount,currency\nCS2611050002-000001,4940.00,CNY\n";
    assert_eq!(browser.bring("wrong", "generic", file).await.status, 403);
    let page = browser.bring(&secret, "generic", file).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.has("november.csv").has("Import 1").has("4,940.00").has("settle_amount");
    let digest = page.field("sha256");
    let taken = [("form_secret", secret.as_str()), ("seller", "acme"), ("sha256", digest.as_str())];
    let columns = ["order_line_id", "settle_amount", "currency"].map(|code| [("header", code), ("field", code)]);
    let taken = [&taken[..], &[("category", "generic"), ("period", "202611"), ("name", "codes")], &columns.concat()];
    let taken = taken.concat();
    let imported = browser.post("/console/bills/import", &taken).await;
    assert_eq!(imported.status, 303, "{}", imported.text);
    let location = imported.header("location");
    assert_eq!(location, "/console/settlement/202611/reconciliation?seller=acme&done=imported");
    let identity =
        BillIdentity { seller: seller("acme"), category: Category::Generic, period: Period::parse("202611").unwrap() };
    assert_eq!(house.commands.bill(&identity).await.unwrap().imported.unwrap().file_name, "november.csv");
}

#[actix_web::test]
async fn a_file_with_a_mistake_is_told_where_and_nothing_is_taken() {
    let house = open().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let secret = browser.form_secret().await;
    let file = "order_line_id,settle_amount,currency\nCS2611050002-000001,much,CNY\n";
    let page = browser.bring(&secret, "generic", file).await;
    page.has("Nothing of the file can be taken").has("Row 2").has("settle_amount").has_not("/console/bills/import");
    let page = browser.bring(&secret, "generic", "").await;
    assert_eq!(page.status, 422);
    page.has("role=\"alert\"");
    let gone = [("form_secret", secret.as_str()), ("seller", "acme"), ("sha256", "0000")];
    browser.post("/console/bills/import", &gone).await.has("no longer here");
}

#[actix_web::test]
async fn a_month_is_closed_after_what_would_be_corrected_was_shown() {
    let house = open().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    browser.get("/console/settlement/202611/close").await.has("not over yet").has_not("form_secret\" value=\"\"");
    let page = browser.get("/console/settlement/202609/close").await;
    page.has("Nothing to correct").has("29,925.00").has("Close 2026-09");
    assert!(page.text.find("id=\"corrections\"").unwrap() < page.text.find("id=\"with\"").unwrap());
    let refused = browser.post("/console/settlement/202609/close", &[("seller", "acme")]).await;
    assert_eq!(refused.status, 403);
}

#[actix_web::test]
async fn an_installation_without_lines_says_how_settlement_begins() {
    let house = House::new().await;
    let mut browser = Browser::of(&house, "admin-token").await;
    assert_eq!(browser.get("/console/settlement").await.status, 503, "this process keeps no views");
}
