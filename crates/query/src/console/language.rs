//! The languages of the console.

use actix_web::HttpRequest;
use actix_web::http::header;

use super::cookies;
use super::texts::{self, Texts};

/// The cookie that keeps a visitor's choice.
pub(super) const COOKIE: &str = "chopmark-language";

/// A language that the console speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The one that a visitor chose, or else the one that their browser asks for.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let chosen = cookies::read(request, COOKIE).and_then(Self::parse);
        let asked = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        chosen.or_else(|| asked.map(negotiated)).unwrap_or(Self::English)
    }

    /// Reads a language as the switch names it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == text)
    }

    /// How the switch and the cookie name it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// How HTML names it.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-Hans",
        }
    }

    /// What it calls itself.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
        }
    }

    /// Its texts.
    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &texts::en::TEXTS,
            Self::Chinese => &texts::zh::TEXTS,
        }
    }
}

/// The language of ours that `Accept-Language` ranks highest; English where it names none.
fn negotiated(accepted: &str) -> Language {
    let ranked = accepted.split(',').filter_map(|range| {
        let (tag, quality) = range.split_once(';').unwrap_or((range, "q=1"));
        let quality: f32 = quality.trim().strip_prefix("q=")?.parse().ok()?;
        let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
        Some((Language::parse(&primary)?, quality)).filter(|(_, quality)| *quality > 0.0)
    });
    // Of two that rank alike, the first: `max_by` would give the last.
    ranked.reduce(|best, next| if next.1 > best.1 { next } else { best }).map_or(Language::English, |(best, _)| best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_a_browser_ranks_highest_is_spoken() {
        for (accepted, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-GB, zh;q=0.9", Language::English),
            ("de, zh-Hant;q=0.5, en;q=0.4", Language::Chinese),
            ("zh;q=0.2,en;q=0.9", Language::English),
            ("zh;q=0, en;q=0.1", Language::English),
            ("de,fr", Language::English),
            ("*", Language::English),
            ("", Language::English),
            ("zh;q=much", Language::English),
        ] {
            assert_eq!(negotiated(accepted), expected, "{accepted}");
        }
    }
}
