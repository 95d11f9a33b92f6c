//! Periods, lines and the forecast.

use actix_web::test::TestRequest;
use chopmark_tables::{Limits, read};

use crate::shop::Shop;

#[actix_web::test]
async fn a_statement_becomes_a_line_a_period_and_a_forecast() {
    let shop = Shop::new().await;
    shop.sell("CS6", "2024-05-05T02:00:00Z", "100.00").await;
    shop.sell("CS7", "2024-06-05T02:00:00Z", "200.00").await;

    let periods = shop.see("/periods").await;
    let may = &periods["periods"][0];
    assert_eq!((may["period"].as_str(), may["state"].as_str()), (Some("202405"), Some("RUN")), "{periods}");
    assert_eq!(may["tabs"][0]["shown"], "95.00");
    assert_eq!(may["balances"][0]["payable"], "95.00");

    let lines = shop.see("/periods/202405/lines").await;
    let line = &lines["lines"][0];
    assert_eq!(line["line_id"], "CS6-000001");
    // The tier of a month is not known for certain before it is closed.
    assert_eq!((&line["sales_amount"]["mark"], &line["settle_amount"]["mark"]), (&"stated".into(), &"estimate".into()));
    assert_eq!(line["blocked"].as_array().unwrap().len(), 0);

    let explained = shop.see("/lines/CS6-000001").await;
    assert!(explained["explanation"].as_array().unwrap().iter().any(|step| step["result"]["value"].is_string()));
    let event = &explained["events"][0];
    assert_eq!((event["kind"].as_str(), event["cause"]["actor"].as_str()), (Some("order_stated.v1"), Some("finance")));

    let forecast = shop.see("/forecast").await;
    assert_eq!(forecast["open_period"], "202406");
    assert_eq!(forecast["waiting"][0]["reason"], "RUN_NOT_REACHED", "{forecast}");
    assert_eq!(forecast["accounts"][0]["payable"], "190.00");
}

#[actix_web::test]
async fn pages_of_lines_follow_their_cursors_and_filters_are_named_in_complaints() {
    let shop = Shop::new().await;
    for order in ["CS1", "CS2", "CS3"] {
        shop.sell(order, "2024-06-05T02:00:00Z", "100.00").await;
    }
    let first = shop.see("/lines?limit=2").await;
    assert_eq!(first["lines"].as_array().unwrap().len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = shop.see(&format!("/lines?limit=2&cursor={cursor}&period=202406&blocked=RUN_NOT_REACHED")).await;
    assert_eq!(rest["lines"][0]["line_id"], "CS3-000001");
    assert!(rest.get("next_cursor").is_none());
    let none = shop.see("/lines?period=none").await;
    assert_eq!(none["lines"].as_array().unwrap().len(), 0);
    for query in [
        "blocked=LATE",
        "cursor=zz",
        "line_type=GIFT",
        "limit=0",
        "period=2024",
        "period=202405&period=202406",
        "misspelt=1",
    ] {
        let (name, _) = shop.get("finance", &format!("/lines?{query}")).await.problem(400);
        assert_eq!(name, "malformed-request", "{query}");
    }
}

#[actix_web::test]
async fn sellers_are_walls_and_roles_reach_so_far() {
    let shop = Shop::new().await;
    shop.sell("CS6", "2024-05-05T02:00:00Z", "100.00").await;
    assert_eq!(shop.get("beta", "/periods?seller=acme").await.problem(403).0, "forbidden");
    assert_eq!(shop.get("beta", "/lines").await.ok()["lines"].as_array().unwrap().len(), 0);
    assert_eq!(shop.get("beta", "/lines/CS6-000001").await.problem(404).0, "no-such-line");
    assert_eq!(shop.get("support", "/periods").await.problem(403).0, "forbidden");
    assert_eq!(shop.get("nobody", "/periods").await.problem(401).0, "token-unknown");
    assert!(shop.get("admin", "/periods").await.problem(400).1.contains("`seller`"));
    assert_eq!(shop.get("admin", "/periods?seller=acme").await.ok()["periods"].as_array().unwrap().len(), 1);
    assert_eq!(shop.get("finance", "/periods/202401").await.problem(404).0, "no-such-period");
    assert_eq!(shop.get("finance", "/periods/2024").await.problem(400).0, "malformed-request");
}

#[actix_web::test]
async fn every_view_is_a_table_too_by_parameter_or_by_header() {
    let shop = Shop::new().await;
    shop.sell("CS6", "2024-05-05T02:00:00Z", "100.00").await;
    for (path, rows) in [("/periods", 1), ("/lines", 1), ("/periods/202405/lines", 1), ("/forecast", 0)] {
        for format in ["csv", "xlsx"] {
            let reply = shop.get("finance", &format!("{path}?format={format}")).await;
            assert_eq!(reply.status, 200, "{path}");
            assert!(reply.header("content-disposition").ends_with(&format!(".{format}\"")), "{path}");
            assert!(!reply.header("chopmark-position").is_empty());
            let table = read(&reply.body, Limits::default()).unwrap();
            assert!(table.rows.len() >= rows, "{path} {format}");
        }
    }
    let request = TestRequest::get().uri("/v1/settlement/lines").insert_header(("accept", "text/csv"));
    let reply = shop.send("finance", request).await;
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    assert!(String::from_utf8_lossy(&reply.body).contains("CS6-000001"));
    assert_eq!(shop.get("finance", "/lines?format=pdf").await.problem(400).0, "malformed-request");
}

#[actix_web::test]
async fn a_statement_says_something_and_says_it_rightly() {
    let shop = Shop::new().await;
    let line = r#""order_id":"CS1","order_line_id":"CS1-000001""#;
    for (fact, named) in [
        ("", "nothing"),
        (r#","effective_at":"yesterday""#, "`effective_at`"),
        (r#","billed":"May""#, "`billed`"),
        (r#","sales_amount":"many""#, "`sales_amount`"),
        (r#","fee_ratio":"5""#, "`fee_ratio`"),
        (r#","line_type":"GIFT""#, "`line_type`"),
        (r#","sales_amount":1.5"#, "the body"),
    ] {
        let reply = shop.post("finance", "/statements", format!("{{{line}{fact}}}")).await;
        assert!(reply.problem(400).1.contains(named), "{fact}: {}", reply.json);
    }
    let again = format!(r#"{{{line},"withdrawn":true}}"#);
    assert_eq!(shop.act("/statements", again.clone()).await["recorded"], true);
    assert_eq!(shop.act("/statements", again).await["recorded"], false);
}
