//! `chopmark bench`: the published measurements, each beside its baseline in the same run.

mod appends;
mod callbacks;
mod checks;
mod figure;
mod load;
mod population;
mod served;

use figure::Figure;

use crate::cli::BenchArgs;

/// Measures and prints every figure.
///
/// # Errors
/// There is no room in the temporary folder, or a part under measurement fails.
pub async fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("chopmark-bench-").tempdir_in(&args.dir)?;
    let mut figures = vec![];
    let mut show = |measured: Vec<Figure>| {
        if !args.json {
            measured.iter().for_each(|figure| crate::out!("{figure}"));
        }
        figures.extend(measured);
    };
    show(appends::measure(folder.path(), args.rounds, args.seconds).await?);
    show(callbacks::measure(folder.path(), args.rounds).await?);
    show(checks::measure(folder.path(), args.licenses, args.rounds).await?);
    if args.json {
        crate::out!("{}", serde_json::to_string_pretty(&figures)?);
    }
    Ok(())
}
