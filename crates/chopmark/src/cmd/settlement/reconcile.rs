//! The bill of a month against its lines, and what is made of the differences.

use chopmark_domain::settlement::calendar::Period;
use serde_json::{Value, json};

use super::figures::{amount, list, table, word};
use super::server::Server;
use crate::cli::settlement::{CategoryName, JudgeArgs, ReconcileArgs};
use crate::failure::{Failure, Reason};

/// Pairs that one page may have.
const PAGE: usize = 500;

/// Shows the differences, or all pairs.
///
/// # Errors
/// A difference that nobody has judged yet; no bill to compare.
pub(super) async fn reconcile(args: &ReconcileArgs, server: &Server) -> Result<(), Failure> {
    let (answer, pairs) = pairs(args.period, args.category, args.all, server).await?;
    let open = pairs.iter().filter(|pair| pair["outcome"] != "MATCHED" && pair["judged"].is_null()).count();
    if server.is_json() {
        let mut whole = answer.clone();
        whole["pairs"] = json!(pairs);
        crate::print(&format!("{whole:#}\n"))?;
    } else {
        crate::print(&said(&answer, &pairs))?;
    }
    if list(&answer, "bills").is_empty() {
        let what = format!("no bill of {} was imported under {}", args.period, args.category.code());
        let help = "import it: chopmark settlement import bill FILE --period YYYYMM --commit";
        return Err(Failure::new(Reason::CheckFailed, what, help));
    }
    if open == 0 { Ok(()) } else { Err(Failure { reason: Reason::CheckFailed, complaints: vec![] }) }
}

/// The last page without its pairs, and the pairs of all pages.
async fn pairs(
    period: Period,
    category: CategoryName,
    all: bool,
    server: &Server,
) -> Result<(Value, Vec<Value>), Failure> {
    let (mut pairs, mut cursor) = (vec![], None);
    loop {
        let mut query = vec![("category", category.code().to_owned()), ("limit", PAGE.to_string())];
        query.push(("differences", (!all).to_string()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let mut answer = server.get(&format!("reconciliation/{period}"), &query).await?;
        pairs.extend_from_slice(list(&answer, "pairs"));
        cursor = answer["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            answer["pairs"] = Value::Null;
            return Ok((answer, pairs));
        }
    }
}

fn said(answer: &Value, pairs: &[Value]) -> String {
    let mut said = String::new();
    if !pairs.is_empty() {
        let rows: Vec<_> = pairs.iter().map(row).collect();
        said += &table(&["OUTCOME", "KEY", "EXPECTED", "BILLED", "DIFFERENCE", "CAUSE", "JUDGED"], &rows, 2..5);
        said += "\n";
        let told = pairs.iter().filter(|pair| pair["outcome"] != "MATCHED");
        told.for_each(|pair| said += &format!("{}: {}\n", key(pair), word(&pair["explanation"])));
        said += "\n";
    }
    for bill in list(answer, "bills") {
        for totals in list(bill, "totals") {
            said += &format!(
                "{}, revision {}, in {}: {} expected, {} billed, {} difference; {} alike, {} different, {} open\n",
                word(&bill["file_name"]),
                word(&bill["revision"]),
                word(&totals["currency"]),
                amount(&totals["expected"]),
                amount(&totals["billed"]),
                amount(&totals["difference"]),
                word(&totals["matched"]),
                word(&totals["different"]),
                word(&totals["open"]),
            );
        }
    }
    said
}

fn row(pair: &Value) -> Vec<String> {
    vec![
        word(&pair["outcome"]),
        key(pair),
        amount(&pair["expected"]),
        amount(&pair["billed"]),
        amount(&pair["difference"]),
        word(&pair["causes"][0]["code"]),
        word(&pair["judged"]["judgement"]),
    ]
}

/// What a pair is matched by, as `judge` takes it.
fn key(pair: &Value) -> String {
    format!("{}:{}", word(&pair["key"]["by"]), word(&pair["key"]["id"]))
}

/// Accepts or disputes a difference, as it is now.
///
/// # Errors
/// There is no such difference.
pub(super) async fn judge(args: &JudgeArgs, server: &Server) -> Result<(), Failure> {
    let (_, pairs) = pairs(args.period, args.category, false, server).await?;
    let Some(pair) = pairs.iter().find(|pair| key(pair) == args.key) else {
        let what = format!("no difference of {} has the key {}", args.period, args.key);
        let help = "copy it from `chopmark settlement reconcile`, e.g. line:CS2207261447AUY4H-000001";
        return Err(Failure::new(Reason::CheckFailed, what, help));
    };
    let judgement = if args.accept { "ACCEPTED" } else { "DISPUTED" };
    let body = json!({
        "category": args.category.code(),
        "key": pair["key"],
        "currency": pair["currency"],
        "difference": pair["difference"],
        "judgement": judgement,
        "note": args.note,
    });
    let answer = server.post(&format!("reconciliation/{}/judgements", args.period), &body).await?;
    if server.is_json() {
        return crate::print(&format!("{answer:#}\n"));
    }
    let (outcome, at_stake) = (word(&pair["outcome"]), amount(&pair["difference"]));
    crate::print(&format!("{} {outcome} {at_stake}: {}\n", args.key, judgement.to_lowercase()))
}
