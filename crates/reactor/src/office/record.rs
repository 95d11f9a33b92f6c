//! What is put on record about a job that does not succeed.

use chopmark_commands::CommandError;
use chopmark_domain::cause::Cause;
use chopmark_domain::license::{self, Errand};
use chopmark_domain::order;
use chopmark_log::Position;

use super::Office;
use crate::marketplace::api;
use crate::open_work::{ErrandKey, Job, OrderKey};

/// What happened to a job.
pub(super) enum Trouble {
    /// It did not succeed at first.
    Late { reason: String },
    /// Nothing more is tried.
    GivenUp { reason: String, attempts: u32 },
}

impl Office {
    /// Puts it on record. Gives the position if that is news.
    pub(super) async fn record(&self, job: &Job, trouble: Trouble) -> Result<Option<Position>, CommandError> {
        match job {
            Job::Facts(OrderKey { seller, order_id }) => {
                let command = match trouble {
                    Trouble::Late { reason } => order::Command::Delay(reason),
                    Trouble::GivenUp { reason, attempts } => order::Command::Abandon { reason, attempts },
                };
                let done = self.commands.order(seller, order_id, command, &cause(api::ORDER_QUERY, None)).await?;
                Ok(done.position.filter(|_| done.appended > 0))
            }
            Job::Errand(ErrandKey { license, errand }) => {
                let api = match errand {
                    Errand::Activate => api::CODE_ACTIVATION,
                    Errand::Upload(_) => api::LICENSE_UPLOAD,
                };
                let errand = errand.clone();
                let command = match trouble {
                    Trouble::Late { reason } => license::Command::DelayErrand { errand, reason },
                    Trouble::GivenUp { reason, attempts } => {
                        license::Command::AbandonErrand { errand, reason, attempts }
                    }
                };
                let done = self.commands.license(license, command, &cause(api, None)).await?;
                Ok(done.position.filter(|_| done.appended > 0))
            }
        }
    }
}

/// The marketplace as a cause. The answer goes with the event alone that took it up; whoever asks why a license is as it
/// is finds it there.
pub(crate) fn cause(api: &str, answer: Option<String>) -> Cause {
    Cause::OpenApi { api: api.into(), answer }
}
