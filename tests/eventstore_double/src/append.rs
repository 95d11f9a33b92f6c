//! `Append`: one append a call.

use std::sync::Arc;

use tokio_stream::StreamExt;
use tonic::{Status, Streaming};

use crate::faults::AppendFault;
use crate::protocol::event_store::client::Empty;
use crate::protocol::event_store::client::streams::append_req::Content;
use crate::protocol::event_store::client::streams::append_req::options::ExpectedStreamRevision;
use crate::protocol::event_store::client::streams::append_resp::{
    self, Position, Success, WrongExpectedVersion, success, wrong_expected_version as wrong,
};
use crate::protocol::event_store::client::streams::{AppendReq, AppendResp};
use crate::service::Shared;
use crate::store::{Expectation, Refused, Written};
use crate::wire;

pub(crate) async fn serve(shared: Arc<Shared>, mut requests: Streaming<AppendReq>) -> Result<AppendResp, Status> {
    let missing = || Status::invalid_argument("the first message has no options");
    let first = requests.next().await.ok_or_else(missing)??;
    let Some(Content::Options(options)) = first.content else { return Err(missing()) };
    let stream = wire::stream_of(options.stream_identifier).map_err(Status::invalid_argument)?;
    let expectation = match options.expected_stream_revision {
        Some(ExpectedStreamRevision::Revision(revision)) => Expectation::Exact(revision),
        Some(ExpectedStreamRevision::NoStream(_)) => Expectation::NoStream,
        Some(ExpectedStreamRevision::StreamExists(_)) => Expectation::StreamExists,
        Some(ExpectedStreamRevision::Any(_)) => Expectation::Any,
        None => return Err(missing()),
    };
    let mut events = Vec::new();
    while let Some(request) = requests.next().await {
        let Some(Content::ProposedMessage(event)) = request?.content else {
            return Err(Status::invalid_argument("a message has no event"));
        };
        let event = wire::proposed(event.id, &event.metadata, event.data, event.custom_metadata);
        events.push(event.map_err(Status::invalid_argument)?);
        if wire::size_of(&events) > wire::APPEND_BYTES_MAX {
            return Err(wire::too_large());
        }
    }
    if let Some(leader) = shared.faults.other_leader() {
        return Err(wire::not_leader(&leader));
    }
    let fault = shared.faults.next_append();
    match fault {
        Some(AppendFault::WrongRevision) => return Ok(wrong_revision(expectation, None)),
        Some(AppendFault::Timeout) => return Err(wire::timed_out()),
        _ => {}
    }
    let outcome = shared.store.append(&stream, expectation, events).await;
    match fault {
        Some(AppendFault::TimeoutAfterWrite | AppendFault::AbortAfterWrite) => return Err(wire::timed_out()),
        Some(AppendFault::CutAfterWrite) => shared.faults.cut(),
        Some(AppendFault::SilenceAfterWrite) => std::future::pending().await,
        _ => {}
    }
    match outcome {
        Ok(written) => Ok(success(written)),
        Err(Refused::WrongRevision { current }) => Ok(wrong_revision(expectation, current)),
        Err(Refused::Failed(reason)) => Err(Status::unknown(reason)),
    }
}

fn success(written: Written) -> AppendResp {
    let position = Position { commit_position: written.commit, prepare_position: written.prepare };
    let success = Success {
        current_revision_option: Some(success::CurrentRevisionOption::CurrentRevision(written.revision)),
        position_option: Some(success::PositionOption::Position(position)),
    };
    AppendResp { result: Some(append_resp::Result::Success(success)) }
}

/// Twice, as servers say it: for clients of before 20.6.1 and for all later ones.
fn wrong_revision(expected: Expectation, current: Option<u64>) -> AppendResp {
    let nothing = Empty {};
    let error = WrongExpectedVersion {
        current_revision_option_20_6_0: Some(match current {
            Some(current) => wrong::CurrentRevisionOption2060::CurrentRevision2060(current),
            None => wrong::CurrentRevisionOption2060::NoStream2060(nothing),
        }),
        expected_revision_option_20_6_0: Some(match expected {
            Expectation::Exact(expected) => wrong::ExpectedRevisionOption2060::ExpectedRevision2060(expected),
            Expectation::StreamExists => wrong::ExpectedRevisionOption2060::StreamExists2060(nothing),
            Expectation::Any | Expectation::NoStream => wrong::ExpectedRevisionOption2060::Any2060(nothing),
        }),
        current_revision_option: Some(match current {
            Some(current) => wrong::CurrentRevisionOption::CurrentRevision(current),
            None => wrong::CurrentRevisionOption::CurrentNoStream(nothing),
        }),
        expected_revision_option: Some(match expected {
            Expectation::Exact(expected) => wrong::ExpectedRevisionOption::ExpectedRevision(expected),
            Expectation::StreamExists => wrong::ExpectedRevisionOption::ExpectedStreamExists(nothing),
            Expectation::Any => wrong::ExpectedRevisionOption::ExpectedAny(nothing),
            Expectation::NoStream => wrong::ExpectedRevisionOption::ExpectedNoStream(nothing),
        }),
    };
    AppendResp { result: Some(append_resp::Result::WrongExpectedVersion(error)) }
}
