//! `chopmark license history`: what happened to a license, and what was behind it.

use chopmark_commands::{Cut, Told};
use chopmark_query::describe_history;

use super::{Desk, story};
use crate::cli::license::HistoryArgs;
use crate::cmd::text;
use crate::failure::{Failure, OrFail, Reason};

/// What stands in the way is an event of a newer version.
const HELP: &str = "use the version of chopmark that wrote it, or a newer one";

pub(super) async fn history(args: &HistoryArgs, desk: &Desk) -> Result<(), Failure> {
    let index = desk.index().await?;
    let found = super::find(&index, &args.which)?;
    let doing = format!("the history of {}", args.which.license);
    if args.json {
        let events = describe_history(&desk.commands, &found.key).await.or_fail(Reason::Storage, doing, HELP)?;
        return crate::print(&events.iter().map(|event| format!("{event}\n")).collect::<String>());
    }
    // As far as the index came, which has said so if this version cannot read on.
    let until = Cut::Position(index.position());
    let told = desk.commands.history(&found.key, until).await.or_fail(Reason::Storage, doing, HELP)?;
    crate::print(&told.iter().map(entry).collect::<String>())
}

/// E.g.
///
/// ```text
/// 2026-11-24T20:01:02.123Z    3  frozen by the marketplace
///                                license_frozen.v1, by a callback: nonce 8f0c…, key base:1f2e…
/// ```
fn entry(told: &Told) -> String {
    let Told { record, event, metadata } = told;
    let (when, revision) = (text::exact_time(record.recorded_at), record.revision.0);
    let (what, cause) = (story::what(event), story::by(&metadata.cause));
    format!("{when:<27} {revision:>4}  {what}\n{:<32}  {}, {cause}\n", "", record.kind)
}
