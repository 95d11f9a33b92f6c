//! Promises about what is found, and in which order.

use std::collections::BTreeMap;
use std::sync::Arc;

use chopmark_domain::ids::Sku;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::marked::{Happening, Marked};
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::product::{Category, LineType};
use chopmark_domain::settlement::readiness::OnBill;
use chrono::TimeDelta;

use super::{Place, at, by_id, everything, ids, samples};
use crate::rows::{AgeRow, BillHead, BilledRow, LineRow, PeriodRow, tab_of};
use crate::store::{BillingStore, Changes, Checkpoint, LineQuery, PeriodFilter};

/// Lines of all kinds: each third has a period, every second is computed, and so on, in every combination.
fn variety() -> Vec<LineRow> {
    let line = |n: usize| {
        let mut row = samples::bare_line(&format!("{}/{n:03}", ["a", "Z", "结", "é"][n % 4]));
        let line = &mut row.drawn.line;
        line.period = [None, Some("202404"), Some("202405"), Some("202406")][n % 4].map(samples::month);
        line.product_category = [None, Some(Category::Generic), Some(Category::Selected)][n % 3];
        line.line_type = [LineType::New, LineType::Refund, LineType::Usage][n / 3 % 3];
        line.sku_code = [None, Some("sku-1"), Some("sku-2")][n / 9 % 3].map(|sku| Sku::parse(sku).unwrap());
        line.order_id = [None, Some("order-1"), Some("order-2"), Some("order-3")][n / 4 % 4].map(samples::order);
        let at = samples::moment(0);
        line.effective_at = [None, Some(Marked::stated(at)), Some(Marked::estimate(at))][n / 2 % 3];
        let ready =
            (!n.is_multiple_of(7)).then(|| Marked::stated(at + TimeDelta::days(i64::try_from(n % 10).unwrap())));
        line.settle_ready_at = ready;
        row.drawn.conditions.effective = ready.map_or(Happening::Unknown, Happening::At);
        row.drawn.conditions.paid_in_full = row.drawn.conditions.effective;
        row.drawn.conditions.seller_certified = (!n.is_multiple_of(13)).then_some(true);
        row.drawn.on_bill = [OnBill::Unknown, OnBill::Unbilled, OnBill::Billed(samples::month("202405"))][n / 5 % 3];
        row.closed_in = n.is_multiple_of(11).then(|| samples::month("202404"));
        row.drawn.columns = (!n.is_multiple_of(5)).then(Columns::default);
        row.recomputed = n.is_multiple_of(7).then(|| Box::new(row.drawn.line.clone()));
        row
    };
    (0..240).map(line).collect()
}

async fn with_variety(place: &impl Place) -> Arc<dyn BillingStore> {
    let store = place.open().await;
    let changes = Changes { checkpoint: at(1), lines: by_id(variety()), ..Changes::default() };
    store.commit(&Checkpoint::default(), &changes).await.unwrap();
    store
}

/// What a person would pick from a list.
fn picked(query: &LineQuery) -> Vec<String> {
    let fits = |row: &LineRow| {
        let line = row.line();
        let of_period = match query.period {
            PeriodFilter::Any => true,
            PeriodFilter::In(period) => line.period == Some(period),
            PeriodFilter::None => line.period.is_none(),
        };
        let is_computed = row.drawn.columns.is_some();
        of_period
            && query.category.is_none_or(|category| tab_of(line) == category)
            && query.line_type.is_none_or(|line_type| line.line_type == line_type)
            && query.sku.as_ref().is_none_or(|sku| line.sku_code.as_ref() == Some(sku))
            && query.order_id.as_ref().is_none_or(|order| line.order_id.as_ref() == Some(order))
            && (!query.recomputed || row.recomputed.is_some())
            && (!query.not_computed || !is_computed)
            && query.estimated.is_none_or(|estimated| line.is_estimate() == estimated)
            && (!query.may_wait || row.may_wait())
            && query
                .ready_from
                .is_none_or(|from| !row.may_wait() && line.settle_ready_at.is_some_and(|ready| ready.value >= from))
            && query.after.as_ref().is_none_or(|after| line.line_id > *after)
    };
    let mut found: Vec<_> = variety().iter().filter(|row| fits(row)).map(|row| row.line().line_id.clone()).collect();
    found.sort();
    found.truncate(query.limit);
    found
}

/// Each filter alone, and some together.
fn queries() -> Vec<LineQuery> {
    let all = everything();
    let sku = Some(Sku::parse("sku-2").unwrap());
    let order_id = Some(samples::order("order-2"));
    vec![
        all.clone(),
        LineQuery { period: PeriodFilter::In(samples::month("202405")), ..all.clone() },
        LineQuery { period: PeriodFilter::In(samples::month("209901")), ..all.clone() },
        LineQuery { may_wait: true, ..all.clone() },
        LineQuery { ready_from: Some(samples::moment(0)), ..all.clone() },
        LineQuery { ready_from: Some(samples::moment(0) + TimeDelta::days(5)), ..all.clone() },
        LineQuery { ready_from: Some(samples::moment(1)), category: Some(Category::Generic), ..all.clone() },
        LineQuery { ready_from: Some(samples::moment(0) + TimeDelta::days(900)), ..all.clone() },
        LineQuery { period: PeriodFilter::None, ..all.clone() },
        LineQuery { category: Some(Category::Selected), ..all.clone() },
        LineQuery { category: Some(Category::Generic), ..all.clone() },
        LineQuery { line_type: Some(LineType::Refund), ..all.clone() },
        LineQuery { sku: sku.clone(), ..all.clone() },
        LineQuery { order_id: order_id.clone(), ..all.clone() },
        LineQuery { recomputed: true, ..all.clone() },
        LineQuery { not_computed: true, ..all.clone() },
        LineQuery { estimated: Some(true), ..all.clone() },
        LineQuery { estimated: Some(false), ..all.clone() },
        LineQuery { after: Some("a/1".into()), ..all.clone() },
        LineQuery { limit: 3, ..all.clone() },
        LineQuery { limit: 0, ..all.clone() },
        LineQuery { period: PeriodFilter::None, category: Some(Category::Generic), not_computed: true, ..all.clone() },
        LineQuery {
            may_wait: true,
            line_type: Some(LineType::Usage),
            estimated: Some(true),
            after: Some("Z".into()),
            limit: 5,
            ..all.clone()
        },
        LineQuery { sku, order_id, recomputed: true, ..all },
    ]
}

/// Filters, alone and together, find what they say, in the order of the ids' bytes.
pub async fn each_filter_finds_what_a_person_would_pick(place: &impl Place) {
    let store = with_variety(place).await;
    let mut found = 0;
    for query in queries() {
        let wanted = picked(&query);
        assert_eq!(ids(&store, &query).await, wanted, "{query:?}");
        found += usize::from(!wanted.is_empty());
    }
    assert!(found >= 19, "most queries find something");
}

/// Page after page, every line comes once, whatever is asked for.
pub async fn pages_have_no_gaps_and_no_doubles(place: &impl Place) {
    let store = with_variety(place).await;
    for query in queries().into_iter().filter(|query| query.limit > 5 && query.after.is_none()) {
        let mut page = LineQuery { limit: 7, ..query.clone() };
        let mut seen = vec![];
        loop {
            let found = ids(&store, &page).await;
            page.after = found.last().cloned().or(page.after);
            let is_last = found.len() < page.limit;
            seen.extend(found);
            if is_last {
                break;
            }
        }
        assert_eq!(seen, picked(&query), "{query:?}");
    }
}

/// Documents come by the bytes of their names, of one seller and one kind, and go on after a name.
pub async fn documents_come_in_the_order_of_their_names(place: &impl Place) {
    let store = place.open().await;
    let mut names = ["b", "a", "B", "aa", "结", "é", "", "a b", "a-b"].map(str::to_owned).to_vec();
    let mut documents: BTreeMap<_, _> =
        names.iter().map(|name| (samples::document("case", name), Some(name.clone()))).collect();
    documents.insert(samples::document("cases", "a"), Some("other kind".into()));
    let theirs = crate::store::DocumentKey { seller: samples::other_seller(), ..samples::document("case", "a") };
    documents.insert(theirs, Some("other seller".into()));
    store
        .commit(&Checkpoint::default(), &Changes { checkpoint: at(1), documents, ..Changes::default() })
        .await
        .unwrap();
    names.sort();
    let mut seen: Vec<String> = vec![];
    loop {
        let after = seen.last().cloned();
        let page = store.documents_after(&samples::seller(), "case", after.as_deref(), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.iter().all(|(key, document)| key.name == *document && key.seller == samples::seller()));
        seen.extend(page.into_iter().map(|(_, document)| document));
    }
    assert_eq!(seen, names);
}

/// Rows come as a spreadsheet counts: the tenth after the ninth.
pub async fn rows_of_a_bill_come_in_the_order_of_the_file(place: &impl Place) {
    let store = place.open().await;
    let bill_rows: Vec<_> = (2..30).rev().map(|row| samples::bare_row("202405", row)).collect();
    let changes = Changes { checkpoint: at(1), bill_rows, ..Changes::default() };
    store.commit(&Checkpoint::default(), &changes).await.unwrap();
    let identity = samples::identity("202405", Category::Generic);
    let mut seen = vec![];
    loop {
        let page = store.bill_rows(&identity, seen.last().copied().unwrap_or(0), 5).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|row| row.row.row));
    }
    assert_eq!(seen, (2..30).collect::<Vec<_>>());
    assert_eq!(store.bill_rows(&samples::identity("202405", Category::Selected), 0, 5).await.unwrap(), []);
}

/// Lines and rows of orders come all, up to a thousand orders.
pub async fn orders_are_found_with_all_their_lines_and_rows(place: &impl Place) {
    let store = with_variety(place).await;
    let mut in_another_month = samples::full_row("202404", 9);
    in_another_month.row.order_id = Some(samples::order("order-3"));
    let mut bill_rows = vec![samples::full_row("202405", 2), samples::bare_row("202405", 3), in_another_month];
    bill_rows[0].row.order_id = Some(samples::order("order-1"));
    store
        .commit(&at(1), &Changes { checkpoint: at(2), bill_rows: bill_rows.clone(), ..Changes::default() })
        .await
        .unwrap();
    let mut orders: Vec<_> = (0..998).map(|n| samples::order(&format!("unknown {n}"))).collect();
    orders.extend([samples::order("order-1"), samples::order("order-3")]);
    let found = store.lines_of_orders(&samples::seller(), &orders).await.unwrap();
    let mut wanted: Vec<_> = variety()
        .into_iter()
        .filter(|row| row.line().order_id.as_ref().is_some_and(|id| orders.contains(id)))
        .collect();
    wanted.sort_by(|a, b| a.line().line_id.cmp(&b.line().line_id));
    assert_eq!(found, wanted);
    let found = store.rows_of_orders(&samples::seller(), &orders).await.unwrap();
    assert_eq!(found, [bill_rows[2].clone(), bill_rows[0].clone()]);
    assert_eq!(store.lines_of_orders(&samples::seller(), &[]).await.unwrap(), []);
}

/// Periods and bills come by month, then as the console shows its tabs.
pub async fn periods_and_bills_come_in_the_order_of_the_console(place: &impl Place) {
    let store = place.open().await;
    let months = ["202404", "202405"];
    let mut periods = vec![];
    let mut bills = vec![];
    for category in Category::ALL {
        for month in [None, Some(months[0]), Some(months[1])] {
            let of = |currency| PeriodRow { category, currency, ..samples::period(month, 1) };
            periods.extend([of(Currency::USD), of(Currency::CNY)]);
        }
        bills.extend(
            months.map(|month| BillHead { identity: samples::identity(month, category), ..samples::bill(month) }),
        );
    }
    let changes = Changes { checkpoint: at(1), periods: periods.clone(), bills: bills.clone(), ..Changes::default() };
    store.commit(&Checkpoint::default(), &changes).await.unwrap();
    periods.sort_by_key(|row| (row.period, row.category, row.currency));
    bills.sort_by_key(|head| (head.identity.period, head.identity.category));
    let seller = samples::seller();
    assert_eq!(store.periods(&seller).await.unwrap().value, periods);
    assert_eq!(store.bills(&seller, None).await.unwrap().value, bills);
    assert_eq!(store.bills(&seller, Some(samples::month(months[1]))).await.unwrap().value, bills[4..]);
    let rows: Vec<BilledRow> = store.bill_rows(&bills[0].identity, 0, 10).await.unwrap();
    assert_eq!(rows, []);
}

/// Ages come by month, from any month on, by tab, by currency and by day.
pub async fn ages_come_from_a_period_on_in_their_order(place: &impl Place) {
    let store = place.open().await;
    let mut ages = vec![];
    for month in ["202404", "202405", "202406"] {
        for day in [Some("2024-05-02"), None, Some("2024-04-30")] {
            let of = |currency, category| AgeRow { currency, category, ..samples::age(month, day, 1) };
            ages.push(of(Currency::USD, Category::Generic));
            ages.push(of(Currency::CNY, Category::JointOperation));
            ages.push(of(Currency::CNY, Category::Generic));
        }
    }
    let changes = Changes { checkpoint: at(1), ages: ages.clone(), ..Changes::default() };
    store.commit(&Checkpoint::default(), &changes).await.unwrap();
    ages.sort_by_key(|row| (row.period, row.category, row.currency, row.open_since));
    let seller = samples::seller();
    assert_eq!(store.ages(&seller, None).await.unwrap().value, ages);
    assert_eq!(store.ages(&seller, Some(samples::month("202405"))).await.unwrap().value, ages[9..]);
    assert_eq!(store.ages(&seller, Some(samples::month("202407"))).await.unwrap().value, []);
}
