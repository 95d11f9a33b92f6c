//! Files that go, and files that come: exports, transaction details, and how columns are read.

use crate::browser::{Browser, Page};
use crate::settlement::open;

#[actix_web::test]
async fn reports_come_as_files_and_lines_narrowed_as_the_page_is() {
    let house = open().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let page = browser.get("/console/settlement/202610?type=REFUND").await;
    let lines = browser.get(&page.link("format=csv")).await;
    assert_eq!(lines.status, 200, "{}", lines.text);
    lines.has("CS2610200004-000001").has_not("CS2610020001-000001");
    assert_eq!(lines.header("content-disposition"), "attachment; filename=\"lines-acme-202610.csv\"");
    assert_eq!((lines.header("x-content-type-options"), lines.header("cache-control")), ("nosniff", "no-store"));
    let workbook = browser.get(&page.link("format=xlsx")).await;
    assert!(workbook.text.starts_with("PK"));

    let overview = browser.get("/console/settlement").await;
    browser.get(&overview.link("download/periods")).await.has("202606").has("202611");
    browser.get(&overview.link("download/forecast")).await.has("202611");
    browser.get(&overview.link("download/lines")).await.has("CS2606110001-000001").has("CS2611120003-000001");

    let differences = browser.get("/console/settlement/202610/reconciliation").await.link("format=csv");
    browser.get(&differences).await.has("CS2610040003").has_not("CS2610020001");
    let all = browser.get("/console/settlement/202610/reconciliation?pairs=all").await.link("format=csv");
    browser.get(&all).await.has("CS2610040003").has("CS2610020001");
}

#[actix_web::test]
async fn a_file_is_for_those_who_may_see_its_page_and_says_what_it_cannot_be_asked() {
    let house = open().await;
    let lines = "/console/download/lines?seller=acme&format=csv";
    assert_eq!(Browser::new(&house).get(lines).await.status, 303);
    assert_eq!(Browser::of(&house, "acme-token").await.get(lines).await.status, 403, "support sees no money");
    let mut browser = Browser::of(&house, "finance-token").await;
    for (path, status) in [
        ("lines?seller=beta&format=csv", 403),
        ("lines?format=pdf", 400),
        ("lines?format=csv&line_type=GIFT", 400),
        ("lines?format=csv&period=October", 400),
        ("reconciliation?format=csv", 400),
        ("secrets?format=csv", 404),
    ] {
        assert_eq!(browser.get(&format!("/console/download/{path}")).await.status, status, "{path}");
    }
}

/// A form of the preview of a file, with how its columns are to be read.
async fn read_again(browser: &mut Browser<'_>, page: &Page, more: &[(&str, &str)]) -> Page {
    let hidden = ["form_secret", "seller", "sha256", "category", "period"].map(|name| (name, page.field(name)));
    let fields: Vec<_> = hidden.iter().map(|(name, value)| (*name, value.as_str())).chain(more.to_vec()).collect();
    browser.post("/console/bills/read", &fields).await
}

const OWN_COLUMNS: [(&str, &str); 4] =
    [("header", "Ours"), ("field", "settle_amount"), ("header", "Whose"), ("field", "order_line_id")];

#[actix_web::test]
async fn columns_are_read_as_somebody_says_and_the_next_file_is_read_alike() {
    let house = open().await;
    let mut browser = Browser::of(&house, "finance-token").await;
    let secret = browser.form_secret().await;
    let file = "Ours,Whose\n4940.00,CS2611050002-000001\n";
    let page = browser.bring(&secret, "generic", file).await;
    page.has("no column is mapped to").has("passed over").has_not("/console/bills/import");

    let read = read_again(&mut browser, &page, &[&[("do", "read")], &OWN_COLUMNS[..]].concat()).await;
    read.has("/console/bills/import").has("4,940.00").has("by-hand");
    let twice = [("header", "Ours"), ("field", "settle_amount"), ("header", "Whose"), ("field", "settle_amount")];
    read_again(&mut browser, &page, &twice).await.has("both mapped").has_not("/console/bills/import");

    let saved = [&[("do", "save"), ("name", " our-export ")], &OWN_COLUMNS[..]].concat();
    read_again(&mut browser, &page, &saved).await.has("The mapping is saved").has("our-export");
    let next = browser.bring(&secret, "generic", "Ours,Whose\n9310.00,CS2611020001-000001\n").await;
    next.has("value=\"our-export\" selected").has("9,310.00").has("/console/bills/import");
    let other = read_again(&mut browser, &next, &[("do", "by"), ("mapping", "codes")]).await;
    other.has("value=\"codes\" selected").has("no column is mapped to");
    assert_eq!(read_again(&mut browser, &next, &[("do", "by"), ("mapping", "nobody-s")]).await.status, 400);

    // What was shown is what is taken.
    let shown = read_again(&mut browser, &next, &[("do", "by"), ("mapping", "our-export")]).await;
    let digest = shown.field("sha256");
    let form = [("form_secret", secret.as_str()), ("seller", "acme"), ("sha256", &digest), ("category", "generic")];
    let form = [&form[..], &[("period", "202611"), ("name", "our-export")], &OWN_COLUMNS[..]].concat();
    assert_eq!(browser.post("/console/bills/import", &form).await.status, 303);
}
