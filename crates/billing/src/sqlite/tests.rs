mod file;

mod contract {
    crate::billing_store_contract!(crate::sqlite::testing::SqlitePlace::new);
}
