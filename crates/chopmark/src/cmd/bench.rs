//! `chopmark bench`: the published measurements, each beside its baseline in the same run.

mod appends;
mod callbacks;
mod checks;
mod figure;
mod load;
mod population;
mod resident;
mod served;
mod settlement;

use callbacks::Remote;
use figure::Figure;

use secrecy::SecretString;

use crate::cli::bench::{BenchArgs, Measurement};
use crate::config::Environment;
use crate::failure::{Failure, Reason};

/// Names a PostgreSQL to measure in, where the command line does not.
const POSTGRES: &str = "CHOPMARK_BENCH_POSTGRES_URL";
/// Names an EventStoreDB or KurrentDB to measure over, where the command line does not.
const EVENTSTORE: &str = "CHOPMARK_BENCH_EVENTSTORE_URL";

/// Measures and prints every figure asked for.
///
/// # Errors
/// There is no room on the disk, or a part under measurement fails.
pub(crate) async fn run(args: &BenchArgs, environment: &Environment) -> Result<(), Failure> {
    let figures = measure(args, environment).await.map_err(|error| {
        Failure::new(Reason::Storage, format!("measuring: {error:#}"), "name a folder with room, with --dir")
    })?;
    if args.json {
        crate::print(&format!("{}\n", serde_json::to_string_pretty(&figures).unwrap_or_default()))?;
    }
    Ok(())
}

async fn measure(args: &BenchArgs, environment: &Environment) -> anyhow::Result<Vec<Figure>> {
    let wanted = |measurement| args.only.is_empty() || args.only.contains(&measurement);
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("chopmark-bench-");
    let folder = match &args.dir {
        Some(dir) => builder.tempdir_in(dir)?,
        None => builder.tempdir_in(".")?,
    };
    let rounds = usize::try_from(args.rounds)?;
    let postgres = named(args.postgres.as_ref(), POSTGRES, environment)?;
    let eventstore = named(args.eventstore.as_ref(), EVENTSTORE, environment)?;
    let mut figures = vec![];
    if wanted(Measurement::Appends) {
        show(args, &mut figures, appends::measure(folder.path(), rounds).await?);
    }
    if wanted(Measurement::Callbacks) {
        show(args, &mut figures, callbacks::measure(folder.path(), rounds).await?);
        let postgres = postgres.as_ref().map(Remote::Postgres);
        for remote in postgres.into_iter().chain(eventstore.as_ref().map(Remote::Eventstore)) {
            show(args, &mut figures, callbacks::measure_remote(&remote, folder.path(), rounds).await?);
        }
    }
    if [Measurement::Checks, Measurement::Rebuild, Measurement::Memory].into_iter().any(wanted) {
        let licenses = usize::try_from(args.licenses)?;
        let measured = checks::measure(folder.path(), licenses, rounds).await?;
        show(args, &mut figures, measured.into_iter().filter(|figure| wanted(figure.measurement)).collect());
    }
    if wanted(Measurement::Settlement) {
        let lines = usize::try_from(args.lines)?;
        let show = |measured| show(args, &mut figures, measured);
        settlement::measure(folder.path(), lines, rounds, postgres.as_ref(), show).await?;
    }
    Ok(figures)
}

/// The URL of a server to measure: the command line's, or the environment's.
fn named(given: Option<&SecretString>, name: &str, environment: &Environment) -> anyhow::Result<Option<SecretString>> {
    let named = environment.text(name).map_err(|problem| anyhow::anyhow!("{name} {problem}"))?;
    Ok(given.cloned().or_else(|| named.filter(|url| !url.is_empty()).map(SecretString::from)))
}

fn show(args: &BenchArgs, figures: &mut Vec<Figure>, measured: Vec<Figure>) {
    for figure in measured {
        if !args.json {
            // One who closes the output early has seen enough.
            let _ = crate::print(&format!("{figure}\n"));
        }
        figures.push(figure);
    }
}
