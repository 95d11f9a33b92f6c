//! A way out of a subscription that spins.
//!
//! When a server ends a subscription well, with status OK, the client asks the finished stream for its next message again
//! and again. It never yields: no timeout fires, and a core is lost for good. All it does each time round is to log a
//! warning. So a thread that follows a subscription listens to its own log, and after a few such warnings in a row it
//! unwinds out of the loop from there.

use std::cell::Cell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

/// Where the client loops.
const TARGET: &str = "eventstore::commands";
/// What it says there.
const WARNING: &str = "unknown subscription message";

/// Warnings in a row that are taken for a spin. One alone is a message of a kind that the client does not know.
const IN_A_ROW: u32 = 8;

thread_local! {
    static WARNINGS: Cell<u32> = const { Cell::new(0) };
}

/// The subscription had ended, and the client did not notice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spun;

/// Runs what may spin, on this thread, and comes back from it in any case but a panic of another kind.
pub(super) fn run<T>(work: impl FnOnce() -> T) -> Result<T, Spun> {
    WARNINGS.set(0);
    let listening = Dispatch::new(Listening(tracing::dispatcher::get_default(Clone::clone)));
    let worked = panic::catch_unwind(AssertUnwindSafe(|| tracing::dispatcher::with_default(&listening, work)));
    worked.map_err(|payload| match payload.downcast::<Spun>() {
        Ok(spun) => *spun,
        Err(other) => panic::resume_unwind(other),
    })
}

/// A message came: whatever was said before was no spin.
pub(super) fn heard() {
    WARNINGS.set(0);
}

/// The log of the process, but for the one warning.
struct Listening(Dispatch);

fn is_suspicious(metadata: &Metadata<'_>) -> bool {
    *metadata.level() == Level::WARN && metadata.target() == TARGET
}

/// Whether an event is the warning.
struct IsWarning(bool);

impl Visit for IsWarning {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 |= field.name() == "message" && format!("{value:?}").contains(WARNING);
    }
}

impl Subscriber for Listening {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_suspicious(metadata) { Interest::always() } else { self.0.register_callsite(metadata) }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_suspicious(metadata) || self.0.enabled(metadata)
    }

    fn event(&self, event: &Event<'_>) {
        if is_suspicious(event.metadata()) {
            let mut warning = IsWarning(false);
            event.record(&mut warning);
            if warning.0 {
                WARNINGS.set(WARNINGS.get() + 1);
                if WARNINGS.get() >= IN_A_ROW {
                    panic::resume_unwind(Box::new(Spun));
                }
                return;
            }
        }
        if self.0.enabled(event.metadata()) {
            self.0.event(event);
        }
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.0.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.0.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.0.record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        self.0.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.0.exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.0.clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.0.try_close(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warn() {
        tracing::warn!(target: "eventstore::commands", "Received an unknown subscription message");
    }

    #[test]
    fn whoever_spins_is_got_out() {
        let spun = run(|| {
            loop {
                warn();
            }
        });
        assert_eq!(spun, Err::<(), _>(Spun));
    }

    #[test]
    fn a_few_strange_messages_are_no_spin() {
        let worked = run(|| {
            for _ in 0..100 {
                warn();
                tracing::warn!(target: "eventstore::commands", "Something else");
                heard();
            }
            5
        });
        assert_eq!(worked, Ok(5));
    }

    #[test]
    #[should_panic(expected = "of its own")]
    fn panics_of_another_kind_go_on() {
        let _ = run(|| panic!("of its own"));
    }
}
