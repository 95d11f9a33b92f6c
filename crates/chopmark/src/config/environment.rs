//! The environment: `CHOPMARK_…` variables over the configuration, and variables that hold secrets.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::document::{Node, Table, Value};
use super::problem::{Place, Problem};
use super::reader::Reader;

const PREFIX: &str = "CHOPMARK_";
const CONFIG_FILE: &str = "CHOPMARK_CONFIG";

/// Names the form of log lines: `text` or `json`.
pub(crate) const LOG_FORMAT: &str = "CHOPMARK_LOG_FORMAT";

/// The environment variables of this process, or of a test.
#[derive(Default)]
pub(crate) struct Environment(BTreeMap<String, OsString>);

impl<K: Into<String>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A part of a variable's path, so ordered that `…__2` comes before `…__10`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Index(usize),
    Key(String),
}

impl Environment {
    /// That of this process. Variables whose name is not UTF-8 are none of ours.
    #[must_use]
    pub(crate) fn of_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
    }

    /// A variable's text; `None` when it is not set.
    ///
    /// # Errors
    /// It is set, but not to UTF-8; says so.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, &'static str> {
        self.0.get(name).map(|value| value.to_str().ok_or("is not UTF-8")).transpose()
    }

    pub(super) fn config_file(&self) -> Option<PathBuf> {
        self.0.get(CONFIG_FILE).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// Puts every `CHOPMARK_…` variable that is not reserved over the tree. One that fits no key is found, with its
    /// name, when the tree is read.
    pub(super) fn overlay(&self, tree: &mut Node, reader: &Reader<'_>) {
        let mut variables: Vec<_> =
            self.0.keys().filter(|name| !reserved(name)).filter_map(|name| steps(name)).collect();
        variables.sort();
        for (path, name) in variables {
            let outcome = match self.text(&name) {
                Ok(text) => set(tree, &path, &name, text.unwrap_or_default()),
                Err(reason) => Err(Misfit { what: reason.into(), mend: "set it to text in UTF-8".into() }),
            };
            if let Err(Misfit { what, mend }) = outcome {
                reader.report(Problem { place: Place::Variable(name), key: shown(&path), what, mend });
            }
        }
    }
}

/// Why a variable cannot be put into the tree.
struct Misfit {
    what: String,
    mend: String,
}

/// Names with the prefix that are not keys: our own switches, those of tests, measurements and their machines, and what Kubernetes sets in every container beside a
/// service called `chopmark` or `chopmark-…`.
fn reserved(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return true };
    let of_kubernetes = !rest.contains("__")
        && (rest == "PORT"
            || rest.starts_with("PORT_")
            || rest.ends_with("_PORT")
            || rest.contains("_PORT_")
            || rest.ends_with("SERVICE_HOST"));
    let of_others = ["TEST_", "CI_", "BENCH_"].iter().any(|other| rest.starts_with(other)) || of_kubernetes;
    name == CONFIG_FILE || name == LOG_FORMAT || of_others
}

fn steps(name: &str) -> Option<(Vec<Step>, String)> {
    let step = |part: &str| part.parse().map_or_else(|_| Step::Key(part.to_lowercase()), Step::Index);
    Some((name.strip_prefix(PREFIX)?.split("__").map(step).collect(), name.into()))
}

/// A path as problems show it, e.g. `seller[0].id`.
fn shown(path: &[Step]) -> String {
    path.iter().fold(String::new(), |path, step| match step {
        Step::Index(index) => format!("{path}[{index}]"),
        Step::Key(key) if path.is_empty() => key.clone(),
        Step::Key(key) => format!("{path}.{key}"),
    })
}

fn set(tree: &mut Node, path: &[Step], name: &str, text: &str) -> Result<(), Misfit> {
    let place = Place::Variable(name.into());
    let mut node = tree;
    for (depth, step) in path.iter().enumerate() {
        let next = path.get(depth + 1);
        node = match (&mut node.value, step) {
            (Value::Table(table), step) => entry(table, step, next, &place),
            (Value::List(elements), Step::Index(index)) => element(elements, *index, next, &place)?,
            (Value::List(_), Step::Key(_)) => {
                return Err(Misfit {
                    what: format!("{} is a list", shown(&path[..depth])),
                    mend: "name an element by its index, from 0, e.g. CHOPMARK_SELLER__0__ID".into(),
                });
            }
            _ => {
                return Err(Misfit {
                    what: format!("{} is a value and has no parts", shown(&path[..depth])),
                    mend: "set the value itself, or unset the variable".into(),
                });
            }
        };
    }
    *node = Node { value: Value::Unread(text.into()), place };
    Ok(())
}

/// The element of a list that a variable means: one that is there, or the next one.
fn element<'l>(
    elements: &'l mut Vec<Node>,
    index: usize,
    next: Option<&Step>,
    place: &Place,
) -> Result<&'l mut Node, Misfit> {
    let length = elements.len();
    if index == length {
        elements.push(Node { value: empty(next), place: place.clone() });
    }
    elements.get_mut(index).ok_or_else(|| Misfit {
        what: format!("the list has {length} elements"),
        mend: format!("index {length} adds one"),
    })
}

/// The entry of a table that a variable means: names of variables do not tell upper from lower case.
fn entry<'t>(table: &'t mut Table, step: &Step, next: Option<&Step>, place: &Place) -> &'t mut Node {
    let wanted = match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    };
    let key = table.keys().find(|key| key.eq_ignore_ascii_case(&wanted)).cloned().unwrap_or(wanted);
    table.entry(key).or_insert_with(|| Node { value: empty(next), place: place.clone() })
}

/// What is made where there is nothing yet: a list if an index follows, a table otherwise.
fn empty(next: Option<&Step>) -> Value {
    match next {
        Some(Step::Index(_)) => Value::List(Vec::new()),
        _ => Value::Table(Table::new()),
    }
}
