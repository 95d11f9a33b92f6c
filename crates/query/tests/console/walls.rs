//! What a token may see, and what nobody's browser may do.

use chopmark_domain::access::Role;

use crate::browser::Browser;
use crate::house::House;

const EVERYWHERE: [&str; 5] =
    ["/console/login", "/console", "/console/licenses", "/console/deliveries", "/console/nowhere"];

#[actix_web::test]
async fn every_answer_forbids_what_no_page_needs() {
    let house = House::new().await;
    let mut browser = Browser::new(&house);
    let mut logged_in = Browser::of(&house, "admin-token").await;
    for path in EVERYWHERE {
        for page in [browser.get(path).await, logged_in.get(path).await] {
            let policy = page.header("content-security-policy");
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "form-action 'self'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
            ] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert_eq!(page.header("referrer-policy"), "same-origin");
            assert_eq!(page.header("cache-control"), "no-store", "{path}");
        }
    }
}

#[actix_web::test]
async fn pages_have_nothing_that_their_policy_forbids() {
    let house = House::new().await;
    house.buy_known("CS1", "saas", "2027-11-24T00:00:00Z").await;
    let mut browser = Browser::of(&house, "admin-token").await;
    for path in EVERYWHERE {
        let page = browser.get(path).await;
        page.has_not(" style=").has_not("<style").has_not(" onclick=").has_not("<script>").has_not("http://");
    }
}

#[actix_web::test]
async fn files_may_be_kept_for_ever_and_are_found_by_what_is_in_them() {
    let house = House::new().await;
    let mut browser = Browser::new(&house);
    let page = browser.get("/console/login").await;
    let style = page.text.split("href=\"").find(|part| part.contains(".css")).unwrap().split('"').next().unwrap();
    let file = browser.get(style).await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(file.header("cache-control").contains("immutable"));
    assert_eq!(browser.get("/console/assets/console-0000000000000000.css").await.status, 404);
}

#[actix_web::test]
async fn another_seller_s_license_is_not_there() {
    let house = House::new().await;
    let (own, other) = (house.buy("acme", "CS1").await, house.buy("beta", "CS2").await);
    let mut browser = Browser::of(&house, "acme-token").await;
    let list = browser.get("/console/licenses").await;
    list.has(own.id.as_str()).has_not(other.id.as_str()).has_not(">beta<");
    assert_eq!(browser.get(&format!("/console/licenses/{}", own.id.as_str())).await.status, 200);
    for uri in ["", "?seller=beta", "?seller=acme"] {
        let page = browser.get(&format!("/console/licenses/{}{uri}", other.id.as_str())).await;
        assert_eq!(page.status, 404, "{uri}");
        page.has_not("CS2");
    }
    let mut admin = Browser::of(&house, "admin-token").await;
    admin.get("/console/licenses").await.has(own.id.as_str()).has(other.id.as_str()).has(">beta</option>");
}

#[actix_web::test]
async fn support_sees_no_money() {
    let house = House::new().await;
    house.token("finance-token", Role::Finance, &["acme"]).await;
    house.project().await;
    let mut support = Browser::of(&house, "acme-token").await;
    support.get("/console/licenses").await.has_not("/console/settlement").has_not("/console/bills");
    for path in [
        "/console/settlement",
        "/console/settlement/202611",
        "/console/bills",
        "/console/settlement/202611/reconciliation",
        "/console/settlement/202611/close",
        "/console/settlement/line?id=x",
    ] {
        assert_eq!(support.get(path).await.status, 403, "{path}");
    }
    let mut finance = Browser::of(&house, "finance-token").await;
    finance.get("/console/licenses").await.has("/console/settlement");
    assert_eq!(finance.get("/console/settlement?seller=beta").await.status, 403);
}

#[actix_web::test]
async fn a_hostile_name_is_text_and_nothing_else() {
    let house = House::new().await;
    let mut browser = Browser::of(&house, "admin-token").await;
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for uri in [
        format!("/console/licenses?id={hostile}"),
        format!("/console/licenses?product={hostile}"),
        format!("/console/licenses/{hostile}"),
        format!("/console/deliveries?order={hostile}"),
        format!("/console/login?next={hostile}"),
    ] {
        browser.get(&uri).await.has_not("<script>alert").has_not("\"><script");
    }
    let key = house.buy("acme", "CS1").await;
    let reason = "<img src=x onerror=alert(1)>";
    house.run(&key, chopmark_domain::license::Command::Block(reason.into())).await;
    let page = browser.get(&format!("/console/licenses/{}", key.id.as_str())).await;
    page.has_not("<img src=x").has("onerror");
}
