//! Logging in, staying in and being sent away.

use actix_web::test::TestRequest;
use chopmark_domain::access::Role;
use chopmark_domain::cause::Cause;

use crate::browser::Browser;
use crate::house::House;

const SESSION: &str = "chopmark-session";

#[actix_web::test]
async fn a_browser_is_led_from_the_root_to_the_login_and_to_the_page_it_asked_for() {
    let house = House::new().await;
    let mut browser = Browser::new(&house);
    assert_eq!(browser.get("/").await.header("location"), "/console");
    let asked = browser.get("/console/licenses?id=L1&seller=acme").await;
    assert_eq!(asked.status, 303);
    let login = asked.header("location").to_owned();
    assert_eq!(login, "/console/login?next=%2Fconsole%2Flicenses%3Fid%3DL1%26seller%3Dacme");
    let next = browser.get(&login).await.field("next").replace("&#38;", "&").replace("&amp;", "&");
    let entered = browser.post("/console/login", &[("token", "acme-token"), ("next", &next)]).await;
    assert_eq!((entered.status, entered.header("location")), (303, "/console/licenses?id=L1&seller=acme"));
}

#[actix_web::test]
async fn programs_at_the_root_are_told_as_before_that_nothing_is_there() {
    let house = House::new().await;
    let page = Browser::new(&house).send(TestRequest::get().uri("/")).await;
    assert_eq!(page.status, 404);
    page.has("no-such-path");
}

#[actix_web::test]
async fn a_session_s_cookie_is_kept_from_scripts_and_other_sites() {
    let house = House::new().await;
    let mut browser = Browser::new(&house);
    let page = browser.post("/console/login", &[("token", " admin-token\n")]).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("chopmark-session="), "{cookie}");
    assert!(cookie.ends_with("; Path=/console; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("admin-token"));
}

#[actix_web::test]
async fn a_token_that_is_not_known_opens_nothing() {
    let house = House::new().await;
    let mut browser = Browser::new(&house);
    for token in ["", "wrong", "admin-token2"] {
        let page = browser.post("/console/login", &[("token", token)]).await;
        assert_eq!(page.status, 401);
        page.has("role=\"alert\"").has_not(&format!("value=\"{token}2"));
    }
    assert_eq!(browser.cookie(SESSION), None);
}

#[actix_web::test]
async fn who_tries_tokens_out_is_slowed_down() {
    let house = House::new().await;
    let mut browser = Browser::new(&house);
    let mut guesses = 0;
    // One comes back each second, and on a busy machine sixty take longer than that.
    let turned_away = loop {
        let status = browser.post("/console/login", &[("token", "guess")]).await.status;
        if status != 401 {
            break status;
        }
        guesses += 1;
        assert!(guesses < 600, "nothing slows it down");
    };
    assert_eq!(turned_away, 429);
    assert!(guesses >= 60, "{guesses}");
    assert_eq!(browser.post("/console/login", &[("token", "admin-token")]).await.status, 303, "a success is answered");
}

#[actix_web::test]
async fn a_token_that_is_taken_back_ends_its_sessions() {
    let house = House::new().await;
    let mut browser = Browser::of(&house, "acme-token").await;
    assert_eq!(browser.get("/console/licenses").await.status, 200);
    house.commands.revoke_token("acme-token", &Cause::System).await.unwrap();
    house.project().await;
    assert_eq!(browser.get("/console/licenses").await.status, 303);
    assert_eq!(browser.get("/console/deliveries").await.status, 303);
}

#[actix_web::test]
async fn a_session_ends_when_nobody_uses_it_and_when_its_token_expires() {
    let house = House::new().await;
    let mut browser = Browser::of(&house, "admin-token").await;
    house.set_clock("2026-11-24T12:59:59Z");
    assert_eq!(browser.get("/console/licenses").await.status, 200);
    house.set_clock("2026-11-24T13:59:59Z");
    assert_eq!(browser.get("/console/licenses").await.status, 303);
}

#[actix_web::test]
async fn logging_out_ends_the_session_for_whoever_has_its_cookie() {
    let house = House::new().await;
    let mut browser = Browser::of(&house, "admin-token").await;
    let (secret, cookie) = (browser.form_secret().await, browser.cookie(SESSION).unwrap().to_owned());
    let page = browser.post("/console/logout", &[("form_secret", &secret)]).await;
    assert_eq!((page.status, page.header("location")), (303, "/console/login"));
    assert_eq!(browser.cookie(SESSION), None);
    let again = TestRequest::get().uri("/console/licenses").insert_header(("cookie", format!("{SESSION}={cookie}")));
    assert_eq!(Browser::new(&house).send(again).await.status, 303);
}

#[actix_web::test]
async fn a_form_without_the_session_s_secret_is_refused() {
    let house = House::new().await;
    let mut browser = Browser::of(&house, "admin-token").await;
    let (mut other, _) = (Browser::of(&house, "admin-token").await, ());
    let others = other.form_secret().await;
    for fields in [vec![], vec![("form_secret", "")], vec![("form_secret", others.as_str())]] {
        assert_eq!(browser.post("/console/logout", &fields).await.status, 403);
    }
    assert_eq!(browser.get("/console/licenses").await.status, 200, "nothing was done");
}

#[actix_web::test]
async fn a_form_of_another_site_is_refused_even_at_the_login() {
    let house = House::new().await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://elsewhere.example")] {
        for path in ["/console/login", "/console/language"] {
            let request = TestRequest::post().uri(path).insert_header((name, value)).set_payload("token=admin-token");
            let page = Browser::new(&house).send(request).await;
            assert_eq!(page.status, 403, "{path} {name}");
            assert!(page.headers.get("set-cookie").is_none());
        }
    }
}

#[actix_web::test]
async fn nobody_is_led_to_another_site() {
    let house = House::new().await;
    for next in ["https://elsewhere.example/", "//elsewhere.example", "/console//elsewhere.example"] {
        let page = Browser::new(&house).post("/console/login", &[("token", "admin-token"), ("next", next)]).await;
        assert_eq!(page.header("location"), "/console", "{next}");
    }
}

#[actix_web::test]
async fn the_language_is_the_browser_s_until_another_is_chosen() {
    let house = House::new().await;
    let mut browser = Browser::new(&house);
    let ask = || TestRequest::get().uri("/console/login").insert_header(("accept-language", "zh-CN,zh;q=0.9"));
    browser.send(ask()).await.has("lang=\"zh-Hans\"").has("登录");
    let page = browser.post("/console/language", &[("to", "en"), ("back", "/console/login")]).await;
    assert_eq!((page.status, page.header("location")), (303, "/console/login"));
    browser.send(ask()).await.has("<html lang=\"en\">").has("Log in");
}

#[actix_web::test]
async fn the_first_page_is_the_one_that_the_role_is_for() {
    let house = House::new().await;
    house.token("finance-token", Role::Finance, &["acme"]).await;
    house.project().await;
    for (token, first) in [
        ("acme-token", "/console/licenses"),
        ("finance-token", "/console/settlement"),
        ("admin-token", "/console/settlement"),
    ] {
        let mut browser = Browser::of(&house, token).await;
        assert_eq!(browser.get("/console").await.header("location"), first, "{token}");
    }
}
