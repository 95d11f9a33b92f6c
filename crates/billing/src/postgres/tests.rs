mod server;

mod contract {
    crate::billing_store_contract!(crate::postgres::testing::PostgresPlace::new);
}
