//! The question of a check, read without copying.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::marker::PhantomData;

use chopmark_domain::ids::{EcsId, IdError, ImageId, ProjectId, RegionId, Sku};
use chopmark_domain::license::{self, DeploymentClaim, EcsFacts, EnrolmentHash};
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
/// The longest charging mode, in characters. The metadata of an ECS say `0`, `1` or `2`; others may come.
const CHARGING_MODE_MAX: usize = 16;
/// The longest secret taken, in characters. Ours have 43.
const SECRET_MAX: usize = 128;

/// What a check asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// The license with this id, be there one or not.
    License(Cow<'a, str>),
    /// An ECS that runs an image product.
    Deployment(Deployment),
}

/// What an ECS says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deployment {
    /// Which ECS.
    pub(crate) ecs: EcsId,
    /// The product it says it runs.
    pub(crate) product: Sku,
    /// Where it is, and what it was made from.
    pub(crate) facts: EcsFacts,
    /// The hash of the secret it presents.
    pub(crate) presented: Option<EnrolmentHash>,
}

impl Deployment {
    /// Who asks.
    pub(crate) fn claim(&self) -> DeploymentClaim<'_> {
        let EcsFacts { project_id, region_id, .. } = &self.facts;
        DeploymentClaim { project_id, region_id, presented: self.presented }
    }
}

/// A well-formed question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) seller: Option<Cow<'a, str>>,
    pub(crate) product: Option<Sku>,
    /// The fingerprint of the machine named.
    pub(crate) machine: Option<Cow<'a, str>>,
    pub(crate) nonce: Option<Cow<'a, str>>,
    pub(crate) min_position: Option<Position>,
}

impl<'a> Question<'a> {
    /// Reads a body.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Problem> {
        // Looked at once, and not text by text.
        let body = str::from_utf8(body).map_err(not_a_question)?;
        let Object(asked): Object<Asked<'a>> = serde_json::from_str(body).map_err(not_a_question)?;
        let product = asked.product.map(|Text(sku)| id("product", &sku, Sku::parse)).transpose()?;
        let subject = match (asked.license, asked.deployment) {
            (Some(Text(id)), None) => Subject::License(id),
            (None, Some(Object(deployment))) => Subject::Deployment(deployment.read(product.as_ref())?),
            (None, None) => return Err(Problem::malformed("name a `license` or a `deployment`")),
            (Some(_), Some(_)) => return Err(Problem::malformed("name a `license` or a `deployment`, not both")),
        };
        bounded("version", asked.version.as_ref(), VERSION_MAX)?;
        bounded("nonce", asked.nonce.as_ref(), NONCE_MAX)?;
        Ok(Self {
            subject,
            seller: asked.seller.map(|Text(seller)| seller),
            product,
            machine: asked.machine.map(|Object(machine)| machine.fingerprint()).transpose()?,
            nonce: asked.nonce.map(|Text(nonce)| nonce),
            min_position: asked.min_position.map(|Text(text)| position(&text)).transpose()?,
        })
    }

    /// What is asked, beyond whose license it is.
    pub(crate) fn asked(&self) -> license::Question<'_> {
        license::Question {
            product: self.product.as_ref(),
            machine: self.machine.as_deref(),
            deployment: match &self.subject {
                Subject::License(_) => None,
                Subject::Deployment(deployment) => Some(deployment.claim()),
            },
        }
    }
}

fn not_a_question(error: impl Display) -> Problem {
    Problem::malformed(format!("the body is not a question in JSON: {error}"))
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    license: Option<Text<'a>>,
    #[serde(borrow)]
    deployment: Option<Object<AskedDeployment<'a>>>,
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
struct AskedDeployment<'a> {
    #[serde(borrow)]
    uuid: Option<Text<'a>>,
    #[serde(borrow)]
    project_id: Option<Text<'a>>,
    #[serde(borrow)]
    region_id: Option<Text<'a>>,
    #[serde(borrow)]
    image_id: Option<Text<'a>>,
    #[serde(borrow)]
    charging_mode: Option<Text<'a>>,
    #[serde(borrow)]
    secret: Option<Text<'a>>,
}

impl AskedDeployment<'_> {
    fn read(self, product: Option<&Sku>) -> Result<Deployment, Problem> {
        let product = product.ok_or_else(|| {
            Problem::malformed("name the `product` that the deployment runs: nothing else tells whose it is")
        })?;
        printable("deployment.charging_mode", self.charging_mode.as_ref(), CHARGING_MODE_MAX)?;
        bounded("deployment.secret", self.secret.as_ref(), SECRET_MAX)?;
        let facts = EcsFacts {
            project_id: needed("deployment.project_id", self.project_id, ProjectId::parse)?,
            region_id: needed("deployment.region_id", self.region_id, RegionId::parse)?,
            image_id: said(self.image_id).map(|text| id("deployment.image_id", &text, ImageId::parse)).transpose()?,
            charging_mode: said(self.charging_mode).map(Cow::into_owned),
        };
        let ecs = needed("deployment.uuid", self.uuid, EcsId::parse)?;
        let presented = said(self.secret).map(|secret| EnrolmentHash::of(&secret));
        Ok(Deployment { ecs, product: product.clone(), facts, presented })
    }
}

fn needed<T>(member: &str, text: Option<Text<'_>>, parse: fn(&str) -> Result<T, IdError>) -> Result<T, Problem> {
    let missing = || Problem::malformed(format!("name `{member}`, as the metadata of the ECS have it"));
    id(member, &text.ok_or_else(missing)?.0, parse)
}

/// Metadata that an ECS does not have are read as empty texts by some programs.
fn said(text: Option<Text<'_>>) -> Option<Cow<'_, str>> {
    text.map(|Text(text)| text).filter(|text| !text.is_empty())
}

#[derive(Deserialize)]
struct Machine<'a> {
    #[serde(borrow)]
    fingerprint: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

impl<'a> Machine<'a> {
    fn fingerprint(self) -> Result<Cow<'a, str>, Problem> {
        let Text(fingerprint) = self.fingerprint;
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:-".contains(byte);
        if fingerprint.is_empty() || fingerprint.len() > FINGERPRINT_MAX || !fingerprint.as_bytes().iter().all(allowed)
        {
            return Err(Problem::malformed("`machine.fingerprint` takes 1 to 255 characters of A-Z a-z 0-9 . _ : -"));
        }
        printable("machine.name", self.name.as_ref(), NAME_MAX)?;
        Ok(fingerprint)
    }
}

/// The name for a machine that a program asks a seat for; the body may be absent.
pub(crate) fn machine_name(body: &[u8]) -> Result<Option<String>, Problem> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: Option<Text<'a>>,
    }
    if matches!(body.trim_ascii(), b"" | b"null") {
        return Ok(None);
    }
    let Object(named): Object<Named<'_>> = serde_json::from_slice(body).map_err(|error| {
        Problem::malformed(format!("send no body, or one like {{\"name\": \"build server 7\"}}: {error}"))
    })?;
    printable("name", named.name.as_ref(), NAME_MAX)?;
    Ok(said(named.name).map(Cow::into_owned))
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

/// A text that is kept and shown to people: what a terminal would take for an order of its own does not come in.
fn printable(member: &str, text: Option<&Text<'_>>, max: usize) -> Result<(), Problem> {
    match text {
        Some(Text(text)) if text.contains(char::is_control) => {
            Err(Problem::malformed(format!("`{member}` takes no control characters: write it in one line")))
        }
        text => bounded(member, text, max),
    }
}

/// An identifier of ours, or what is wrong with the text in its place.
fn id<T>(member: &str, text: &str, parse: fn(&str) -> Result<T, IdError>) -> Result<T, Problem> {
    parse(text).map_err(|error| Problem::malformed(format!("`{member}` cannot be used: {error}")))
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
        assert_eq!(bare.machine, None);
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
            r#"{"deployment":"u","product":"P1"}"#,
            r#"{"deployment":[],"product":"P1"}"#,
            r#"{"deployment":{},"product":"P1"}"#,
            r#"{"deployment":{"uuid":"u","project_id":"p"},"product":"P1"}"#,
            r#"{"deployment":{"uuid":"u","project_id":"p","region_id":"r"}}"#,
            r#"{"deployment":{"uuid":"","project_id":"p","region_id":"r"},"product":"P1"}"#,
            r#"{"deployment":{"uuid":"a/b","project_id":"p","region_id":"r"},"product":"P1"}"#,
            r#"{"deployment":{"uuid":"u","project_id":"p","region_id":"r","charging_mode":0},"product":"P1"}"#,
            r#"{"deployment":{"uuid":"u","project_id":"p","region_id":"r","secret":{}},"product":"P1"}"#,
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
    fn a_deployment_says_where_it_is_and_what_it_presents() {
        let body = br#"{"deployment":{"uuid":"ca9e8b7c-f2be-4b6d-a639-f10b4d994d04","project_id":"6e8b0c94",
            "region_id":"cn-east-3","image_id":"","charging_mode":"0","secret":"s3cret","hostname":"h"},"product":"P1"}"#;
        let question = Question::parse(body).unwrap();
        let Subject::Deployment(deployment) = &question.subject else { panic!("{question:?}") };
        assert_eq!(deployment.ecs.as_str(), "ca9e8b7c-f2be-4b6d-a639-f10b4d994d04");
        assert_eq!(deployment.product.as_str(), "P1");
        assert_eq!((deployment.facts.image_id.as_ref(), deployment.facts.charging_mode.as_deref()), (None, Some("0")));
        assert_eq!(deployment.presented, Some(EnrolmentHash::of("s3cret")));
        let claim = question.asked().deployment.unwrap();
        assert_eq!((claim.project_id.as_str(), claim.region_id.as_str()), ("6e8b0c94", "cn-east-3"));
    }

    #[test]
    fn what_a_deployment_must_say_is_named() {
        assert!(refused(r#"{"deployment":{"uuid":"u","project_id":"p","region_id":"r"}}"#).contains("`product`"));
        let bad_region = r#"{"deployment":{"uuid":"u","project_id":"p","region_id":"a b"},"product":"P1"}"#;
        assert!(refused(bad_region).contains("deployment.region_id"));
        assert!(refused(r#"{"deployment":{"uuid":"u","project_id":"p"},"product":"P1"}"#).contains("region_id"));
        let long_secret = "s".repeat(SECRET_MAX + 1);
        let body = format!(
            r#"{{"deployment":{{"uuid":"u","project_id":"p","region_id":"r","secret":"{long_secret}"}},"product":"P1"}}"#
        );
        assert!(refused(&body).contains("deployment.secret"));
    }

    #[test]
    fn a_name_for_a_machine_may_be_absent() {
        assert_eq!(machine_name(b"").unwrap(), None);
        assert_eq!(machine_name(b" \r\n").unwrap(), None);
        assert_eq!(machine_name(b"{}").unwrap(), None);
        assert_eq!(machine_name(br#"{"name":null,"later":1}"#).unwrap(), None);
        assert_eq!(machine_name(br#"{"name":"build 7"}"#).unwrap().as_deref(), Some("build 7"));
        for body in ["nonsense", "[]", r#"{"name":7}"#, &format!(r#"{{"name":"{}"}}"#, "n".repeat(256))] {
            assert!(machine_name(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn what_is_kept_and_shown_has_no_control_characters() {
        let said = |text: &str| serde_json::Value::from(text);
        for control in ["\u{1b}[2J", "a\nb", "\u{0}", "\u{9b}31m", "\u{7f}"] {
            let named = format!(r#"{{"license":"L1","machine":{{"fingerprint":"m","name":{}}}}}"#, said(control));
            assert!(refused(&named).contains("`machine.name`"), "{control:?}");
            let charged = format!(
                r#"{{"deployment":{{"uuid":"u","project_id":"p","region_id":"r","charging_mode":{}}},"product":"P1"}}"#,
                said(control)
            );
            assert!(refused(&charged).contains("`deployment.charging_mode`"), "{control:?}");
            let name = machine_name(format!(r#"{{"name":{}}}"#, said(control)).as_bytes());
            assert!(name.unwrap_err().to_string().contains("`name`"), "{control:?}");
        }
        assert_eq!(machine_name("{\"name\":\"构建机 7\"}".as_bytes()).unwrap().as_deref(), Some("构建机 7"));
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
