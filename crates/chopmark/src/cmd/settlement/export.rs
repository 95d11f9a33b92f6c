//! A view as a file.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use reqwest::Response;

use super::server::Server;
use super::views::query;
use crate::cli::settlement::{ExportArgs, View};
use crate::failure::{Failure, OrFail, Reason};

/// Writes a view to a file as it comes in, however large it is. An unfinished file is not left under the name.
///
/// # Errors
/// The file cannot be written, or the server breaks off.
pub(super) async fn export(args: &ExportArgs, server: &Server) -> Result<(), Failure> {
    let mut asked = vec![("format", format(&args.output)?.to_owned())];
    let view = match args.view {
        View::Periods => "periods".into(),
        View::Forecast => "forecast".into(),
        View::Lines => {
            asked.extend(query(&args.filter));
            "lines".into()
        }
        View::Reconciliation => {
            let Some(period) = args.filter.period else {
                return Err(Failure::new(Reason::Usage, "a reconciliation is one of a month", "name it with --period"));
            };
            asked.push(("category", args.category.code().to_owned()));
            format!("reconciliation/{period}")
        }
    };
    let answer = server.download(&view, &asked).await?;
    let bytes = write(&args.output, answer).await?;
    if server.is_json() {
        let said = serde_json::json!({ "file": args.output.display().to_string(), "bytes": bytes });
        return crate::print(&format!("{said:#}\n"));
    }
    crate::print(&format!("{} written, {bytes} bytes\n", args.output.display()))
}

fn format(file: &Path) -> Result<&'static str, Failure> {
    let ending = file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    match ending.as_deref() {
        Some("csv") => Ok("csv"),
        Some("xlsx") => Ok("xlsx"),
        _ => {
            let what = format!("{} ends neither with .csv nor with .xlsx", file.display());
            Err(Failure::new(Reason::Usage, what, "its ending says in which form it is written"))
        }
    }
}

async fn write(file: &Path, mut answer: Response) -> Result<u64, Failure> {
    let (doing, help) = (format!("writing {}", file.display()), "name a file that can be written");
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut unfinished = tempfile::NamedTempFile::new_in(folder).or_fail(Reason::Usage, &doing, help)?;
    let mut bytes: u64 = 0;
    while let Some(chunk) = answer.chunk().await.or_fail(Reason::CheckFailed, "the server's answer", "try again")? {
        unfinished.write_all(&chunk).or_fail(Reason::Usage, &doing, help)?;
        bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
    }
    let whole: Result<File, _> = unfinished.persist(file);
    whole.or_fail(Reason::Usage, &doing, help)?;
    Ok(bytes)
}
