//! What people do at the console, with a mouse, with a keyboard, on a phone, and without scripts.

use chopmark_simulator::{Message, OrderLine};
use serde_json::json;

use crate::driver::Browser;
use crate::support::{Home, Server, config};

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// A server with one license, and its id.
async fn shop() -> (Home, Server, String) {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let answer = server.call(&Message::NewInstance { order: OrderLine::fresh() }).await;
    let license = answer["instanceId"].as_str().unwrap().to_owned();
    (home, server, license)
}

fn at(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.api.authority())
}

async fn log_in(browser: &Browser, server: &Server) {
    browser.go(&at(server, "/")).await;
    browser.write("#token", &server.admin_token()).await;
    browser.click(".login button").await;
    browser.reads("Log out").await;
}

#[tokio::test]
async fn somebody_logs_in_finds_a_license_and_logs_out() {
    let (_home, server, license) = shop().await;
    let browser = Browser::open(1280).await;
    log_in(&browser, &server).await;
    browser.click("nav a[href='/console/licenses']").await;
    browser.write("#id", &license[..8]).await;
    browser.click(".filters .primary").await;
    browser.click("tbody a").await;
    browser.reads("Time line").await;
    browser.click(".line summary").await;
    browser.reads("newInstance").await;
    assert!(browser.text().await.contains(&license));
    browser.click("form[action='/console/logout'] button").await;
    browser.reads("Use a token of this installation").await;
    browser.go(&at(&server, "/console/licenses")).await;
    assert!(browser.path().await.starts_with("console/login"), "the session is over");
}

#[tokio::test]
async fn a_wrong_token_is_explained_and_another_language_is_a_click_away() {
    let (_home, server, _) = shop().await;
    let browser = Browser::open(1280).await;
    browser.go(&at(&server, "/console/login")).await;
    browser.write("#token", "cmk_wrong").await;
    browser.click(".login button").await;
    browser.reads("This token is not known here").await;
    browser.click("button[value='zh']").await;
    browser.reads("登录").await;
    assert_eq!(browser.eval("return document.documentElement.lang").await, "zh-Hans");
}

#[tokio::test]
async fn everything_is_reached_with_the_keyboard_alone() {
    let (_home, server, _) = shop().await;
    let browser = Browser::open(1280).await;
    log_in(&browser, &server).await;
    browser.go(&at(&server, "/console/deliveries")).await;
    browser.press(TAB).await;
    assert_eq!(browser.eval("return document.activeElement.className").await, "skip", "the first stop is the way past");
    browser.press(ENTER).await;
    assert_eq!(browser.eval("return document.activeElement.id").await, "main");
    let stops = "const all = [...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary')];
        return all.filter((each) => each.tabIndex < 0).length";
    assert_eq!(browser.eval(stops).await, 0);
    let unnamed = "const all = [...document.querySelectorAll('input:not([type=hidden]), select')];
        return all.filter((each) => each.labels.length === 0).length";
    assert_eq!(browser.eval(unnamed).await, 0, "every field has a label");
}

#[tokio::test]
async fn on_a_phone_no_page_is_wider_than_the_screen() {
    let (_home, server, license) = shop().await;
    let browser = Browser::open(1280).await;
    log_in(&browser, &server).await;
    let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    browser.devtools("Emulation.setDeviceMetricsOverride", &phone).await;
    let license = format!("/console/licenses/{license}");
    for path in ["/console/licenses", &license, "/console/deliveries", "/console/settlement", "/console/bills"] {
        browser.go(&at(&server, path)).await;
        let wide = browser.eval("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(wide.as_i64().unwrap() <= 0, "{path} is {wide} pixels too wide");
    }
}

#[tokio::test]
async fn pages_do_all_they_do_without_scripts_and_break_no_rule_of_their_own() {
    let (_home, server, license) = shop().await;
    let browser = Browser::open(1280).await;
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true })).await;
    browser.go(&at(&server, "/console/login")).await;
    browser.write("#token", &server.admin_token()).await;
    browser.click(".login button").await;
    browser.click("nav a[href='/console/licenses']").await;
    browser.click("tbody a").await;
    for _ in 0..100 {
        if browser.has("#history").await {
            break;
        }
    }
    assert!(browser.path().await.starts_with(&format!("console/licenses/{license}")));
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": false })).await;
    browser.go(&at(&server, "/console/settlement")).await;
    let styled = browser.eval("return getComputedStyle(document.querySelector('.bar-in')).display").await;
    assert_eq!(styled, "flex", "the stylesheet is let in by the policy");
}

#[tokio::test]
async fn a_bill_is_brought_looked_at_taken_and_a_difference_disputed() {
    let (home, server, _) = shop().await;
    let file = home.folder.path().join("october.csv");
    std::fs::write(&file, "order_line_id,settle_amount,currency\nCS2610999999-000001,20.00,CNY\n").unwrap();
    let browser = Browser::open(1280).await;
    log_in(&browser, &server).await;
    browser.click("nav a[href='/console/bills']").await;
    browser.write("#period", "202610").await;
    browser.write("#file", file.to_str().unwrap()).await;
    browser.click("form[action='/console/bills/preview'] .primary").await;
    browser.reads("How the columns are read").await;
    browser.click("form[action='/console/bills/import'] .primary").await;
    browser.reads("The bill is imported").await;
    browser.reads("Not expected").await;
    browser.write("#note-0", "ticket 4711").await;
    browser.click("button[value='DISPUTED']").await;
    browser.reads("The difference is marked as disputed").await;
    browser.reads("ticket 4711").await;
    browser.go(&at(&server, "/console/settlement")).await;
    browser.click("tbody a").await;
    browser.reads("2026-10").await;
}

#[tokio::test]
async fn a_file_with_columns_of_its_own_is_read_as_somebody_says_without_scripts() {
    let (home, server, _) = shop().await;
    let file = home.folder.path().join("details.csv");
    std::fs::write(&file, "Order,Line,Whole price\nCS2610888888,CS2610888888-000001,100.00\n").unwrap();
    let browser = Browser::open(1280).await;
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true })).await;
    browser.go(&at(&server, "/console/login")).await;
    browser.write("#token", &server.admin_token()).await;
    browser.click(".login button").await;
    browser.click("nav a[href='/console/bills']").await;
    browser.write("#transactions", file.to_str().unwrap()).await;
    browser.click("section[aria-labelledby='details'] .primary").await;
    browser.click("#field-1 option[value='order_id']").await;
    browser.click("#field-2 option[value='order_line_id']").await;
    browser.click("#field-3 option[value='sales_amount']").await;
    browser.write("#name", "our-details").await;
    browser.click("button[value='save']").await;
    browser.click("#mapping option[value='our-details']:checked").await;
    browser.click("form[action='/console/bills/import'] .primary").await;
    browser.click("[role='status']").await;
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": false })).await;
    browser.go(&at(&server, "/console/settlement/line?id=CS2610888888-000001")).await;
    browser.reads("Row of the transaction details").await;
}
