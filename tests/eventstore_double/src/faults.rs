//! What goes wrong on demand.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::line::Scissors;

/// What happens to one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendFault {
    /// Nothing is stored, and a wrong revision is reported, whatever is right.
    WrongRevision,
    /// Nothing is stored, and the server says that it took too long.
    Timeout,
    /// It is stored, and the server says that it took too long.
    TimeoutAfterWrite,
    /// It is stored, and the session ends with `ABORTED`.
    AbortAfterWrite,
    /// It is stored, and all connections are cut before the answer.
    CutAfterWrite,
    /// It is stored, and never answered.
    SilenceAfterWrite,
}

const APPEND_FAULTS: [(&str, AppendFault); 6] = [
    ("wrong-revision", AppendFault::WrongRevision),
    ("timeout", AppendFault::Timeout),
    ("timeout-after-write", AppendFault::TimeoutAfterWrite),
    ("abort-after-write", AppendFault::AbortAfterWrite),
    ("cut-after-write", AppendFault::CutAfterWrite),
    ("silence-after-write", AppendFault::SilenceAfterWrite),
];

/// The command language, for those who ask.
pub const COMMANDS: &str = "\
wrong-revision [N]       the next N appends (1) are refused for their revision
timeout [N]              the next N appends are answered with a timeout and not stored
timeout-after-write [N]  the same, but stored
abort-after-write [N]    stored, and the session ends with ABORTED
cut-after-write [N]      stored, and all connections are cut
silence-after-write [N]  stored, and never answered
not-ready on|off         every call is refused: the server is not ready
not-leader HOST:PORT     every append and every read that wants the leader is sent there
leader                   this is the leader again
slow MILLISECONDS        every call takes as much longer
end-subscriptions        subscriptions end well, with status OK
silence-subscriptions on|off  subscriptions get nothing more, and do not end
cut                      all connections are cut
lazy-acks on|off         packets are acknowledged when the system sees fit, not at once
";

/// The faults of one double, switched by commands.
#[derive(Debug)]
pub(crate) struct Faults {
    appends: Mutex<VecDeque<AppendFault>>,
    is_not_ready: AtomicBool,
    slow_ms: AtomicU64,
    leader: Mutex<Option<(String, u16)>>,
    /// Counts up with each end of all subscriptions.
    ends: watch::Sender<u64>,
    silent_subscriptions: watch::Sender<bool>,
    scissors: Scissors,
}

impl Faults {
    pub(crate) fn new(scissors: Scissors) -> Self {
        Self {
            appends: Mutex::default(),
            is_not_ready: AtomicBool::new(false),
            slow_ms: AtomicU64::new(0),
            leader: Mutex::default(),
            ends: watch::Sender::new(0),
            silent_subscriptions: watch::Sender::new(false),
            scissors,
        }
    }

    /// Does what a command says; the error says what is wrong with it.
    pub(crate) fn obey(&self, command: &str) -> Result<(), String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let unknown = || format!("{command:?} is no command; there are:\n{COMMANDS}");
        match words.as_slice() {
            ["not-ready", "on"] => self.is_not_ready.store(true, Ordering::SeqCst),
            ["not-ready", "off"] => self.is_not_ready.store(false, Ordering::SeqCst),
            ["slow", ms] => self.slow_ms.store(ms.parse().map_err(|_| unknown())?, Ordering::SeqCst),
            ["leader"] => *self.leader.lock().unwrap_or_else(PoisonError::into_inner) = None,
            ["not-leader", leader] => {
                let (host, port) = leader.rsplit_once(':').ok_or_else(unknown)?;
                let leader = (host.to_owned(), port.parse().map_err(|_| unknown())?);
                *self.leader.lock().unwrap_or_else(PoisonError::into_inner) = Some(leader);
            }
            ["end-subscriptions"] => self.ends.send_modify(|ends| *ends += 1),
            ["silence-subscriptions", "on"] => drop(self.silent_subscriptions.send_replace(true)),
            ["silence-subscriptions", "off"] => drop(self.silent_subscriptions.send_replace(false)),
            ["lazy-acks", "on"] => self.scissors.set_lazy_acks(true),
            ["lazy-acks", "off"] => self.scissors.set_lazy_acks(false),
            ["cut"] => self.scissors.cut(),
            [name, count @ ..] => {
                let fault = APPEND_FAULTS.into_iter().find(|(known, _)| known == name).ok_or_else(unknown)?.1;
                let count = match count {
                    [] => 1,
                    [count] => count.parse::<usize>().map_err(|_| unknown())?,
                    _ => return Err(unknown()),
                };
                self.queue().extend(std::iter::repeat_n(fault, count));
            }
            [] => return Err(unknown()),
        }
        Ok(())
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<AppendFault>> {
        self.appends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_append(&self) -> Option<AppendFault> {
        self.queue().pop_front()
    }

    pub(crate) fn is_not_ready(&self) -> bool {
        self.is_not_ready.load(Ordering::SeqCst)
    }

    /// Who leads, if somebody else does.
    pub(crate) fn other_leader(&self) -> Option<(String, u16)> {
        self.leader.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn slow_down(&self) {
        let ms = self.slow_ms.load(Ordering::SeqCst);
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }

    pub(crate) fn cut(&self) {
        self.scissors.cut();
    }

    /// Subscriptions that are served now.
    pub(crate) fn subscriptions(&self) -> usize {
        self.ends.receiver_count()
    }

    pub(crate) fn ends_of_subscriptions(&self) -> watch::Receiver<u64> {
        self.ends.subscribe()
    }

    /// Waits while subscriptions are silenced.
    pub(crate) async fn may_speak(&self) {
        // An error would say that the faults are gone, and the double with them.
        let _ = self.silent_subscriptions.subscribe().wait_for(|is_silent| !is_silent).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_obeyed_or_explained() {
        let faults = Faults::new(Scissors::default());
        faults.obey("cut-after-write 2").unwrap();
        faults.obey("timeout").unwrap();
        let taken: Vec<_> = std::iter::from_fn(|| faults.next_append()).collect();
        assert_eq!(taken, [AppendFault::CutAfterWrite, AppendFault::CutAfterWrite, AppendFault::Timeout]);
        faults.obey("not-leader 127.0.0.1:2113").unwrap();
        assert_eq!(faults.other_leader(), Some(("127.0.0.1".into(), 2113)));
        for wrong in ["", "slow", "slow down", "not-leader", "cut-after-write many", "dance"] {
            assert!(faults.obey(wrong).unwrap_err().contains("there are"), "{wrong}");
        }
    }
}
