//! Reading the tree: types, known keys, required keys. Goes on after a problem, so that all of them are found at once.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::document::{Node, Table, Value};
use super::environment::Environment;
use super::problem::{ConfigError, Place, Problem};

/// What all parts of one reading share.
pub(super) struct Reader<'e> {
    pub(super) environment: &'e Environment,
    /// The folder that paths in the file are relative to.
    pub(super) folder: PathBuf,
    problems: RefCell<Vec<Problem>>,
}

impl<'e> Reader<'e> {
    pub(super) fn new(environment: &'e Environment, folder: PathBuf) -> Self {
        Self { environment, folder, problems: RefCell::default() }
    }

    pub(super) fn report(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// The tree as the outermost section.
    pub(super) fn root(&self, tree: Node) -> Option<Section<'_>> {
        Found { spot: Spot { key: String::new(), place: tree.place.clone() }, value: tree.value, reader: self }
            .section()
    }

    /// What was read if nothing was wrong, else all that was.
    pub(super) fn into_result<T>(self, read: Option<T>) -> Result<T, ConfigError> {
        match (read, self.problems.into_inner()) {
            (Some(read), problems) if problems.is_empty() => Ok(read),
            (_, problems) => Err(ConfigError::new(problems)),
        }
    }
}

/// A key with its place, to report something about it.
#[derive(Clone)]
pub(super) struct Spot {
    pub(super) key: String,
    pub(super) place: Place,
}

/// A value at a key, not read yet.
pub(super) struct Found<'r> {
    pub(super) spot: Spot,
    pub(super) value: Value,
    pub(super) reader: &'r Reader<'r>,
}

impl<'r> Found<'r> {
    /// Reports that this value will not do.
    pub(super) fn refuse(&self, what: impl Into<String>, mend: impl Into<String>) {
        self.spot.refuse(self.reader, what, mend);
    }

    fn refuse_type(&self, wanted: &str, mend: &str) {
        self.refuse(format!("{wanted} is wanted here, not {}", self.value.type_name()), mend);
    }

    /// A text.
    pub(super) fn text(self) -> Option<String> {
        let Self { spot, value, reader } = self;
        match value {
            Value::Text(text) => Some(text),
            // A variable's text counts as it is, unless it is a TOML string in its quotes.
            Value::Unread(raw) => match Value::Unread(raw.clone()).interpreted(&spot.place) {
                Value::Text(text) => Some(text),
                _ => Some(raw),
            },
            value => {
                Found { spot, value, reader }.refuse_type("a text", "put it in double quotes");
                None
            }
        }
    }

    /// A text of a certain form. `mend` says how to write it.
    pub(super) fn parsed<T, E: Display>(
        self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        mend: impl Into<String>,
    ) -> Option<T> {
        let (spot, reader) = (self.spot.clone(), self.reader);
        match parse(&self.text()?) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                spot.refuse(reader, error.to_string(), mend);
                None
            }
        }
    }

    /// True or false.
    pub(super) fn flag(self) -> Option<bool> {
        let found = self.interpreted();
        let Value::Flag(flag) = found.value else {
            found.refuse_type("true or false", "write true or false, without quotes");
            return None;
        };
        Some(flag)
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(self, choices: &[(&str, T)]) -> Option<T> {
        let (spot, reader) = (self.spot.clone(), self.reader);
        let text = self.text()?;
        let choice = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if choice.is_none() {
            spot.refuse(
                reader,
                format!("{text:?} is not one of the choices"),
                nearest(&text, words(choices), "the choices are"),
            );
        }
        choice
    }

    /// A whole number within a range.
    pub(super) fn whole<T: TryFrom<i64>>(self, range: RangeInclusive<i64>) -> Option<T> {
        let found = self.interpreted();
        let mend = format!("write a whole number from {} to {}, without quotes", range.start(), range.end());
        let Value::Whole(number) = found.value else {
            found.refuse_type("a whole number", &mend);
            return None;
        };
        let read = if range.contains(&number) { T::try_from(number).ok() } else { None };
        if read.is_none() {
            found.refuse(format!("{number} is out of range"), mend);
        }
        read
    }

    /// The elements of a list.
    pub(super) fn list(self) -> Vec<Found<'r>> {
        let Self { spot, value, reader } = self.interpreted();
        match value {
            Value::List(elements) => elements
                .into_iter()
                .enumerate()
                .map(|(index, Node { value, place })| {
                    let spot = Spot { key: format!("{}[{index}]", spot.key), place };
                    Found { spot, value, reader }
                })
                .collect(),
            value => {
                Found { spot, value, reader }.refuse_type("a list", "put it in square brackets: [ … ]");
                vec![]
            }
        }
    }

    /// The elements of a list that has some. `mend` says what to do where it has none.
    pub(super) fn some_elements(self, mend: &str) -> Option<Vec<Found<'r>>> {
        let found = self.interpreted();
        if matches!(&found.value, Value::List(elements) if elements.is_empty()) {
            found.refuse("the list is empty", mend);
            return None;
        }
        Some(found.list())
    }

    /// A table, to be read key by key.
    pub(super) fn section(self) -> Option<Section<'r>> {
        let Self { spot, value, reader } = self.interpreted();
        match value {
            Value::Table(entries) => Some(Section { spot, entries, known: Vec::new(), reader }),
            value => {
                Found { spot, value, reader }.refuse_type("a table", "write its keys in braces: { key = value, … }");
                None
            }
        }
    }

    /// The text of a `CHOPMARK_…` variable, unless it is a table; the value itself if it is none.
    pub(super) fn into_unread_text(self) -> Result<(Spot, String, &'r Reader<'r>), Self> {
        match self.value {
            Value::Unread(text) => match Value::Unread(text.clone()).interpreted(&self.spot.place) {
                value @ Value::Table(_) => Err(Self { value, ..self }),
                _ => Ok((self.spot, text, self.reader)),
            },
            _ => Err(self),
        }
    }

    /// The value with a variable's text taken as TOML.
    pub(super) fn interpreted(self) -> Self {
        Self { value: self.value.interpreted(&self.spot.place), ..self }
    }
}

impl Spot {
    /// Reports that the value here will not do.
    pub(super) fn refuse(&self, reader: &Reader<'_>, what: impl Into<String>, mend: impl Into<String>) {
        reader.report(Problem {
            place: self.place.clone(),
            key: self.key.clone(),
            what: what.into(),
            mend: mend.into(),
        });
    }

    fn below(&self, key: &str) -> String {
        if self.key.is_empty() { key.into() } else { format!("{}.{key}", self.key) }
    }
}

/// A table being read. [`finish`](Self::finish) reports the keys nobody asked for.
pub(super) struct Section<'r> {
    pub(super) spot: Spot,
    entries: Table,
    known: Vec<&'static str>,
    pub(super) reader: &'r Reader<'r>,
}

impl<'r> Section<'r> {
    /// A key that must be there. `example` is a line that would do. `None` after a problem.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(Found<'r>) -> Option<T>,
    ) -> Option<T> {
        let found = self.take(key);
        if found.is_none() {
            self.missing(key, format!("add `{example}`"));
        }
        read(found?)
    }

    /// A key that may be absent: `Some(None)`. `None` after a problem.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Found<'r>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.take(key) {
            Some(found) => read(found).map(Some),
            None => Some(None),
        }
    }

    /// The elements of a list that may be absent.
    pub(super) fn elements(&mut self, key: &'static str) -> Vec<Found<'r>> {
        self.take(key).map(Found::list).unwrap_or_default()
    }

    /// What is at a key, which is known from now on.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Found<'r>> {
        self.known.push(key);
        let Node { value, place } = self.entries.remove(key)?;
        Some(Found { spot: Spot { key: self.spot.below(key), place }, value, reader: self.reader })
    }

    /// Reports that a key is missing.
    pub(super) fn missing(&self, key: &str, mend: impl Into<String>) {
        let spot = Spot { key: self.spot.below(key), place: self.spot.place.clone() };
        spot.refuse(self.reader, "is missing", mend);
    }

    /// Every entry, in a table whose keys are the user's own.
    pub(super) fn entries(self) -> impl Iterator<Item = (String, Found<'r>)> {
        let Self { spot, entries, reader, .. } = self;
        entries.into_iter().map(move |(key, Node { value, place })| {
            let spot = Spot { key: spot.below(&key), place };
            (key, Found { spot, value, reader })
        })
    }

    /// Reports every key that is not known, and says how many there are.
    pub(super) fn finish(self) -> usize {
        for (key, node) in &self.entries {
            let spot = Spot { key: self.spot.below(key), place: node.place.clone() };
            spot.refuse(
                self.reader,
                "there is no such key",
                nearest(key, self.known.iter().copied(), "the keys here are"),
            );
        }
        self.entries.len()
    }
}

/// Values that may occur once, with where they did.
pub(super) struct Unique<T> {
    /// What they name.
    pub(super) what: &'static str,
    seen: Vec<(T, Spot)>,
}

impl<T: PartialEq + Display + Clone> Unique<T> {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, seen: Vec::new() }
    }

    /// Takes one up, and reports it if it was there before.
    pub(super) fn add(&mut self, value: &T, spot: Spot, reader: &Reader<'_>) {
        if let Some((_, first)) = self.seen.iter().find(|(seen, _)| seen == value) {
            let mend = format!("{} ({}) has it; give one of the two another", first.key, first.place);
            spot.refuse(reader, format!("there is a {} {value} already", self.what), mend);
        }
        self.seen.push((value.clone(), spot));
    }

    pub(super) fn contains(&self, value: &T) -> bool {
        self.seen.iter().any(|(seen, _)| seen == value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.seen.iter().map(|(value, _)| value)
    }
}

fn words<'w, T>(choices: &'w [(&'w str, T)]) -> impl Iterator<Item = &'w str> {
    choices.iter().map(|(word, _)| *word)
}

/// A mend for a word that is none of the known ones: the one most like it, else all of them.
pub(super) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>, all_are: &str) -> String {
    let plain = word.to_lowercase().replace('-', "_");
    let known: Vec<&str> = known.collect();
    let likeness = |candidate: &str| strsim::normalized_damerau_levenshtein(&plain, candidate);
    let best = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match best {
        Some(best) if likeness(best) > 0.6 => format!("did you mean `{best}`?"),
        _ if known.is_empty() => "there is nothing to choose from; leave it out".into(),
        _ => format!("{all_are} {}", known.join(", ")),
    }
}
