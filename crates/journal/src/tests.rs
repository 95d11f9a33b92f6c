use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::{AtRisk, Delivery, Filter, Journal, JournalOptions, JournalReader, LastDelivery};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 123_456_000).unwrap()
}

fn delivery(second: i64, order: &str, result_code: &str) -> Delivery {
    Delivery {
        at: at(second),
        seller: "acme".into(),
        activity: Some("newInstance".into()),
        test: false,
        authenticated: true,
        subject: None,
        order: Some(order.into()),
        order_line: Some(format!("{order}-1")),
        result_code: result_code.into(),
        reason: None,
        millis: 1.5,
        remote: Some("192.0.2.1".into()),
        body: r#"{"activity":"newInstance"}"#.into(),
        answer: r#"{"resultCode":"000000"}"#.into(),
    }
}

fn stranger(second: i64) -> Delivery {
    Delivery {
        authenticated: false,
        activity: None,
        order: None,
        order_line: None,
        reason: Some("signature_wrong".into()),
        ..delivery(second, "", "000001")
    }
}

fn open(path: &Path) -> Journal {
    Journal::open(path, JournalOptions::default()).unwrap()
}

async fn all(journal: &Journal) -> Vec<Delivery> {
    let listed = journal.list(Filter::default(), None, 1_000_000).await.unwrap();
    listed.into_iter().map(|(_, delivery)| delivery).collect()
}

#[tokio::test]
async fn what_was_recorded_is_listed_newest_first_and_stays_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let recorded = [delivery(1, "CS1", "000000"), stranger(2), delivery(3, "CS2", "000005")];
    let journal = open(&path);
    for delivery in &recorded {
        journal.record(delivery.clone());
    }
    let expected: Vec<_> = recorded.iter().rev().cloned().collect();
    assert_eq!(all(&journal).await, expected);
    drop(journal);
    let journal = open(&path);
    assert_eq!(all(&journal).await, expected);
    assert_eq!(journal.dropped(), 0);
}

#[tokio::test]
async fn the_last_one_to_let_go_writes_what_still_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let journal = open(&path);
    let clone = journal.clone();
    for second in 0..100 {
        journal.record(delivery(second, "CS1", "000000"));
    }
    drop(journal);
    drop(clone);
    assert_eq!(all(&open(&path)).await.len(), 100);
}

#[tokio::test]
async fn each_filter_narrows_and_pages_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("journal.db"));
    journal.record(delivery(1, "CS1", "000000"));
    journal.record(stranger(2));
    journal.record(Delivery { test: true, ..delivery(3, "CS3", "000000") });
    journal.record(Delivery {
        seller: "other".into(),
        subject: Some("id-4".into()),
        activity: Some("refreshInstance".into()),
        ..delivery(4, "CS4", "000005")
    });
    let any = Filter::default;
    let cases = [
        (any(), vec![4, 3, 2, 1]),
        (Filter { sellers: Some(vec!["acme".into(), "third".into()]), ..any() }, vec![3, 2, 1]),
        (Filter { sellers: Some(vec![]), ..any() }, vec![]),
        (Filter { seller: Some("other".into()), ..any() }, vec![4]),
        (Filter { activity: Some("newInstance".into()), ..any() }, vec![3, 1]),
        (Filter { subject: Some("id-4".into()), ..any() }, vec![4]),
        (Filter { order: Some("CS1".into()), ..any() }, vec![1]),
        (Filter { result_code: Some("000001".into()), ..any() }, vec![2]),
        (Filter { succeeded: Some(true), ..any() }, vec![3, 1]),
        (Filter { succeeded: Some(false), ..any() }, vec![4, 2]),
        (Filter { test: Some(true), ..any() }, vec![3]),
        (Filter { test: Some(false), ..any() }, vec![4, 2, 1]),
        (Filter { authenticated: Some(false), ..any() }, vec![2]),
        (Filter { authenticated: Some(true), ..any() }, vec![4, 3, 1]),
        (Filter { since: Some(at(2)), until: Some(at(4)), ..any() }, vec![3, 2]),
    ];
    for (filter, expected) in cases {
        let listed = journal.list(filter.clone(), None, 10).await.unwrap();
        let seconds: Vec<_> = listed.iter().map(|(_, delivery)| (delivery.at - at(0)).num_seconds()).collect();
        assert_eq!(seconds, expected, "{filter:?}");
    }
    let first = journal.list(any(), None, 3).await.unwrap();
    let rest = journal.list(any(), Some(first[2].0), 3).await.unwrap();
    assert_eq!((first.len(), rest.len(), rest[0].1.at), (3, 1, at(1)));
}

#[tokio::test]
async fn only_so_many_are_kept_and_strangers_push_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let options = JournalOptions { max_deliveries: 20, max_rejected: 5 };
    let expected = |first: i64| (first..first + 20).rev().map(at).collect::<Vec<_>>();
    let kept = async |journal: &Journal, authenticated| {
        let filter = Filter { authenticated: Some(authenticated), ..Filter::default() };
        let listed = journal.list(filter, None, 1000).await.unwrap();
        listed.into_iter().map(|(_, delivery)| delivery.at).collect::<Vec<_>>()
    };
    let journal = Journal::open(&path, options).unwrap();
    for second in 0..50 {
        journal.record(delivery(second, "CS1", "000000"));
        for _ in 0..10 {
            journal.record(stranger(second));
        }
        journal.flush().await;
    }
    assert_eq!(kept(&journal, true).await, expected(30));
    assert_eq!(kept(&journal, false).await, vec![at(49); 5]);
    drop(journal);
    let journal = Journal::open(&path, options).unwrap();
    journal.record(delivery(50, "CS1", "000000"));
    assert_eq!(kept(&journal, true).await, expected(31), "bounds hold over a restart");
}

#[tokio::test]
async fn a_flood_is_dropped_and_counted_and_every_recording_is_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("journal.db"));
    for second in 0..60_000 {
        journal.record(delivery(second, "CS1", "000000"));
    }
    let kept = all(&journal).await.len() as u64;
    assert_eq!(kept + journal.dropped(), 60_000);
    assert!(kept > 0);
}

#[tokio::test]
async fn long_texts_are_cut_between_characters() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("journal.db"));
    let long = "授".repeat(1_000_000);
    journal.record(Delivery {
        body: long.clone(),
        answer: long.clone(),
        subject: Some(long.clone()),
        seller: long,
        ..stranger(1)
    });
    let kept = all(&journal).await.remove(0);
    assert_eq!(kept.body.len(), 4095);
    assert_eq!(kept.answer.len(), 4095);
    assert_eq!(kept.subject.unwrap().len(), 255);
    assert_eq!(kept.seller.len(), 255);
}

#[tokio::test]
async fn at_risk_is_what_failed_last_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("journal.db"));
    journal.record(delivery(0, "too early", "000005"));
    for (second, order, result_code) in [
        (10, "mended", "000005"),
        (11, "failing", "000005"),
        (12, "mended", "000000"),
        (13, "fine", "000000"),
        (14, "failing", "000100"),
        (15, "broke", "000000"),
        (16, "broke", "000005"),
        (17, "taken on", "000005"),
        (18, "taken on", "000004"),
    ] {
        journal.record(delivery(second, order, result_code));
    }
    journal.record(Delivery { test: true, ..delivery(20, "dial test", "000005") });
    journal.record(Delivery { order: Some("stranger".into()), ..stranger(21) });
    journal.record(Delivery { seller: "other".into(), ..delivery(22, "failing", "000000") });
    let risk = |order: &str, result_code: &str, since, latest, attempts| AtRisk {
        seller: "acme".into(),
        activity: Some("newInstance".into()),
        subject: None,
        order: Some(order.into()),
        order_line: Some(format!("{order}-1")),
        result_code: result_code.into(),
        since: at(since),
        latest: at(latest),
        attempts,
    };
    let expected = [risk("failing", "000100", 11, 14, 2), risk("broke", "000005", 16, 16, 1)];
    assert_eq!(journal.at_risk(at(5)).await.unwrap(), expected);
    assert_eq!(journal.at_risk(at(30)).await.unwrap(), []);
    let last = |seller: &str, second| LastDelivery { seller: seller.into(), at: at(second) };
    assert_eq!(journal.last().await.unwrap(), [last("acme", 20), last("other", 22)]);
}

#[tokio::test]
async fn each_line_of_an_order_is_at_risk_by_itself_and_what_only_asks_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("journal.db"));
    for (second, line, result_code) in [(1, "CS1-1", "000005"), (2, "CS1-2", "000005"), (3, "CS1-1", "000000")] {
        journal.record(Delivery { order_line: Some(line.into()), ..delivery(second, "CS1", result_code) });
    }
    for activity in ["queryInstance", "changeInstanceCheck"] {
        journal.record(Delivery { activity: Some(activity.into()), ..delivery(4, "CS2", "000003") });
    }
    // Signed, and nobody can tell what it wanted: that counts.
    journal.record(Delivery { activity: None, order: None, order_line: None, ..delivery(5, "", "000002") });
    let at_risk = journal.at_risk(at(0)).await.unwrap();
    let lines: Vec<_> = at_risk.iter().map(|risk| risk.order_line.as_deref()).collect();
    assert_eq!(lines, [Some("CS1-2"), None]);
}

#[tokio::test]
async fn a_long_list_of_what_is_at_risk_ends_after_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("journal.db"));
    (0..1_200).for_each(|second| journal.record(delivery(second, &format!("CS{second}"), "000005")));
    let at_risk = journal.at_risk(at(0)).await.unwrap();
    assert_eq!((at_risk.len(), at_risk[999].since), (1_000, at(999)));
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_put_aside_whole_and_begun_anew() {
    type Damage<'a> = &'a dyn Fn(&Path);
    let damaged: [(&str, Damage<'_>); 4] = [
        ("not a database", &|path| std::fs::write(path, "hello, this is not a database at all").unwrap()),
        ("another program's database", &|path| {
            let other = Connection::open(path).unwrap();
            other.pragma_update(None, "journal_mode", "WAL").unwrap();
            other.execute_batch("CREATE TABLE precious (x)").unwrap();
        }),
        ("another version's", &|path| {
            drop(open(path));
            Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        }),
        ("damaged inside", &|path| {
            let journal = open(path);
            (0..1000).for_each(|second| journal.record(delivery(second, "CS1", "000000")));
            drop(journal);
            let mut bytes = std::fs::read(path).unwrap();
            let half = bytes.len() / 2;
            bytes[half..half + 8192].fill(0xff);
            std::fs::write(path, bytes).unwrap();
        }),
    ];
    for (what, damage) in damaged {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        damage(&path);
        let before = std::fs::read(&path).unwrap();
        let journal = open(&path);
        journal.record(delivery(1, "CS1", "000000"));
        assert_eq!(all(&journal).await, [delivery(1, "CS1", "000000")], "{what}");
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let is_aside = |path: &std::path::PathBuf| {
            let name = path.to_string_lossy();
            name.contains(".damaged-") && name.ends_with('Z')
        };
        let aside: Vec<_> = names.filter(is_aside).collect();
        assert_eq!(aside.len(), 1, "{what}");
        assert_eq!(std::fs::read(&aside[0]).unwrap(), before, "{what}");
    }
}

#[tokio::test]
async fn one_who_only_looks_sees_what_is_written_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    assert!(JournalReader::open(&path).is_err(), "there is none");
    assert!(!path.exists());
    let journal = open(&path);
    journal.record(delivery(1, "CS1", "000005"));
    journal.flush().await;
    let reader = JournalReader::open(&path).unwrap();
    assert_eq!(reader.at_risk(at(0)).unwrap(), journal.at_risk(at(0)).await.unwrap());
    assert_eq!(reader.last().unwrap(), [LastDelivery { seller: "acme".into(), at: at(1) }]);
    drop((journal, reader));
    for damage in ["hello, this is not a database at all", ""] {
        std::fs::write(&path, damage).unwrap();
        assert!(JournalReader::open(&path).is_err(), "{damage:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damage, "left as it is");
    }
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named_in_the_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = Journal::open(&folder.path().join("absent/journal.db"), JournalOptions::default()).unwrap_err();
    assert!(error.to_string().contains("absent/journal.db"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("journal.db"));
    journal.record(delivery(1, "CS1", "000000"));
    journal.flush().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn at_risk_agrees_with_a_simple_model(told in prop::collection::vec((0_u8..4, any::<bool>()), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let journal = open(&folder.path().join("journal.db"));
            for (second, (order, is_good)) in (0..).zip(&told) {
                journal.record(delivery(second, &order.to_string(), if *is_good { "000000" } else { "000005" }));
            }
            let mut expected: Vec<_> = (0..4)
                .filter(|order| told.iter().rev().find(|(told, _)| told == order).is_some_and(|(_, is_good)| !is_good))
                .map(|order| order.to_string())
                .collect();
            expected.sort();
            let at_risk = journal.at_risk(at(0) - TimeDelta::hours(1)).await.unwrap();
            let mut found: Vec<_> = at_risk.into_iter().filter_map(|risk| risk.order).collect();
            found.sort();
            assert_eq!(found, expected);
        });
    }
}
