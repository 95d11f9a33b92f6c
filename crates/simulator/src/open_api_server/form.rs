//! Reading a form of parts (multipart/form-data, RFC 7578), strictly: what is not exactly one is refused.

/// A part of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its type; without one it is text.
    pub(super) content_type: Option<&'a str>,
    /// What it holds.
    pub(super) content: &'a [u8],
}

/// The parts of a body, by its header `Content-Type`; `None` where it is no form.
pub(super) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let parameters = content_type.strip_prefix("multipart/form-data")?;
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let line = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&line.as_bytes()[2..])?;
    let mut parts = vec![];
    while let Some(after) = rest.strip_prefix(b"\r\n") {
        let end = find(after, line.as_bytes())?;
        parts.push(part(after.get(..end)?)?);
        rest = after.get(end + line.len()..)?;
    }
    matches!(rest, b"--" | b"--\r\n").then_some(parts)
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let header = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = header("Content-Disposition")?.strip_prefix("form-data")?;
    let name = disposition.split(';').find_map(|parameter| parameter.trim().strip_prefix("name=\""))?;
    Some(Part { name: name.strip_suffix('"')?, content_type: header("Content-Type"), content: bytes.get(end + 4..)? })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=xyz";

    fn read(body: &str) -> Option<Vec<(String, String)>> {
        let owned = |part: Part<'_>| (part.name.to_owned(), String::from_utf8_lossy(part.content).into_owned());
        parts(TYPE, body.as_bytes()).map(|parts| parts.into_iter().map(owned).collect())
    }

    #[test]
    fn parts_are_told_apart_by_exactly_the_line_agreed() {
        let body = "--xyz\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\nContent-Type: x/y\r\n\r\none\r\n--xy\r\n\r\n--xyz\r\n\
                    content-disposition: form-data; name=\"b\"\r\n\r\n\r\n--xyz--\r\n";
        let expected = [("a".into(), "one\r\n--xy\r\n".into()), ("b".into(), String::new())];
        assert_eq!(read(body).unwrap(), expected);
        assert_eq!(parts(TYPE, body.as_bytes()).unwrap()[0].content_type, Some("x/y"));
        assert_eq!(parts("multipart/form-data; boundary=\"xyz\"", body.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let head = "Content-Disposition: form-data; name=\"a\"";
        for body in [
            "".to_owned(),
            "--xyz".into(),
            format!("--xyz\r\n{head}\r\n\r\none\r\n--xyz"),
            format!("--xyz\r\n{head}\r\n\r\none--xyz--"),
            format!("--xyz\r\n{head}\r\none\r\n--xyz--"),
            format!("--xyz\r\n{head}\r\n\r\none\r\n--xyz--more"),
            "--xyz\r\nContent-Type: x/y\r\n\r\none\r\n--xyz--".into(),
        ] {
            assert_eq!(read(&body), None, "{body}");
        }
        for content_type in ["application/json", "multipart/form-data", "multipart/form-data; boundary="] {
            assert_eq!(parts(content_type, b"--\r\n"), None, "{content_type}");
        }
    }
}
