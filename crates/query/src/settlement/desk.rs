//! Who asks, of which seller, and how reports answer.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::{Asking, Billing, ReportError};
use chopmark_domain::access::Role;
use chopmark_domain::catalog::Catalog;
use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::product::Category;
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::SemaphorePermit;
use utoipa::IntoParams;

use super::Settlement;
use crate::caller::Caller;
use crate::problem::{Kind, Problem};
use crate::{MIN_POSITION_PATIENCE, Query, body, json, params};

/// How long an answer to a change waits until the reports have it. After that it is answered all the same: the change is
/// durable, and the position in the answer says from where on reports have it.
const WRITTEN_PATIENCE: Duration = Duration::from_secs(5);

/// The only parameter of most changes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SellerParams {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    pub(super) seller: Option<String>,
}

/// Who asks, of which seller, and the object that was sent. Read in this order, so that a stranger learns nothing of
/// what would be taken, and nothing that he sends is read.
pub(super) async fn received<T: DeserializeOwned>(
    query: &Query,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<(Caller, Option<String>, T), Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let SellerParams { seller } = params::read(request.query_string())?;
    let sent = body::read(payload, query.body_bytes).await?;
    Ok((caller, seller, params::object(&sent)?))
}

/// One seller's reports, for somebody who may see them.
pub(crate) struct Desk<'q> {
    settlement: &'q Settlement,
    pub(crate) caller: &'q Caller,
    pub(crate) seller: SellerId,
    pub(crate) catalog: Catalog,
    pub(crate) now: DateTime<Utc>,
}

impl<'q> Desk<'q> {
    /// The desk of the seller that is named, or of the only one that the caller reaches; as of `min_position` at least,
    /// if that comes soon.
    pub(crate) async fn open(
        query: &'q Query,
        caller: &'q Caller,
        seller: Option<&str>,
        min_position: Option<&str>,
    ) -> Result<Self, Problem> {
        let settlement = query.settlement.as_ref().ok_or_else(|| {
            Problem::new(Kind::Unavailable, "this process keeps no billing views; ask one that serves them")
        })?;
        let seller = whose(query, caller, seller)?;
        let position = |text: &str| params::position(text).ok_or("hand back a position as an answer wrote it");
        if let Some(position) = params::given("min_position", min_position, position)? {
            reach(&settlement.billing, position, MIN_POSITION_PATIENCE).await;
        }
        let catalog = query.commands.catalog(&seller).await.map_err(Problem::of_command)?;
        Ok(Self { settlement, caller, seller, catalog, now: query.now() })
    }

    pub(crate) fn billing(&self) -> &Billing {
        &self.settlement.billing
    }

    pub(crate) fn asking(&self) -> Asking<'_> {
        Asking { seller: &self.seller, catalog: &self.catalog, now: self.now }
    }

    /// Waits for one of the few places for work that takes much memory.
    pub(crate) async fn place(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let gone = |_| Problem::new(Kind::Unavailable, "the server is going down; ask again");
        self.settlement.heavy.acquire().await.map_err(gone)
    }

    /// Waits until the reports have what was just written, and gives the position to answer with.
    pub(crate) async fn written(&self, position: Option<Position>) -> Position {
        let billing = self.billing();
        match position {
            Some(position) => {
                reach(billing, position, WRITTEN_PATIENCE).await;
                position
            }
            None => billing.progress().position(),
        }
    }
}

async fn reach(billing: &Billing, position: Position, patience: Duration) {
    if tokio::time::timeout(patience, billing.wait_for(position)).await.is_err() {
        tracing::debug!(%position, "the billing views have not come to a position in time");
    }
}

/// The seller that is meant. Sellers are walls: one out of reach is refused before anything is said of it.
fn whose(query: &Query, caller: &Caller, named: Option<&str>) -> Result<SellerId, Problem> {
    let named = params::given("seller", named, SellerId::parse)?;
    caller.must_cover(named.as_ref())?;
    let known = query.index.sellers();
    let own = caller.sellers();
    match named {
        Some(seller) if known.contains(&seller) || own.is_some_and(|own| own.contains(&seller)) => Ok(seller),
        Some(seller) => {
            Err(Problem::malformed(format!("parameter `seller`: there is no seller {seller} here; check the id")))
        }
        None => match own.unwrap_or(&known) {
            [only] => Ok(only.clone()),
            _ => Err(Problem::malformed("parameter `seller`: name the seller, since there are several or none")),
        },
    }
}

/// 200 with a report. What is not known is absent in it, never `null`.
pub(crate) fn answer<T: Serialize>(report: &T, position: Position) -> HttpResponse {
    json::written_at(written(report), position)
}

/// A report as it is sent.
pub(crate) fn written<T: Serialize>(report: &T) -> Vec<u8> {
    // Texts, numbers and times always serialise.
    let mut report = serde_json::to_value(report).unwrap_or_default();
    without_nulls(&mut report);
    json::to_bytes(&report)
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The period of a path.
pub(crate) fn period(text: &str) -> Result<Period, Problem> {
    Period::parse(text).map_err(|error| Problem::malformed(error.to_string()))
}

/// The tab of a bill by its code.
pub(crate) fn tab(code: &str) -> Result<Category, &'static str> {
    Category::from_code(code)
        .ok_or("it is no tab of the bill: say generic, selected, joint_operation or huawei_self_service")
}

/// What a report did not do, and why.
pub(crate) fn of_report(error: &ReportError) -> Problem {
    match error {
        ReportError::TooMany { .. } | ReportError::Write(_) => Problem::new(Kind::TooMuch, error.to_string()),
        ReportError::Moved | ReportError::Unfinished => Problem::new(Kind::Unavailable, error.to_string()),
        ReportError::Store(_) | ReportError::Money(_) => {
            tracing::error!(%error, "a report was not made");
            Problem::new(Kind::Unavailable, "the billing views cannot be read now; try again, and see the server's log")
        }
    }
}
