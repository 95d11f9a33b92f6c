//! `Read`: streams and `$all`, forwards and backwards, and subscriptions to `$all`.

use std::sync::Arc;

use fancy_regex::Regex;
use tokio::sync::mpsc;
use tonic::Status;
use uuid::Uuid;

use crate::protocol::event_store::client::streams::read_req::Options;
use crate::protocol::event_store::client::streams::read_req::options::all_options::AllOption;
use crate::protocol::event_store::client::streams::read_req::options::filter_options::{Expression, Filter, Window};
use crate::protocol::event_store::client::streams::read_req::options::stream_options::RevisionOption;
use crate::protocol::event_store::client::streams::read_req::options::{
    self, CountOption, FilterOption, FilterOptions, ReadDirection, StreamOption,
};
use crate::protocol::event_store::client::streams::read_resp::{
    CaughtUp, Checkpoint, Content, StreamNotFound, SubscriptionConfirmation,
};
use crate::protocol::event_store::client::streams::{ReadReq, ReadResp};
use crate::service::Shared;
use crate::store::{NotRead, Stored};
use crate::wire;

/// Events read at once.
const PAGE: usize = 256;

/// Events a filtered subscription looks at for each of its checkpoints, times the multiplier it asks for.
const CHECKPOINT_WINDOW: u32 = 32;

/// Where what was read goes.
pub(crate) type Answers = mpsc::Sender<Result<ReadResp, Status>>;

/// Why a read ends before its end: nobody listens any more, or it failed.
enum Ended {
    Unheard,
    Failed(Status),
}

impl From<NotRead> for Ended {
    fn from(error: NotRead) -> Self {
        Self::Failed(error.into())
    }
}

/// One read: what is asked for, and who gets it.
struct Reading {
    shared: Arc<Shared>,
    answers: Answers,
    filter: Option<Sieve>,
    id_as_text: bool,
}

/// Serves one read to its end.
pub(crate) async fn serve(shared: Arc<Shared>, request: ReadReq, answers: Answers) {
    if let Err(Ended::Failed(status)) = read(shared, request, &answers).await {
        // Fails only if nobody listens any more.
        let _ = answers.send(Err(status)).await;
    }
}

async fn read(shared: Arc<Shared>, request: ReadReq, answers: &Answers) -> Result<(), Ended> {
    let invalid = |what: &str| Ended::Failed(Status::invalid_argument(what));
    let options = request.options.ok_or_else(|| invalid("the options are missing"))?;
    let reading = Reading::new(shared, &options, answers.clone()).map_err(|error| invalid(&error))?;
    let is_forwards = options.read_direction == ReadDirection::Forwards as i32;
    match (options.stream_option, options.count_option) {
        (Some(StreamOption::Stream(stream)), Some(CountOption::Count(count))) => {
            let name = wire::stream_of(stream.stream_identifier).map_err(|error| invalid(&error))?;
            reading.stream(&name, stream.revision_option, is_forwards, count).await
        }
        (Some(StreamOption::All(all)), Some(CountOption::Count(count))) if is_forwards => {
            reading.all_forwards(all.all_option, count).await
        }
        (Some(StreamOption::All(all)), Some(CountOption::Count(count))) => {
            reading.all_backwards(all.all_option, count).await
        }
        (Some(StreamOption::All(all)), Some(CountOption::Subscription(_))) if is_forwards => {
            reading.subscription(all.all_option).await
        }
        _ => Err(Ended::Failed(Status::unimplemented("the double has no such read"))),
    }
}

impl Reading {
    fn new(shared: Arc<Shared>, options: &Options, answers: Answers) -> Result<Self, String> {
        let filter = match &options.filter_option {
            Some(FilterOption::Filter(filter)) => Some(Sieve::new(filter)?),
            Some(FilterOption::NoFilter(_)) | None => None,
        };
        let ids = options.uuid_option.and_then(|ids| ids.content);
        let id_as_text = matches!(ids, Some(options::uuid_option::Content::String(_)));
        Ok(Self { shared, answers, filter, id_as_text })
    }

    async fn say(&self, content: Content) -> Result<(), Ended> {
        self.answers.send(Ok(wire::content(content))).await.map_err(|_| Ended::Unheard)
    }

    /// Sends an event, if it is wanted.
    async fn tell(&self, event: Stored) -> Result<bool, Ended> {
        if self.filter.as_ref().is_some_and(|filter| !filter.lets_through(&event)) {
            return Ok(false);
        }
        let event = wire::wire_event(event, self.id_as_text);
        self.answers.send(Ok(event)).await.map_err(|_| Ended::Unheard)?;
        Ok(true)
    }

    async fn stream(
        &self,
        name: &str,
        from: Option<RevisionOption>,
        is_forwards: bool,
        count: u64,
    ) -> Result<(), Ended> {
        let Some(last) = self.shared.store.last_revision(name).await? else {
            let stream_identifier = Some(wire::wire_stream(name));
            return self.say(Content::StreamNotFound(StreamNotFound { stream_identifier })).await;
        };
        let from = match from {
            Some(RevisionOption::Revision(revision)) => revision,
            Some(RevisionOption::End(_)) => last,
            Some(RevisionOption::Start(_)) | None => 0,
        };
        let mut left = usize::try_from(count).unwrap_or(usize::MAX);
        if !is_forwards {
            let from = from.min(last);
            let first = (from + 1).saturating_sub(count);
            let count = usize::try_from(from + 1 - first).unwrap_or(usize::MAX);
            for event in self.shared.store.stream(name, first, count).await?.into_iter().rev() {
                self.tell(event).await?;
            }
            return Ok(());
        }
        let mut next = from;
        while left > 0 {
            let events = self.shared.store.stream(name, next, left.min(PAGE)).await?;
            let Some(last) = events.last() else { break };
            next = last.revision + 1;
            left -= events.len();
            for event in events {
                self.tell(event).await?;
            }
        }
        Ok(())
    }

    async fn all_forwards(&self, from: Option<AllOption>, count: u64) -> Result<(), Ended> {
        let store = &self.shared.store;
        let mut events = match from {
            Some(AllOption::Position(position)) => store.all_from(position.commit_position, PAGE).await?,
            Some(AllOption::End(_)) => Vec::new(),
            Some(AllOption::Start(_)) | None => store.all_after(0, PAGE).await?,
        };
        let mut told = 0;
        while let Some(last) = events.last().map(|event| event.position) {
            for event in events {
                told += u64::from(self.tell(event).await?);
                if told == count {
                    return Ok(());
                }
            }
            events = store.all_after(last, PAGE).await?;
        }
        Ok(())
    }

    async fn all_backwards(&self, from: Option<AllOption>, count: u64) -> Result<(), Ended> {
        let mut before = match from {
            Some(AllOption::Position(position)) => Some(position.commit_position),
            Some(AllOption::End(_)) => None,
            Some(AllOption::Start(_)) | None => return Ok(()),
        };
        let mut told = 0;
        loop {
            let events = self.shared.store.all_before(before, PAGE).await?;
            let Some(first) = events.last() else { return Ok(()) };
            before = Some(first.position);
            for event in events {
                told += u64::from(self.tell(event).await?);
                if told == count {
                    return Ok(());
                }
            }
        }
    }

    /// Tells what comes after a position, until it is told to end. The position itself is left out.
    async fn subscription(&self, after: Option<AllOption>) -> Result<(), Ended> {
        let store = &self.shared.store;
        let mut ends = self.shared.faults.ends_of_subscriptions();
        let mut at = match after {
            Some(AllOption::Position(position)) => {
                store.all_from(position.commit_position, 1).await?;
                position.commit_position
            }
            Some(AllOption::End(_)) => store.head().await?,
            Some(AllOption::Start(_)) | None => 0,
        };
        let subscription_id = Uuid::now_v7().to_string();
        self.say(Content::Confirmation(SubscriptionConfirmation { subscription_id })).await?;
        let mut is_behind = true;
        let mut looked_at = 0;
        loop {
            let events = store.all_after(at, PAGE).await?;
            if events.is_empty() {
                if std::mem::take(&mut is_behind) {
                    self.say(Content::CaughtUp(CaughtUp {})).await?;
                }
                tokio::select! {
                    changed = store.changed(at) => changed?,
                    _ = ends.changed() => return Ok(()),
                    () = self.answers.closed() => return Err(Ended::Unheard),
                }
            }
            for event in events {
                self.shared.faults.may_speak().await;
                at = event.position;
                looked_at += 1;
                self.tell(event).await?;
                if self.filter.as_ref().is_some_and(|filter| u32::is_multiple_of(looked_at, filter.checkpoint_every)) {
                    let checkpoint = Checkpoint { commit_position: at, prepare_position: at };
                    self.say(Content::Checkpoint(checkpoint)).await?;
                }
            }
        }
    }
}

/// A filter of `$all`.
struct Sieve {
    is_of_streams: bool,
    wanted: Wanted,
    checkpoint_every: u32,
}

enum Wanted {
    Matching(Regex),
    Beginning(Vec<String>),
}

impl Sieve {
    fn new(options: &FilterOptions) -> Result<Self, String> {
        let (is_of_streams, expression) = match &options.filter {
            Some(Filter::StreamIdentifier(expression)) => (true, expression),
            Some(Filter::EventType(expression)) => (false, expression),
            None => return Err("the filter is missing".into()),
        };
        let Expression { regex, prefix } = expression;
        let wanted = if regex.is_empty() {
            Wanted::Beginning(prefix.clone())
        } else {
            Wanted::Matching(Regex::new(regex).map_err(|error| error.to_string())?)
        };
        let window = match options.window {
            Some(Window::Max(max)) => max,
            Some(Window::Count(_)) | None => CHECKPOINT_WINDOW,
        };
        let checkpoint_every = (window * options.checkpoint_interval_multiplier).max(1);
        Ok(Self { is_of_streams, wanted, checkpoint_every })
    }

    fn lets_through(&self, event: &Stored) -> bool {
        let text = if self.is_of_streams { &event.stream } else { &event.kind };
        match &self.wanted {
            // One that gives up on a text would be one that no server has.
            Wanted::Matching(regex) => regex.is_match(text).unwrap_or_default(),
            Wanted::Beginning(prefixes) => prefixes.iter().any(|prefix| text.starts_with(prefix)),
        }
    }
}
