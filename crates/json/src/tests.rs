//! The text is the one that serde_json writes.

use std::collections::BTreeMap;
use std::fmt;

use proptest::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::append;

fn ours<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = vec![];
    append(&mut text, value).unwrap();
    String::from_utf8(text).unwrap()
}

fn theirs<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

#[track_caller]
fn same<T: Serialize + ?Sized>(value: &T) {
    assert_eq!(ours(value), theirs(value));
}

/// Every kind of value that serde knows and that is not in [`Value`].
#[derive(Serialize)]
struct Everything<'a> {
    tiny: (i8, i16, i32, u8, u16, u32),
    huge: [i128; 2],
    small: f32,
    letter: char,
    #[serde(rename = "a \"name\"")]
    named: &'a str,
    nothing: (),
    none: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<u8>,
    unit: Unit,
    wrapped: Wrapped,
    pair: Pair,
    shown: Shown,
    variants: [Variant; 4],
    empty: ([u8; 0], BTreeMap<u8, u8>),
    numbered: BTreeMap<i16, u8>,
    answered: BTreeMap<bool, u8>,
    lettered: BTreeMap<char, u8>,
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Wrapped(u64);

#[derive(Serialize)]
struct Pair(bool, &'static str);

#[derive(Serialize)]
enum Variant {
    Plain,
    Holds(u8),
    Lists(u8, u8),
    Names { one: u8, other: u8 },
}

struct Shown;

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"\n\"", 1 + 1)
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[test]
fn whatever_serde_knows_is_written() {
    same(&Everything {
        tiny: (i8::MIN, i16::MIN, i32::MIN, u8::MAX, u16::MAX, u32::MAX),
        huge: [i128::MIN, i128::MAX],
        small: 0.1,
        letter: '"',
        named: "a\\b",
        nothing: (),
        none: None,
        absent: None,
        unit: Unit,
        wrapped: Wrapped(u64::MAX),
        pair: Pair(true, "x"),
        shown: Shown,
        variants: [Variant::Plain, Variant::Holds(1), Variant::Lists(1, 2), Variant::Names { one: 1, other: 2 }],
        empty: ([], [].into()),
        numbered: [(-1, 1), (0, 2)].into(),
        answered: [(false, 1), (true, 2)].into(),
        lettered: [('"', 1), ('x', 2)].into(),
    });
}

#[test]
fn every_byte_is_escaped_as_it_must_be_wherever_it_stands() {
    for byte in 0..=0x7F {
        for length in 0..24 {
            for at in 0..length {
                let mut text = vec![b'x'; length];
                text[at] = byte;
                same(&String::from_utf8(text).unwrap());
            }
        }
    }
}

#[test]
fn what_is_no_key_is_refused() {
    for refused in [append(&mut vec![], &BTreeMap::from([((), 1)])), append(&mut vec![], &BTreeMap::from([([1], 1)]))] {
        assert_eq!(refused.unwrap_err().to_string(), "key must be a string");
    }
}

#[test]
fn what_stood_there_stays() {
    let mut text = b"before ".to_vec();
    append(&mut text, "x").unwrap();
    assert_eq!(text, br#"before "x""#);
}

fn json() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    plain.prop_recursive(4, 32, 6, |value| {
        prop_oneof![
            prop::collection::vec(value.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), value, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_written_as_serde_json_writes_it(value in json()) {
        prop_assert_eq!(ours(&value), theirs(&value));
    }
}
