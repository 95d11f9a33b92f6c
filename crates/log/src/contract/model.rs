//! A log does what a list of events would do.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{Place, event, stream, whole_log};
use crate::event_log::{AppendError, EventLog};
use crate::record::{Appended, Expected, NewEvent, Position, Revision};

const STREAMS: [&str; 3] = ["a", "b", "授权码"];

#[derive(Debug, Clone)]
enum Step {
    Append { stream: usize, expected: Guess, events: usize },
    Repeat { append: prop::sample::Index },
    ReadStream { stream: usize, from: u64, limit: usize },
    ReadAll { after: prop::sample::Index, limit: usize },
    Reopen,
}

/// What an append expects.
#[derive(Debug, Clone)]
enum Guess {
    Right,
    NoStream,
    Exact(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let guess =
        prop_oneof![4 => Just(Guess::Right), 1 => Just(Guess::NoStream), 1 => (0_u64..8).prop_map(Guess::Exact)];
    let step = prop_oneof![
        6 => (0..STREAMS.len(), guess, 1_usize..4)
            .prop_map(|(stream, expected, events)| Step::Append { stream, expected, events }),
        3 => any::<prop::sample::Index>().prop_map(|append| Step::Repeat { append }),
        2 => (0..STREAMS.len(), 0_u64..10, 0_usize..6)
            .prop_map(|(stream, from, limit)| Step::ReadStream { stream, from, limit }),
        2 => (any::<prop::sample::Index>(), 1_usize..6).prop_map(|(after, limit)| Step::ReadAll { after, limit }),
        1 => Just(Step::Reopen),
    ];
    vec(step, 1..40)
}

/// One event of the list.
#[derive(Debug)]
struct Entry {
    stream: usize,
    id: uuid::Uuid,
    position: Position,
}

/// The list, and every append that was tried.
#[derive(Default)]
struct Model {
    entries: Vec<Entry>,
    appends: Vec<(usize, Expected, Vec<NewEvent>)>,
}

impl Model {
    fn stream(&self, stream: usize) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.stream == stream).collect()
    }

    fn right(&self, stream: usize) -> Expected {
        match self.stream(stream).len() as u64 {
            0 => Expected::NoStream,
            count => Expected::Exact(Revision(count - 1)),
        }
    }

    /// Checks an answer against the list, and takes over what was stored.
    fn answered(
        &mut self,
        stream: usize,
        expected: Expected,
        events: &[NewEvent],
        answer: Result<Appended, AppendError>,
    ) {
        let first = match expected {
            Expected::NoStream => 0,
            Expected::Exact(revision) => usize::try_from(revision.0).unwrap() + 1,
        };
        let there = self.stream(stream);
        let last = Revision((first + events.len()) as u64 - 1);
        let is_stored_before = there.len() >= first + events.len()
            && there[first..].iter().zip(events).all(|(entry, event)| entry.id == event.id);
        if is_stored_before {
            let position = there[first + events.len() - 1].position;
            assert_eq!(answer.unwrap(), Appended { revision: last, position });
        } else if first == there.len() {
            let appended = answer.unwrap();
            assert_eq!(appended.revision, last);
            assert!(self.entries.last().is_none_or(|entry| entry.position < appended.position));
            // Where the earlier ones of several events stand is read from the log when it is compared as a whole.
            let position = appended.position;
            self.entries.extend(events.iter().map(|event| Entry { stream, id: event.id, position }));
        } else {
            assert!(matches!(answer, Err(AppendError::Conflict { .. })), "{answer:?} to {expected:?}");
        }
    }
}

/// Random appends, repeats, reads and restarts give what a list of events gives.
pub fn agrees_with_a_list<P: Place>(make: impl Fn() -> P) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() });
    runner
        .run(&steps(), |steps| {
            runtime.block_on(play(&make(), steps));
            Ok(())
        })
        .unwrap();
}

async fn play(place: &impl Place, steps: Vec<Step>) {
    let mut log = place.open().await;
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append { stream, expected, events } => {
                let expected = match expected {
                    Guess::Right => model.right(stream),
                    Guess::NoStream => Expected::NoStream,
                    Guess::Exact(revision) => Expected::Exact(Revision(revision)),
                };
                let events: Vec<_> = (0..events).map(|_| event("modelled")).collect();
                model.appends.push((stream, expected, events.clone()));
                append(&log, &mut model, (stream, expected, events)).await;
            }
            Step::Repeat { append: _ } if model.appends.is_empty() => {}
            Step::Repeat { append: which } => {
                let again = which.get(&model.appends).clone();
                append(&log, &mut model, again).await;
            }
            Step::ReadStream { stream: which, from, limit } => {
                let records = log.read_stream(&stream(STREAMS[which]), Revision(from), limit).await.unwrap();
                let skipped = usize::try_from(from).unwrap();
                let expected: Vec<_> = model.stream(which).iter().skip(skipped).take(limit).map(|e| e.id).collect();
                assert_eq!(super::ids(&records), expected);
            }
            Step::ReadAll { after, limit } => read_all(&log, &model, after, limit).await,
            Step::Reopen => {
                drop(log);
                log = place.open().await;
            }
        }
        let records = whole_log(&log, 1000).await;
        assert_eq!(super::ids(&records), model.entries.iter().map(|entry| entry.id).collect::<Vec<_>>());
        for (entry, record) in model.entries.iter_mut().zip(&records) {
            entry.position = record.position;
        }
    }
}

async fn append(
    log: &Arc<dyn EventLog>,
    model: &mut Model,
    (stream_no, expected, events): (usize, Expected, Vec<NewEvent>),
) {
    let answer = log.append(&stream(STREAMS[stream_no]), expected, events.clone()).await;
    model.answered(stream_no, expected, &events, answer);
}

async fn read_all(log: &Arc<dyn EventLog>, model: &Model, after: prop::sample::Index, limit: usize) {
    let skipped = after.index(model.entries.len() + 1);
    let after = skipped.checked_sub(1).map_or(Position::START, |last| model.entries[last].position);
    let page = log.read_all(after, limit).await.unwrap();
    super::check_page(&page, after);
    let expected: Vec<_> = model.entries[skipped..].iter().map(|entry| entry.id).take(page.records.len()).collect();
    assert_eq!(super::ids(&page.records), expected);
    assert_eq!(page.at_head, skipped + page.records.len() == model.entries.len());
}
