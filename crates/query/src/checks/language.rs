//! In which language a verdict's reason is worded.

use std::fmt::Display;

use actix_web::http::header::{
    ACCEPT_LANGUAGE, AcceptLanguage, CONTENT_LANGUAGE, Header, HeaderValue, Preference, Quality, VARY,
};
use actix_web::{HttpRequest, HttpResponse};
use chopmark_domain::license::Language;

/// The language to answer in, and whether the asker named any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(crate) language: Language,
    was_asked_for: bool,
}

impl Spoken {
    /// The first language of the request that reasons are worded in; English where there is none.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        // Hardly any program names one, and reading the header costs more than looking a license up.
        let was_asked_for = request.headers().contains_key(ACCEPT_LANGUAGE);
        let language = if was_asked_for { preferred(request) } else { Language::default() };
        Self { language, was_asked_for }
    }

    /// Says in an answer which language it is in, if that was asked for.
    pub(crate) fn tell(self, response: &mut HttpResponse) {
        if self.was_asked_for {
            let tag = match self.language {
                Language::English => HeaderValue::from_static("en"),
                Language::Chinese => HeaderValue::from_static("zh-CN"),
            };
            response.headers_mut().insert(CONTENT_LANGUAGE, tag);
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept-language"));
        }
    }
}

fn preferred(request: &HttpRequest) -> Language {
    let Ok(mut accepted) = AcceptLanguage::parse(request) else { return Language::default() };
    accepted.0.retain(|item| item.quality > Quality::ZERO);
    accepted.ranked().iter().find_map(spoken).unwrap_or_default()
}

/// The language of ours that a range means; `None` for all others.
fn spoken<T: Display>(range: &Preference<T>) -> Option<Language> {
    let tag = match range {
        Preference::Any => return Some(Language::default()),
        Preference::Specific(tag) => tag.to_string(),
    };
    let primary = tag.split('-').next().unwrap_or_default();
    match () {
        () if primary.eq_ignore_ascii_case("zh") => Some(Language::Chinese),
        () if primary.eq_ignore_ascii_case("en") => Some(Language::English),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn asked(languages: &str) -> (Language, Option<String>) {
        let request = TestRequest::default().insert_header((ACCEPT_LANGUAGE, languages)).to_http_request();
        let spoken = Spoken::of(&request);
        let mut response = HttpResponse::Ok().finish();
        spoken.tell(&mut response);
        assert_eq!(response.headers().get(VARY).unwrap(), "accept-language", "{languages}");
        let told = response.headers().get(CONTENT_LANGUAGE).map(|tag| tag.to_str().unwrap().to_owned());
        (spoken.language, told)
    }

    #[test]
    fn the_first_language_that_is_spoken_here_is_spoken() {
        for chinese in ["zh", "zh-CN", "zh-Hans-CN", "ZH-tw", "zh-CN,en;q=0.9", "en;q=0.5, zh;q=0.8", "fr, zh;q=0.1"] {
            assert_eq!(asked(chinese), (Language::Chinese, Some("zh-CN".into())), "{chinese}");
        }
        for english in ["en", "en-US, zh;q=0.9", "fr", "*", "zh;q=0, en;q=0.1", "", "nonsense;;;"] {
            assert_eq!(asked(english), (Language::English, Some("en".into())), "{english}");
        }
    }

    #[test]
    fn who_names_no_language_is_told_none() {
        let spoken = Spoken::of(&TestRequest::default().to_http_request());
        let mut response = HttpResponse::Ok().finish();
        spoken.tell(&mut response);
        assert_eq!((spoken.language, response.headers().contains_key(CONTENT_LANGUAGE)), (Language::English, false));
    }
}
