//! Tables that a spreadsheet opens, read back.

use chopmark_billing::report::export::{ExportFormat, forecast_table, pairs_table, periods_table};
use chopmark_billing::report::reconciliation::ReconciliationAsked;
use chopmark_domain::settlement::reconciliation::Tolerance;
use chopmark_tables::{Cell, DecimalMark, Limits, read};

use crate::lines::asked;
use crate::shelf::{Shelf, at, billed, month, number, sale};

const NOW: &str = "2024-06-10T00:00:00Z";

#[tokio::test]
async fn lines_stream_in_small_parts_and_read_back_to_the_last_digit() {
    for format in [ExportFormat::Csv, ExportFormat::Xlsx] {
        let lines = (0..3_000).map(|n| {
            let mut row = sale(&format!("CS{n:04}"), "2024-05-30T18:00:00Z", "0.75", "0.7125");
            row.drawn.line.customer_id = Some("=HYPERLINK(1)".into());
            row
        });
        let parts = Shelf::new(lines.collect())
            .ask(NOW, async |billing, asking| {
                let mut export = billing.export_lines(asking, asked(1), format).await.unwrap();
                let mut parts = vec![];
                while let Some(part) = export.next().await.unwrap() {
                    parts.push(part);
                }
                parts
            })
            .await;
        assert!(parts.len() > 3, "{format:?}");
        assert!(parts.iter().all(|part| part.len() < 400_000), "{format:?}");
        let table = read(&parts.concat(), Limits::default()).unwrap();
        let column = |name: &str| table.header.iter().position(|header| header == name).unwrap();
        // A workbook has its totals below.
        let totals = usize::from(format == ExportFormat::Xlsx);
        assert_eq!(table.rows.len(), 3_000 + totals);
        let row = &table.rows[17];
        assert_eq!(row.cell(column("order_id")), &Cell::Text("CS0017".into()));
        assert_eq!(row.cell(column("settle_amount")).number(DecimalMark::Point), Some(number("0.7125")));
        assert_eq!(row.cell(column("customer")), &Cell::Text("=HYPERLINK(1)".into()), "text stays text");
        let there = row.cell(column("effective_at (UTC+8)")).date_time().unwrap();
        assert_eq!(there.to_string(), "2024-05-31 02:00:00");
    }
}

#[tokio::test]
async fn formulas_are_neutralised_in_the_bytes_of_a_csv_file_and_numbers_never() {
    let mut row = sale("CS1", "2024-05-05T02:00:00Z", "-1.00", "-0.95");
    row.drawn.line.customer_id = Some("=1+1".into());
    let file = Shelf::new(vec![row])
        .ask(NOW, async |billing, asking| {
            let mut export = billing.export_lines(asking, asked(1), ExportFormat::Csv).await.unwrap();
            export.next().await.unwrap().unwrap()
        })
        .await;
    let text = String::from_utf8(file).unwrap();
    assert!(text.contains(",'=1+1,") && text.contains(",-0.95,"), "{text}");
}

#[tokio::test]
async fn every_other_report_is_a_table_too() {
    let lines = vec![
        sale("CS1", "2024-05-05T02:00:00Z", "100.00", "95.00"),
        sale("CS2", "2024-06-05T02:00:00Z", "100.00", "95.00"),
    ];
    let shelf = Shelf::new(lines).with_bill("202405", vec![billed(2, "CS1", "90.00")]);
    let tables = shelf
        .ask(NOW, async |billing, asking| {
            let asked =
                ReconciliationAsked { period: month("202405"), category: None, tolerance: Tolerance::default() };
            let reconciled = billing.reconciliation(asking, asked).await.unwrap();
            [
                periods_table(&billing.periods(asking).await.unwrap().value),
                forecast_table(&billing.forecast(asking).await.unwrap().value),
                pairs_table(&reconciled.page(0, 10, false).pairs),
            ]
        })
        .await;
    let rows = tables.map(|table| {
        for format in [ExportFormat::Csv, ExportFormat::Xlsx] {
            let file = table.clone().file(format, at(NOW)).unwrap();
            let read = read(&file, Limits::default()).unwrap();
            assert_eq!(read.header.len(), table.columns.len());
            assert!(read.rows.len() >= table.rows.len(), "{}", table.name);
        }
        table.rows.len()
    });
    // Two periods; a period and what waits in it; one pair.
    assert_eq!(rows, [2, 2, 1]);
}
