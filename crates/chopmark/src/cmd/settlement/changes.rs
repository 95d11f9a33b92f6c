//! What an operator states, corrects and closes.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::figures::{amount, list, word};
use super::server::Server;
use crate::cli::settlement::{AdjustArgs, CloseArgs, Moment, StateArgs};
use crate::failure::{Failure, Reason};

/// States facts of an order's line.
///
/// # Errors
/// Nothing is stated, or the server refuses it.
pub(super) async fn state(args: &StateArgs, server: &Server) -> Result<(), Failure> {
    let line = args.line.as_ref().map_or_else(|| format!("{}-000001", args.order), ToString::to_string);
    let facts = json!({
        "effective_at": args.effective.map(moment),
        "paid_at": args.paid.map(moment),
        "supervision_done_at": args.accepted.map(moment),
        "sales_amount": args.sales,
        "voucher_amount": args.voucher,
        "original_order_line_id": args.original,
        "withdrawn": args.withdrawn.then_some(true),
    });
    let mut body = json!({ "order_id": args.order, "order_line_id": line });
    for (name, fact) in facts.as_object().into_iter().flatten().filter(|(_, fact)| !fact.is_null()) {
        body[name] = fact.clone();
    }
    if body.as_object().is_some_and(|body| body.len() == 2) {
        let help = "give one or more of --effective, --paid, --accepted, --sales, --voucher, --original, --withdrawn";
        return Err(Failure::new(Reason::Usage, "nothing is stated", help));
    }
    let answer = server.post("statements", &body).await?;
    let text = if answer["recorded"] == false { "known already" } else { "recorded" };
    said(server, &answer, &format!("{line}: {text}"))
}

/// A moment as statements have it.
fn moment(moment: Moment) -> Value {
    match moment {
        Moment::NotYet => json!("not_yet"),
        Moment::NotApplicable => json!("not_applicable"),
        Moment::At(at) => json!(at.to_rfc3339_opts(SecondsFormat::Secs, true)),
    }
}

/// Records a correction.
///
/// # Errors
/// The server refuses it: the month is closed, or another correction has the id.
pub(super) async fn adjust(args: &AdjustArgs, server: &Server) -> Result<(), Failure> {
    let mut body = json!({
        "period": args.period,
        "id": args.id,
        "corrects": args.corrects.unwrap_or_else(|| args.period.prev()),
        "category": args.category.code(),
        "amount": args.amount,
        "note": args.note,
    });
    if let Some(line) = &args.line {
        body["line_id"] = json!(line);
    }
    let answer = server.post("adjustments", &body).await?;
    said(server, &answer, &format!("{} on the bill of {}", args.amount, args.period))
}

/// Shows what a month would be closed with and, with `--commit`, closes it.
///
/// # Errors
/// The server refuses it: the month is not over.
pub(super) async fn close(args: &CloseArgs, server: &Server) -> Result<(), Failure> {
    let view = format!("periods/{}/close", args.period);
    let mut answer = server.get(&view, &[]).await?;
    let text = closing(&answer, args.commit);
    if args.commit {
        answer = server.post(&view, &json!({})).await?;
    }
    said(server, &answer, &text)
}

fn closing(answer: &Value, commit: bool) -> String {
    let count = |name: &str| word(&answer[name]);
    let mut text = format!(
        "{}: {} lines, {} of them without an amount, {} with an estimate, {} waiting",
        count("period"),
        count("lines"),
        count("not_computed"),
        count("estimated"),
        count("waiting")
    );
    for total in list(answer, "totals") {
        text += &format!(", {} {}", amount(&total["exact"]), word(&total["currency"]));
    }
    for proposal in list(answer, "proposals") {
        text += &format!(
            "\n  {} would be corrected by {} on the bill of {}",
            word(&proposal["line_id"]),
            amount(&proposal["amount"]),
            word(&proposal["period"])
        );
    }
    text += match (answer["closed_at"].as_str(), commit) {
        (Some(_), _) => "\nit was closed before",
        (None, true) => "\nclosed",
        (None, false) => "\nnothing was changed; --commit closes it, for good",
    };
    text
}

fn said(server: &Server, answer: &Value, text: &str) -> Result<(), Failure> {
    if server.is_json() { crate::print(&format!("{answer:#}\n")) } else { crate::print(&format!("{text}\n")) }
}
