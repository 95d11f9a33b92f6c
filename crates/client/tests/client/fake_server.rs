//! A double of the server: answers what a test tells it to, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }
}

/// What to answer.
pub(crate) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str, String),
    /// Never.
    Silence,
    /// With an end of the connection.
    HangUp,
}

type Script = Box<dyn FnMut(&Heard) -> Reply + Send>;

pub(crate) struct FakeServer {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl FakeServer {
    pub(crate) fn start(script: impl FnMut(&Heard) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let heard = Arc::new(Mutex::new(vec![]));
        let (answering, remembered) = (Arc::clone(&script), Arc::clone(&heard));
        thread::spawn(move || {
            let mut silent = vec![];
            for stream in listener.incoming().flatten() {
                let Some(request) = read(&stream) else { continue };
                remembered.lock().expect("no panic").push(request.clone());
                let reply = answering.lock().expect("no panic")(&request);
                if let Some(stream) = answer(stream, reply) {
                    silent.push(stream);
                }
            }
        });
        Self { url, script, heard }
    }

    /// Answers otherwise from now on.
    pub(crate) fn now(&self, script: impl FnMut(&Heard) -> Reply + Send + 'static) {
        *self.script.lock().expect("no panic") = Box::new(script);
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no panic").clone()
    }

    pub(crate) fn last(&self) -> Heard {
        self.heard().pop().expect("a request")
    }
}

fn read(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { method, path, headers, body: String::from_utf8(body).ok()? })
}

/// Answers; hands the connection back if it is to stay open.
fn answer(mut stream: TcpStream, reply: Reply) -> Option<TcpStream> {
    let (status, headers, body) = match reply {
        Reply::Json(status, json) => (status, "Content-Type: application/json\r\n", json.to_string()),
        Reply::Text(status, headers, text) => (status, headers, text),
        Reply::Silence => return Some(stream),
        Reply::HangUp => return None,
    };
    // A 204 has no body and says nothing of its length.
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!("HTTP/1.1 {status} As told\r\n{headers}{length}Connection: close\r\n\r\n");
    // The client may have hung up, which is its right.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    None
}
