//! Settlement from end to end: callbacks, orders and the console's files in, the API's answers out, in both orders.

use chopmark_simulator::finance::{Acceptance, Books, Kind, Language, Month, Sold};
use chopmark_simulator::orders::{Cents, Product};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::settlement_till::{Act, BOTH, Call, Sequence, Till, at, decimal, refund, sold};

fn act(sold: &Sold, call: Call) -> Act {
    Act { sold: sold.clone(), call }
}

async fn plain() -> Till {
    Till::open("", "").await
}

/// Plays acts, and each must come to one line.
async fn comes_to(till: &Till, sequence: Sequence, acts: &[Act], wanted: &[(&Sold, &str, &str)]) {
    till.play(sequence, acts).await;
    for (sold, period, amount) in wanted {
        till.settles(sold, period, amount).await;
    }
}

#[tokio::test]
async fn a_monthly_purchase_is_settled_in_its_month() {
    let till = plain().await;
    for sequence in BOTH {
        let bought = sold(Kind::New, 10_000, "2024-05-05 10:00:00");
        comes_to(&till, sequence, &[act(&bought, Call::Buy)], &[(&bought, "202405", "95")]).await;
        let line = &till.lines(&bought).await[0];
        assert_eq!(line["line_type"], "NEW");
        assert_eq!(line["run"]["date"], "2024-06-03");
        assert_eq!(decimal(&line["columns"]["fee"]), Some(Decimal::from(5)));
        assert_eq!(line["effective_at"]["mark"], "stated");
    }
    till.until(async |till| match till.net("202405").await {
        Some(net) if net == Decimal::from(190) => Ok(()),
        net => Err(format!("{net:?}")),
    })
    .await;
}

/// A product whose fee is known without a file.
const PRICED: &str = r#"
[[product]]
sku = "priced"
seller = "acme"
kind = "saas"
name = "With its fee"
fee_ratio = "0.05"
"#;

fn priced(sold: Sold) -> Sold {
    Sold { product: Product { sku: "priced".into(), ..Product::default() }, ..sold }
}

#[tokio::test]
async fn what_nobody_states_is_an_estimate_until_a_file_states_it() {
    let till = Till::open("", PRICED).await;
    let bought = priced(sold(Kind::New, 10_000, "2024-05-05 10:00:00"));
    till.call_in(&[act(&bought, Call::Buy)]).await;
    let estimated = till
        .until(async |till| match till.lines(&bought).await.as_slice() {
            [line] if !line["settle_amount"].is_null() => Ok(line.clone()),
            lines => Err(format!("{lines:?}")),
        })
        .await;
    assert_eq!(decimal(&estimated["settle_amount"]["value"]), Some(Decimal::from(95)));
    assert_eq!(estimated["effective_at"]["mark"], "estimate");
    assert_eq!(estimated["estimated"], true);
    till.play(Sequence::ImportFirst, &[act(&bought, Call::Never)]).await;
    let stated = till.settles(&bought, "202405", "95").await;
    assert_eq!(stated["effective_at"], json!({ "value": "2024-05-05T02:00:00Z", "mark": "stated" }));
}

#[tokio::test]
async fn the_tier_of_a_month_holds_for_all_of_its_sales_of_a_product() {
    let dear = r#"
[[product]]
sku = "dear"
seller = "acme"
kind = "saas"
name = "With a fee of its own"
fee_ratio = "0.10"
"#;
    let till = Till::open("", dear).await;
    let cases = [
        ("2024-04-05 10:00:00", "202404", 49_999_999, "474999.9905"),
        ("2024-05-05 10:00:00", "202405", 50_000_000, "480000"),
        ("2024-06-05 10:00:00", "202406", 99_999_999, "959999.9904"),
        ("2024-07-05 10:00:00", "202407", 100_000_000, "970000"),
        ("2024-08-05 10:00:00", "202408", 150_000_000, "1455000"),
        // Before there were tiers.
        ("2024-02-05 10:00:00", "202402", 150_000_000, "1425000"),
    ];
    for (moment, period, sales, amount) in cases {
        let bought = sold(Kind::New, sales, moment);
        comes_to(&till, Sequence::CallbacksFirst, &[act(&bought, Call::Buy)], &[(&bought, period, amount)]).await;
    }
    let product = Product { sku: "dear".into(), ..Product::default() };
    let bought = Sold { product, ..sold(Kind::New, 150_000_000, "2024-05-05 10:00:00") };
    till.call_in(&[act(&bought, Call::Buy)]).await;
    till.import("transactions", &[], details_without_fee(&bought).as_bytes()).await;
    till.settles(&bought, "202405", "1350000").await;
}

/// Transaction details that leave the fee to the product.
fn details_without_fee(sold: &Sold) -> String {
    let line = sold.line.as_ref().unwrap();
    format!(
        "订单号,订单行ID,生效时间,付费时间,服务监管状态\r\n{},{},2024-05-05 10:00:00,2024-05-05 10:00:00,不涉及\r\n",
        line.order_id, line.order_line_id
    )
}

#[tokio::test]
async fn two_sales_of_a_month_reach_a_tier_together_whenever_they_are_heard_of() {
    for sequence in BOTH {
        let till = plain().await;
        let first = sold(Kind::New, 30_000_000, "2024-05-05 10:00:00");
        let second = sold(Kind::New, 30_000_000, "2024-05-31 23:59:59");
        comes_to(&till, sequence, &[act(&first, Call::Buy)], &[(&first, "202405", "285000")]).await;
        let both = [(&first, "202405", "288000"), (&second, "202405", "288000")];
        comes_to(&till, sequence, &[act(&second, Call::Buy)], &both).await;
    }
}

#[tokio::test]
async fn international_taxes_are_taken_off() {
    let product = r#"
[[product]]
sku = "abroad"
seller = "other"
kind = "saas"
name = "Abroad"
fee_ratio = "0.15"
"#;
    let till = Till::open("", product).await;
    let details = "Order No.,Order Line ID,Order Type,SKU Code,Billing Mode,Effective Time,Payment Time,\
                   Service Supervision Status,Sales Amount,Customer WHT,Seller Taxes\r\n\
                   INTL1,INTL1-000001,New,abroad,Yearly/Monthly,2024-05-05 10:00:00,2024-05-05 10:00:00,\
                   N/A,850.00,50.00,120.00\r\n";
    let query = [("file_name", "details.csv"), ("commit", "true")];
    let body = chopmark_simulator::finance::Body::File(details.as_bytes());
    let answer = till.accounts_of("other").post("transactions", &query, body).await.unwrap();
    assert_eq!(answer.status / 100, 2, "{}", answer.json);
    let line = till
        .until(async |till| {
            let answer = till.accounts_of("other").get("lines", &[("order", "INTL1")]).await.unwrap();
            match answer.json["lines"][0].clone() {
                line if line.is_object() => Ok(line),
                _ => Err(answer.json.to_string()),
            }
        })
        .await;
    assert_eq!(decimal(&line["settle_amount"]["value"]), Some(Decimal::from(560)), "{line}");
    assert_eq!((&line["currency"], &line["expected_period"]), (&json!("USD"), &json!("202405")));
    assert_eq!(line["run"]["date"], "2024-06-07");
}

#[tokio::test]
async fn a_renewal_placed_in_january_is_settled_in_february() {
    let till = plain().await;
    for sequence in BOTH {
        let bought = sold(Kind::New, 10_000, "2024-01-01 10:00:00");
        let placed = sold(Kind::Renew, 10_000, "2024-01-31 20:00:00");
        let renewal = Sold { effective: Some(at("2024-02-01 00:00:00")), ..placed };
        let acts = [act(&bought, Call::Buy), act(&renewal, Call::Renew(0))];
        comes_to(&till, sequence, &acts, &[(&bought, "202401", "95"), (&renewal, "202402", "95")]).await;
        assert_eq!(till.lines(&renewal).await[0]["line_type"], "RENEW");
    }
}

#[tokio::test]
async fn a_supervised_sale_is_settled_when_it_is_accepted_and_paid() {
    let till = plain().await;
    for sequence in BOTH {
        let service = |paid: &str, accepted: &str| Sold {
            acceptance: Acceptance::At(at(accepted)),
            paid: Some(at(paid)),
            ..sold(Kind::New, 10_000, "2020-02-03 10:00:00")
        };
        let accepted_later = service("2020-02-03 10:00:00", "2020-03-15 10:00:00");
        let repaid_later = service("2020-04-10 10:00:00", "2020-03-15 10:00:00");
        let acts = [act(&accepted_later, Call::Buy), act(&repaid_later, Call::Buy)];
        let wanted = [(&accepted_later, "202003", "95"), (&repaid_later, "202004", "95")];
        comes_to(&till, sequence, &acts, &wanted).await;
    }
}

#[tokio::test]
async fn a_credit_customer_is_billed_when_the_month_is_repaid() {
    let till = plain().await;
    for sequence in BOTH {
        let bought = sold(Kind::New, 10_000, "2020-03-05 10:00:00");
        let unpaid = Sold { paid: None, ..bought.clone() };
        till.play(sequence, &[act(&unpaid, Call::Buy)]).await;
        till.until(async |till| match till.lines(&bought).await.as_slice() {
            [line] if line["blocked"] == json!(["UNPAID_CREDIT"]) => Ok(()),
            lines => Err(format!("{lines:?}")),
        })
        .await;
        let repaid = Sold { paid: Some(at("2020-05-20 10:00:00")), ..bought };
        till.play(sequence, &[act(&repaid, Call::Never)]).await;
        let line = till.settles(&repaid, "202005", "95").await;
        assert_eq!(line["run"]["date"], "2020-06-03");
    }
}

#[tokio::test]
async fn a_refund_within_five_days_comes_to_nothing() {
    let till = plain().await;
    for sequence in BOTH {
        let bought = sold(Kind::New, 10_000, "2024-05-05 10:00:00");
        let back = refund(&bought, "2024-05-08 10:00:00");
        let acts = [act(&bought, Call::Buy), act(&back, Call::Release(0))];
        comes_to(&till, sequence, &acts, &[(&bought, "202405", "95"), (&back, "202405", "-95")]).await;
        let line = &till.lines(&back).await[0];
        assert_eq!(line["original_order_line_id"], json!(bought.name()));
        assert_eq!(till.net("202405").await, Some(Decimal::new(0, 2)));
    }
}

#[tokio::test]
async fn a_refund_across_the_end_of_the_month_goes_with_its_purchase_or_by_strict_months() {
    let strict = "settlement = { policy = { pairing = \"STRICT_MONTHS\" } }";
    for (settlement, month_of_refund) in [("", "202405"), (strict, "202406")] {
        let till = Till::open(settlement, "").await;
        for sequence in BOTH {
            let bought = sold(Kind::New, 10_000, "2024-05-30 14:00:00");
            let back = refund(&bought, "2024-06-02 09:00:00");
            let acts = [act(&bought, Call::Buy), act(&back, Call::Release(0))];
            comes_to(&till, sequence, &acts, &[(&bought, "202405", "95"), (&back, month_of_refund, "-95")]).await;
        }
    }
}

#[tokio::test]
async fn a_refund_of_what_was_settled_is_taken_from_its_own_month() {
    for sequence in BOTH {
        let till = plain().await;
        let bought = sold(Kind::New, 10_000, "2024-05-05 10:00:00");
        let other = sold(Kind::New, 20_000, "2024-06-05 10:00:00");
        let back = refund(&bought, "2024-06-10 10:00:00");
        let acts = [act(&bought, Call::Buy), act(&other, Call::Buy), act(&back, Call::Release(0))];
        let wanted = [(&bought, "202405", "95"), (&other, "202406", "190"), (&back, "202406", "-95")];
        comes_to(&till, sequence, &acts, &wanted).await;
        assert_eq!(till.net("202406").await, Some(Decimal::new(9_500, 2)));
    }
}

#[tokio::test]
async fn a_renewal_given_back_before_it_begins_comes_to_nothing() {
    let till = plain().await;
    for sequence in BOTH {
        let bought = sold(Kind::New, 10_000, "2024-04-01 10:00:00");
        let paid = sold(Kind::Renew, 120_000, "2024-05-10 10:00:00");
        let renewal = Sold { effective: Some(at("2024-07-01 00:00:00")), ..paid };
        let back = refund(&renewal, "2024-05-20 10:00:00");
        let acts = [act(&bought, Call::Buy), act(&renewal, Call::Renew(0)), act(&back, Call::Cancel(0))];
        comes_to(&till, sequence, &acts, &[(&renewal, "202405", "1140"), (&back, "202405", "-1140")]).await;
    }
}

#[tokio::test]
async fn consumption_is_settled_by_its_month() {
    let till = plain().await;
    let details = "账期,订单类型,SKU编码,计费模式,商品销售金额,运营管理费比例\r\n\
                   202405,按需,a63ee5c9-0000,按需,0.75,5%\r\n";
    till.import("transactions", &[], details.as_bytes()).await;
    let line = till
        .until(async |till| {
            let answer = till.view("lines", &[("period", "202405")]).await;
            match answer["lines"][0].clone() {
                line if line.is_object() => Ok(line),
                _ => Err(answer.to_string()),
            }
        })
        .await;
    assert_eq!((&line["line_id"], &line["line_type"]), (&json!("usage/a63ee5c9-0000/202405"), &json!("USAGE")));
    assert_eq!(decimal(&line["settle_amount"]["value"]), Some(Decimal::new(7_125, 4)));
    assert_eq!(till.net("202405").await, Some(Decimal::new(71, 2)), "shown");
}

#[tokio::test]
async fn a_renewal_in_the_grace_period_begins_at_the_old_expiry_and_is_settled_when_paid() {
    let till = plain().await;
    for sequence in BOTH {
        let bought = sold(Kind::New, 10_000, "2024-04-10 00:00:00");
        let renewal =
            |expiry: &str, paid: &str| Sold { effective: Some(at(expiry)), ..sold(Kind::Renew, 10_000, paid) };
        let within = renewal("2024-05-10 00:00:00", "2024-05-14 10:00:00");
        let across = renewal("2024-05-30 00:00:00", "2024-06-02 10:00:00");
        let acts = [act(&bought, Call::Buy), act(&within, Call::Renew(0)), act(&across, Call::Renew(0))];
        comes_to(&till, sequence, &acts, &[(&within, "202405", "95"), (&across, "202406", "95")]).await;
    }
}

#[tokio::test]
async fn freezing_and_unfreezing_make_no_line() {
    use chopmark_huawei::callback::FreezeStatus;
    let till = plain().await;
    let bought = sold(Kind::New, 10_000, "2024-05-05 10:00:00");
    till.play(Sequence::CallbacksFirst, &[act(&bought, Call::Buy)]).await;
    till.settles(&bought, "202405", "95").await;
    let instance = till.shop.server.look_up("/v1/licenses?seller=acme").await;
    let instance = instance["licenses"][0]["id"].as_str().unwrap().to_owned();
    till.shop.set(&instance, FreezeStatus::Freeze).await;
    till.shop.set(&instance, FreezeStatus::Unfreeze).await;
    let after = sold(Kind::New, 20_000, "2024-05-06 10:00:00");
    till.play(Sequence::CallbacksFirst, &[act(&after, Call::Buy)]).await;
    till.settles(&after, "202405", "190").await;
    let lines = till.view("lines", &[("period", "202405")]).await;
    assert_eq!(lines["lines"].as_array().unwrap().len(), 2, "{lines}");
}

#[tokio::test]
async fn an_upgrade_is_a_line_of_its_own() {
    let till = plain().await;
    for sequence in BOTH {
        let bought = sold(Kind::New, 100_000, "2024-05-01 00:00:00");
        let upgrade = sold(Kind::Change, 30_000, "2024-05-16 00:00:00");
        let acts = [act(&bought, Call::Buy), act(&upgrade, Call::Upgrade(0))];
        comes_to(&till, sequence, &acts, &[(&bought, "202405", "950"), (&upgrade, "202405", "285")]).await;
        assert_eq!(till.lines(&upgrade).await[0]["line_type"], "CHANGE");
    }
}

#[tokio::test]
async fn a_negative_month_reaches_the_deposit_at_once_or_after_the_next() {
    let at_once = "settlement = { deposit = \"500\", policy = { carry = \"DEPOSIT_AT_ONCE\" } }";
    let next_first = "settlement = { deposit = \"500\" }";
    let cases = [(at_once, ["0", "500", "260", "0"]), (next_first, ["0", "0", "0", "760"])];
    for (settlement, wanted) in cases {
        for sequence in BOTH {
            let till = Till::open(settlement, "").await;
            let bought = sold(Kind::New, 100_000, "2024-05-05 10:00:00");
            let other = sold(Kind::New, 20_000, "2024-06-05 10:00:00");
            let back = refund(&bought, "2024-06-10 10:00:00");
            let acts = [act(&bought, Call::Buy), act(&other, Call::Buy), act(&back, Call::Release(0))];
            let lines = [(&bought, "202405", "950"), (&other, "202406", "190"), (&back, "202406", "-950")];
            comes_to(&till, sequence, &acts, &lines).await;
            assert_eq!(till.net("202406").await, Some(Decimal::new(-76_000, 2)));
            let balance = till.balance("202406").await;
            let found =
                ["payable", "from_deposit", "receivable", "carried_forward"].map(|name| decimal(&balance[name]));
            assert_eq!(found, wanted.map(|amount| Some(amount.parse().unwrap())), "{balance}");
        }
    }
}

#[tokio::test]
async fn a_trial_makes_no_line_and_its_conversion_does() {
    let till = plain().await;
    for sequence in BOTH {
        let trial = sold(Kind::New, 0, "2024-05-10 10:00:00");
        let formal = sold(Kind::TrialConvert, 10_000, "2024-05-20 10:00:00");
        let acts = [act(&trial, Call::Try), act(&formal, Call::Convert(0))];
        comes_to(&till, sequence, &acts, &[(&formal, "202405", "95")]).await;
        assert_eq!(till.lines(&formal).await[0]["line_type"], "TRIAL_CONVERT");
        till.until(async |till| match till.lines(&trial).await.as_slice() {
            [] => Ok(()),
            lines => Err(format!("{lines:?}")),
        })
        .await;
    }
}

#[tokio::test]
async fn a_sale_that_was_never_provisioned_leaves_the_views_once_that_is_stated() {
    let till = plain().await;
    let bought = sold(Kind::New, 10_000, "2024-05-05 10:00:00");
    till.play(Sequence::CallbacksFirst, &[act(&bought, Call::Buy)]).await;
    till.settles(&bought, "202405", "95").await;
    let line = bought.line.clone().unwrap();
    let statement = json!({ "order_id": line.order_id, "order_line_id": line.order_line_id, "withdrawn": true });
    let body = chopmark_simulator::finance::Body::Json(&statement);
    let answer = till.accounts().post("statements", &[], body).await.unwrap();
    assert_eq!(answer.status / 100, 2, "{}", answer.json);
    till.until(async |till| match till.lines(&bought).await.as_slice() {
        [] => Ok(()),
        lines => Err(format!("{lines:?}")),
    })
    .await;
}

#[tokio::test]
async fn a_voucher_is_borne_by_both_sides() {
    let till = plain().await;
    for sequence in BOTH {
        let bought = Sold { voucher: Cents(2_000), ..sold(Kind::New, 10_000, "2024-05-05 10:00:00") };
        comes_to(&till, sequence, &[act(&bought, Call::Buy)], &[(&bought, "202405", "76")]).await;
    }
}

#[tokio::test]
async fn an_open_api_that_tells_no_amounts_leaves_them_to_the_console() {
    let till = Till::open("", PRICED).await;
    till.shop.orders.leave_amounts_out();
    let bought = priced(sold(Kind::New, 10_000, "2024-05-05 10:00:00"));
    till.call_in(&[act(&bought, Call::Buy)]).await;
    till.until(async |till| match till.lines(&bought).await.as_slice() {
        [line] if line["sku_code"].is_string() && line["settle_amount"].is_null() => Ok(()),
        lines => Err(format!("{lines:?}")),
    })
    .await;
    till.play(Sequence::ImportFirst, &[act(&bought, Call::Never)]).await;
    till.settles(&bought, "202405", "95").await;
}

#[tokio::test]
async fn a_bill_that_comes_before_everything_matches_once_the_rest_is_known() {
    let till = plain().await;
    let mut books = Books::with_fee(500);
    let bought = sold(Kind::New, 3_333, "2024-05-05 10:00:00");
    let back = refund(&bought, "2024-05-07 10:00:00");
    [&bought, &back].into_iter().for_each(|sold| books.enter(sold.clone()));
    let bill = books.bill(Month::new(2024, 5)).export(Language::Chinese).to_csv();
    let query = [("period", "202405"), ("category", "generic")];
    till.import("bills", &query, &bill).await;
    let outcomes = async |till: &Till| {
        let answer = till.view("reconciliation/202405", &[]).await;
        let outcome = |pair: &Value| pair["outcome"].as_str().unwrap().to_owned();
        answer["pairs"].as_array().unwrap().iter().map(outcome).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&till).await, ["UNKNOWN_TO_US"; 2]);
    till.play(Sequence::CallbacksFirst, &[act(&bought, Call::Buy), act(&back, Call::Release(0))]).await;
    till.until(async |till| match outcomes(till).await {
        matched if matched == ["MATCHED"; 2] => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let again = till.import("bills", &query, &bill).await;
    assert_eq!(again["change"]["same"], true, "{again}");
    assert_eq!(till.view("reconciliation/202405", &[]).await["bills"][0]["revision"], 1);
}

#[tokio::test]
async fn a_full_refund_comes_to_nothing_whatever_the_amounts() {
    let till = plain().await;
    for (n, (sales, voucher)) in [(1, 0), (3_333, 0), (99_999, 1), (123_457, 23_456)].into_iter().enumerate() {
        let month = format!("2023-{:02}", n + 1);
        let bought = Sold { voucher: Cents(voucher), ..sold(Kind::New, sales, &format!("{month}-05 10:00:00")) };
        let back = Sold { voucher: Cents(-voucher), ..refund(&bought, &format!("{month}-07 10:00:00")) };
        till.play(BOTH[n % 2], &[act(&bought, Call::Buy), act(&back, Call::Release(0))]).await;
        till.until(async |till| match till.lines(&back).await.as_slice() {
            [line] if line["settle_amount"].is_object() => Ok(()),
            lines => Err(format!("{lines:?}")),
        })
        .await;
        assert_eq!(till.net(&month.replace('-', "")).await, Some(Decimal::new(0, 2)), "{sales} less {voucher}");
    }
}

#[tokio::test]
async fn joint_operation_shares_the_deal_price_or_the_floor_price() {
    let products = r#"
[[product]]
sku = "by-deal"
seller = "acme"
kind = "saas"
name = "A share of the deal price"
settlement = { category = "joint_operation", partner_ratio = "0.7", tax_rate = "0.06" }
[[product]]
sku = "by-floor"
seller = "acme"
kind = "saas"
name = "A share of the floor price"
settlement = { category = "joint_operation", partner_ratio = "0.7", tax_rate = "0.06", floor_discount = "0.53" }
"#;
    let till = Till::open("", products).await;
    let details = "订单号,订单行ID,订单类型,SKU编码,计费模式,生效时间,付费时间,服务监管状态,商品销售金额,目录价\r\n\
                   J1,J1-000001,新购,by-deal,包周期,2024-05-05 10:00:00,2024-05-05 10:00:00,不涉及,1060.00,2000.00\r\n\
                   J2,J2-000001,新购,by-floor,包周期,2024-05-05 10:00:00,2024-05-05 10:00:00,不涉及,1060.00,2000.00\r\n";
    till.import("transactions", &[], details.as_bytes()).await;
    for order in ["J1", "J2"] {
        let line = till
            .until(async |till| {
                let answer = till.view("lines", &[("order", order)]).await;
                let line = answer["lines"][0].clone();
                if line["settle_amount"].is_object() { Ok(line) } else { Err(answer.to_string()) }
            })
            .await;
        assert_eq!(decimal(&line["settle_amount"]["value"]), Some(Decimal::from(700)), "{line}");
        assert_eq!(line["product_category"], "joint_operation");
    }
}

#[tokio::test]
async fn part_of_a_service_is_given_back_by_negotiation() {
    let till = plain().await;
    for sequence in BOTH {
        let service = sold(Kind::New, 10_000, "2024-05-05 10:00:00");
        let service = Sold { acceptance: Acceptance::At(at("2024-05-20 10:00:00")), ..service };
        let back = Sold { sales: Cents(-4_000), ..refund(&service, "2024-05-10 10:00:00") };
        let acts = [act(&service, Call::Buy), act(&back, Call::Release(0))];
        comes_to(&till, sequence, &acts, &[(&service, "202405", "95"), (&back, "202405", "-38")]).await;
    }
}
