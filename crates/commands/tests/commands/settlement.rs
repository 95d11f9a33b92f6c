//! What is stated, imported, judged and closed.

use chopmark_commands::{CommandError, SettlementRefusal};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{OrderId, Sku};
use chopmark_domain::settlement::bill::event::{BillImported, BillProgressed, ROWS_PER_EVENT};
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};
use chopmark_domain::settlement::bill::{BillIdentity, BillRow};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::money::{Currency, Money};
use chopmark_domain::settlement::month::{AdjustmentRecorded, MonthRefusal, PeriodClosed};
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::reconciliation::Outcome;
use chopmark_domain::settlement::reconciliation::judgement::{Judged, Judgement};
use chopmark_domain::settlement::reconciliation::key::Key;
use chopmark_domain::settlement::statement::{StatedFacts, Statement, Subject, When};
use chopmark_domain::settlement::transactions::{StatedRow, TransactionsImported};
use chopmark_log::Position;
use rust_decimal::Decimal;

use crate::world::{World, acme, line};

fn cause() -> Cause {
    Cause::Import { actor: "finance-1".into(), file_name: "a.csv".into(), sha256: "0".repeat(64) }
}

fn period(text: &str) -> Period {
    Period::parse(text).unwrap()
}

fn identity() -> BillIdentity {
    BillIdentity { seller: acme(), category: Category::Generic, period: period("202610") }
}

fn mapping(columns: &[&str]) -> Mapping {
    let columns = columns.iter().map(|column| ((*column).to_owned(), Field::SettleAmount)).collect();
    Mapping { name: "ours".into(), columns }
}

fn yuan(amount: i64) -> Money {
    Money::new(Decimal::from(amount), Currency::CNY).unwrap()
}

fn bill_rows(count: u32) -> Vec<BillRow> {
    (2..count + 2).map(|row| BillRow::new(row, yuan(row.into()))).collect()
}

fn bill_file() -> BillImported {
    let (file_name, sha256) = ("a.csv".into(), "0".repeat(64));
    BillImported { revision: 0, file_name, sha256, mapping: mapping(&["金额"]), rows: 0 }
}

fn unpaid(order: &str) -> Statement {
    let named = line(order);
    let facts = StatedFacts { paid_in_full: Some(When::NotYet), ..StatedFacts::default() };
    let subject = Subject::OrderLine { order_id: named.order_id, order_line_id: named.order_line_id };
    Statement { subject, facts }
}

fn transactions(sha256: &str) -> TransactionsImported {
    let mapping = mapping(&["金额"]);
    TransactionsImported { file_name: "a.csv".into(), sha256: sha256.into(), mapping, rows: 0 }
}

fn closing() -> PeriodClosed {
    PeriodClosed { lines: 0, totals: vec![], computed_at: 1, at: "2026-11-05T00:00:00Z".parse().unwrap() }
}

fn correction(id: &str, amount: i64) -> AdjustmentRecorded {
    AdjustmentRecorded {
        id: id.into(),
        corrects: period("202609"),
        category: Category::Generic,
        line_id: None,
        amount: Decimal::from(amount),
        currency: Currency::CNY,
        note: "ticket".into(),
    }
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, CommandError>) -> SettlementRefusal {
    match outcome {
        Err(CommandError::Settlement(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_statement_stands_with_its_order_and_says_nothing_twice() {
    let world = World::new();
    let done = world.commands.state_order(&acme(), unpaid("CS1"), &cause()).await.unwrap();
    assert_eq!(done.appended, 1);
    let again = world.commands.state_order(&acme(), unpaid("CS1"), &cause()).await.unwrap();
    assert_eq!((again.appended, again.position), (0, done.position));
    let order = world.commands.read_order(&acme(), &OrderId::parse("CS1").unwrap()).await.unwrap();
    let stated = order.stated.get(&unpaid("CS1").subject).unwrap();
    assert_eq!(stated.paid_in_full, Some(When::NotYet));
    let record = world.log.read_all(Position::START, 1).await.unwrap().records.remove(0);
    let metadata: serde_json::Value = serde_json::from_slice(&record.metadata).unwrap();
    assert_eq!(metadata["cause"]["source"], "import");
    assert_eq!(metadata["cause"]["file_name"], "a.csv");
}

#[tokio::test]
async fn consumption_is_stated_by_files_alone() {
    let world = World::new();
    let subject = Subject::Usage { sku: Sku::parse("sku").unwrap(), period: period("202610") };
    let statement = Statement { subject, ..unpaid("CS1") };
    let refused = world.commands.state_order(&acme(), statement, &cause()).await;
    assert_eq!(refusal(refused), SettlementRefusal::UsageStated);
    assert_eq!(world.events().await, 0);
}

#[tokio::test]
async fn a_file_of_transactions_is_taken_up_once() {
    let world = World::new();
    let sha256 = "ab".repeat(32);
    let rows: Vec<_> = (2..1_203).map(|row| StatedRow { row, statement: unpaid("CS1") }).collect();
    assert!(!world.commands.has_transactions(&acme(), &sha256).await.unwrap());
    let taken = world.commands.import_transactions(&acme(), transactions(&sha256), &rows, &cause()).await.unwrap();
    assert_eq!(taken.appended, 4, "the file, and its rows in parts");
    assert!(world.commands.has_transactions(&acme(), &sha256).await.unwrap());
    let again = world.commands.import_transactions(&acme(), transactions(&sha256), &rows, &cause()).await.unwrap();
    assert_eq!((again.appended, world.events().await), (0, 4));
    let first = world.log.read_all(Position::START, 1).await.unwrap().records.remove(0);
    let imported: TransactionsImported = serde_json::from_slice(&first.data).unwrap();
    assert_eq!(imported.rows, 1_201);
}

#[tokio::test]
async fn a_digest_that_is_none_is_refused() {
    let world = World::new();
    for sha256 in ["", "AB", &"AB".repeat(32), &"g".repeat(64)] {
        let refused = world.commands.import_transactions(&acme(), transactions(sha256), &[], &cause()).await;
        assert!(matches!(refusal(refused), SettlementRefusal::Digest { .. }), "{sha256}");
    }
}

#[tokio::test]
async fn a_bill_is_revised_by_other_rows_and_by_nothing_else() {
    let world = World::new();
    let count = u32::try_from(ROWS_PER_EVENT).unwrap() + 1;
    let first = world.commands.import_bill(&identity(), bill_file(), &bill_rows(count), &cause()).await.unwrap();
    assert_eq!(first.appended, 3);
    let imported = first.state.imported.unwrap();
    assert_eq!((imported.revision, imported.rows, first.state.rows.len()), (1, count, 501));
    let same = world.commands.import_bill(&identity(), bill_file(), &bill_rows(count), &cause()).await.unwrap();
    assert_eq!(same.appended, 0);
    let other = world.commands.import_bill(&identity(), bill_file(), &bill_rows(1), &cause()).await.unwrap();
    assert_eq!(other.state.imported.map(|imported| (imported.revision, imported.rows)), Some((2, 1)));
    let kept = world.commands.bill(&identity()).await.unwrap();
    assert_eq!((kept.rows, kept.imported.map(|imported| imported.revision)), (bill_rows(1), Some(2)));
}

#[tokio::test]
async fn a_difference_is_judged_on_an_imported_bill_and_progress_needs_none() {
    let world = World::new();
    let judged = Judged {
        key: Key::Line("CS1-000001".into()),
        currency: Currency::CNY,
        outcome: Outcome::UnknownToUs { billed: yuan(5) },
        judgement: Judgement::Disputed,
        note: "ticket 1".into(),
    };
    let early = world.commands.judge_difference(&identity(), judged.clone(), &cause()).await;
    let refused = refusal(early).to_string();
    assert_eq!(refused, "there is no bill of acme for 202610 in category generic: import it first");
    let paid = BillProgressed { state: Some(BillState::Paid), ..BillProgressed::default() };
    assert_eq!(world.commands.progress_bill(&identity(), paid.clone(), &cause()).await.unwrap().appended, 1);
    assert_eq!(world.commands.progress_bill(&identity(), paid, &cause()).await.unwrap().appended, 0);
    world.commands.import_bill(&identity(), bill_file(), &bill_rows(1), &cause()).await.unwrap();
    assert_eq!(world.commands.judge_difference(&identity(), judged.clone(), &cause()).await.unwrap().appended, 1);
    assert_eq!(world.commands.judge_difference(&identity(), judged.clone(), &cause()).await.unwrap().appended, 0);
    let kept = world.commands.bill(&identity()).await.unwrap();
    assert_eq!((kept.judgements, kept.progress.state), (vec![judged], Some(BillState::Paid)));
}

#[tokio::test]
async fn a_closed_month_takes_nothing_more() {
    let world = World::new();
    let month = period("202610");
    let seller = acme();
    let record = |correction| world.commands.record_adjustment(&seller, month, correction, &Cause::System);
    assert_eq!(record(correction("1", 5)).await.unwrap().appended, 1);
    assert_eq!(record(correction("1", 5)).await.unwrap().appended, 0);
    let other = record(correction("1", 6)).await.unwrap_err();
    assert!(matches!(other, CommandError::Month(MonthRefusal::OtherAdjustment { .. })), "{other}");
    let closed = world.commands.close_period(&acme(), month, closing(), &[], &Cause::System).await.unwrap();
    assert_eq!((closed.appended, closed.state.closed), (1, true));
    let again = world.commands.close_period(&acme(), month, closing(), &[], &Cause::System).await.unwrap();
    assert_eq!(again.appended, 0);
    assert_eq!(record(correction("1", 5)).await.unwrap().appended, 0, "it stands already");
    let late = record(correction("2", 5)).await.unwrap_err();
    assert!(matches!(late, CommandError::Month(MonthRefusal::Closed { .. })), "{late}");
    assert_eq!(world.commands.month(&acme(), month).await.unwrap().adjustments, [correction("1", 5)]);
}

#[tokio::test]
async fn a_mapping_is_kept_within_bounds() {
    let world = World::new();
    let seller = acme();
    let save = |mapping| world.commands.save_mapping(&seller, mapping, &Cause::System);
    assert_eq!(save(mapping(&["金额"])).await.unwrap().appended, 1);
    assert_eq!(save(mapping(&["金额"])).await.unwrap().appended, 0);
    assert_eq!(save(mapping(&["Amount"])).await.unwrap().appended, 1);
    let long = "x".repeat(201);
    let nameless = Mapping { name: " ".into(), ..mapping(&["金额"]) };
    for bad in [nameless, mapping(&[]), mapping(&[&long]), Mapping { name: long.clone(), ..mapping(&["金额"]) }] {
        assert!(matches!(refusal(save(bad).await), SettlementRefusal::Mapping { .. }));
    }
    for n in 1..100 {
        save(Mapping { name: format!("{n}"), ..mapping(&["金额"]) }).await.unwrap();
    }
    let refused = refusal(save(Mapping { name: "one more".into(), ..mapping(&["金额"]) }).await).to_string();
    assert!(refused.contains("100 are kept already"), "{refused}");
    assert_eq!(save(mapping(&["金额"])).await.unwrap().appended, 1, "in place of the one that has its name");
}

#[tokio::test]
async fn what_the_log_does_not_take_is_refused_before_anything_is_stored() {
    let world = World::new();
    let header = "x".repeat(9 * 1024 * 1024);
    let huge = BillImported { mapping: mapping(&[&header]), ..bill_file() };
    let refused = world.commands.import_bill(&identity(), huge, &bill_rows(1), &cause()).await;
    assert!(matches!(refusal(refused), SettlementRefusal::TooMuch { .. }));
    let row = StatedRow { row: 2, statement: unpaid("CS1") };
    let many = vec![row; 1_000 * ROWS_PER_EVENT];
    let refused = world.commands.import_transactions(&acme(), transactions(&"0".repeat(64)), &many, &cause()).await;
    assert_eq!(
        refusal(refused).to_string(),
        "1001 events where 1000 are taken: too much to be stored at once; split the file, and take out columns that are not needed"
    );
    assert_eq!(world.events().await, 0);
}
