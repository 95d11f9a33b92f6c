//! Whether a call comes from the seller: scheme `SDK-HMAC-SHA256`.

use actix_web::HttpRequest;
use actix_web::web::Query;
use chopmark_huawei::open_api::signing::{self, Request, Unauthentic};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;

use super::Credentials;

/// The gateway's clock and the seller's may differ by so much.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Why a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTheSeller {
    /// The signature does not hold.
    #[error(transparent)]
    Unauthentic(#[from] Unauthentic),
    /// The query string cannot be read.
    #[error("the query string is malformed")]
    Query,
    /// Signed long ago, or ahead of time.
    #[error("X-Sdk-Date is more than {} minutes away", WINDOW.num_minutes())]
    Date,
}

pub(super) fn check(
    request: &HttpRequest,
    body: &[u8],
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Result<(), NotTheSeller> {
    let query = Query::<Vec<(String, String)>>::from_query(request.query_string()).map_err(|_| NotTheSeller::Query)?;
    let headers: Vec<_> =
        request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let request =
        Request { method: request.method().as_str(), path: request.path(), query: &query, headers: &headers, body };
    let signed_at = signing::verify(&request, &credentials.access_key, credentials.secret_key.expose_secret())?;
    if (now - signed_at).abs() > WINDOW {
        return Err(NotTheSeller::Date);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use chopmark_huawei::open_api::ORDER_QUERY_PATH;

    use super::*;

    const SIGNATURE: &str = "SDK-HMAC-SHA256 Access=test, SignedHeaders=host;x-sdk-date, \
                             Signature=33aaa42938df7b6dcf72a3a4067ebf8a234c3f4fd474b05496a0ab1a7f3c1a2b";

    fn call(order: &str) -> HttpRequest {
        TestRequest::get()
            .uri(&format!("{ORDER_QUERY_PATH}?orderId={order}"))
            .insert_header(("Host", "mkt.myhuaweicloud.com"))
            .insert_header(("X-Sdk-Date", "20240317T144237Z"))
            .insert_header(("Authorization", SIGNATURE))
            .to_http_request()
    }

    #[test]
    fn the_worked_example_comes_from_the_seller() {
        let credentials = |secret: &str| Credentials { access_key: "test".into(), secret_key: secret.into() };
        let at = |text: &str| text.parse().unwrap();
        let (genuine, now) = (call("MOCKPERIODYEARNEW"), at("2024-03-17T14:57:00Z"));
        assert_eq!(check(&genuine, b"", &credentials("123"), now), Ok(()));
        let wrong = Err(NotTheSeller::Unauthentic(Unauthentic::WrongSignature));
        assert_eq!(check(&genuine, b"", &credentials("124"), now), wrong);
        assert_eq!(check(&call("MOCKONDEMAND"), b"", &credentials("123"), now), wrong);
        assert_eq!(check(&genuine, b"body", &credentials("123"), now), wrong, "no body was signed");
        let later = at("2024-03-17T14:57:38Z");
        assert_eq!(check(&genuine, b"", &credentials("123"), later), Err(NotTheSeller::Date));
    }
}
