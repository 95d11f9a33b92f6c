//! Fills a store with lines, as a bookkeeper would leave them.

use std::collections::BTreeMap;

use chopmark_billing::rows::{AgeRow, BillHead, ClosedRow, LineRow, PeriodRow};
use chopmark_billing::store::{BillingStore, Changes, Checkpoint};
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::bill::event::{BillImported, BillProgressed};
use chopmark_domain::settlement::bill::mapping::Mapping;
use chopmark_domain::settlement::books::{Drawn, Source};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::month::PeriodClosed;
use chopmark_domain::settlement::product::Category;
use chopmark_log::Position;
use chrono::NaiveDate;

use super::shop::Shop;

/// Rows of one transaction.
const ROWS: usize = 10_000;

/// Months of the year that are closed.
const CLOSED: u32 = 10;

/// Lines that a license makes, in sixteenths.
const LINES_OF_SIXTEEN: usize = 23;

/// Writes so many lines, or a few more, with the periods and ages that they come to. Says how many there are.
pub(super) async fn fill(store: &dyn BillingStore, shop: &Shop, lines: usize) -> anyhow::Result<usize> {
    store.clear().await?;
    let mut expected = store.checkpoint().await?;
    let (mut periods, mut ages) = (BTreeMap::new(), BTreeMap::new());
    let licenses = lines * 16 / LINES_OF_SIXTEEN;
    let (mut license, mut written) = (0, 0);
    while written < lines {
        let mut changes = Changes::default();
        while changes.lines.len() < ROWS.min(lines - written) {
            let sold = shop.license(license, licenses)?;
            for drawn in shop.lines(license, &sold) {
                let row = row(shop, format!("instance/{}", sold.id), drawn);
                add(&mut periods, &row);
                add_age(&mut ages, &row);
                changes.lines.insert((shop.seller.clone(), row.line().line_id.clone()), Some(row));
            }
            license += 1;
        }
        written += changes.lines.len();
        expected = commit(store, expected, changes).await?;
    }
    let periods: Vec<_> = periods.into_values().collect();
    let ages = ages.into_values().collect();
    let closed = periods.iter().filter(|row| row.category == Category::Generic).filter_map(closed).collect();
    let bills = periods.iter().filter_map(bill).collect();
    commit(store, expected, Changes { periods, ages, closed, bills, ..Changes::default() }).await?;
    Ok(written)
}

async fn commit(store: &dyn BillingStore, expected: Checkpoint, mut changes: Changes) -> anyhow::Result<Checkpoint> {
    let next = Checkpoint { position: Position(expected.position.0 + 1), ..expected.clone() };
    changes.checkpoint = next.clone();
    store.commit(&expected, &changes).await?;
    Ok(next)
}

fn row(shop: &Shop, case: String, drawn: Drawn) -> LineRow {
    let closed_in = drawn.line.period.filter(is_closed);
    LineRow { seller: shop.seller.clone(), case, drawn, closed_in, recomputed: None }
}

fn is_closed(period: &Period) -> bool {
    use chrono::Datelike;
    period.first_day().year() == 2024 && period.first_day().month() <= CLOSED
}

fn add(periods: &mut BTreeMap<(Option<Period>, Category), PeriodRow>, row: &LineRow) {
    let (line, category) = (row.line(), row.line().product_category.unwrap_or(Category::Generic));
    let of = periods.entry((line.period, category)).or_insert_with(|| PeriodRow {
        seller: row.seller.clone(),
        period: line.period,
        category,
        currency: Currency::CNY,
        lines: 0,
        not_computed: 0,
        estimated: 0,
        sums: Columns::default(),
    });
    of.lines += 1;
    of.estimated += u64::from(line.is_estimate());
    let Some(columns) = row.drawn.columns else {
        of.not_computed += 1;
        return;
    };
    let sums = &mut of.sums;
    sums.sales += columns.sales;
    sums.voucher += columns.voucher;
    sums.fee += columns.fee;
    sums.tier_bonus += columns.tier_bonus;
    sums.tax += columns.tax;
    sums.refund += columns.refund;
    sums.adjustment += columns.adjustment;
    sums.net += columns.net;
}

fn add_age(ages: &mut BTreeMap<(Period, Category, Option<NaiveDate>), AgeRow>, row: &LineRow) {
    let Some(age) = AgeRow::of(row) else { return };
    ages.entry((age.period, age.category, age.open_since)).and_modify(|of| of.add(&age)).or_insert(age);
}

fn closed(row: &PeriodRow) -> Option<ClosedRow> {
    let period = row.period.filter(is_closed)?;
    let at = period.next().bounds().start;
    let lines = u32::try_from(row.lines).unwrap_or(u32::MAX);
    let closed = PeriodClosed { lines, totals: vec![(row.currency, row.sums.net)], computed_at: 1, at };
    Some(ClosedRow { seller: row.seller.clone(), period, closed, source: source(&row.seller.to_string()) })
}

fn bill(row: &PeriodRow) -> Option<BillHead> {
    let period = row.period.filter(is_closed)?;
    let mapping = Mapping { name: "codes".into(), columns: BTreeMap::new() };
    let rows = u32::try_from(row.lines).unwrap_or(u32::MAX);
    Some(BillHead {
        identity: BillIdentity { seller: row.seller.clone(), category: row.category, period },
        imported: BillImported { revision: 1, file_name: "bill.csv".into(), sha256: "0".repeat(64), mapping, rows },
        imported_at: period.next().bounds().start,
        progress: BillProgressed { state: None, payment_request_no: None, invoice_no: None },
        judgements: vec![],
        totals: vec![(row.currency, row.sums.net)],
        source: source(&row.seller.to_string()),
    })
}

fn source(seller: &str) -> Source {
    let (kind, stream) = ("bill_imported.v1".into(), format!("bill-{seller}/generic/202401"));
    Source { position: 1, event_id: uuid::Uuid::nil().to_string(), kind, stream, row: None }
}
