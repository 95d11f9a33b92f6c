//! A browser without a window: it keeps cookies, follows nothing, and finds what stands in forms.

use std::collections::BTreeMap;

use actix_web::App;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use chopmark_query::configure;

use crate::house::House;

/// A visitor with cookies.
pub(crate) struct Browser<'a> {
    house: &'a House,
    cookies: BTreeMap<String, String>,
}

/// What came back.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(house: &'a House) -> Self {
        Self { house, cookies: BTreeMap::new() }
    }

    /// Somebody who logged in with a token.
    pub(crate) async fn of(house: &'a House, token: &str) -> Self {
        let mut browser = Self::new(house);
        let page = browser.post("/console/login", &[("token", token)]).await;
        assert_eq!(page.status, 303, "{}", page.text);
        browser
    }

    pub(crate) async fn get(&mut self, uri: &str) -> Page {
        self.send(TestRequest::get().uri(uri).insert_header(("accept", "text/html"))).await
    }

    pub(crate) async fn post(&mut self, uri: &str, fields: &[(&str, &str)]) -> Page {
        let body =
            fields.iter().fold(url::form_urlencoded::Serializer::new(String::new()), |mut form, (name, value)| {
                form.append_pair(name, value);
                form
            });
        let body = {
            let mut body = body;
            body.finish()
        };
        let request = TestRequest::post().uri(uri).set_payload(body);
        self.send(request.insert_header(("content-type", "application/x-www-form-urlencoded"))).await
    }

    pub(crate) async fn send(&mut self, request: TestRequest) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.insert_header(("cookie", cookies.join("; "))) };
        let query = self.house.query.clone();
        let app = init_service(App::new().configure(|config| configure(config, query))).await;
        let response = call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for set in headers.get_all("set-cookie") {
            let (pair, rest) = set.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        let text = String::from_utf8_lossy(&read_body(response).await).into_owned();
        Page { status, headers, text }
    }

    /// Sends a file as the form of this tab of the bill does, or the one of transaction details.
    pub(crate) async fn bring(&mut self, secret: &str, category: &str, file: &str) -> Page {
        let field = |name: &str, value: &str| {
            format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields = [("form_secret", secret), ("seller", "acme"), ("category", category), ("period", "202611")];
        let fields = fields.map(|(name, value)| field(name, value)).concat();
        let head = "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"november.csv\"\r\n\
            Content-Type: text/csv\r\n\r\n";
        let body = format!("{fields}{head}{file}\r\n--limit--\r\n");
        let request = TestRequest::post().uri("/console/bills/preview").set_payload(body);
        self.send(request.insert_header(("content-type", "multipart/form-data; boundary=limit"))).await
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// The secret that the forms of a page carry.
    pub(crate) async fn form_secret(&mut self) -> String {
        let page = self.get("/console/licenses").await;
        page.field("form_secret")
    }
}

impl Page {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.headers));
        value.to_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn has(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text:?} is not in {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn has_not(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} is in {}", self.text);
        self
    }

    /// The first link whose address has this in it.
    #[track_caller]
    pub(crate) fn link(&self, part: &str) -> String {
        let mut links = self.text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let link = links.find(|link| link.contains(part)).unwrap_or_else(|| panic!("no link {part}: {}", self.text));
        link.replace("&#38;", "&").replace("&amp;", "&")
    }

    /// The value of a hidden field.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&start).unwrap_or_else(|| panic!("no field {name} in {}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}
