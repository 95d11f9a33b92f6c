//! The console's two cookies: the session and the language. No script reads them, no other site's page sends them, and
//! they go over TLS alone where the visitor came by TLS.

use actix_web::HttpRequest;
use actix_web::http::header;

/// A cookie that is set. Its value is of letters and digits.
#[derive(Debug)]
pub(super) struct Cookie {
    name: &'static str,
    value: String,
    seconds: Option<u32>,
    by_tls: bool,
}

impl Cookie {
    /// A cookie for as long as the browser is open.
    pub(super) fn new(name: &'static str, value: impl Into<String>, by_tls: bool) -> Self {
        Self { name, value: value.into(), seconds: None, by_tls }
    }

    /// The same for so many seconds; none take it away.
    pub(super) fn lasting(self, seconds: u32) -> Self {
        Self { seconds: Some(seconds), ..self }
    }

    /// As the header `Set-Cookie` writes it.
    pub(super) fn written(&self) -> String {
        let Self { name, value, seconds, by_tls } = self;
        let lasting = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        let secure = if *by_tls { "; Secure" } else { "" };
        format!("{name}={value}; Path=/console; HttpOnly; SameSite=Strict{lasting}{secure}")
    }
}

/// The value that a request has for a cookie.
pub(super) fn read<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let all = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(named, _)| *named == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_only_by_its_whole_name() {
        let request = TestRequest::default().insert_header(("cookie", "a=1; session=x=y;b=2")).to_http_request();
        assert_eq!(read(&request, "session"), Some("x=y"));
        assert_eq!(read(&request, "b"), Some("2"));
        assert_eq!(read(&request, "sess"), None);
        assert_eq!(read(&TestRequest::default().to_http_request(), "a"), None);
    }

    #[test]
    fn cookies_stay_on_the_console_s_pages() {
        let plain = Cookie::new("a", "1", false);
        assert_eq!(plain.written(), "a=1; Path=/console; HttpOnly; SameSite=Strict");
        let secure = Cookie::new("a", "", true).lasting(0);
        assert_eq!(secure.written(), "a=; Path=/console; HttpOnly; SameSite=Strict; Max-Age=0; Secure");
    }
}
