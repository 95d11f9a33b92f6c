//! Files, mappings, and the bill against the lines.

use actix_web::test::TestRequest;
use serde_json::json;

use crate::shop::Shop;

const BILL: &str =
    "order_id,order_line_id,settle_amount\nCS1,CS1-000001,95.00\nCS2,CS2-000001,900.00\nCS9,CS9-000001,20\n";

async fn sold() -> Shop {
    let shop = Shop::new().await;
    shop.sell("CS1", "2024-05-05T02:00:00Z", "100.00").await;
    shop.sell("CS2", "2024-05-06T02:00:00Z", "1000.00").await;
    shop.sell("CS3", "2024-05-07T02:00:00Z", "300.00").await;
    shop
}

#[actix_web::test]
async fn a_bill_is_looked_at_then_taken_up_then_compared() {
    let shop = sold().await;
    let path = "/bills?category=generic&period=202405&file_name=may.csv";
    let preview = shop.act(path, BILL).await;
    assert_eq!((preview["committed"].as_bool(), preview["change"]["added"].as_u64()), (Some(false), Some(3)));
    assert_eq!(shop.see("/reconciliation/202405").await["without_bill"][0]["lines"], 3);

    let taken = shop.act(&format!("{path}&commit=true"), BILL).await;
    assert_eq!((taken["committed"].as_bool(), taken["change"]["revision"].as_u64()), (Some(true), Some(1)));
    let bills = shop.see("/bills").await;
    assert_eq!(
        (bills["bills"][0]["file_name"].as_str(), bills["bills"][0]["totals"]["CNY"].as_str()),
        (Some("may.csv"), Some("1015.00"))
    );
    assert_eq!(shop.act(path, BILL).await["change"]["same"], true);

    let compared = shop.see("/reconciliation/202405").await;
    let outcomes: Vec<_> =
        compared["pairs"].as_array().unwrap().iter().map(|pair| pair["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["MISSING_ON_BILL", "AMOUNT_DIFFERS", "UNKNOWN_TO_US", "MATCHED"]);
    assert_eq!(compared["bills"][0]["totals"][0]["open"], 3);
    let page = shop.see("/reconciliation/202405?differences=true&limit=2&cursor=2").await;
    assert_eq!(page["pairs"].as_array().unwrap().len(), 1);

    let differing = &compared["pairs"][1];
    assert_eq!(differing["rows"][0]["source"]["kind"], "bill_rows_listed.v1");
    let mut judgement = json!({
        "category": "generic", "key": differing["key"], "currency": "CNY", "judgement": "DISPUTED",
        "note": "ticket 4711", "difference": "-49.00",
    });
    let judge = "/reconciliation/202405/judgements";
    let changed = shop.post("finance", judge, judgement.to_string()).await;
    assert_eq!(changed.problem(409).0, "difference-changed");
    judgement["difference"] = differing["difference"].clone();
    assert_eq!(shop.act(judge, judgement.to_string()).await["outcome"], "AMOUNT_DIFFERS");
    let compared = shop.see("/reconciliation/202405").await;
    assert_eq!(compared["pairs"][1]["judged"]["note"], "ticket 4711");
    assert_eq!(compared["bills"][0]["totals"][0]["open"], 2);
    judgement["key"]["id"] = "CS8-000001".into();
    assert_eq!(shop.post("finance", judge, judgement.to_string()).await.problem(404).0, "no-such-difference");
}

#[actix_web::test]
async fn a_file_with_a_bad_row_is_refused_as_a_whole() {
    let shop = sold().await;
    let bad = "order_id,settle_amount\nCS1,95.00\nCS2,many\n";
    let preview = shop.act("/bills?category=generic&period=202405", bad).await;
    assert_eq!(
        (preview["problems"][0]["row"].as_u64(), preview["problems"][0]["column"].as_str()),
        (Some(3), Some("settle_amount"))
    );
    for path in ["/bills?category=generic&period=202405&commit=true", "/transactions?commit=true"] {
        let bad = bad.replace("settle_amount", "sales_amount,settle_amount").replace(",many", ",many,many");
        let reply = shop.post("finance", path, bad).await;
        let (name, detail) = reply.problem(422);
        assert_eq!(name, "file-refused");
        assert!(detail.contains("row 3"), "{detail}");
    }
    assert_eq!(
        shop.post("finance", "/bills?category=generic&period=202405", "%PDF-1.7").await.problem(422).0,
        "file-refused"
    );
    assert_eq!(
        shop.post("finance", "/bills?category=none&period=202405", BILL).await.problem(400).0,
        "malformed-request"
    );
    assert_eq!(shop.post("finance", "/bills?period=202405", BILL).await.problem(400).0, "malformed-request");
    assert_eq!(shop.see("/bills").await["bills"].as_array().unwrap().len(), 0);
}

#[actix_web::test]
async fn transactions_replace_what_was_estimated_once() {
    let shop = sold().await;
    let file = "order_id,order_line_id,line_type,sku_code,charging_mode,currency,sales_amount,effective_at,paid_at\n\
                CS4,CS4-000001,NEW,plan,PERIOD,CNY,400.00,2024-05-08 10:00:00,2024-05-08 10:00:00\n";
    let preview = shop.act("/transactions?file_name=t.csv", file).await;
    assert_eq!((preview["order_lines"].as_u64(), preview["taken_up_before"].as_bool()), (Some(1), Some(false)));
    shop.act("/transactions?commit=true&file_name=t.csv", file).await;
    let line = shop.see("/lines/CS4-000001").await;
    assert_eq!(line["sales_amount"]["value"], "400.00");
    let event = &line["events"][0];
    assert_eq!(
        (event["cause"]["file_name"].as_str(), event["data"]["row"].as_u64()),
        (Some("t.csv"), Some(2)),
        "{event}"
    );
    assert_eq!(shop.act("/transactions", file).await["taken_up_before"], true);
}

#[actix_web::test]
async fn a_saved_mapping_reads_what_no_shipped_one_does() {
    let shop = sold().await;
    let mapping = json!({ "name": "ours", "columns": { "Beleg": "order_id", "Netto": "settle_amount" } });
    let put = |body: String| TestRequest::put().uri("/v1/settlement/mappings").set_payload(body);
    let saved = shop.send("finance", put(mapping.to_string())).await.ok();
    assert_eq!(
        (saved["mappings"][0]["name"].as_str(), saved["mappings"][0]["shipped"].as_bool()),
        (Some("ours"), Some(false))
    );
    let unknown = json!({ "name": "ours", "columns": { "Beleg": "receipt" } });
    assert_eq!(shop.send("finance", put(unknown.to_string())).await.problem(400).0, "malformed-request");
    let preview = shop.act("/bills?category=generic&period=202405&mapping=ours", "Beleg,Netto\nCS1,95.00\n").await;
    assert_eq!(preview["change"]["rows"], 1);
    let (_, detail) =
        shop.post("finance", "/bills?category=generic&period=202405&mapping=other", BILL).await.problem(400);
    assert!(detail.contains("ours"), "{detail}");
}

#[actix_web::test]
async fn the_progress_of_a_bill_is_told_with_its_period() {
    let shop = sold().await;
    shop.act("/bills?category=generic&period=202405&commit=true", BILL).await;
    let path = "/bills/generic/202405/progress";
    let progress = shop.act(path, r#"{"state":"申付处理中","payment_request_no":"SF1"}"#).await;
    assert_eq!(progress["state"], "PAYMENT_PROCESSING");
    assert_eq!(shop.act(path, r#"{"state":"PAID"}"#).await["payment_request_no"], "SF1");
    let bill = shop.see("/periods/202405").await["tabs"][0]["bill"].clone();
    assert_eq!((bill["state"].as_str(), bill["payment_request_no"].as_str()), (Some("PAID"), Some("SF1")));
    assert_eq!(shop.post("finance", path, r#"{"state":"LOST"}"#).await.problem(400).0, "malformed-request");
}

#[actix_web::test]
async fn a_judgement_stands_until_a_new_revision_changes_what_was_judged() {
    let shop = sold().await;
    let path = "/bills?category=generic&period=202405&commit=true";
    shop.act(path, BILL).await;
    let judged = async || {
        let compared = shop.see("/reconciliation/202405").await;
        let pairs = compared["pairs"].as_array().unwrap();
        let pair = pairs.iter().find(|pair| pair["key"]["id"] == "CS2-000001").unwrap();
        pair["judged"]["judgement"].as_str().map(str::to_owned)
    };
    let judgement = json!({
        "category": "generic", "key": { "by": "line", "id": "CS2-000001" }, "currency": "CNY",
        "judgement": "ACCEPTED", "note": "agreed",
    });
    shop.act("/reconciliation/202405/judgements", judgement.to_string()).await;
    // Another row changes, then this one.
    shop.act(path, BILL.replace(",20\n", ",30\n")).await;
    assert_eq!(judged().await.as_deref(), Some("ACCEPTED"));
    shop.act(path, BILL.replace("900.00", "901.00")).await;
    assert_eq!(judged().await, None);
}

#[actix_web::test]
async fn a_line_says_how_far_its_bill_is() {
    let shop = sold().await;
    let progress = json!({ "state": "PAID", "payment_request_no": "SF1" }).to_string();
    shop.act("/bills/generic/202405/progress", progress).await;
    let line = shop.see("/lines/CS1-000001").await;
    assert_eq!((&line["bill_id"], &line["bill_state"]), (&json!("202405"), &json!("PAID")));
    shop.act("/bills?category=generic&period=202405&commit=true", BILL).await;
    let line = &shop.see("/periods/202405/lines").await["lines"][0];
    assert_eq!((&line["bill_state"], &line["payment_request_no"]), (&json!("PAID"), &json!("SF1")));
}
