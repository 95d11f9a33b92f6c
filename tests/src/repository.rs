//! The repository as text: its files, and Rust source without comments, strings or tests.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of a type under a folder of the repository, as paths from its root, sorted. Hidden folders and build
/// output are passed over.
///
/// # Errors
/// A folder cannot be read.
pub fn files(folder: &str, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![];
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let path = folder.join(&name);
            if entry.file_type()?.is_dir() {
                if name != "target" && !name.to_string_lossy().starts_with('.') {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|ending| ending == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A file of the repository.
///
/// # Errors
/// It cannot be read.
pub fn read(path: impl AsRef<Path>) -> io::Result<String> {
    fs::read_to_string(root().join(path))
}

/// Whether a source file holds nothing but tests.
#[must_use]
pub fn is_test_file(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs")
}

/// Rust source in which comments, strings and characters are blanks, so that what is left can be searched and its
/// braces counted. Lines and bytes keep their places.
#[must_use]
pub fn code_of(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = end_of_text(bytes, at);
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// Where the comment, string or character that begins here ends; here, if none does.
fn end_of_text(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return end_of_block_comment(bytes, at);
    }
    if let Some(hashes) = raw_string_hashes(bytes, at) {
        let closing = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
        let body = at + hashes + 2;
        return find(bytes, body, &closing).map_or(bytes.len(), |found| found + closing.len());
    }
    match rest {
        [b'"', ..] => end_of_quoted(bytes, at, b'"'),
        // A character, not a lifetime.
        [b'\'', b'\\', ..] => end_of_quoted(bytes, at, b'\''),
        [b'\'', first, ..] => {
            let width = match first {
                0x00..0x80 => 1,
                0x80..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0.. => 4,
            };
            if rest.get(1 + width) == Some(&b'\'') { at + width + 2 } else { at }
        }
        _ => at,
    }
}

fn end_of_quoted(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_block_comment(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// The number of `#` of the raw string that begins here.
fn raw_string_hashes(bytes: &[u8], at: usize) -> Option<usize> {
    let in_word = at > 0 && is_word(bytes[at - 1]) && bytes[at - 1] != b'b';
    if in_word || bytes[at] != b'r' {
        return None;
    }
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    (bytes.get(at + 1 + hashes) == Some(&b'"')).then_some(hashes)
}

fn find(bytes: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let found = bytes.get(from..)?.windows(wanted.len()).position(|part| part == wanted)?;
    Some(from + found)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The byte after the bracket that closes the one that opens here. Works on [`code_of`].
#[must_use]
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return offset + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The places of what `#[cfg(test)]` stands before. Works on [`code_of`].
#[must_use]
pub fn tests_in(code: &str) -> Vec<std::ops::Range<usize>> {
    let marked = code.match_indices("#[cfg(test)]").map(|(start, _)| {
        let end = code[start..].find(['{', ';']).map_or(code.len(), |found| start + found);
        if code[end..].starts_with('{') { start..closing(code, end) } else { start..end }
    });
    marked.collect()
}

/// A function in source: its name, the line it begins in (from 1), and its length in lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// What it is called.
    pub name: String,
    /// The line of its `fn`.
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
}

/// Every function with a body. Works on [`code_of`].
#[must_use]
pub fn functions(code: &str) -> Vec<Function> {
    let starts = code.match_indices("fn ").filter(|(start, _)| {
        let stands_alone = *start == 0 || !is_word(code.as_bytes()[start - 1]);
        stands_alone && code[start + 3..].starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
    });
    let functions = starts.filter_map(|(start, _)| {
        let name: String =
            code[start + 3..].chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
        let body = body_of(code, start)?;
        let count = |range: &str| range.matches('\n').count();
        Some(Function { name, line: count(&code[..start]) + 1, lines: count(&code[start..closing(code, body)]) + 1 })
    });
    functions.collect()
}

/// The brace that opens a function's body; `None` for one without.
fn body_of(code: &str, start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += code[at..].find(['{', ';', '(', '['])?;
        match code.as_bytes()[at] {
            b'{' => return Some(at),
            b';' => return None,
            _ => at = closing(code, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_what_is_no_comment_string_or_character() {
        for (source, code) in [
            ("a // { b\nc", "a       \nc"),
            ("a /* { /* } */ { */ b", "a                   b"),
            (r#"a("{ \" }") b"#, "a(        ) b"),
            ("a(r#\"{ \" \"#) b", "a(         ) b"),
            ("a('{', '\\'', 'x') b", "a(   ,     ,    ) b"),
            ("fn a<'a>(b: &'a str) {}", "fn a<'a>(b: &'a str) {}"),
            ("a('界') b", "a(     ) b"),
        ] {
            assert_eq!(code_of(source), code, "{source}");
        }
    }

    #[test]
    fn functions_are_measured_from_fn_to_brace() {
        let source =
            "fn short() {}\n\npub fn long(a: [u8; 2]) -> u8 {\n    if true {\n    }\n}\ntrait T { fn none(&self); }\n";
        let found: Vec<_> = functions(&code_of(source))
            .into_iter()
            .map(|function| (function.name, function.line, function.lines))
            .collect();
        assert_eq!(found, [("short".into(), 1, 1), ("long".into(), 3, 4)]);
    }

    #[test]
    fn tests_are_found() {
        let source = "a {}\n#[cfg(test)]\nmod tests { b { } }\nc\n#[cfg(test)]\nmod other;\n";
        let left: Vec<_> = tests_in(source).into_iter().map(|range| &source[range]).collect();
        assert_eq!(left, ["#[cfg(test)]\nmod tests { b { } }", "#[cfg(test)]\nmod other"]);
    }
}
