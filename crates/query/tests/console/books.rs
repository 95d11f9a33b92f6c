//! Books with some months of sales, a bill with planted differences, and a line that waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::web::Data;
use chopmark_billing::report::Billing;
use chopmark_billing::rows::{LineRow, PeriodRow};
use chopmark_billing::sqlite::SqliteBilling;
use chopmark_billing::store::{BillingStore, Changes, Checkpoint};
use chopmark_billing::{BillingMetrics, Bookkeeper};
use chopmark_domain::settlement::explanation::{Explanation, Operation, Step, Term};
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::marked::{Happening, Marked};
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::readiness::Missing;
use chopmark_log::Position;
use chopmark_log::progress::progress;
use rust_decimal::Decimal;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::house::House;
use crate::shelf::{Shelf, billed, number, refund, sale};

/// Sales of five months; October has a bill with one row that differs, one that is missing and one that nobody expects.
async fn billing() -> Billing {
    let mut lines = vec![
        sale("CS2606110001", "2026-06-11T02:00:00Z", "12800.00", "12160.00"),
        sale("CS2606120002", "2026-06-12T02:00:00Z", "3600.00", "3420.00"),
        sale("CS2607030001", "2026-07-03T02:00:00Z", "24800.00", "23560.00"),
        refund("CS2607050002", "CS2606120002", "2026-07-05T02:00:00Z", "-3420.00"),
        sale("CS2608090001", "2026-08-09T02:00:00Z", "18200.00", "17290.00"),
        sale("CS2609110001", "2026-09-11T02:00:00Z", "31500.00", "29925.00"),
        sale("CS2610020001", "2026-10-02T02:00:00Z", "100.00", "95.00"),
        sale("CS2610030002", "2026-10-03T02:00:00Z", "1000.00", "950.00"),
        sale("CS2610040003", "2026-10-04T02:00:00Z", "28400.00", "26980.00"),
        refund("CS2610200004", "CS2609110001", "2026-10-20T02:00:00Z", "-4750.00"),
        estimated(sale("CS2611020001", "2026-11-02T02:00:00Z", "9800.00", "9310.00")),
        sale("CS2611050002", "2026-11-05T02:00:00Z", "5200.00", "4940.00"),
        waiting(sale("CS2611120003", "2026-11-12T02:00:00Z", "4000.00", "3800.00")),
    ];
    lines.iter_mut().for_each(explain);
    let rows = vec![
        billed(2, "CS2610020001", "95.00"),
        billed(3, "CS2610030002", "900.00"),
        billed(4, "CS2610200004", "-4750.00"),
        billed(5, "CS2610999999", "20.00"),
    ];
    let shelf = Shelf::new(lines).with_bill("202610", rows);
    let folder = tempfile::tempdir().unwrap().keep();
    let store = SqliteBilling::open(&folder.join("billing.db")).unwrap();
    let changes = Changes {
        checkpoint: Checkpoint { position: Position(7), ..Checkpoint::default() },
        periods: periods(&shelf.lines),
        ages: shelf.ages_from(None),
        lines: shelf
            .lines
            .into_iter()
            .map(|row| ((row.seller.clone(), row.line().line_id.clone()), Some(row)))
            .collect(),
        bills: shelf.bills,
        bill_rows: shelf.bill_rows,
        ..Changes::default()
    };
    store.commit(&Checkpoint::default(), &changes).await.unwrap();
    Billing::new(Arc::new(store), progress().1)
}

/// The same house, answering what finance asks from these books.
pub(crate) async fn with_books(house: House) -> House {
    let query = Arc::into_inner(house.query.into_inner()).unwrap();
    House { query: Data::new(query.with_billing(billing().await)), ..house }
}

/// The same house, answering from the books that a bookkeeper keeps of its log for as long as the guard is there.
pub(crate) async fn with_keeper(house: House) -> (House, DropGuard) {
    let store: Arc<dyn BillingStore> = Arc::new(SqliteBilling::open(&house._folder.path().join("billing.db")).unwrap());
    let keeper = Bookkeeper::new(house.commands.log().clone(), store.clone(), BillingMetrics::unregistered());
    let billing = Billing::new(store, keeper.progress());
    let stop = CancellationToken::new();
    tokio::spawn(keeper.run(stop.clone()));
    let query = Arc::into_inner(house.query.into_inner()).unwrap();
    (House { query: Data::new(query.with_billing(billing)), ..house }, stop.drop_guard())
}

fn estimated(mut row: LineRow) -> LineRow {
    let line = &mut row.drawn.line;
    line.settle_amount = line.settle_amount.map(|amount| Marked::estimate(amount.value));
    row
}

fn waiting(mut row: LineRow) -> LineRow {
    row.drawn.conditions.paid_in_full = Happening::Unknown;
    row.drawn.line.paid_at = None;
    row.drawn.line.settle_ready_at = None;
    row.drawn.line.period = None;
    row.drawn.missing = vec![Missing::PaidAt];
    row
}

fn explain(row: &mut LineRow) {
    let (Some(sales), Some(net)) = (row.drawn.line.sales_amount, row.drawn.line.settle_amount) else { return };
    let term = |name: &'static str, value: Decimal| Term { name: name.into(), value };
    let operands = vec![term("sales_amount", sales.value), term("seller_share", number("0.95"))];
    let step = Step { operation: Operation::Product, operands, result: term("settle_amount", net.value) };
    row.drawn.explanation = Some(Explanation { steps: vec![step] });
}

fn periods(lines: &[LineRow]) -> Vec<PeriodRow> {
    let mut all: BTreeMap<_, PeriodRow> = BTreeMap::new();
    for row in lines {
        let line = row.line();
        let sum = all.entry(line.period).or_insert_with(|| PeriodRow {
            seller: row.seller.clone(),
            period: line.period,
            category: Category::Generic,
            currency: line.currency,
            lines: 0,
            not_computed: 0,
            estimated: 0,
            sums: Columns::default(),
        });
        let columns = row.drawn.columns.unwrap_or_default();
        sum.lines += 1;
        sum.estimated += u64::from(line.is_estimate());
        sum.sums.sales += columns.sales;
        sum.sums.fee += columns.fee;
        sum.sums.refund += columns.refund;
        sum.sums.net += columns.net;
    }
    all.into_values().collect()
}
