use super::*;

const PUBLISHED: &str = r#"{"resultCode":"MKT.0000","resultMsg":"Success","orderInfo":{"orderId":"CS2207261447AUY4H","orderType":"NEW","createTime":"20220726064736","orderLine":[{"orderLineId":"CS2207261447AUY4H-000001","chargingMode":"PERIOD","periodType":"year","periodNumber":1,"expireTime":"20230726155959","productInfo":[{"productId":"OFFI0001","skuCode":"a63ee5c9-0000","linearValue":20}]}],"buyerInfo":{"customerId":"6880","customerName":"zhangsan","customerRealName":"Example Co"}}}"#;

fn order() -> OrderId {
    OrderId::parse("CS2207261447AUY4H").unwrap()
}

fn facts() -> OrderFacts {
    OrderFacts {
        order_line_id: OrderLineId::parse("CS2207261447AUY4H-000001").unwrap(),
        order_type: OrderType::New,
        charging_mode: ChargingMode::Period,
        sku: Some(Sku::parse("a63ee5c9-0000").unwrap()),
        product_id: Some(ProductId::parse("OFFI0001").unwrap()),
        quantity: Some(20),
        expires_at: Some("2023-07-26T15:59:59Z".parse().unwrap()),
        ordered_at: Some("2022-07-26T06:47:36Z".parse().unwrap()),
        amount: None,
        deal_amount: None,
    }
}

fn parse(status: u16, body: &str) -> Result<OrderAnswer, OpenApiError> {
    parse_order_answer(&order(), status, body.as_bytes())
}

fn kind(status: u16, body: &str) -> ErrorKind {
    parse(status, body).unwrap_err().kind
}

#[test]
fn the_published_answer_is_read_and_kept_without_the_buyer() {
    let answer = parse(200, PUBLISHED).unwrap();
    assert_eq!(answer.lines, [facts()]);
    let (before, after) = PUBLISHED.split_once(r#","buyerInfo":"#).unwrap();
    let after = &after[after.find('}').unwrap() + 1..];
    assert_eq!(answer.kept_json, format!("{before}{after}"));
}

#[test]
fn numbers_and_texts_lists_and_objects_are_read_alike() {
    let loose = r#"{"resultCode":"CBC. 0000","orderInfo":{"orderId":"CS2207261447AUY4H","orderType":" NEW ","createTime":20220726064736,
        "orderLine":{"orderLineId":"CS2207261447AUY4H-000001","chargingMode":"PERIOD","expireTime":"20230726155959000","more":{"new":[1]},
        "productInfo":{"productId":"OFFI0001","skuCode":"a63ee5c9-0000","linearValue":"20","productName":"Example"}}}}"#;
    assert_eq!(parse(200, loose).unwrap().lines, [facts()]);
}

#[test]
fn what_is_not_known_or_not_readable_is_left_open() {
    let strange = r#"{"resultCode":"MKT.0000","orderInfo":{"orderType":"GIFT","createTime":"yesterday","orderLine":[
        {"chargingMode":"PERIOD"}, "line", null,
        {"orderLineId":"CS2207261447AUY4H-000001","chargingMode":"BARTER","expireTime":null,"productInfo":[{"skuCode":"a,b","linearValue":-1}]},
        {"orderLineId":"CS2207261447AUY4H-000002"}]}}"#;
    let unknown = |line: &str| OrderFacts {
        order_line_id: OrderLineId::parse(line).unwrap(),
        order_type: OrderType::Other,
        charging_mode: ChargingMode::Other,
        sku: None,
        product_id: None,
        quantity: None,
        expires_at: None,
        ordered_at: None,
        amount: None,
        deal_amount: None,
    };
    let lines = parse(200, strange).unwrap().lines;
    assert_eq!(lines, [unknown("CS2207261447AUY4H-000001"), unknown("CS2207261447AUY4H-000002")]);
}

#[test]
fn buyer_fields_are_cut_at_every_level() {
    let answer = r#"{"resultCode":"MKT.0000","extendParams":[{"name":"email","value":"secret"}],"orderInfo":{"BuyerInfo":{"mobilePhone":"secret"},
        "orderLine":[{"orderLineId":"CS1-1","extendParams":[{"name":"x","value":"secret"}],"productInfo":[{"skuCode":"s","buyerInfo":"secret"}]}]}}"#;
    assert_eq!(
        parse(200, answer).unwrap().kept_json,
        r#"{"resultCode":"MKT.0000","orderInfo":{"orderLine":[{"orderLineId":"CS1-1","productInfo":[{"skuCode":"s"}]}]}}"#
    );
}

#[test]
fn codes_say_what_a_failure_calls_for_whatever_the_http_status() {
    use ErrorKind::{Refused, Transient};
    let table = [
        (500, "MKT.0999", Transient),
        (406, "CBC. 0250", Transient),
        (500, "MKT.0100", Refused),
        (400, "CBC.0101", Refused),
        (400, "MKT.0199", Refused),
        (401, "MKT.0150", Refused),
        (401, "MKT.0151", Refused),
        (200, "MKT.0154", Refused),
        (500, "MKT.7777", Transient),
        (400, "MKT.7777", Refused),
    ];
    for (status, code, expected) in table {
        let body = format!(r#"{{"resultCode":"{code}","resultMsg":"words"}}"#);
        let error = parse(status, &body).unwrap_err();
        assert_eq!(error.kind, expected, "{code}");
        assert_eq!(error.message, format!("{code}: words (HTTP {status})"));
    }
}

#[test]
fn the_gateway_speaks_for_itself() {
    let body = |code| format!(r#"{{"error_code":"{code}","error_msg":"words","request_id":"1"}}"#);
    assert_eq!(kind(401, &body("APIGW.0301")), ErrorKind::Refused);
    assert_eq!(kind(403, &body("APIGW.0302")), ErrorKind::Refused);
    assert_eq!(kind(429, &body("APIGW.0308")), ErrorKind::Transient);
    assert_eq!(kind(502, &body("APIGW.0201")), ErrorKind::Transient);
    assert_eq!(kind(403, &body("APIGW.0000")), ErrorKind::Refused, "a gateway never answers for an order");
}

#[test]
fn an_answer_without_a_code_is_judged_by_its_status() {
    use ErrorKind::{Malformed, Refused, Transient};
    let table = [
        (200, "{\"resultCode\":", Malformed),
        (200, "[]", Malformed),
        (200, "{}", Malformed),
        (502, "<html></html>", Transient),
        (429, "", Transient),
        (500, "{}", Transient),
        (403, "<html></html>", Refused),
        (302, "", Refused),
    ];
    for (status, body, expected) in table {
        assert_eq!(kind(status, body), expected, "{status} {body}");
    }
}

#[test]
fn success_without_the_order_asked_for_is_malformed() {
    for info in [
        "null",
        "{}",
        r#"{"orderId":"CS2207261447AUY4H"}"#,
        r#"{"orderId":"CS0000000000OTHER","orderLine":[{"orderLineId":"CS0000000000OTHER-000001"}]}"#,
    ] {
        let body = format!(r#"{{"resultCode":"MKT.0000","orderInfo":{info}}}"#);
        assert_eq!(kind(200, &body), ErrorKind::Malformed, "{info}");
    }
    let empty = r#"{"resultCode":"MKT.0000","orderInfo":{"orderId":"CS2207261447AUY4H","orderLine":[]}}"#;
    assert_eq!(parse(200, empty).unwrap().lines, []);
}

#[test]
fn messages_of_the_marketplace_are_bounded() {
    let body = format!(r#"{{"resultCode":"MKT.0999","resultMsg":"{}"}}"#, "界".repeat(5000));
    assert_eq!(parse(500, &body).unwrap_err().message.chars().count(), LONGEST_MESSAGE);
}

/// What is read of a line's two amounts, and the warnings.
fn amounts(line: &str) -> (Option<Decimal>, Option<Decimal>, Vec<String>) {
    let body = format!(
        r#"{{"resultCode":"MKT.0000","orderInfo":{{"orderType":"NEW","orderLine":[{{"orderLineId":"CS1-1","chargingMode":"PERIOD"{line}}}]}}}}"#
    );
    let answer = parse(200, &body).unwrap();
    assert_eq!(answer.lines[0].charging_mode, ChargingMode::Period, "the other facts are there");
    (answer.lines[0].amount, answer.lines[0].deal_amount, answer.warnings)
}

#[test]
fn amounts_are_texts_that_may_be_empty_and_refunds_are_negative() {
    let decimal = |text: &str| Some(text.parse().unwrap());
    let table = [
        (r#","currency":"1200.00","currencyAfterDiscount":"1080.5""#, decimal("1200.00"), decimal("1080.5")),
        (r#","currency":"","currencyAfterDiscount":"-540.25""#, None, decimal("-540.25")),
        (r#","currency":null,"currencyAfterDiscount":" 0 ""#, None, decimal("0")),
        (r#","currency":1200,"currencyAfterDiscount":99.9"#, decimal("1200"), decimal("99.9")),
        ("", None, None),
    ];
    for (line, amount, deal_amount) in table {
        assert_eq!(amounts(line), (amount, deal_amount, vec![]), "{line}");
    }
}

#[test]
fn an_amount_that_is_none_is_left_open_and_told() {
    for odd in [
        r#""1,200.00""#,
        r#""12 RMB""#,
        r#""1e9""#,
        r#""NaN""#,
        r#""1.2.3""#,
        "[1]",
        "true",
        r#""99999999999999999999""#,
    ] {
        let (amount, deal_amount, warnings) = amounts(&format!(r#","currency":{odd},"currencyAfterDiscount":"7""#));
        assert_eq!((amount, deal_amount), (None, Some(Decimal::from(7))), "{odd}");
        assert_eq!(warnings, [format!("line CS1-1: currency is {odd}, which is no amount; it is left open")]);
    }
    let (_, _, warnings) = amounts(&format!(r#","currency":"{}""#, "9".repeat(5_000)));
    assert!(warnings[0].len() < 120, "cut short: {}", warnings[0].len());
}
