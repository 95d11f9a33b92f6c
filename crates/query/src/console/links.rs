//! Addresses of pages, with everything that stands in them escaped.

use std::fmt;

use url::form_urlencoded::Serializer;

/// The address of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    path: String,
    query: String,
}

impl Link {
    /// A page without parameters.
    pub(super) fn to(path: &str) -> Self {
        Self { path: path.into(), query: String::new() }
    }

    /// The page of one thing beneath another.
    pub(super) fn into_one(self, name: &str) -> Self {
        // A path segment is escaped as a parameter is, but for the blank.
        let escaped = Serializer::new(String::new()).append_key_only(name).finish().replace('+', "%20");
        Self { path: format!("{}/{escaped}", self.path), ..self }
    }

    /// The same with these parameters, as they stood in another address.
    pub(super) fn with_query(self, query: &str) -> Self {
        Self { query: query.into(), ..self }
    }

    /// The same with one more parameter; an empty one is left out.
    pub(super) fn with(self, name: &str, value: &str) -> Self {
        if value.is_empty() {
            return self;
        }
        let query = Serializer::new(self.query).append_pair(name, value).finish();
        Self { query, ..self }
    }

    /// The same with the parameters of another address.
    pub(super) fn and(self, other: &Self) -> Self {
        let pairs = url::form_urlencoded::parse(other.query.as_bytes());
        pairs.fold(self, |link, (name, value)| link.with(&name, &value))
    }

    /// The parameters, as the JSON API takes them.
    pub(super) fn query(&self) -> &str {
        &self.query
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        Ok(())
    }
}

/// A page of the console to go to next, as a form names it; anything else leads to the first page.
pub(super) fn own_page(text: &str) -> &str {
    let rest = text.strip_prefix("/console");
    let is_below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') && !text.contains("//");
    if is_below && is_plain { text } else { "/console" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_an_address_cannot_leave_its_place() {
        let link = Link::to("/console/licenses").into_one("a/b ?#&é").with("seller", "x&y=z").with("empty", "");
        assert_eq!(link.to_string(), "/console/licenses/a%2Fb%20%3F%23%26%C3%A9?seller=x%26y%3Dz");
        assert_eq!(link.query(), "seller=x%26y%3Dz");
        let other = Link::to("/console").with("a", "1").and(&link);
        assert_eq!(other.to_string(), "/console?a=1&seller=x%26y%3Dz");
    }

    #[test]
    fn nobody_is_sent_to_another_site() {
        for text in ["/console", "/console/licenses?id=L1&seller=acme", "/console?a=b"] {
            assert_eq!(own_page(text), text);
        }
        for text in [
            "",
            "/",
            "//elsewhere.example",
            "https://elsewhere.example",
            "/consoles",
            "/console//e",
            "/console\\e",
            "/console/\r\nSet-Cookie: a=b",
            "/v1/licenses",
        ] {
            assert_eq!(own_page(text), "/console", "{text}");
        }
    }
}
