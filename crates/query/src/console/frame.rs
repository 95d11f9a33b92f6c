//! What stands around every page: the navigation, the language, who is logged in.

use actix_web::HttpRequest;

use super::assets;
use super::language::Language;
use super::links::Link;
use super::texts::Texts;
use super::visitor::Visitor;
use crate::Query;

/// A part of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// What was sold and what will be paid.
    Settlement,
    /// Bills and how they are imported.
    Bills,
    /// Licenses.
    Licenses,
    /// What the marketplace delivered.
    Deliveries,
    /// None of them.
    None,
}

/// What every page has.
pub(super) struct Frame {
    /// In which language.
    pub(super) language: Language,
    /// Its texts.
    pub(super) t: &'static Texts,
    /// The page's own address, to come back to.
    pub(super) here: String,
    /// Where in the navigation it is.
    pub(super) section: Section,
    /// Who looks at it, if anybody is logged in.
    pub(super) who: Option<Who>,
    /// What was just done, in words.
    pub(super) done: Option<&'static str>,
}

/// Who is logged in, as pages show it.
pub(super) struct Who {
    /// The token's name.
    pub(super) token: String,
    /// What every form carries.
    pub(super) form_secret: String,
    /// Whether the settlement pages are open to them.
    pub(super) sees_money: bool,
}

impl Frame {
    /// Around a page for somebody who is logged in.
    pub(super) fn new(request: &HttpRequest, visitor: &Visitor, section: Section) -> Self {
        let who = Who {
            token: visitor.caller.id().into(),
            form_secret: visitor.session.form_secret.expose().into(),
            sees_money: visitor.sees_money(),
        };
        Self { section, who: Some(who), ..Self::bare(request) }
    }

    /// Around a page for anybody.
    pub(super) fn bare(request: &HttpRequest) -> Self {
        let language = Language::of(request);
        let here = Link::to(request.path()).with_query(request.query_string()).to_string();
        let t = language.texts();
        Self { language, t, here, section: Section::None, who: None, done: None }
    }

    /// The same, saying what was just done: `done` in the address names it.
    pub(super) fn with_done(self, done: Option<&str>) -> Self {
        let t = self.t;
        let done = done.and_then(|done| match done {
            "accepted" => Some(t.done_accepted),
            "disputed" => Some(t.done_disputed),
            "imported" => Some(t.done_imported),
            "transactions" => Some(t.done_transactions),
            "closed" => Some(t.done_closed),
            "stated" => Some(t.done_stated),
            "adjusted" => Some(t.done_adjusted),
            _ => None,
        });
        Self { done, ..self }
    }

    /// The other languages.
    pub(super) fn others(&self) -> impl Iterator<Item = Language> + '_ {
        Language::ALL.into_iter().filter(|language| *language != self.language)
    }

    /// What a word of the API is called: a status, a reason, a kind.
    pub(super) fn word(&self, family: &str, word: &str) -> String {
        self.language.word(family, word)
    }

    /// A text with a value in its place.
    pub(super) fn say(&self, text: &str, value: impl std::fmt::Display) -> String {
        text.replacen("{}", &value.to_string(), 1)
    }

    /// The secret that forms carry; of no use where nobody is logged in.
    pub(super) fn form_secret(&self) -> &str {
        self.who.as_ref().map(|who| who.form_secret.as_str()).unwrap_or_default()
    }

    /// Where the stylesheet is.
    pub(super) fn style(&self) -> String {
        assets::style()
    }

    /// Where the script is.
    pub(super) fn script(&self) -> String {
        assets::script()
    }

    /// Where the picture of the seal is.
    pub(super) fn seal(&self) -> String {
        assets::seal()
    }
}

/// The seller that a page is about, and those it could be about.
pub(super) struct SellerChoice {
    /// All that the visitor may see.
    pub(super) all: Vec<String>,
    /// The one chosen; empty for all.
    pub(super) chosen: String,
}

impl SellerChoice {
    /// For a page about one seller, or about all.
    pub(super) fn new(query: &Query, visitor: &Visitor, chosen: &str) -> Self {
        let all = visitor.sellers(query).iter().map(ToString::to_string).collect();
        Self { all, chosen: chosen.into() }
    }

    /// Whether there is anything to choose.
    pub(super) fn is_needed(&self) -> bool {
        self.all.len() > 1
    }
}
