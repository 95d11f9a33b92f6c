mod damage;
mod failures;
mod lifetime;

mod contract {
    crate::event_log_contract!(crate::sqlite::testing::SqlitePlace::new);
    crate::engine_contract!(crate::sqlite::testing::SqlitePlace::new);
}
