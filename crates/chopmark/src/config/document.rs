//! A configuration as a tree in which every value knows where it was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::problem::{ConfigError, Place, Problem};

/// A value and its place. Has no `Debug`, since it may hold a secret.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

pub(super) type Table = BTreeMap<String, Node>;

/// What is written at a key.
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Flag(bool),
    /// Something that no key takes, by its name.
    Unusable(&'static str),
    List(Vec<Node>),
    Table(Table),
    /// The text of an environment variable. What it means depends on what the key wants.
    Unread(String),
}

impl Value {
    /// The value's type, as a problem names it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Unread(_) => "text",
            Self::Whole(_) => "a whole number",
            Self::Flag(_) => "a truth value",
            Self::Unusable(name) => name,
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// Text of the environment taken as TOML if it is TOML, as the text itself otherwise. Other values stay.
    pub(super) fn interpreted(self, place: &Place) -> Self {
        match self {
            Self::Unread(text) => match DeValue::parse(&text) {
                Ok(value) => node(value.into_inner(), &|_| place.clone(), place.clone()).value,
                Err(_) => Self::Text(text),
            },
            other => other,
        }
    }
}

impl Node {
    /// This tree with another one over it: tables key by key, everything else as a whole.
    pub(super) fn overlaid(self, over: Self) -> Self {
        match (self.value, over.value) {
            (Value::Table(mut below), Value::Table(above)) => {
                for (key, node) in above {
                    let merged = match below.remove(&key) {
                        Some(old) => old.overlaid(node),
                        None => node,
                    };
                    below.insert(key, merged);
                }
                Self { value: Value::Table(below), place: over.place }
            }
            (_, value) => Self { value, place: over.place },
        }
    }
}

/// Reads TOML.
///
/// # Errors
/// The text is no TOML. The message says where and why, and never quotes the text: it may hold secrets.
pub(super) fn parse(text: &str, file: &str) -> Result<Node, ConfigError> {
    let file: Arc<str> = file.into();
    let place_at = |offset: usize| Place::Line { file: file.clone(), line: line_of(text, offset) };
    let table = DeTable::parse(text).map_err(|error| {
        ConfigError::from(Problem {
            place: error.span().map_or_else(|| Place::File(file.clone()), |span| place_at(span.start)),
            key: String::new(),
            what: format!("this is no TOML: {}", error.message()),
            mend: "texts stand in quotes, lists in [ ], tables in { }; `chopmark serve --print-config` shows examples"
                .into(),
        })
    })?;
    Ok(node(DeValue::Table(table.into_inner()), &place_at, Place::File(file.clone())))
}

fn node(value: DeValue<'_>, place_at: &dyn Fn(usize) -> Place, place: Place) -> Node {
    let at = |value: Spanned<DeValue<'_>>, offset: usize| node(value.into_inner(), place_at, place_at(offset));
    let value = match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            whole(&number).map_or(Value::Unusable("a number of more than 64 bits"), Value::Whole)
        }
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Float(_) => Value::Unusable("a number with a point"),
        DeValue::Datetime(_) => Value::Unusable("a date or time"),
        DeValue::Array(elements) => Value::List(
            elements
                .into_iter()
                .map(|element| {
                    let offset = element.span().start;
                    at(element, offset)
                })
                .collect(),
        ),
        DeValue::Table(entries) => Value::Table(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let offset = key.span().start;
                    (key.into_inner().into_owned(), at(value, offset))
                })
                .collect(),
        ),
    };
    Node { value, place }
}

fn whole(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
