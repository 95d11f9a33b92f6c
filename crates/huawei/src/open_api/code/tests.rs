use proptest::prelude::*;

use super::*;
use crate::open_api::ErrorKind;

type Parse = fn(&LicenseCode, u16, &[u8]) -> Result<CodeOutcome, OpenApiError>;

fn code() -> LicenseCode {
    LicenseCode::parse("PL0001TEST").unwrap()
}

fn answer(parse: Parse, body: &str) -> CodeAnswer {
    match parse(&code(), 200, body.as_bytes()) {
        Ok(CodeOutcome::Known { answer, .. }) => answer,
        other => panic!("{body}: {other:?}"),
    }
}

fn bare(state: CodeState) -> CodeAnswer {
    CodeAnswer { state, expires_at: None, product_id: None, quantity: None, order: None }
}

fn full() -> CodeAnswer {
    CodeAnswer {
        state: CodeState::Alive,
        expires_at: Some("2027-01-02T15:35:55Z".parse().unwrap()),
        product_id: Some(ProductId::parse("OFFI0001").unwrap()),
        quantity: Some(2),
        order: Some(OrderRef {
            order_id: OrderId::parse("CS2211181819B4LVS").unwrap(),
            order_line_id: OrderLineId::parse("CS2211181819B4LVS-000001").unwrap(),
        }),
    }
}

const ACTIVATED: &str = r#"{"error_code":"92020000","error_msg":"success","data":{"license_code_info":"{\"status\":\"ALIVE\",\"expire_time\":\"20270102153555\",\"product_id\":\"OFFI0001\",\"amount\":2,\"order_id\":\"CS2211181819B4LVS\"}"}}"#;

const QUERIED: &str = r#"{"error_code":"92020000","error_msg":"success","data":{"license_code":"PL0001TEST","status":"ALIVE","activate_time":"20260102153555","expire_time":"20270102153555","product_id":"OFFI0001"}}"#;

#[test]
fn the_published_answers_are_read_and_kept_as_they_came() {
    assert_eq!(answer(parse_activation, ACTIVATED), full());
    let queried = CodeAnswer { quantity: None, order: None, ..full() };
    assert_eq!(answer(parse_code_query, QUERIED), queried);
    for (parse, body) in [(parse_activation as Parse, ACTIVATED), (parse_code_query, QUERIED)] {
        let Ok(CodeOutcome::Known { kept_json, .. }) = parse(&code(), 200, body.as_bytes()) else { panic!("{body}") };
        assert_eq!(kept_json, body);
    }
}

#[test]
fn a_batch_activation_answers_success_and_nothing_more() {
    for data in ["", r#","data":null"#] {
        let body = format!(r#"{{"error_code":"92020000","error_msg":"success"{data}}}"#);
        assert_eq!(answer(parse_activation, &body), bare(CodeState::Alive));
        assert_eq!(answer(parse_code_query, &body), bare(CodeState::Inactive));
    }
}

#[test]
fn every_shape_of_the_data_says_the_same() {
    let info = r#"{"status":"ALIVE","expire_time":20270102153555,"product_id":"OFFI0001","amount":"2","order_id":"CS2211181819B4LVS","new":{"a":[1]}}"#;
    let named = info.replacen('{', r#"{"license_code":"PL0001TEST","#, 1);
    let other = r#"{"license_code":"PL0002TEST","status":"RELEASED","order_id":"CS-OTHER"}"#;
    let text = |json: &str| Value::from(json).to_string();
    let shapes = [
        info.to_owned(),
        named.clone(),
        text(info),
        format!("[{info}]"),
        format!("[{other},{named}]"),
        text(&format!("[{other},{named}]")),
        format!(r#"{{"license_code_info":{info}}}"#),
        format!(r#"{{"license_code_info":[{named}]}}"#),
        format!(r#"{{"license_code_info":{}}}"#, text(&format!("[{other},{named}]"))),
        format!(r#"{{"license_code":"PL0001TEST","license_code_info":{}}}"#, text(info)),
        format!(r#"[{other},{{"license_code":"PL0001TEST","license_code_info":{}}}]"#, text(info)),
        format!(r#"{{"total":2,"license_info_list":[{other},{named}]}}"#),
        text(&format!(r#"{{"license_code_info":{}}}"#, text(info))),
    ];
    for data in shapes {
        let body = format!(r#"{{"error_code":92020000,"data":{data}}}"#);
        for parse in [parse_activation as Parse, parse_code_query] {
            assert_eq!(answer(parse, &body), full(), "{data}");
        }
    }
}

#[test]
fn data_about_other_codes_or_about_nothing_are_malformed() {
    let other = r#"{"license_code":"PL0002TEST","status":"ALIVE"}"#;
    for data in [other.to_owned(), format!("[{other}]"), "[]".into(), "7".into(), r#""words""#.into(), "[{},{}]".into()]
    {
        let body = format!(r#"{{"error_code":"92020000","data":{data}}}"#);
        for parse in [parse_activation as Parse, parse_code_query] {
            assert_eq!(parse(&code(), 200, body.as_bytes()).unwrap_err().kind, ErrorKind::Malformed, "{data}");
        }
    }
}

#[test]
fn every_status_has_its_state_and_others_are_left_to_the_question() {
    for (status, activated, queried) in [
        (r#""ALIVE""#, CodeState::Alive, CodeState::Alive),
        (r#"" alive ""#, CodeState::Alive, CodeState::Alive),
        (r#""EXPIRED""#, CodeState::Expired, CodeState::Expired),
        (r#""RELEASED""#, CodeState::Released, CodeState::Released),
        (r#""INACTIVE""#, CodeState::Alive, CodeState::Inactive),
        (r#""""#, CodeState::Alive, CodeState::Inactive),
        ("null", CodeState::Alive, CodeState::Inactive),
        ("{}", CodeState::Alive, CodeState::Inactive),
    ] {
        let body = format!(r#"{{"error_code":"92020000","data":{{"status":{status}}}}}"#);
        assert_eq!(answer(parse_activation, &body), bare(activated), "{status}");
        assert_eq!(answer(parse_code_query, &body), bare(queried), "{status}");
    }
}

#[test]
fn facts_that_cannot_be_read_are_left_open() {
    let data = r#"{"status":"ALIVE","expire_time":"soon","product_id":"a,b","amount":-1,"order_id":""}"#;
    let body = format!(r#"{{"error_code":"92020000","data":{data}}}"#);
    assert_eq!(answer(parse_code_query, &body), bare(CodeState::Alive));
    let line = r#"{"status":"ALIVE","order_id":"CS1","order_line_id":"CS1-000007"}"#;
    let order = answer(parse_code_query, &format!(r#"{{"error_code":"92020000","data":{line}}}"#)).order.unwrap();
    assert_eq!(order.order_line_id.as_str(), "CS1-000007");
    let long = format!(r#"{{"error_code":"92020000","data":{{"status":"ALIVE","order_id":"{}"}}}}"#, "x".repeat(60));
    assert_eq!(answer(parse_code_query, &long).order, None, "its line would be longer than lines are");
}

#[test]
fn codes_of_the_interface_decide_whatever_the_http_status() {
    let inactive = |body: &str| CodeOutcome::Known { answer: bare(CodeState::Inactive), kept_json: body.into() };
    for status in [200, 400, 403, 500] {
        let body = |number: &str| format!(r#"{{"error_code":"{number}","error_msg":"words"}}"#);
        let outcome = |parse: Parse, number| parse(&code(), status, body(number).as_bytes());
        assert_eq!(outcome(parse_activation, "92020003"), Ok(CodeOutcome::AlreadyActive));
        assert_eq!(outcome(parse_code_query, "92020003"), Ok(inactive(&body("92020003"))));
        for parse in [parse_activation as Parse, parse_code_query] {
            assert_eq!(outcome(parse, "92020004"), Ok(CodeOutcome::NotReceivedYet));
            assert_eq!(outcome(parse, "92020005"), Ok(CodeOutcome::NotExist));
            assert_eq!(outcome(parse, "MKT.92020005"), Ok(CodeOutcome::NotExist));
            for (number, kind) in [
                ("92020001", ErrorKind::Transient),
                ("92020002", ErrorKind::Refused),
                ("92020042", ErrorKind::Transient),
                ("MKT.0999", ErrorKind::Transient),
                ("MKT.0154", ErrorKind::Refused),
            ] {
                let error = outcome(parse, number).unwrap_err();
                assert_eq!(error.kind, kind, "{number}, HTTP {status}");
                assert_eq!(error.message, format!("{number}: words (HTTP {status})"));
            }
        }
    }
}

#[test]
fn the_gateway_speaks_for_itself() {
    for (status, number, kind) in [
        (401, "APIGW.0301", ErrorKind::Refused),
        (403, "APIGW.0302", ErrorKind::Refused),
        (429, "APIGW.0308", ErrorKind::Transient),
        (502, "APIGW.0201", ErrorKind::Transient),
        (200, "APIGW.92020000", ErrorKind::Refused),
        (200, "APIGW.92020005", ErrorKind::Refused),
    ] {
        let body = format!(r#"{{"error_code":"{number}","error_msg":"words","request_id":"1"}}"#);
        for parse in [parse_activation as Parse, parse_code_query] {
            assert_eq!(parse(&code(), status, body.as_bytes()).unwrap_err().kind, kind, "{number}");
        }
    }
}

#[test]
fn personal_data_are_kept_neither_open_nor_packed() {
    let body = r#"{"error_code":"92020000","data":{"license_code_info":"{\"status\":\"ALIVE\",\"customerName\":\"secret\"}","userName":"secret"}}"#;
    let Ok(CodeOutcome::Known { kept_json, .. }) = parse_code_query(&code(), 200, body.as_bytes()) else {
        panic!("{body}")
    };
    assert_eq!(kept_json, r#"{"error_code":"92020000","data":{"license_code_info":"{\"status\":\"ALIVE\"}"}}"#);
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status: u16, bytes: Vec<u8>, packed: String, deep in 0_usize..200) {
        let nested = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        let mut text = packed;
        for _ in 0..6 {
            text = serde_json::json!({"license_code_info": text}).to_string();
        }
        let bodies = [
            bytes,
            format!(r#"{{"error_code":"92020000","data":{nested}}}"#).into_bytes(),
            format!(r#"{{"error_code":"92020000","data":{text}}}"#).into_bytes(),
        ];
        for body in bodies {
            let _ = (parse_activation(&code(), status, &body), parse_code_query(&code(), status, &body));
        }
    }
}
