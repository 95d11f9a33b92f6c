//! `chopmark demo`: the main job, on the marketplace's own messages, in a temporary folder.

mod money;
mod play;
mod software;
mod stage;

use serde_json::json;

use crate::cli::DemoArgs;
use crate::failure::{Failure, Reason};
use play::{Play, Played};
use stage::Stage;

/// Plays the demo and says how each step went.
///
/// # Errors
/// A step was not as it must be.
pub(crate) async fn run(args: &DemoArgs) -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let mut play = Play::begin(stage, args.json)?;
    play.perform().await?;
    let Played { steps, seated, stage } = play.end();
    let failed = steps.iter().filter(|step| !step.ok).count();
    if args.json {
        crate::print(&format!("{:#}\n", json!({ "ok": failed == 0, "steps": steps })))?;
    } else {
        crate::print(&match failed {
            0 => format!("\n{} steps, each as it must be.\n", steps.len()),
            _ => format!("\n{failed} of {} steps were not as they must be.\n", steps.len()),
        })?;
    }
    if args.keep {
        stage.keep(seated.as_ref()).await?;
    }
    stage.strike().await;
    if failed == 0 { Ok(()) } else { Err(Failure { reason: Reason::CheckFailed, complaints: vec![] }) }
}
