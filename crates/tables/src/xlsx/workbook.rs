//! Which sheets a workbook has, and where its parts are.

use std::collections::HashMap;

use crate::error::TableError;

use super::date::Epoch;
use super::package::Package;
use super::part::{Token, attribute};

/// Where the relationships of the whole file are.
const ROOT: &str = "_rels/.rels";

/// Where the workbook is if nothing says so.
const USUAL: &str = "xl/workbook.xml";

/// Sheets, relationships and styles that are taken note of. No workbook has so many.
pub(super) const MOST: usize = 65_536;

/// The workbook as far as tables need it.
pub(super) struct Workbook {
    /// The visible worksheets, in the order of their tabs.
    pub(super) sheets: Vec<Sheet>,
    /// The part of shared strings.
    pub(super) strings: Option<String>,
    /// The part of styles.
    pub(super) styles: Option<String>,
    /// From when days are counted.
    pub(super) epoch: Epoch,
}

/// A worksheet: the name on its tab, and its part.
pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) part: String,
}

/// A part that another one names.
struct Relationship {
    kind: String,
    part: String,
}

impl Workbook {
    pub(super) fn read(package: &mut Package<'_>) -> Result<Self, TableError> {
        let root = if package.has(ROOT) { relationships(package, ROOT, "")? } else { HashMap::new() };
        let named = root.into_values().find(|relationship| relationship.kind == "officeDocument");
        let part = named.map(|relationship| relationship.part).filter(|part| part.ends_with(".xml"));
        let part = part.filter(|part| package.has(part)).unwrap_or_else(|| USUAL.to_owned());
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", &part));
        if !package.has(&part) || ["word", "ppt"].contains(&folder) {
            return Err(package.stranger());
        }
        let beside = resolved(folder, &format!("_rels/{file}.rels"));
        let mut related = if package.has(&beside) { relationships(package, &beside, folder)? } else { HashMap::new() };
        let (sheets, epoch) = sheets(package, &part, &mut related)?;
        let of_kind = |kind: &str| {
            let found = related.values().find(|relationship| relationship.kind == kind);
            found.map(|relationship| relationship.part.clone()).filter(|part| package.has(part))
        };
        Ok(Self { sheets, epoch, strings: of_kind("sharedStrings"), styles: of_kind("styles") })
    }
}

/// The relationships in a part, by their ids. Those that lead out of the file are left alone.
fn relationships(
    package: &mut Package<'_>,
    name: &str,
    folder: &str,
) -> Result<HashMap<String, Relationship>, TableError> {
    let mut found = HashMap::new();
    let mut part = package.part(name)?;
    loop {
        let tag = match part.next()? {
            Token::Open(tag) if tag.local_name().as_ref() == "Relationship" => tag,
            Token::End => return Ok(found),
            _ => continue,
        };
        let outside = attribute(&tag, "TargetMode").is_some_and(|mode| mode == "External");
        let (id, kind, target) = (attribute(&tag, "Id"), attribute(&tag, "Type"), attribute(&tag, "Target"));
        if let (Some(id), Some(kind), Some(target), false) = (id, kind, target, outside) {
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            found.insert(id.into_owned(), Relationship { kind, part: resolved(folder, &target) });
        }
        if found.len() > MOST {
            return Err(part.damaged("it names too many parts"));
        }
    }
}

/// The visible worksheets, and the epoch.
fn sheets(
    package: &mut Package<'_>,
    name: &str,
    related: &mut HashMap<String, Relationship>,
) -> Result<(Vec<Sheet>, Epoch), TableError> {
    let (mut sheets, mut epoch) = (vec![], Epoch::Of1900);
    let mut part = package.part(name)?;
    loop {
        let tag = match part.next()? {
            Token::Open(tag) => tag,
            Token::End => return Ok((sheets, epoch)),
            _ => continue,
        };
        match tag.local_name().as_ref() {
            "workbookPr" if attribute(&tag, "date1904").is_some_and(|set| set == "1" || set == "true") => {
                epoch = Epoch::Of1904;
            }
            "sheet" => {
                let visible = attribute(&tag, "state").is_none_or(|state| state == "visible");
                let relationship = attribute(&tag, "id").and_then(|id| related.remove(id.as_ref()));
                let worksheet = relationship.filter(|relationship| visible && relationship.kind == "worksheet");
                if let (Some(worksheet), Some(name)) = (worksheet, attribute(&tag, "name")) {
                    sheets.push(Sheet { name: name.into_owned(), part: worksheet.part });
                }
            }
            _ => {}
        }
    }
}

/// The name of a part that another one in a folder names.
fn resolved(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let base = if target.starts_with('/') { "" } else { folder };
    let mut path: Vec<&str> = vec![];
    for step in base.split('/').chain(target.split('/')) {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            step => path.push(step),
        }
    }
    path.join("/")
}
