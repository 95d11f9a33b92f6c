use crate::house::{House, order, seller, time};
use actix_web::{App, HttpServer};
use chopmark_domain::license::Command;
use chopmark_journal::Delivery;
use chopmark_query::{OrderAtRisk, configure};
#[actix_web::test]
#[ignore = "by hand"]
async fn serve() {
    let house = crate::books::with_books(House::new().await).await;
    house.token("finance-token", chopmark_domain::access::Role::Finance, &["acme"]).await;
    let key = house.buy_known("CS2611241200001", "seated", "2027-11-24T00:00:00Z").await;
    house.set_clock("2026-11-24T12:20:00Z");
    house.run(&key, Command::Block("charged back by the bank, ticket 4711".into())).await;
    house.run(&key, Command::Unblock).await;
    for n in 0..9 {
        house
            .buy_known(
                &format!("CS261124120001{n}"),
                if n % 2 == 0 { "saas" } else { "seated" },
                "2027-03-01T00:00:00Z",
            )
            .await;
    }
    house.buy("beta", "CS26112412000999").await;
    let d = |o: &str, r: &str, test, auth, reason: Option<&str>| Delivery {
        at: time("2026-11-24T11:12:13Z"),
        seller: "acme".into(),
        activity: Some("newInstance".into()),
        test,
        authenticated: auth,
        subject: None,
        order: Some(o.into()),
        order_line: Some(format!("{o}-000001")),
        result_code: r.into(),
        reason: reason.map(Into::into),
        millis: 1.53,
        remote: None,
        body: format!("{{\"activity\":\"newInstance\",\"orderId\":\"{o}\",\"orderLineId\":\"{o}-000001\"}}"),
        answer: "{\"resultCode\":\"000005\",\"resultMsg\":\"internal error\"}".into(),
    };
    house.journal.record(d("CS2611241200101", "000005", false, true, None));
    house.journal.record(d("CS2611241200102", "000000", false, true, None));
    house.journal.record(d("CS2611241200103", "000000", true, true, None));
    house.journal.record(d("CS2611241200104", "000001", false, false, Some("signature_wrong")));
    house.at_risk.lock().unwrap().push(OrderAtRisk {
        seller: seller("acme"),
        order_id: order("CS2611241200105").order_id,
        since: time("2026-11-24T10:00:00Z"),
        attempts: 7,
        reason: Some("the open API does not answer".into()),
        abandoned: true,
    });
    house.project().await;
    println!("LICENSE {}", key.id.as_str());
    std::fs::write("/tmp/console-desk/license", key.id.as_str()).unwrap();
    let query = house.query.clone();
    HttpServer::new(move || {
        let query = query.clone();
        App::new().configure(|c| configure(c, query))
    })
    .workers(1)
    .bind("127.0.0.1:8765")
    .unwrap()
    .run()
    .await
    .unwrap();
}
#[actix_web::test]
#[ignore = "by hand"]
async fn serve_kept() {
    let (house, _stop) = crate::books::with_keeper(House::new().await).await;
    house.token("finance-token", chopmark_domain::access::Role::Finance, &["acme"]).await;
    house.project().await;
    let query = house.query.clone();
    HttpServer::new(move || {
        let query = query.clone();
        App::new().configure(|c| configure(c, query))
    })
    .workers(1)
    .bind("127.0.0.1:8766")
    .unwrap()
    .run()
    .await
    .unwrap();
}
