//! Sightings in a file, and how they come there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use crate::contract::{at, deployment, pairs, seconds, sighting};
use crate::seen::Bounds;
use crate::sqlite::Sqlite;
use crate::{Seen, Sighting, ViewsError, ViewsMetrics};

fn open(path: &Path) -> Seen {
    Seen::open(path, ViewsMetrics::unregistered()).unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("views.db")
    }

    /// What is in it, sorted.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn database(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }
}

/// Views over a disk that refuses when it is told to.
struct Fragile {
    disk: Arc<Sqlite>,
    metrics: ViewsMetrics,
    seen: Seen,
}

impl Fragile {
    fn open(folder: &Folder, bounds: Bounds) -> Self {
        let disk = Arc::new(Sqlite::open(&folder.file(), at(0)).unwrap());
        let metrics = ViewsMetrics::unregistered();
        let store: Arc<Sqlite> = Arc::clone(&disk);
        let seen = Seen::over(store, bounds, metrics.clone()).unwrap();
        Self { disk, metrics, seen }
    }

    fn refuse(&self, refuses: bool) {
        self.disk.writer().pragma_update(None, "query_only", refuses).unwrap();
    }
}

#[tokio::test]
async fn the_last_one_to_let_go_writes_what_waits_and_leaves_one_file() {
    let folder = Folder::new();
    let seen = open(&folder.file());
    let clone = seen.clone();
    seen.saw(sighting("l-1", "m-1", 1));
    drop(seen);
    drop(clone);
    let names: Vec<_> = std::fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["views.db"]);
    assert_eq!(seconds(&open(&folder.file()), "l-1").await, pairs([("m-1", 1)]));
}

#[tokio::test]
async fn a_file_is_kept_since_it_was_begun() {
    let folder = Folder::new();
    let fragile = Fragile::open(&folder, Bounds::default());
    let kept_since = async |seen: &Seen| seen.noted(at(9)).await.unwrap().kept_since;
    assert_eq!(kept_since(&fragile.seen).await, at(0));
    drop(fragile);
    assert_eq!(kept_since(&open(&folder.file())).await, at(0), "reopening begins nothing anew");
}

#[tokio::test]
async fn what_found_no_room_is_known_to_be_lost() {
    let folder = Folder::new();
    let fragile = Fragile::open(&folder, Bounds { much: 1_000, most: 1, ..Bounds::default() });
    fragile.refuse(true);
    fragile.seen.saw(sighting("l-1", "m-1", 1));
    assert_eq!(fragile.seen.dropped_at(), None);
    fragile.seen.saw_token("t", at(9));
    assert_eq!(fragile.seen.dropped_at(), None, "no lease went with it");
    for second in [7, 5] {
        fragile.seen.saw(sighting("l-1", "m-2", second));
    }
    assert_eq!(fragile.seen.dropped_at(), Some(at(7)));
    assert_eq!(fragile.seen.noted(at(20)).await.unwrap().lost, Some(at(7)));
    fragile.refuse(false);
}

#[tokio::test]
async fn closing_writes_what_waits_and_takes_no_more() {
    let folder = Folder::new();
    let Fragile { metrics, seen, disk } = Fragile::open(&folder, Bounds::default());
    drop(disk);
    seen.saw(sighting("l-1", "m-1", 1));
    seen.close().await;
    seen.saw(sighting("l-1", "m-1", 2));
    assert_eq!((metrics.waiting.get(), metrics.dropped.get()), (0, 1));
    assert_eq!(seconds(&seen, "l-1").await, pairs([("m-1", 1)]), "reading goes on");
    seen.flush().await;
    seen.close().await;
}

#[tokio::test]
async fn a_killed_process_loses_only_what_it_had_not_written() {
    let folder = Folder::new();
    let fragile = Fragile::open(&folder, Bounds::default());
    fragile.seen.saw(sighting("l-1", "m-1", 1));
    fragile.seen.flush().await;
    fragile.refuse(true);
    fragile.seen.saw(sighting("l-1", "m-1", 7));
    fragile.seen.saw(sighting("l-1", "m-2", 7));
    // What is on the disk at this moment is what a process finds that starts after a kill.
    let after = Folder::new();
    for name in ["views.db", "views.db-wal"] {
        std::fs::copy(folder.0.path().join(name), after.0.path().join(name)).unwrap();
    }
    assert_eq!(seconds(&open(&after.file()), "l-1").await, pairs([("m-1", 1)]));
    fragile.refuse(false);
}

#[tokio::test]
async fn a_disk_that_refuses_loses_nothing_but_delays_it() {
    let folder = Folder::new();
    let fragile = Fragile::open(&folder, Bounds::default());
    let Fragile { seen, metrics, .. } = &fragile;
    fragile.refuse(true);
    for second in [5, 3, 8] {
        seen.saw(sighting("l-1", "m-1", second));
        seen.saw_deployment_hour(deployment("e-1", None, second));
        seen.flush().await;
    }
    seen.saw(sighting("l-1", "m-2", 4));
    assert_eq!(metrics.write_failures.get(), 3);
    assert_eq!((metrics.waiting.get(), metrics.dropped.get()), (3, 0), "failed ones are merged with those since");
    assert_eq!(seconds(seen, "l-1").await, pairs([("m-1", 8), ("m-2", 4)]));
    let refused = seen.forget("acme", "l-1", "m-1").await.unwrap_err();
    assert!(matches!(refused, ViewsError::NotWritten { .. }), "{refused}");
    fragile.refuse(false);
    seen.flush().await;
    assert_eq!(metrics.waiting.get(), 0);
    drop(fragile);
    assert_eq!(seconds(&open(&folder.file()), "l-1").await, pairs([("m-1", 8), ("m-2", 4)]));
}

#[tokio::test]
async fn a_full_disk_is_no_panic_and_counted() {
    let folder = Folder::new();
    let fragile = Fragile::open(&folder, Bounds::default());
    let pages: i64 = fragile.disk.writer().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    fragile.disk.writer().pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    for number in 0..2_000 {
        fragile.seen.saw(Sighting { license: &format!("license-{number}"), ..sighting("", "m", 1) });
    }
    fragile.seen.flush().await;
    assert!(fragile.metrics.write_failures.get() >= 1);
    assert_eq!(fragile.metrics.waiting.get(), 2_000, "all or nothing");
    fragile.disk.writer().pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())).unwrap();
    fragile.seen.flush().await;
    assert_eq!(fragile.metrics.waiting.get(), 0);
}

#[tokio::test]
async fn what_cannot_be_written_at_the_end_is_counted_as_dropped() {
    let folder = Folder::new();
    let fragile = Fragile::open(&folder, Bounds::default());
    fragile.refuse(true);
    fragile.seen.saw(sighting("l-1", "m-1", 1));
    fragile.seen.saw(sighting("l-1", "m-2", 1));
    fragile.seen.close().await;
    assert_eq!(fragile.metrics.dropped.get(), 2);
}

#[tokio::test]
async fn memory_is_bounded_and_the_known_still_merge() {
    let folder = Folder::new();
    let fragile = Fragile::open(&folder, Bounds { much: 1_000, most: 10, ..Bounds::default() });
    let Fragile { seen, metrics, .. } = &fragile;
    fragile.refuse(true);
    for number in 0..15 {
        seen.saw(Sighting { holder: &format!("m-{number}"), ..sighting("l-1", "", 1) });
    }
    assert_eq!((metrics.waiting.get(), metrics.dropped.get()), (10, 5));
    seen.saw(sighting("l-1", "m-3", 9));
    assert_eq!(metrics.dropped.get(), 5);
    assert_eq!(seconds(seen, "l-1").await["m-3"], 9);
    seen.saw(Sighting { holder: &"x".repeat(5_000), ..sighting("l-1", "", 1) });
    assert_eq!(metrics.dropped.get(), 6, "no name is that long");
    fragile.refuse(false);
}

#[tokio::test]
async fn much_to_write_is_written_before_its_time() {
    let folder = Folder::new();
    let fragile = Fragile::open(&folder, Bounds { much: 100, most: 1_000_000, ..Bounds::default() });
    for number in 0..100 {
        fragile.seen.saw(Sighting { holder: &format!("m-{number}"), ..sighting("l-1", "", 1) });
    }
    // Nobody asks for a flush: waits for the writer's own.
    let mut done = fragile.seen.done();
    done.wait_for(|_| fragile.metrics.waiting.get() == 0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_threads_and_a_writer_between_them_miss_no_sighting() {
    const THREADS: i64 = 8;
    const ROUNDS: i64 = 2_000;
    let folder = Folder::new();
    let seen = open(&folder.file());
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let seen = seen.clone();
            std::thread::spawn(move || {
                for round in 0..ROUNDS {
                    seen.saw(sighting("shared", "machine", round * THREADS + thread));
                    let own = format!("m-{thread}-{}", round % 50);
                    seen.saw(Sighting { holder: &own, ..sighting("own", "", round) });
                }
            })
        })
        .collect();
    let mut latest = -1;
    while threads.iter().any(|thread| !thread.is_finished()) {
        seen.flush().await;
        let now = seconds(&seen, "shared").await.get("machine").copied().unwrap_or(-1);
        assert!(now >= latest, "{now} after {latest}: a reader missed what was moving to the store");
        latest = now;
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let own = seconds(&seen, "own").await;
    assert_eq!(own.len(), 50 * usize::try_from(THREADS).unwrap());
    assert!(own.values().all(|second| *second >= ROUNDS - 50));
    assert_eq!(seconds(&seen, "shared").await, pairs([("machine", ROUNDS * THREADS - 1)]));
}

#[tokio::test]
async fn a_file_that_is_not_right_is_left_alone_and_the_error_says_what_to_do() {
    let folder = Folder::new();
    drop(open(&folder.file()));
    let opening = || Seen::open(&folder.file(), ViewsMetrics::unregistered()).unwrap_err();
    folder.database().pragma_update(None, "user_version", 99).unwrap();
    let newer = opening();
    assert!(matches!(newer, ViewsError::Newer { found: 99, known: 1, .. }), "{newer}");
    assert!(newer.to_string().contains("run the newer program"), "{newer}");
    folder.database().pragma_update(None, "application_id", 1).unwrap();
    let foreign = opening();
    assert!(matches!(foreign, ViewsError::Foreign { .. }), "{foreign}");
    std::fs::write(folder.file(), "no database, but long enough to be looked at as one: ".repeat(100)).unwrap();
    let damaged = opening();
    assert!(matches!(damaged, ViewsError::Damaged { .. }), "{damaged}");
    assert!(damaged.to_string().contains("moves the file aside"), "{damaged}");
    assert!(std::fs::read(folder.file()).unwrap().starts_with(b"no database"));
}

#[tokio::test]
async fn who_cannot_do_without_begins_anew_and_keeps_what_was_damaged() {
    let folder = Folder::new();
    let begin_anew = || Seen::open_or_begin_anew(&folder.file(), ViewsMetrics::unregistered());
    let damage = "no database, but long enough to be looked at as one: ".repeat(100);
    std::fs::write(folder.file(), &damage).unwrap();
    let seen = begin_anew().unwrap();
    seen.saw(sighting("l-1", "m-1", 1));
    drop(seen);
    assert_eq!(seconds(&begin_anew().unwrap(), "l-1").await, pairs([("m-1", 1)]), "a whole one is opened as it is");
    let aside = folder.names().into_iter().filter(|name| name.starts_with("views.db.damaged-")).collect::<Vec<_>>();
    let [aside] = &aside[..] else { panic!("{aside:?}") };
    assert_eq!(std::fs::read_to_string(folder.0.path().join(aside)).unwrap(), damage);
}

#[test]
fn a_file_is_moved_aside_with_its_companions() {
    let folder = Folder::new();
    let move_aside = || crate::sqlite::put_aside(&folder.file(), at(0)).unwrap();
    for name in ["views.db", "views.db-shm", "views.db-wal", "views.db-other"] {
        std::fs::write(folder.0.path().join(name), name).unwrap();
    }
    let aside = move_aside();
    assert_eq!(aside, folder.0.path().join("views.db.damaged-1789999210"));
    let moved = ["views.db.damaged-1789999210", "views.db.damaged-1789999210-shm", "views.db.damaged-1789999210-wal"];
    let expected: Vec<&str> = ["views.db-other"].into_iter().chain(moved).collect();
    assert_eq!(folder.names(), expected);
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "views.db");
    move_aside();
    assert_eq!(folder.names(), expected, "what is not there need not be moved");
}

#[tokio::test]
async fn what_is_newer_or_of_something_else_is_never_moved() {
    let folder = Folder::new();
    drop(open(&folder.file()));
    for (pragma, value) in [("user_version", 99), ("application_id", 1)] {
        folder.database().pragma_update(None, pragma, value).unwrap();
        Seen::open_or_begin_anew(&folder.file(), ViewsMetrics::unregistered()).unwrap_err();
        let kept: i32 = folder.database().pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
        assert_eq!(kept, value, "{pragma}");
    }
}

#[tokio::test]
async fn a_page_of_garbage_is_damage() {
    let folder = Folder::new();
    let seen = open(&folder.file());
    for number in 0..2_000 {
        seen.saw(Sighting { license: &format!("license-{number}"), ..sighting("", "m", 1) });
    }
    drop(seen);
    let mut bytes = std::fs::read(folder.file()).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xa5);
    std::fs::write(folder.file(), bytes).unwrap();
    let damaged = Seen::open(&folder.file(), ViewsMetrics::unregistered()).unwrap_err();
    assert!(matches!(damaged, ViewsError::Damaged { .. }), "{damaged}");
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_the_file() {
    let folder = Folder::new();
    let path = folder.0.path().join("nowhere").join("views.db");
    let error = Seen::open(&path, ViewsMetrics::unregistered()).unwrap_err();
    assert!(error.to_string().contains("nowhere/views.db"), "{error}");
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    drop(open(&folder.file()));
    assert_eq!(std::fs::metadata(folder.file()).unwrap().permissions().mode() & 0o077, 0);
}
