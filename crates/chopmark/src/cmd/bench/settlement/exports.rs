//! All lines of a year as CSV and XLSX, as they are streamed to whoever asks, and the memory that this takes.

use std::time::Instant;

use chopmark_billing::report::export::ExportFormat;
use chopmark_billing::report::lines::LinesAsked;
use chopmark_billing::store::LineQuery;

use super::Desk;
use crate::cli::bench::Measurement;
use crate::cmd::bench::figure::{Figure, Round, micros};
use crate::cmd::bench::resident::Watch;

const MIB: f64 = 1_048_576.0;

/// Writes each file once: it is as long as many rounds of anything else.
pub(super) async fn measure(desk: &Desk<'_>, lines: usize) -> anyhow::Result<Vec<Figure>> {
    let mut figures = vec![];
    for format in [ExportFormat::Csv, ExportFormat::Xlsx] {
        let (what, name) = (format.extension().to_uppercase(), format!("export_{}", format.extension()));
        let watch = Watch::begin();
        let (ours, bytes) = export(desk, lines, format).await?;
        let grown = mib(watch.end());
        let bare = bare(desk, lines).await?;
        figures.push(Figure::of_rounds(
            Measurement::Settlement,
            desk.named(&name),
            format!("an export of all lines as {what}, streamed"),
            "the bare SQL of the same rows, by the bare driver",
            "lines a second",
            &[(ours, bare)],
        ));
        figures.push(Figure {
            measurement: Measurement::Settlement,
            name: desk.named(&format!("{name}_memory")),
            what: "memory of that export".into(),
            baseline_is: format!("the most that the process grew by while it wrote {:.0} MiB of {what}", mib(bytes)),
            unit: "MiB",
            measured: grown,
            baseline: None,
            ratio: None,
            p99_ms: None,
            baseline_p99_ms: None,
            rounds: 1,
        });
    }
    Ok(figures)
}

async fn export(desk: &Desk<'_>, lines: usize, format: ExportFormat) -> anyhow::Result<(Round, u64)> {
    let asked = LinesAsked { query: LineQuery::every(desk.shop.seller.clone(), 0), blocked: None };
    let (asking, started) = (desk.asking(), Instant::now());
    let mut export = desk.billing.export_lines(&asking, asked, format).await?;
    let mut bytes = 0;
    while let Some(part) = export.next().await? {
        bytes += u64::try_from(part.len())?;
    }
    Ok((Round::new(u64::try_from(lines)?, started.elapsed().as_secs_f64(), micros()), bytes))
}

async fn bare(desk: &Desk<'_>, lines: usize) -> anyhow::Result<Round> {
    let started = Instant::now();
    let sql = "SELECT CAST(document AS TEXT) FROM settlement_lines WHERE seller = $1 ORDER BY line_id";
    desk.place.bare.read(sql, &[desk.shop.seller.as_str()]).await?;
    Ok(Round::new(u64::try_from(lines)?, started.elapsed().as_secs_f64(), micros()))
}

fn mib(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "bytes of this machine's memory")]
    let bytes = bytes as f64;
    bytes / MIB
}
