//! The file itself.

use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;

use crate::contract::{changes, samples};
use crate::schema::VERSION;
use crate::sqlite::SqliteBilling;
use crate::sqlite::testing::SqlitePlace;
use crate::store::{BillingStore, Checkpoint, StoreError};

#[tokio::test]
async fn only_its_owner_can_read_the_file() {
    let place = SqlitePlace::new().await;
    let views = SqliteBilling::open(&place.path()).unwrap();
    views.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    for file in std::fs::read_dir(place.path().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn views_of_another_version_are_refused_until_they_are_built_anew() {
    let place = SqlitePlace::new().await;
    drop(SqliteBilling::open(&place.path()).unwrap());
    let file = Connection::open(place.path()).unwrap();
    file.execute_batch("UPDATE views_version SET version = 99; CREATE TABLE of_later (a); DROP TABLE bills;").unwrap();
    let refused = SqliteBilling::open(&place.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Version { found: 99, wanted: VERSION }), "{refused}");
    let anew = SqliteBilling::open_anew(&place.path()).unwrap();
    assert_eq!(anew.checkpoint().await.unwrap(), Checkpoint::default());
    drop(anew);
    SqliteBilling::open(&place.path()).unwrap();
    file.execute("INSERT INTO of_later VALUES (1)", []).unwrap_err();
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening_and_gone_after_opening_anew() {
    let place = SqlitePlace::new().await;
    let views = SqliteBilling::open(&place.path()).unwrap();
    views.commit(&Checkpoint::default(), &changes(7)).await.unwrap();
    drop(views);
    let views = SqliteBilling::open(&place.path()).unwrap();
    assert_eq!(views.checkpoint().await.unwrap().position.0, 7);
    drop(views);
    let views = SqliteBilling::open_anew(&place.path()).unwrap();
    assert_eq!(views.periods(&samples::seller()).await.unwrap().value, []);
    assert_eq!(views.checkpoint().await.unwrap(), Checkpoint::default());
}

#[test]
fn a_database_of_something_else_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").unwrap();
    let before = std::fs::read(&path).unwrap();
    for opened in [SqliteBilling::open(&path), SqliteBilling::open_anew(&path)] {
        let error = opened.unwrap_err().to_string();
        assert!(error.contains("something else"), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("billing.db");
    std::fs::write(&path, "not a database, however long it may be".repeat(100)).unwrap();
    assert!(matches!(SqliteBilling::open(&path), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_file_may_be_begun_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("billing.db");
    std::thread::scope(|scope| {
        let openings: Vec<_> = (0..8).map(|_| scope.spawn(|| SqliteBilling::open(&path).map(drop))).collect();
        for opening in openings {
            opening.join().unwrap().unwrap();
        }
    });
}
