//! Whatever happened: the views depend on the log alone, and every event counts once.

use std::sync::LazyLock;

use chopmark_domain::order::OrderType;
use chopmark_domain::settlement::bill::event::BillProgressed;
use chopmark_domain::settlement::statement::StatedFacts;
use proptest::prelude::*;
use rust_decimal::Decimal;
use tokio::runtime::Runtime;

use super::desk::{Desk, Fate};
use super::shop::{Shop, gives_back, settled_at};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Something that happens in a shop. Numbers name instances and orders, of which there are few.
#[derive(Debug, Clone)]
enum Happening {
    Create(u8, u8),
    Answer(u8, u32),
    Renew(u8, u8),
    Release(u8, u8),
    AnswerBack(u8, u32),
    State(u8, u8),
    GiveBack(u8, u8),
    Import(Vec<(u8, u8)>),
    Withdraw(u8, bool),
    See(u8, u32),
    Adjust(u8, i16),
    Bill(u8, Vec<i64>),
    Progress(u8),
    Terms(u8),
    /// A month is closed with its lines, or all but one.
    Close(u8, bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    let (instance, order, month, amount) = (0_u8..4, 0_u8..9, 4_u8..7, 1_u32..900_000);
    let orders = || 0_u8..9;
    prop_oneof![
        3 => (instance.clone(), order.clone()).prop_map(|(i, o)| H::Create(i, o)),
        4 => (order.clone(), amount.clone()).prop_map(|(o, a)| H::Answer(o, a)),
        2 => (instance.clone(), order.clone()).prop_map(|(i, o)| H::Renew(i, o)),
        2 => (instance, order.clone()).prop_map(|(i, o)| H::Release(i, o)),
        1 => (order.clone(), amount).prop_map(|(o, a)| H::AnswerBack(o, a)),
        3 => (order.clone(), month.clone()).prop_map(|(o, m)| H::State(o, m)),
        2 => (order.clone(), orders()).prop_map(|(o, back)| H::GiveBack(o, back)),
        1 => prop::collection::vec((orders(), month.clone()), 1..4).prop_map(H::Import),
        1 => (order, any::<bool>()).prop_map(|(o, is)| H::Withdraw(o, is)),
        1 => (month.clone(), 0_u32..4).prop_map(|(m, count)| H::See(m, count)),
        1 => (month.clone(), any::<i16>()).prop_map(|(m, amount)| H::Adjust(m, amount)),
        1 => (month.clone(), prop::collection::vec(-9_999_i64..9_999, 0..4)).prop_map(|(m, rows)| H::Bill(m, rows)),
        1 => month.clone().prop_map(H::Progress),
        1 => (1_u8..30).prop_map(H::Terms),
        2 => (month, any::<bool>()).prop_map(|(m, whole)| H::Close(m, whole)),
    ]
}

/// The log of what happened.
async fn log_of(happenings: &[Happening]) -> Shop {
    let mut shop = Shop::new("2024-05-02T00:00:00Z");
    let looking = Desk::new();
    let mut closed = vec![];
    for (n, happening) in happenings.iter().enumerate() {
        tell(&mut shop, n, happening);
        if let Happening::Close(month, whole) = happening {
            let month = format!("2024{month:02}");
            if closed.contains(&month) {
                continue;
            }
            looking.fold(&shop.records, 64, 500).await;
            let mut lines: Vec<_> = looking.lines_in(&month).await.iter().map(|row| row.line().clone()).collect();
            if !whole {
                lines.pop();
            }
            shop.close(&month, &lines);
            closed.push(month);
        }
    }
    shop
}

fn tell(shop: &mut Shop, n: usize, happening: &Happening) {
    let instance = |i: &u8| format!("i-{i}");
    let order = |o: &u8| format!("o{o}");
    let month = |m: &u8| format!("2024{m:02}");
    let moment = |m: &u8| format!("2024-{m:02}-15T00:00:00Z");
    match happening {
        Happening::Create(i, o) => shop.create(&instance(i), &order(o)),
        Happening::Answer(o, amount) => shop.answer(&order(o), OrderType::New, Decimal::new((*amount).into(), 0)),
        Happening::Renew(i, o) => shop.renew(&instance(i), &order(o), "2024-12-01T00:00:00Z"),
        Happening::Release(i, o) => shop.release(&instance(i), &order(o)),
        Happening::AnswerBack(o, amount) => {
            shop.answer(&order(o), OrderType::Unsubscribe, -Decimal::new((*amount).into(), 0));
        }
        Happening::State(o, m) => shop.state(&order(o), settled_at(&moment(m))),
        Happening::GiveBack(o, back) => shop.state(&order(o), gives_back(&order(back), "2024-06-20T00:00:00Z")),
        Happening::Import(rows) => {
            let rows: Vec<_> = rows.iter().map(|(o, m)| (order(o), settled_at(&moment(m)))).collect();
            shop.import(rows.iter().map(|(order, facts)| (order.as_str(), facts.clone())).collect());
        }
        Happening::Withdraw(o, is) => {
            shop.state(&order(o), StatedFacts { withdrawn: Some(*is), ..StatedFacts::default() });
        }
        Happening::See(m, count) => shop.see(&moment(m), *count),
        Happening::Adjust(m, amount) => shop.adjust(&month(m), &format!("T-{n}"), Decimal::new((*amount).into(), 2)),
        Happening::Bill(m, rows) => shop.bill(&month(m), u32::try_from(n).unwrap(), rows),
        Happening::Progress(m) => {
            let invoice_no = Some(format!("F-{n}"));
            shop.progress(&month(m), BillProgressed { invoice_no, ..BillProgressed::default() });
        }
        Happening::Terms(fee) => {
            shop.product("gold", 100 + u32::try_from(n).unwrap(), Decimal::new((*fee).into(), 2));
        }
        Happening::Close(..) => {}
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![4 => Just(Fate::Done), 1 => Just(Fate::DiesBefore), 1 => Just(Fate::DiesAfter)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_views_are_the_same_however_the_log_is_cut_and_whenever_the_process_dies(
        happenings in prop::collection::vec(happening(), 1..40),
        page in 1_usize..30,
        slice in 1_usize..10,
        fates in prop::collection::vec(fate(), 0..60),
    ) {
        RUNTIME.block_on(async {
            let shop = log_of(&happenings).await;
            let whole = Desk::of(&shop.records).await;
            let cut = Desk::new();
            cut.is_dealt(fates);
            cut.fold(&shop.records, page, slice).await;
            assert_eq!(cut.text().await, whole.text().await);
        });
    }

    #[test]
    fn at_every_point_the_sums_are_those_of_the_lines(happenings in prop::collection::vec(happening(), 1..25)) {
        RUNTIME.block_on(async {
            let shop = log_of(&happenings).await;
            let desk = Desk::new();
            for end in 1..=shop.records.len() {
                desk.fold(&shop.records[..end], 1_024, 500).await;
                desk.adds_up().await;
            }
        });
    }

    #[test]
    fn an_import_may_come_before_the_callback_or_after_it(orders in prop::collection::vec((0_u8..4, 1_u32..900_000), 1..5)) {
        RUNTIME.block_on(async {
            let stated = |n: usize| {
                let mut facts = settled_at("2024-05-20T00:00:00Z");
                facts.voucher_amount = Some(Decimal::new(i64::try_from(n).unwrap(), 0));
                (format!("o{n}"), facts)
            };
            let [mut first, mut last] = [true, false].map(|_| Shop::new("2024-05-02T00:00:00Z"));
            let rows: Vec<_> = (0..orders.len()).map(stated).collect();
            let import = |shop: &mut Shop| {
                shop.import(rows.iter().map(|(order, facts)| (order.as_str(), facts.clone())).collect());
            };
            let callbacks = |shop: &mut Shop| {
                shop.wait_until("2024-05-10T00:00:00Z");
                for (n, (instance, amount)) in orders.iter().enumerate() {
                    shop.sell(&format!("i-{instance}"), &format!("o{n}"), Decimal::new((*amount).into(), 0));
                }
            };
            import(&mut first);
            callbacks(&mut first);
            callbacks(&mut last);
            import(&mut last);
            let [first, last] = [Desk::of(&first.records).await.lines().await, Desk::of(&last.records).await.lines().await];
            let shown = |rows: &[crate::rows::LineRow]| {
                rows.iter().map(|row| (row.case.clone(), row.line().clone())).collect::<Vec<_>>()
            };
            assert_eq!(shown(&first), shown(&last));
            assert_eq!(first.len(), orders.len());
        });
    }
}
