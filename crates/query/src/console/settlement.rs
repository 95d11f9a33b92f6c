//! Settlement: what was sold, what will be paid and when, and why a bill says something else. The reports are those of the
//! API.

pub(super) mod adjustment;
pub(super) mod bills;
mod chart;
pub(super) mod close;
pub(super) mod downloads;
pub(super) mod facts;
pub(super) mod line;
pub(super) mod overview;
mod paper;
pub(super) mod period;
pub(super) mod preview;
pub(super) mod reconciliation;
mod steps;
mod upload;
mod uploads;

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::calendar::Period;
use serde::Serialize;

pub(crate) use self::uploads::Uploads;
use super::links::Link;
use super::visitor::{Turned, Visitor};
use crate::Query;
use crate::settlement::desk::Desk;

/// The desk of the seller that is named, or else of the visitor's first.
async fn desk<'q>(query: &'q Query, visitor: &'q Visitor, seller: &str) -> Result<Desk<'q>, Turned> {
    let seller = visitor.seller(query, seller)?.ok_or(Turned::NothingYet)?;
    Ok(Desk::open(query, &visitor.caller, Some(seller.as_str()), None).await?)
}

/// A page of a seller's settlement.
fn page_of(seller: &SellerId, path: &str) -> Link {
    Link::to(&format!("/console{path}")).with("seller", seller.as_str())
}

/// The page of a period.
fn period_page(seller: &SellerId, period: Period) -> Link {
    page_of(seller, &format!("/settlement/{period}"))
}

/// The page of a line.
fn line_page(seller: &SellerId, line_id: &str) -> String {
    page_of(seller, "/settlement/line").with("id", line_id).to_string()
}

/// The word by which the API names one of several.
fn word(value: &impl Serialize) -> String {
    let written = serde_json::to_value(value).unwrap_or_default();
    written.as_str().map_or_else(|| written.to_string(), ToOwned::to_owned)
}
