//! Bills' files before they are taken.

use chopmark_billing::report::file::{BillFile, MappingAsked, Upload, UploadError};
use chopmark_domain::settlement::product::Category;

use crate::shelf::{Shelf, billed, month, number};

const HEADER: &str = "账期,商品类别,订单号,订单行ID,结算金额（元）\n";

async fn looked_at(shelf: Shelf, text: &str, mapping: MappingAsked) -> Result<BillFile, UploadError> {
    let upload = Upload { file_name: "bill.csv".into(), bytes: text.as_bytes().to_vec(), mapping };
    shelf
        .ask("2024-06-10T00:00:00Z", async |billing, asking| {
            billing.look_at_bill(asking, Category::Generic, month("202405"), upload).await
        })
        .await
}

#[tokio::test]
async fn the_first_import_is_all_new() {
    let text = format!("{HEADER}202405,通用商品,CS1,CS1-000001,95.00\n202405,通用商品,CS2,CS2-000001,-10.00\n");
    let file = looked_at(Shelf::new(vec![]), &text, MappingAsked::Proposed).await.unwrap();
    assert_eq!(file.preview.problems, []);
    assert_eq!((file.preview.file.mapping.as_str(), file.preview.file.first_rows[0].row), ("console-zh", 2));
    let change = file.preview.change.unwrap();
    assert_eq!((change.revision, change.added, change.same), (1, 2, false));
    assert_eq!(change.totals[0].amount, number("85.00"));
    assert_eq!(file.import.unwrap().1.len(), 2);
}

#[tokio::test]
async fn another_import_shows_what_it_changes_and_the_same_says_so() {
    let shelf = || Shelf::new(vec![]).with_bill("202405", vec![billed(2, "CS1", "95.00"), billed(3, "CS2", "10.00")]);
    let header = "order_id,order_line_id,settle_amount\n";
    let same = format!("{header}CS1,CS1-000001,95.00\nCS2,CS2-000001,10\n");
    let file = looked_at(shelf(), &same, MappingAsked::Named("codes".into())).await.unwrap();
    assert!(file.preview.change.unwrap().same);
    let other = format!("{header}CS1,CS1-000001,90.00\nCS3,CS3-000001,10.00\n");
    let change = looked_at(shelf(), &other, MappingAsked::Proposed).await.unwrap().preview.change.unwrap();
    assert_eq!((change.revision, change.added, change.removed, change.changed), (2, 1, 1, 1));
    assert_eq!(change.changed_rows[0].changes, ["settle_amount"]);
}

#[tokio::test]
async fn a_bad_cell_is_told_with_its_row_and_column_and_nothing_is_taken() {
    let text = format!("{HEADER}202405,通用商品,CS1,CS1-000001,95.00\n202405,通用商品,CS2,CS2-000001,many\n");
    let file = looked_at(Shelf::new(vec![]), &text, MappingAsked::Proposed).await.unwrap();
    let [problem] = file.preview.problems.as_slice() else { panic!("{:?}", file.preview) };
    assert_eq!((problem.row, problem.column.as_deref()), (Some(3), Some("结算金额（元）")));
    assert!(file.preview.change.is_none() && file.import.is_none());
}

#[tokio::test]
async fn what_is_no_table_or_names_no_mapping_is_refused() {
    let refused = looked_at(Shelf::new(vec![]), "%PDF-1.7", MappingAsked::Proposed).await;
    assert!(matches!(refused, Err(UploadError::Table(_))));
    let refused = looked_at(Shelf::new(vec![]), "a,b\n1,2\n", MappingAsked::Named("ours".into())).await;
    let Err(error) = refused else { panic!("it is taken") };
    assert!(error.to_string().contains("console-zh"), "{error}");
}
