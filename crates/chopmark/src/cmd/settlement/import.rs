//! Files of the console: what they would change, and taking them.

use std::path::Path;

use serde_json::Value;

use super::figures::{amount, list, word};
use super::server::Server;
use crate::cli::settlement::{ImportArgs, ImportBillArgs};
use crate::failure::{Complaint, Failure, OrFail, Reason};

/// Rows and cells of a preview that the terminal shows.
const SHOWN: usize = 20;

/// Transaction details.
///
/// # Errors
/// The file cannot be read, or nothing of it is taken.
pub(super) async fn transactions(args: &ImportArgs, server: &Server) -> Result<(), Failure> {
    let answer = send(args, server, "transactions", vec![]).await?;
    if server.is_json() {
        return Ok(());
    }
    let rows = format!("{} of orders, {} of consumption", word(&answer["order_lines"]), word(&answer["usage"]));
    let is_known = answer["taken_up_before"] == true;
    crate::print(&format!("{}states facts: {rows}\n{}", columns(&answer), ending(args.commit, is_known)))
}

/// A bill, with the difference to what was imported before.
///
/// # Errors
/// The file cannot be read, or nothing of it is taken.
pub(super) async fn bill(args: &ImportBillArgs, server: &Server) -> Result<(), Failure> {
    let query = vec![("period", args.period.to_string()), ("category", args.category.code().to_owned())];
    let answer = send(&args.import, server, "bills", query).await?;
    if server.is_json() {
        return Ok(());
    }
    let change = &answer["change"];
    let said = format!("{}{}", columns(&answer), difference(change));
    crate::print(&format!("{said}{}", ending(args.import.commit, change["same"] == true)))
}

/// Sends the file to be looked at and, with `--commit`, once more to be taken. Gives what the look said.
async fn send(
    args: &ImportArgs,
    server: &Server,
    what: &str,
    mut query: Vec<(&'static str, String)>,
) -> Result<Value, Failure> {
    let help = "name a CSV or XLSX file as the console exported it";
    let file = std::fs::read(&args.file).or_fail(Reason::Usage, args.file.display(), help)?;
    query.push(("file_name", name(&args.file)));
    query.extend(args.mapping.clone().map(|mapping| ("mapping", mapping)));
    let looked = server.upload(what, &query, file.clone()).await.map_err(|failure| failure.of(args.file.display()))?;
    let bad = list(&looked, "problems");
    if !bad.is_empty() {
        if server.is_json() {
            crate::print(&format!("{looked:#}\n"))?;
        }
        return Err(refused(args, bad, looked["more_problems"].as_u64().unwrap_or_default()));
    }
    let mut answer = looked.clone();
    if args.commit {
        query.push(("commit", "true".into()));
        answer = server.upload(what, &query, file).await?;
    }
    if server.is_json() {
        crate::print(&format!("{answer:#}\n"))?;
    }
    Ok(looked)
}

fn refused(args: &ImportArgs, bad: &[Value], more: u64) -> Failure {
    let all = usize::try_from(more).unwrap_or(usize::MAX).saturating_add(bad.len());
    let told: String = bad.iter().take(SHOWN).map(|problem| format!("\n  {}", place(problem))).collect();
    let rest = if all > SHOWN { format!("\n  and {} more", all - SHOWN) } else { String::new() };
    let what = format!("{} cannot be taken{told}{rest}", args.file.display());
    let help = "correct this in the file, or map its columns otherwise; nothing was taken";
    Failure { reason: Reason::CheckFailed, complaints: vec![Complaint::new(what, help)] }
}

fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn place(problem: &Value) -> String {
    let row = problem["row"].as_u64().map(|row| format!("row {row}"));
    let column = problem["column"].as_str().map(|column| format!("column {column}"));
    let place: Vec<_> = row.into_iter().chain(column).collect();
    let said = word(&problem["problem"]);
    if place.is_empty() { said } else { format!("{}: {said}", place.join(", ")) }
}

/// How the columns are read.
fn columns(answer: &Value) -> String {
    let file = &answer["file"];
    let mut said =
        format!("{}: {} rows, read by {}\n", word(&file["file_name"]), word(&file["rows"]), word(&file["mapping"]));
    for (header, field) in file["columns"].as_object().into_iter().flatten() {
        said += &format!("  {header} → {}\n", word(field));
    }
    let unmapped: Vec<_> = list(file, "unmapped").iter().map(word).collect();
    if !unmapped.is_empty() {
        said += &format!("  passed over: {}\n", unmapped.join(", "));
    }
    said
}

/// What a bill changes.
fn difference(change: &Value) -> String {
    if change["same"] == true {
        return format!("{} rows: what the last import says\n", word(&change["rows"]));
    }
    let mut said = format!("revision {}: {} rows", word(&change["revision"]), word(&change["rows"]));
    for total in list(change, "totals") {
        said += &format!(", {} {}", amount(&total["amount"]), word(&total["currency"]));
    }
    let count = |name: &str| word(&change[name]);
    said += &format!(
        "; {} new, {} gone, {} changed, {} as before\n",
        count("added"),
        count("removed"),
        count("changed"),
        count("unchanged")
    );
    for row in list(change, "removed_rows").iter().take(SHOWN) {
        said += &format!("  - {}\n", row_in_short(row));
    }
    // Of the first import every row is new: that says nothing.
    if change["revision"] != 1 {
        for row in list(change, "added_rows").iter().take(SHOWN) {
            said += &format!("  + {}\n", row_in_short(row));
        }
    }
    for row in list(change, "changed_rows").iter().take(SHOWN) {
        let fields: Vec<_> = list(row, "changes").iter().map(|field| changed(row, &word(field))).collect();
        said += &format!("  ~ row {}: {}\n", word(&row["row"]), fields.join(", "));
    }
    let twice: Vec<_> =
        list(change, "duplicates").iter().map(|pair| format!("{} again in {}", pair[0], pair[1])).collect();
    if !twice.is_empty() {
        said += &format!("  rows that name the same: {}\n", twice.join(", "));
    }
    said
}

fn row_in_short(row: &Value) -> String {
    let values = &row["values"];
    let named = ["order_line_id", "original_order_line_id", "order_id", "sku_code"];
    let name = named.iter().find_map(|field| values[field].as_str()).unwrap_or("-");
    format!("row {}: {name} {}", word(&row["row"]), amount(&values["settle_amount"]))
}

fn changed(row: &Value, field: &str) -> String {
    format!("{field} {} → {}", word(&row["old"]["values"][field]), word(&row["new"]["values"][field]))
}

fn ending(commit: bool, is_known: bool) -> &'static str {
    match (commit, is_known) {
        (_, true) => "nothing new: it was taken before\n",
        (true, false) => "taken\n",
        (false, false) => "nothing was changed; --commit takes it\n",
    }
}
