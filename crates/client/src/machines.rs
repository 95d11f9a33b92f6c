//! Seats: a machine takes one, and gives it back.

use crate::client::Client;
use crate::code::Code;
use crate::deadline::Deadline;
use crate::lease::Subject;
use crate::state::Told;
use crate::trouble::Trouble;
use crate::wire::{Changed, Refused};

/// A machine has a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Since now.
    Seated,
    /// It had one.
    Already,
}

/// A machine got no seat.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActivateError {
    /// All seats are taken; free one, or buy more.
    #[error("all seats of the license are taken: {detail}")]
    Limit {
        /// The server's words.
        detail: String,
    },
    /// The server will not, for another reason.
    #[error("the license server refused ({code}): {detail}")]
    Refused {
        /// Why: the code of the problem document.
        code: String,
        /// The server's words.
        detail: String,
    },
    /// No answer; try again later.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// The client was built without a machine, or for a deployment, which needs no seat.
    #[error("name a machine with Builder::machine to activate it")]
    NoMachine,
}

/// A machine could not give its seat back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FreeError {
    /// It has no lease to show. Its seat lapses by itself, or the seller's support frees it.
    #[error("this machine holds no lease that shows its seat")]
    NoLease,
    /// The server will not.
    #[error("the license server refused ({code}): {detail}")]
    Refused {
        /// Why: the code of the problem document.
        code: String,
        /// The server's words.
        detail: String,
    },
    /// No answer; try again later.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// The client was built without a machine, or for a deployment, which has no seat.
    #[error("name a machine with Builder::machine to free it")]
    NoMachine,
}

impl Client {
    /// Takes a seat for this machine, under a name that the seller's support and the customer see. Harmless to repeat.
    /// Call it when a check is denied with [`Code::MachineNotActivated`], then check again.
    ///
    /// # Errors
    /// [`ActivateError`].
    pub fn activate(&self, name: Option<&str>) -> Result<Activation, ActivateError> {
        let machine = self.machine_path().ok_or(ActivateError::NoMachine)?;
        match self.wire.activate(&machine, name, Deadline::after(self.patience))? {
            Changed::Done(200) => Ok(Activation::Already),
            Changed::Done(_) => Ok(Activation::Seated),
            Changed::Refused(Refused { code, detail }) if code == Code::MachineLimit.as_str() => {
                Err(ActivateError::Limit { detail })
            }
            Changed::Refused(Refused { code, detail }) => Err(ActivateError::Refused { code, detail }),
        }
    }

    /// Gives this machine's seat back and forgets its lease: the program is not licensed here from now on. Another
    /// machine can have the seat once the lease would have ended.
    ///
    /// # Errors
    /// [`FreeError`].
    pub fn free(&self) -> Result<(), FreeError> {
        let machine = self.machine_path().ok_or(FreeError::NoMachine)?;
        let lease = self.current_lease().ok_or(FreeError::NoLease)?;
        let deadline = Deadline::after(self.patience);
        match self.wire.free(&machine, &lease, deadline)? {
            Changed::Done(_) => {
                self.store.update(deadline, |state| {
                    state.lease = None;
                    state.denial = Some(Told {
                        code: Code::MachineNotActivated.as_str().to_owned(),
                        reason: "this machine gave its seat back".to_owned(),
                        expires_at: None,
                    });
                });
                Ok(())
            }
            Changed::Refused(Refused { code, detail }) => Err(FreeError::Refused { code, detail }),
        }
    }

    /// The path of this machine under its license.
    fn machine_path(&self) -> Option<String> {
        let Subject::License { id, machine: Some(machine) } = &self.expected.subject else {
            return None;
        };
        let seller = self.expected.seller.as_ref().map(|seller| format!("?seller={}", encoded(seller)));
        let seller = seller.unwrap_or_default();
        Some(format!("/v1/licenses/{}/machines/{}{seller}", encoded(id), encoded(machine.as_str())))
    }
}

/// A text as part of a path (RFC 3986: everything but the unreserved characters).
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}
