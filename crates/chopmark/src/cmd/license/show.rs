//! `chopmark license show`.

use chopmark_commands::CommandError;
use chopmark_query::{describe, describe_at};
use chrono::Utc;

use super::Desk;
use crate::cli::license::ShowArgs;
use crate::cmd::kept::HELP;
use crate::cmd::text;
use crate::failure::{Failure, OrFail, Reason};

pub(super) async fn show(args: &ShowArgs, desk: &Desk) -> Result<(), Failure> {
    let found = desk.find(&args.which).await?;
    let shown = match describe_at(&desk.commands, &found.key, args.as_of).await {
        // The index stopped before what this version cannot read, and has said so.
        Err(CommandError::Decode { .. }) if args.as_of.is_none() => describe(&found, Utc::now()),
        described => {
            let described = described.or_fail(Reason::Storage, format!("license {}", args.which.license), HELP)?;
            described.ok_or_else(|| not_yet(args))?
        }
    };
    crate::print(&if args.json { format!("{shown:#}\n") } else { text::members(&shown) })
}

fn not_yet(args: &ShowArgs) -> Failure {
    let then = args.as_of.map(|at| format!(" on {}", text::time(at))).unwrap_or_default();
    let what = format!("there was no license {} yet{then}", args.which.license);
    let help = format!("see when it began: chopmark license history {}", args.which.license);
    Failure::new(Reason::CheckFailed, what, help)
}
