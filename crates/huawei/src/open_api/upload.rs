//! Handing over a license that was applied for: 上传字符串或文件 (topic 0070649351), a form of parts.

use chopmark_domain::ids::EventId;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::{Code, ErrorKind, OpenApiError, failure, no_json};
use crate::uri::uri_encoded;

/// The marketplace takes so many characters of text; a longer license is uploaded as a file.
pub const LONGEST_CHARACTERS: usize = 1024;

/// A file's name has at most this many characters.
const LONGEST_FILE_NAME: usize = 1024;

/// A license to be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload<'a> {
    /// A text of at most [`LONGEST_CHARACTERS`] characters.
    Text(&'a str),
    /// A file.
    File {
        /// Its name.
        name: &'a str,
        /// Its content.
        content: &'a [u8],
    },
}

/// Path of the upload for an application, a POST.
///
/// # Errors
/// An event id that no path can hold.
pub fn upload_path(event: &EventId) -> Result<String, OpenApiError> {
    // However they are encoded, dots alone lead elsewhere (WHATWG URL).
    if matches!(event.as_str(), "." | "..") {
        return Err(OpenApiError::new(ErrorKind::Refused, format!("the event id {event} cannot stand in a path")));
    }
    Ok(format!("/api/mkp-openapi-public/global/v1/market-event/{}/file", uri_encoded(event.as_str())))
}

/// A body of parts, with its type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Upload<'_> {
    /// The form to be sent. The same license makes the same bytes.
    pub(super) fn form(&self) -> Result<Form, OpenApiError> {
        self.check()?;
        let request = self.request().to_string();
        let boundary = boundary(&[request.as_bytes(), self.content()]);
        let mut body = vec![];
        let mut part = |head: &str, content: &[u8]| {
            body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        };
        let head = "Content-Disposition: form-data; name=\"isvUpdateFileReq\"\r\nContent-Type: application/json";
        part(head, request.as_bytes());
        if let Self::File { name, content } = self {
            let name = quoted(name);
            let head = format!(
                "Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream"
            );
            part(&head, content);
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Ok(Form { content_type: format!("multipart/form-data; boundary={boundary}"), body })
    }

    fn check(&self) -> Result<(), OpenApiError> {
        let (what, length, max) = match self {
            Self::Text(text) => ("a license text", text.chars().count(), LONGEST_CHARACTERS),
            Self::File { name, .. } => ("a file name", name.chars().count(), LONGEST_FILE_NAME),
        };
        if length == 0 || length > max {
            let message = format!("{what} has {length} characters; the marketplace takes 1 to {max}");
            return Err(OpenApiError::new(ErrorKind::Refused, message));
        }
        Ok(())
    }

    fn request(&self) -> Value {
        match self {
            Self::Text(text) => json!({"type": "CHARACTERS", "characters": text}),
            Self::File { name, content } => {
                json!({"type": "FILE", "file_name": name, "sha256": hex::encode(Sha256::digest(content))})
            }
        }
    }

    fn content(&self) -> &[u8] {
        match self {
            Self::Text(_) => b"",
            Self::File { content, .. } => content,
        }
    }
}

/// A line that stands nowhere in the parts: no content holds its own hash.
fn boundary(contents: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    contents.iter().for_each(|content| hash.update(content));
    let mut hexadecimal = hex::encode(hash.finalize());
    hexadecimal.truncate(40);
    format!("chopmark-{hexadecimal}")
}

/// A file name as a form's head may hold it (HTML, multipart/form-data encoding algorithm).
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// Reads an answer to an upload. Its codes are taken for those of the license interfaces, as its layout is theirs. That
/// the license was uploaded before (92020003, illegal state) is success: it is there.
///
/// # Errors
/// [`OpenApiError`], where the marketplace did not take the license.
pub fn parse_upload_answer(status: u16, body: &[u8]) -> Result<(), OpenApiError> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else {
        return Err(no_json(status));
    };
    let result = Code::of(&answer);
    match result.as_ref().filter(|result| !result.is_gateway()).map(Code::number) {
        Some("92020000" | "92020003") => Ok(()),
        _ => Err(failure(status, result, &answer)),
    }
}

#[cfg(test)]
mod tests;
