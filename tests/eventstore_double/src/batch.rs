//! `BatchAppend`: many appends in one session, in the order in which they come.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::stream::FuturesUnordered;
use prost::Message;
use prost_types::Any;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tonic::{Status, Streaming};
use uuid::Uuid;

use crate::faults::AppendFault;
use crate::protocol::event_store::client::streams::batch_append_req::Options;
use crate::protocol::event_store::client::streams::batch_append_req::options::ExpectedStreamPosition;
use crate::protocol::event_store::client::streams::batch_append_resp::{self, Success, success};
use crate::protocol::event_store::client::streams::{BatchAppendReq, BatchAppendResp};
use crate::protocol::event_store::client::wrong_expected_version::CurrentStreamRevisionOption;
use crate::protocol::event_store::client::{
    AllStreamPosition, BadRequest, MaximumAppendSizeExceeded, Timeout, Unknown, WrongExpectedVersion,
};
use crate::protocol::google::rpc::{Code, Status as WireStatus};
use crate::service::Shared;
use crate::store::{Expectation, Proposed, Refused, Written};
use crate::wire;

/// What a session sends back.
pub(crate) type Answer = Result<BatchAppendResp, Status>;

/// An append whose last message has come.
struct Append {
    correlation: Uuid,
    stream: String,
    expectation: Expectation,
    events: Vec<Proposed>,
}

/// An append whose messages are still coming.
#[derive(Default)]
struct Gathering(HashMap<Uuid, Append>);

pub(crate) async fn serve(shared: Arc<Shared>, mut requests: Streaming<BatchAppendReq>, answers: mpsc::Sender<Answer>) {
    let mut gathering = Gathering::default();
    let mut running = FuturesUnordered::new();
    let mut is_open = true;
    while is_open || !running.is_empty() {
        let answer = tokio::select! {
            request = requests.next(), if is_open => match request {
                Some(Ok(request)) => match gathering.take(request) {
                    Ok(Some(append)) => {
                        let mut append = Box::pin(run(Arc::clone(&shared), append));
                        // The first step hands it to the log: so appends keep their order.
                        match (&mut append).now_or_never() {
                            Some(answer) => answer,
                            None => {
                                running.push(append);
                                continue;
                            }
                        }
                    }
                    Ok(None) => continue,
                    Err(answer) => Ok(answer),
                },
                Some(Err(_)) | None => {
                    is_open = false;
                    continue;
                }
            },
            Some(answer) = running.next() => answer,
        };
        let is_end = answer.is_err();
        if answers.send(answer).await.is_err() || is_end {
            return;
        }
    }
}

impl Gathering {
    /// Takes a message; gives the append that it completes, or what is wrong with it.
    fn take(&mut self, request: BatchAppendReq) -> Result<Option<Append>, BatchAppendResp> {
        let correlation = wire::id_of(request.correlation_id).unwrap_or_default();
        let refuse = |reason: String| refusal(correlation, "", bad_request(reason));
        if let Some(options) = request.options {
            self.0.insert(correlation, Append::begin(correlation, options).map_err(refuse)?);
        }
        let Some(append) = self.0.get_mut(&correlation) else { return Ok(None) };
        for event in request.proposed_messages {
            let event = wire::proposed(event.id, &event.metadata, event.data, event.custom_metadata).map_err(refuse)?;
            append.events.push(event);
        }
        if wire::size_of(&append.events) > wire::APPEND_BYTES_MAX {
            self.0.remove(&correlation);
            return Err(refusal(correlation, "", too_large()));
        }
        Ok(if request.is_final { self.0.remove(&correlation) } else { None })
    }
}

impl Append {
    fn begin(correlation: Uuid, options: Options) -> Result<Self, String> {
        let expectation = match options.expected_stream_position {
            Some(ExpectedStreamPosition::StreamPosition(revision)) if revision > i64::MAX.cast_unsigned() => {
                return Err(format!("{revision} is out of range"));
            }
            Some(ExpectedStreamPosition::StreamPosition(revision)) => Expectation::Exact(revision),
            Some(ExpectedStreamPosition::NoStream(())) => Expectation::NoStream,
            Some(ExpectedStreamPosition::Any(())) => Expectation::Any,
            Some(ExpectedStreamPosition::StreamExists(())) => Expectation::StreamExists,
            None => return Err("the expected position is missing".into()),
        };
        let stream = wire::stream_of(options.stream_identifier)?;
        Ok(Self { correlation, stream, expectation, events: Vec::new() })
    }
}

async fn run(shared: Arc<Shared>, append: Append) -> Answer {
    shared.faults.slow_down().await;
    if let Some(leader) = shared.faults.other_leader() {
        return Err(wire::not_leader(&leader));
    }
    let Append { correlation, stream, expectation, events } = append;
    let refuse = |status| Ok(refusal(correlation, &stream, status));
    if shared.faults.is_not_ready() {
        return refuse(not_ready());
    }
    let fault = shared.faults.next_append();
    match fault {
        Some(AppendFault::WrongRevision) => return refuse(wrong_revision(None)),
        Some(AppendFault::Timeout) => return refuse(timeout()),
        _ => {}
    }
    let outcome = shared.store.append(&stream, expectation, events).await;
    match fault {
        Some(AppendFault::TimeoutAfterWrite) => return refuse(timeout()),
        Some(AppendFault::AbortAfterWrite) => return Err(wire::timed_out()),
        Some(AppendFault::CutAfterWrite) => shared.faults.cut(),
        Some(AppendFault::SilenceAfterWrite) => std::future::pending().await,
        _ => {}
    }
    match outcome {
        Ok(written) => Ok(acknowledgement(correlation, &stream, written)),
        Err(Refused::WrongRevision { current }) => refuse(wrong_revision(current)),
        Err(Refused::Failed(reason)) => refuse(unknown(reason)),
    }
}

fn acknowledgement(correlation: Uuid, stream: &str, written: Written) -> BatchAppendResp {
    let position = AllStreamPosition { commit_position: written.commit, prepare_position: written.prepare };
    let success = Success {
        current_revision_option: Some(success::CurrentRevisionOption::CurrentRevision(written.revision)),
        position_option: Some(success::PositionOption::Position(position)),
    };
    answer(correlation, stream, batch_append_resp::Result::Success(success))
}

/// A refusal with its details, from which other clients read what it is.
fn refusal(correlation: Uuid, stream: &str, status: WireStatus) -> BatchAppendResp {
    answer(correlation, stream, batch_append_resp::Result::Error(status))
}

fn status(code: Code, name: &str, details: &impl Message, message: impl Into<String>) -> WireStatus {
    let type_url = format!("type.googleapis.com/event_store.client.{name}");
    let details = Some(Any { type_url, value: details.encode_to_vec() });
    WireStatus { code: code.into(), message: message.into(), details }
}

fn wrong_revision(current: Option<u64>) -> WireStatus {
    let current = match current {
        Some(current) => CurrentStreamRevisionOption::CurrentStreamRevision(current),
        None => CurrentStreamRevisionOption::CurrentNoStream(()),
    };
    let wrong = WrongExpectedVersion { current_stream_revision_option: Some(current), ..Default::default() };
    status(Code::AlreadyExists, "WrongExpectedVersion", &wrong, "WrongExpectedVersion")
}

fn timeout() -> WireStatus {
    status(Code::DeadlineExceeded, "Timeout", &Timeout {}, "Timeout")
}

fn bad_request(message: String) -> WireStatus {
    status(Code::InvalidArgument, "BadRequest", &BadRequest { message: message.clone() }, message)
}

fn too_large() -> WireStatus {
    let max_append_size = u32::try_from(wire::APPEND_BYTES_MAX).unwrap_or(u32::MAX);
    let details = MaximumAppendSizeExceeded { max_append_size };
    status(Code::InvalidArgument, "MaximumAppendSizeExceeded", &details, "MaximumAppendSizeExceeded")
}

fn unknown(reason: String) -> WireStatus {
    status(Code::Unknown, "Unknown", &Unknown {}, reason)
}

/// Servers leave code and details out.
fn not_ready() -> WireStatus {
    WireStatus { code: Code::Ok.into(), message: "Server Is Not Ready".into(), details: None }
}

fn answer(correlation: Uuid, stream: &str, result: batch_append_resp::Result) -> BatchAppendResp {
    BatchAppendResp {
        correlation_id: Some(wire::wire_id(correlation, false)),
        stream_identifier: Some(wire::wire_stream(stream)),
        expected_stream_position: None,
        result: Some(result),
    }
}
