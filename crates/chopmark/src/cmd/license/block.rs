//! `chopmark license block` and `unblock`: what an operator decides about a license.

use chopmark_commands::CommandError;
use chopmark_domain::license::{Command, Refusal};
use chopmark_query::describe_at;

use super::Desk;
use crate::cli::license::{BlockArgs, UnblockArgs, Which};
use crate::cmd::kept::HELP;
use crate::cmd::operator;
use crate::failure::{Failure, OrFail, Reason};

pub(super) async fn block(args: &BlockArgs, desk: &Desk) -> Result<(), Failure> {
    let news = "stopped: checks say BLOCKED from now on; leases that are out stay good until they end";
    let known = "stopped already; the reason it has stays";
    tell(&args.which, args.json, Command::Block(args.reason.clone()), [news, known], desk).await
}

pub(super) async fn unblock(args: &UnblockArgs, desk: &Desk) -> Result<(), Failure> {
    let said = ["no longer stopped: checks answer as the license stands", "not stopped, and left as it is"];
    tell(&args.which, args.json, Command::Unblock, said, desk).await
}

/// Puts the decision on record and says what came of it: the first sentence, or the second where it changed nothing.
async fn tell(
    which: &Which,
    json: bool,
    command: Command,
    [news, known]: [&str; 2],
    desk: &Desk,
) -> Result<(), Failure> {
    let found = desk.find(which).await?;
    let doing = format!("license {}", which.license);
    let done = match desk.commands.license(&found.key, command, &operator::cause()).await {
        Err(CommandError::Refused(Refusal::Released)) => {
            let what = format!("license {} was released, and that is final: nothing is left to stop", which.license);
            return Err(Failure::new(Reason::CheckFailed, what, "checks say RELEASED already"));
        }
        done => done.or_fail(Reason::Storage, &doing, HELP)?,
    };
    if !json {
        return crate::print(&format!("{}\n", if done.appended > 0 { news } else { known }));
    }
    let shown = describe_at(&desk.commands, &found.key, None).await.or_fail(Reason::Storage, doing, HELP)?;
    crate::print(&format!("{:#}\n", shown.unwrap_or_default()))
}
