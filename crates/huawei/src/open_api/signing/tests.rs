use super::*;

const DATE: &str = "20240317T144237Z";
const HOST: &str = "mkt.myhuaweicloud.com";
const ORDER_QUERY: &str = "SDK-HMAC-SHA256 Access=test, SignedHeaders=host;x-sdk-date, \
                           Signature=33aaa42938df7b6dcf72a3a4067ebf8a234c3f4fd474b05496a0ab1a7f3c1a2b";

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn order_query<'a>(query: &'a [(String, String)], headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: "GET", path: crate::open_api::ORDER_QUERY_PATH, query, headers, body: b"" }
}

#[test]
fn the_public_vector_of_license_activation_is_signed_as_published() {
    let request = Request {
        method: "POST",
        path: "/api/mkp-openapi-public/global/v1/license/activate",
        query: &[],
        headers: &[("Content-Type", "application/json"), ("x-stage", "RELEASE"), ("X-Sdk-Date", DATE), ("host", HOST)],
        body: b"",
    };
    assert_eq!(
        sign(&request, "test", "123", DATE),
        "SDK-HMAC-SHA256 Access=test, SignedHeaders=content-type;host;x-sdk-date;x-stage, \
         Signature=77595ad624b6e4e49990b8c4e84bf1c287457fca61069c4e60b9b6765b52053d"
    );
}

#[test]
fn an_order_query_is_signed_as_in_the_worked_example() {
    let query = pairs(&[("orderId", "MOCKPERIODYEARNEW")]);
    let request = order_query(&query, &[("host", HOST), ("x-sdk-date", DATE)]);
    let canonical = request.canonical(["host", "x-sdk-date"].into_iter());
    assert_eq!(
        hex::encode(Sha256::digest(canonical)),
        "1aa97a08a54582f687f4d0debd48ce6938f6a4c4563702fb39895a45e6438f8c"
    );
    assert_eq!(sign(&request, "test", "123", DATE), ORDER_QUERY);
}

#[test]
fn a_signed_request_verifies_with_headers_of_any_case_and_more_of_them() {
    let query = pairs(&[("orderId", "MOCKPERIODYEARNEW")]);
    let headers = [("User-Agent", "chopmark"), ("HOST", HOST), ("X-Sdk-Date", DATE), ("Authorization", ORDER_QUERY)];
    let verified = verify(&order_query(&query, &headers), "test", "123");
    assert_eq!(verified, Ok("2024-03-17T14:42:37Z".parse().unwrap()));
}

#[test]
fn nothing_of_a_signed_request_may_be_changed() {
    let query = pairs(&[("orderId", "MOCKPERIODYEARNEW")]);
    let headers = |host, date, authorization| [("host", host), ("x-sdk-date", date), ("authorization", authorization)];
    let good = headers(HOST, DATE, ORDER_QUERY);
    let request = order_query(&query, &good);
    assert!(verify(&request, "test", "123").is_ok());

    let wrong = Err(Unauthentic::WrongSignature);
    assert_eq!(verify(&request, "test", "124"), wrong);
    assert_eq!(verify(&Request { method: "POST", ..request }, "test", "123"), wrong);
    assert_eq!(verify(&Request { path: "/other", ..request }, "test", "123"), wrong);
    assert_eq!(verify(&Request { body: b"{}", ..request }, "test", "123"), wrong);
    let other_order = pairs(&[("orderId", "MOCKONETIMENEW")]);
    assert_eq!(verify(&Request { query: &other_order, ..request }, "test", "123"), wrong);
    let other_host = headers("mkt.myhuaweicloud.cn", DATE, ORDER_QUERY);
    assert_eq!(verify(&Request { headers: &other_host, ..request }, "test", "123"), wrong);
    let later = headers(HOST, "20240317T144238Z", ORDER_QUERY);
    assert_eq!(verify(&Request { headers: &later, ..request }, "test", "123"), wrong);
    assert_eq!(verify(&request, "other", "123"), Err(Unauthentic::UnknownAccessKey));
}

#[test]
fn an_authorization_must_be_whole_and_cover_host_and_date() {
    let signature = "0".repeat(64);
    let cases = [
        (String::new(), Unauthentic::NoAuthorization),
        ("Basic dGVzdA==".into(), Unauthentic::NoAuthorization),
        (format!("{ALGORITHM} Access=test, Signature={signature}"), Unauthentic::NoAuthorization),
        (format!("{ALGORITHM} Access=test, SignedHeaders=host;x-sdk-date, Signature=00"), Unauthentic::NoAuthorization),
        (format!("{ALGORITHM} Access=test, SignedHeaders=x-sdk-date, Signature={signature}"), Unauthentic::NoHost),
        (format!("{ALGORITHM} Access=test, SignedHeaders=host, Signature={signature}"), Unauthentic::NoDate),
    ];
    for (authorization, problem) in cases {
        let headers = [("host", HOST), ("x-sdk-date", DATE), ("authorization", authorization.as_str())];
        assert_eq!(verify(&order_query(&[], &headers), "test", "123"), Err(problem), "{authorization}");
    }
    assert_eq!(verify(&order_query(&[], &[]), "test", "123"), Err(Unauthentic::NoAuthorization));
}

#[test]
fn a_query_string_is_sorted_and_encoded() {
    let query = pairs(&[("orderLineId", "CS1-000001"), ("orderId", "C S/1+界~")]);
    assert_eq!(query_string(&query), "orderId=C%20S%2F1%2B%E7%95%8C~&orderLineId=CS1-000001");
    assert_eq!(query_string(&[]), "");
}

#[test]
fn a_body_is_left_out_only_where_the_signature_says_so() {
    let headers = |hash: &'static str| [("host", "h"), (DATE_HEADER, "20240317T144237Z"), (CONTENT_HASH_HEADER, hash)];
    fn request<'a>(headers: &'a [(&'a str, &'a str)], body: &'a [u8]) -> Request<'a> {
        Request { method: "POST", path: "/p", query: &[], headers, body }
    }
    let verified = |signed_as: &'static str, sent_as: &'static str| {
        let (signed, sent) = (headers(signed_as), headers(sent_as));
        let authorization = sign(&request(&signed, b"one"), "ak", "sk", "20240317T144237Z");
        let mut sent = sent.to_vec();
        sent.push(("authorization", &authorization));
        verify(&request(&sent, b"another"), "ak", "sk").is_ok()
    };
    assert!(verified(UNSIGNED_PAYLOAD, UNSIGNED_PAYLOAD));
    let of_one = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    assert!(!verified(of_one, of_one), "a hash in the header is not believed");
    assert!(!verified(of_one, UNSIGNED_PAYLOAD));
    assert!(!verified(UNSIGNED_PAYLOAD, of_one));
}
