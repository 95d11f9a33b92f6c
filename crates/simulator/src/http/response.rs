//! Reading an answer: head, framing, body.

use std::io;
use std::ops::Range;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::{HttpError, Stream};

const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 64;

/// An answer of its own, for keeping.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in exactly the letters they came in.
    pub headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
    /// From sending to the last byte.
    pub elapsed: Duration,
}

impl Response {
    /// The first value of a header, in whatever case its name came.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// An answer in its connection's buffer.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body, chunks put together.
    pub body: &'a [u8],
    /// From sending to the last byte.
    pub elapsed: Duration,
    head: &'a [u8],
}

impl<'a> Exchange<'a> {
    pub(super) fn new(buffer: &'a [u8], layout: Layout, elapsed: Duration) -> Self {
        Self { status: layout.status, body: &buffer[layout.body], elapsed, head: &buffer[..layout.head] }
    }

    /// A copy that outlives the connection's next exchange.
    #[must_use]
    pub fn to_response(&self) -> Response {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        // The head was parsed before, by the same rules; it cannot fail now.
        let headers = match parsed.parse(self.head) {
            Ok(_) => parsed.headers.iter().map(owned).collect(),
            Err(_) => vec![],
        };
        Response { status: self.status, headers, body: self.body.to_vec(), elapsed: self.elapsed }
    }
}

fn owned(header: &httparse::Header<'_>) -> (String, String) {
    (header.name.into(), String::from_utf8_lossy(header.value).trim().to_owned())
}

/// Where the parts of an answer lie in the buffer.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) status: u16,
    pub(super) head: usize,
    pub(super) body: Range<usize>,
    pub(super) keep_alive: bool,
}

struct Head {
    status: u16,
    length: usize,
    framing: Framing,
    keep_alive: bool,
}

enum Framing {
    Length(usize),
    Chunked,
    UntilClosed,
}

pub(super) struct Reader<'a> {
    stream: &'a mut dyn Stream,
    buffer: &'a mut Vec<u8>,
    max_body: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(stream: &'a mut dyn Stream, buffer: &'a mut Vec<u8>, max_body: usize) -> Self {
        Self { stream, buffer, max_body }
    }

    pub(super) async fn answer(mut self) -> Result<Layout, HttpError> {
        let head = self.head().await?;
        let start = head.length;
        let (body, end) = match head.framing {
            Framing::Length(length) => {
                self.fill_to(start + self.bounded(length)?).await?;
                (start..start + length, start + length)
            }
            Framing::Chunked => self.chunks(start).await?,
            Framing::UntilClosed => {
                while self.fill().await? {
                    self.bounded(self.buffer.len() - start)?;
                }
                (start..self.buffer.len(), self.buffer.len())
            }
        };
        Ok(Layout {
            status: head.status,
            head: start,
            body,
            // Bytes that nobody asked for: whose answer would they be?
            keep_alive: head.keep_alive && end == self.buffer.len(),
        })
    }

    /// The head of the final answer; interim ones (1xx) are passed over.
    async fn head(&mut self) -> Result<Head, HttpError> {
        loop {
            match parse_head(self.buffer)? {
                Some(head) if (100..200).contains(&head.status) => drop(self.buffer.drain(..head.length)),
                Some(head) => return Ok(head),
                None if self.buffer.len() > MAX_HEAD => return Err(HttpError::TooLarge { limit: MAX_HEAD }),
                None => {
                    if !self.fill_first().await? {
                        return Err(if self.buffer.is_empty() { HttpError::Closed } else { HttpError::Truncated });
                    }
                }
            }
        }
    }

    /// A reset before the first byte is a close: the server had no answer under way.
    async fn fill_first(&mut self) -> Result<bool, HttpError> {
        match self.fill().await {
            Err(HttpError::Io(error)) if self.buffer.is_empty() && is_close(&error) => Ok(false),
            other => other,
        }
    }

    /// Chunks are moved together in place, so that the body is one slice of the buffer.
    async fn chunks(&mut self, start: usize) -> Result<(Range<usize>, usize), HttpError> {
        let (mut from, mut to) = (start, start);
        loop {
            let size = self.chunk_size(&mut from).await?;
            self.bounded((to - start).saturating_add(size))?;
            if size == 0 {
                let end = self.trailers(from).await?;
                return Ok((start..to, end));
            }
            self.fill_to(from + size + 2).await?;
            if &self.buffer[from + size..from + size + 2] != b"\r\n" {
                return Err(malformed("a chunk is longer than it says"));
            }
            self.buffer.copy_within(from..from + size, to);
            to += size;
            from += size + 2;
        }
    }

    async fn chunk_size(&mut self, from: &mut usize) -> Result<usize, HttpError> {
        loop {
            match httparse::parse_chunk_size(&self.buffer[*from..]) {
                Ok(httparse::Status::Complete((line, size))) => {
                    *from += line;
                    return usize::try_from(size).map_err(|_| HttpError::TooLarge { limit: self.max_body });
                }
                Ok(httparse::Status::Partial) => self.fill_to(self.buffer.len() + 1).await?,
                Err(_) => return Err(malformed("a chunk without a size")),
            }
        }
    }

    async fn trailers(&mut self, mut from: usize) -> Result<usize, HttpError> {
        loop {
            match self.buffer[from..].windows(2).position(|pair| pair == b"\r\n") {
                Some(0) => return Ok(from + 2),
                Some(line) => from += line + 2,
                None => self.fill_to(self.buffer.len() + 1).await?,
            }
        }
    }

    fn bounded(&self, length: usize) -> Result<usize, HttpError> {
        if length > self.max_body {
            return Err(HttpError::TooLarge { limit: self.max_body });
        }
        Ok(length)
    }

    async fn fill_to(&mut self, length: usize) -> Result<(), HttpError> {
        while self.buffer.len() < length {
            if !self.fill().await? {
                return Err(HttpError::Truncated);
            }
        }
        Ok(())
    }

    /// Reads what is there; `false` at the end of the stream.
    async fn fill(&mut self) -> Result<bool, HttpError> {
        // Chunk frames cost a little beyond the body; twice the bound covers them and stays a bound.
        if self.buffer.len() > 2 * self.max_body + MAX_HEAD {
            return Err(HttpError::TooLarge { limit: self.max_body });
        }
        self.buffer.reserve(4096);
        Ok(self.stream.read_buf(self.buffer).await? > 0)
    }
}

fn is_close(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof)
}

fn malformed(problem: &str) -> HttpError {
    HttpError::Malformed { problem: problem.into() }
}

fn parse_head(buffer: &[u8]) -> Result<Option<Head>, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(malformed(&error.to_string())),
    };
    let status = response.code.unwrap_or_default();
    let mut keep_alive = response.version == Some(1);
    let mut content_length = None;
    let mut chunked = false;
    for header in response.headers.iter() {
        let value = String::from_utf8_lossy(header.value);
        if header.name.eq_ignore_ascii_case("content-length") {
            let length: usize = value.trim().parse().map_err(|_| malformed("Content-Length"))?;
            if content_length.replace(length).is_some_and(|known| known != length) {
                return Err(malformed("two different Content-Length"));
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.to_ascii_lowercase().ends_with("chunked");
        } else if header.name.eq_ignore_ascii_case("connection") {
            keep_alive &= !value.to_ascii_lowercase().contains("close");
        }
    }
    let framing = match (status, chunked, content_length) {
        (100..200 | 204 | 304, ..) => Framing::Length(0),
        (_, true, _) => Framing::Chunked,
        (_, _, Some(length)) => Framing::Length(length),
        _ => Framing::UntilClosed,
    };
    Ok(Some(Head { status, length, keep_alive: keep_alive && !matches!(framing, Framing::UntilClosed), framing }))
}
