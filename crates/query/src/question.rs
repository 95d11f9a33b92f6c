//! The question of a check, read without copying.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use chopmark_domain::ids::Sku;
use chopmark_log::Position;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer};

use crate::problem::Problem;

/// The longest nonce, version and machine name, in characters.
const NONCE_MAX: usize = 128;
const VERSION_MAX: usize = 128;
const NAME_MAX: usize = 255;
/// The longest fingerprint, in bytes.
const FINGERPRINT_MAX: usize = 255;

/// What a check asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// The license with this id, be there one or not.
    License(Cow<'a, str>),
    /// An ECS that runs an image product. This version knows of none.
    Deployment,
}

/// A well-formed question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) seller: Option<Cow<'a, str>>,
    pub(crate) product: Option<Sku>,
    pub(crate) names_machine: bool,
    pub(crate) nonce: Option<Cow<'a, str>>,
    pub(crate) min_position: Option<Position>,
}

impl<'a> Question<'a> {
    /// Reads a body.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Problem> {
        let Object(asked): Object<Asked<'a>> = serde_json::from_slice(body)
            .map_err(|error| Problem::malformed(format!("the body is not a question in JSON: {error}")))?;
        let subject = match (asked.license, asked.deployment) {
            (Some(Text(id)), None) => Subject::License(id),
            (None, Some(_)) => Subject::Deployment,
            (None, None) => return Err(Problem::malformed("name a `license` or a `deployment`")),
            (Some(_), Some(_)) => return Err(Problem::malformed("name a `license` or a `deployment`, not both")),
        };
        if let Some(Object(machine)) = &asked.machine {
            machine.check()?;
        }
        bounded("version", asked.version.as_ref(), VERSION_MAX)?;
        bounded("nonce", asked.nonce.as_ref(), NONCE_MAX)?;
        Ok(Self {
            subject,
            seller: asked.seller.map(|Text(seller)| seller),
            product: asked.product.map(|Text(sku)| product(&sku)).transpose()?,
            names_machine: asked.machine.is_some(),
            nonce: asked.nonce.map(|Text(nonce)| nonce),
            min_position: asked.min_position.map(|Text(text)| position(&text)).transpose()?,
        })
    }
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    license: Option<Text<'a>>,
    deployment: Option<Object<Deployment>>,
    #[serde(borrow)]
    seller: Option<Text<'a>>,
    #[serde(borrow)]
    product: Option<Text<'a>>,
    #[serde(borrow)]
    machine: Option<Object<Machine<'a>>>,
    #[serde(borrow)]
    nonce: Option<Text<'a>>,
    #[serde(borrow)]
    version: Option<Text<'a>>,
    #[serde(borrow)]
    min_position: Option<Text<'a>>,
}

/// A text that stays in the body unless escapes force a copy. Inside an `Option`, a bare `Cow` is always copied.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Deployment {}

#[derive(Deserialize)]
struct Machine<'a> {
    #[serde(borrow)]
    fingerprint: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

impl Machine<'_> {
    fn check(&self) -> Result<(), Problem> {
        let fingerprint = self.fingerprint.0.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:-".contains(byte);
        if fingerprint.is_empty() || fingerprint.len() > FINGERPRINT_MAX || !fingerprint.iter().all(allowed) {
            return Err(Problem::malformed("`machine.fingerprint` takes 1 to 255 characters of A-Z a-z 0-9 . _ : -"));
        }
        bounded("machine.name", self.name.as_ref(), NAME_MAX)
    }
}

fn bounded(member: &str, text: Option<&Text<'_>>, max: usize) -> Result<(), Problem> {
    // Bytes are never fewer than characters, and counting them is free.
    let too_long = |text: &str| text.len() > max && text.chars().count() > max;
    match text {
        Some(Text(text)) if too_long(text) => {
            Err(Problem::malformed(format!("`{member}` takes at most {max} characters")))
        }
        _ => Ok(()),
    }
}

fn product(sku: &str) -> Result<Sku, Problem> {
    Sku::parse(sku).map_err(|error| Problem::malformed(format!("`product` is not a SKU: {error}")))
}

fn position(text: &str) -> Result<Position, Problem> {
    crate::params::position(text)
        .ok_or_else(|| Problem::malformed("`min_position` is not a position; hand back the `position` of an answer"))
}

/// A JSON object and nothing else: left alone, a struct could be written as an array too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Kind;

    fn refused(body: &str) -> String {
        let problem = Question::parse(body.as_bytes()).expect_err(body);
        assert_eq!(problem.kind(), Kind::MalformedRequest, "{body}");
        problem.to_string()
    }

    #[test]
    fn a_question_stays_where_it_arrived() {
        let body = br#"{"license":"L1","seller":"acme","nonce":"n","later":[1,{"a":null}]}"#;
        let question = Question::parse(body).unwrap();
        assert!(matches!(question.subject, Subject::License(Cow::Borrowed("L1"))));
        assert!(matches!(question.seller, Some(Cow::Borrowed("acme"))));
        assert!(matches!(question.nonce, Some(Cow::Borrowed("n"))));
        let escaped = Question::parse(br#"{"license":"\u004c1"}"#).unwrap();
        assert_eq!(escaped.subject, Subject::License("L1".into()));
    }

    #[test]
    fn everything_optional_may_be_absent_or_null() {
        let bare = Question::parse(br#"{"license":"L1"}"#).unwrap();
        let nulls = br#"{"license":"L1","deployment":null,"seller":null,"product":null,"machine":null,"nonce":null,
            "version":null,"min_position":null}"#;
        assert_eq!(Question::parse(nulls).unwrap(), bare);
        assert!(!bare.names_machine);
    }

    #[test]
    fn what_is_not_a_question_is_refused_with_the_mend() {
        for body in [
            "",
            "{",
            "nonsense",
            "null",
            "5",
            "\"L1\"",
            "[\"L1\"]",
            "{}",
            r#"{"license":null}"#,
            r#"{"license":5}"#,
            r#"{"license":["L1"]}"#,
            r#"{"license":"L1","license":"L2"}"#,
            r#"{"license":"L1"} trailing"#,
            r#"{"license":"L1","deployment":{"uuid":"u"}}"#,
            r#"{"deployment":"u"}"#,
            r#"{"deployment":[]}"#,
            r#"{"license":"L1","seller":{}}"#,
            r#"{"license":"L1","product":7}"#,
            r#"{"license":"L1","product":""}"#,
            r#"{"license":"L1","machine":"m"}"#,
            r#"{"license":"L1","machine":["m"]}"#,
            r#"{"license":"L1","machine":{}}"#,
            r#"{"license":"L1","machine":{"fingerprint":""}}"#,
            r#"{"license":"L1","machine":{"fingerprint":"a b"}}"#,
            r#"{"license":"L1","machine":{"fingerprint":"é"}}"#,
            r#"{"license":"L1","machine":{"fingerprint":"m","name":1}}"#,
            r#"{"license":"L1","version":2.1}"#,
            r#"{"license":"L1","min_position":12}"#,
            r#"{"license":"L1","min_position":""}"#,
            r#"{"license":"L1","min_position":"-1"}"#,
            r#"{"license":"L1","min_position":"+1"}"#,
            r#"{"license":"L1","min_position":"99999999999999999999999"}"#,
        ] {
            refused(body);
        }
        assert!(refused("{}").contains("name a `license`"));
        assert!(refused(r#"{"license":"L1","machine":{"fingerprint":""}}"#).contains("machine.fingerprint"));
        assert!(Question::parse(b"{\"license\":\"\xff\"}").is_err(), "not UTF-8");
    }

    #[test]
    fn lengths_are_characters_and_bounds_are_within() {
        let question = |member: &str, text: String| {
            let body = format!(r#"{{"license":"L1",{member}:"{text}"}}"#);
            Question::parse(body.as_bytes()).is_ok()
        };
        assert!(question("\"nonce\"", "界".repeat(128)));
        assert!(!question("\"nonce\"", "n".repeat(129)));
        assert!(!question("\"version\"", "1".repeat(129)));
        assert!(!question("\"product\"", "p".repeat(129)));
        let machine = |fingerprint: usize, name: usize| {
            let (fingerprint, name) = ("f".repeat(fingerprint), "n".repeat(name));
            let body = format!(r#"{{"license":"L1","machine":{{"fingerprint":"{fingerprint}","name":"{name}"}}}}"#);
            Question::parse(body.as_bytes()).is_ok()
        };
        assert!(machine(255, 255));
        assert!(!machine(256, 1));
        assert!(!machine(1, 256));
    }

    #[test]
    fn ids_of_any_shape_are_well_formed_questions() {
        for id in ["", "a,b", "../../etc", &"x".repeat(5_000)] {
            let body = serde_json::json!({ "license": id, "seller": "not a/seller" }).to_string();
            assert!(Question::parse(body.as_bytes()).is_ok(), "{id}");
        }
    }
}
