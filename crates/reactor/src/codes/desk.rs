//! The desk where checks ask about codes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chopmark_commands::{CommandError, Commands};
use chopmark_domain::ids::{LicenseCode, SellerId};
use chopmark_domain::license::{CodeAnswer, Command};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_huawei::open_api::{CodeOutcome, ErrorKind, OpenApiError};
use chopmark_log::Position;
use chrono::TimeDelta;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Confirmed;
use super::counter::{Answer, Counter, Question, Step};
use super::metrics::{CodeMetrics, Lookup};
use crate::marketplace::{Marketplaces, api};
use crate::office::cause;

/// Questions about unknown codes that may be under way for all sellers.
const QUESTIONS_IN_ALL: usize = 128;
/// A check waits so long for an answer. The question itself goes on, and the next check finds what came of it.
const CHECK_WAITS: Duration = Duration::from_millis(2_500);
/// A question that is not answered by then makes room.
const LONGEST_QUESTION: Duration = Duration::from_secs(25);
/// A code that does not exist is asked about once a day.
const NOT_EXIST_FOR: TimeDelta = TimeDelta::hours(24);
/// After an answer that says nothing of the code.
const UNCLEAR_FOR: TimeDelta = TimeDelta::minutes(10);
/// Until the index surely has what was appended.
const KNOWN_FOR: TimeDelta = TimeDelta::minutes(1);

/// Asks the marketplace about codes, within bounds, so that guessing costs the guesser and not us:
///
/// - what cannot be a code is not asked about;
/// - a code that does not exist is asked about once a day; 100,000 of one seller are remembered;
/// - all who ask about one code share one question;
/// - 600 unknown codes of a seller are asked about in an hour, 32 at once, and 128 at once of all sellers;
/// - a marketplace that does not answer is left alone for 30 s, longer from time to time, up to 10 min.
///
/// What it remembers is memory of this process. Only what the marketplace confirms is appended. Clones are the same desk.
#[derive(Clone)]
pub struct CodeDesk(Arc<Desk>);

struct Desk {
    commands: Commands,
    counters: HashMap<SellerId, Arc<Counter>>,
    places: Arc<Semaphore>,
    metrics: CodeMetrics,
}

impl CodeDesk {
    /// A desk for the sellers that have access to the marketplace.
    #[must_use]
    pub fn new(commands: Commands, marketplaces: Marketplaces, metrics: CodeMetrics) -> Self {
        let counter = |(seller, marketplace)| (seller, Arc::new(Counter::new(marketplace)));
        let counters = marketplaces.into_iter().map(counter).collect();
        Self(Arc::new(Desk { commands, counters, places: Arc::new(Semaphore::new(QUESTIONS_IN_ALL)), metrics }))
    }

    /// Asks about a code that nobody here knows. Answers within 2.5 s; the question goes on in the background, and what
    /// the marketplace says is taken up all the same.
    ///
    /// Must be called within a tokio runtime.
    pub async fn confirm(&self, seller: &SellerId, code: &LicenseCode) -> Confirmed {
        let (confirmed, lookup) = match self.0.step(seller, code) {
            Step::Over(confirmed, lookup) => (confirmed, lookup),
            Step::Wait(answer) => wait(answer).await,
            Step::Ask(question) => {
                let answer = question.subscribe();
                tokio::spawn(Arc::clone(&self.0).ask(seller.clone(), code.clone(), question));
                wait(answer).await
            }
        };
        self.0.metrics.looked_up(seller, lookup);
        confirmed
    }

    /// A check named a code that is known: its state is asked for once a day, in the background. Nothing is appended
    /// unless the answer is another than before. A process that starts anew may ask again.
    ///
    /// Must be called within a tokio runtime.
    pub fn refresh_daily(&self, seller: &SellerId, code: &LicenseCode) {
        let desk = &self.0;
        let Some(counter) = desk.counters.get(seller) else { return };
        if counter.wants_refresh(code, desk.commands.now()) {
            tokio::spawn(Arc::clone(desk).refresh(seller.clone(), Arc::clone(counter)));
        }
    }
}

/// The answer, if it comes in time.
async fn wait(mut answer: Answer) -> (Confirmed, Lookup) {
    let answered = timeout(CHECK_WAITS, answer.wait_for(Option::is_some)).await;
    let confirmed = answered.ok().and_then(Result::ok).and_then(|answer| *answer).unwrap_or(Confirmed::Later);
    let lookup = match confirmed {
        Confirmed::Known { .. } => Lookup::Known,
        Confirmed::NotExist => Lookup::NotExist,
        Confirmed::Later => Lookup::Untold,
    };
    (confirmed, lookup)
}

impl Desk {
    fn step(&self, seller: &SellerId, code: &LicenseCode) -> Step {
        if !code.is_plausible() {
            return Step::Over(Confirmed::NotExist, Lookup::Implausible);
        }
        match self.counters.get(seller) {
            Some(counter) => counter.step(code, &self.places, self.commands.now()),
            None => Step::Over(Confirmed::NotExist, Lookup::NoOpenApi),
        }
    }

    /// Asks about a code that nobody knew, and leaves the answer to all who wait for it.
    async fn ask(self: Arc<Self>, seller: SellerId, code: LicenseCode, question: Question) {
        let Some(counter) = self.counters.get(&seller) else { return };
        let (confirmed, time) = match self.query(&seller, counter, &code).await {
            Ok(CodeOutcome::Known { answer, kept_json }) => match self.take_up(&seller, &code, answer, kept_json).await
            {
                Ok(position) => (Confirmed::Known { position }, KNOWN_FOR),
                Err(error) => {
                    tracing::warn!(%seller, %error, "a code is confirmed, and the log did not take it");
                    (Confirmed::Later, TimeDelta::zero())
                }
            },
            Ok(CodeOutcome::NotExist) => (Confirmed::NotExist, NOT_EXIST_FOR),
            Ok(CodeOutcome::NotReceivedYet | CodeOutcome::AlreadyActive) => (Confirmed::Later, UNCLEAR_FOR),
            Err(error) if error.kind == ErrorKind::Transient => (Confirmed::Later, TimeDelta::zero()),
            Err(_) => (Confirmed::Later, UNCLEAR_FOR),
        };
        if time > TimeDelta::zero() {
            counter.keep(&code, confirmed, self.commands.now(), time);
        }
        question.answered(confirmed);
    }

    /// Works on the list of daily questions until it is empty.
    async fn refresh(self: Arc<Self>, seller: SellerId, counter: Arc<Counter>) {
        while let Some(code) = counter.next_refresh(self.commands.now()) {
            match self.query(&seller, &counter, &code).await {
                Ok(CodeOutcome::Known { answer, kept_json }) => {
                    if let Err(error) = self.take_up(&seller, &code, answer, kept_json).await {
                        tracing::warn!(%seller, %error, "news of a code, and the log did not take it");
                        counter.not_refreshed(&code);
                    }
                }
                // It was known once: what was known last goes on to hold.
                Ok(CodeOutcome::NotExist) => {
                    tracing::warn!(%seller, %code, "the marketplace says that a code known here does not exist");
                }
                Ok(CodeOutcome::NotReceivedYet | CodeOutcome::AlreadyActive) => {}
                Err(error) if error.kind == ErrorKind::Transient => counter.not_refreshed(&code),
                Err(_) => {}
            }
        }
    }

    async fn query(
        &self,
        seller: &SellerId,
        counter: &Counter,
        code: &LicenseCode,
    ) -> Result<CodeOutcome, OpenApiError> {
        let asked = timeout(LONGEST_QUESTION, counter.marketplace.query_code(code, self.commands.now())).await;
        let answer = asked.unwrap_or_else(|_| Err(OpenApiError::new(ErrorKind::Transient, "no answer in time")));
        let failed = answer.as_ref().err();
        self.metrics.asked(seller, failed.map(|error| error.kind));
        if let Some(error) = failed {
            tracing::warn!(%seller, %error, "the marketplace does not tell of a code");
        }
        let reached = failed.is_none_or(|error| error.kind != ErrorKind::Transient);
        counter.reached(reached, self.commands.now());
        answer
    }

    async fn take_up(
        &self,
        seller: &SellerId,
        code: &LicenseCode,
        answer: CodeAnswer,
        kept_json: String,
    ) -> Result<Option<Position>, CommandError> {
        let license = LicenseKey { seller: seller.clone(), id: LicenseId::Code(code.clone()) };
        let cause = cause(api::CODE_QUERY, Some(kept_json));
        Ok(self.commands.license(&license, Command::ConfirmCode(answer), &cause).await?.position)
    }
}
