//! Backups of a server at work, put back elsewhere.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chopmark_simulator::marketplace::Style;
use chopmark_simulator::{Message, OrderLine};
use chrono::Utc;
use serde_json::Value;

use crate::support::{Home, config};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Buys until it is told to stop, and says what was acknowledged.
async fn load(mut marketplace: chopmark_simulator::Marketplace, stop: Arc<AtomicBool>) -> usize {
    let mut acknowledged = 0;
    while !stop.load(Ordering::Relaxed) {
        let message = Message::NewInstance { order: OrderLine::fresh() };
        let delivery = marketplace.sign(&message, Style::default(), Utc::now()).unwrap();
        acknowledged += usize::from(marketplace.send(&delivery).await.is_ok());
    }
    acknowledged
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_server_under_load_holds_all_that_was_acknowledged_before_it_began() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let mut bought = vec![];
    for _ in 0..10 {
        bought.push(server.buy().await);
    }
    home.ok(&["log", "seal"]);
    let stop = Arc::new(AtomicBool::new(false));
    let loads: Vec<_> = (0..4).map(|_| tokio::spawn(load(server.marketplace(), stop.clone()))).collect();
    bought.push(server.buy().await);
    let saved: Value = serde_json::from_str(&home.ok(&["backup", "saved", "--json"])).unwrap();
    stop.store(true, Ordering::Relaxed);
    let mut meanwhile = 0;
    for load in loads {
        meanwhile += load.await.unwrap();
    }
    assert!(meanwhile > 0, "the server goes on meanwhile");
    server.stop();

    let folder = home.folder.path().join("saved");
    assert_eq!(mode(&folder), 0o700);
    let mut names: Vec<String> = vec![];
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["log.db", "manifest.json", "signing-keys.pem", "views.db"]);
    let beside = std::fs::read_dir(home.folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".chopmark"));
    assert_eq!(beside.count(), 0, "nothing half-done stays");

    let other = Home::new(&config(""));
    let restored: Value = serde_json::from_str(&other.ok(&["restore", folder.to_str().unwrap(), "--json"])).unwrap();
    assert_eq!(restored["restored"], saved);
    assert_eq!((&restored["log"]["signatures"], &restored["log"]["seals"]), (&"verified".into(), &1.into()));
    assert_eq!(restored["log"]["records"].to_string(), saved["log"]["position"].as_str().unwrap());
    assert_eq!(mode(&other.data().join("log.db")), 0o600);
    let again = other.run(&["restore", folder.to_str().unwrap()]);
    assert!(again.status.code() == Some(2) && text(&again.stderr).contains("already"), "{}", text(&again.stderr));

    let server = other.serve().await;
    for instance in &bought {
        assert_eq!(server.check(instance).await["code"], "VALID", "{instance}");
    }
    server.buy().await;
    server.stop();
    other.ok(&["rebuild", "--verify"]);
    other.ok(&["log", "verify"]);
    assert_eq!(other.ok(&["keys", "root"]), home.ok(&["keys", "root"]), "software goes on trusting it");
    let left: Vec<_> = std::fs::read_dir(other.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("restoring")), "{left:?}");
}

#[tokio::test]
async fn a_backup_that_is_not_what_was_saved_puts_nothing_anywhere() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    server.buy().await;
    server.stop();
    home.ok(&["backup", "saved"]);
    let full = home.run(&["backup", "saved"]);
    assert!(full.status.code() == Some(2) && text(&full.stderr).contains("no empty folder"), "{}", text(&full.stderr));
    let folder = home.folder.path().join("saved");
    for name in ["log.db", "views.db", "signing-keys.pem"] {
        let whole = std::fs::read(folder.join(name)).unwrap();
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        std::fs::write(folder.join(name), &changed).unwrap();
        let other = Home::new(&config(""));
        let refused = other.run(&["restore", folder.to_str().unwrap()]);
        assert!(refused.status.code() == Some(1) && text(&refused.stderr).contains(name), "{}", text(&refused.stderr));
        assert!(!other.data().exists(), "{name}");
        std::fs::write(folder.join(name), &whole).unwrap();
    }
    std::fs::create_dir(home.folder.path().join("empty")).unwrap();
    home.ok(&["backup", "empty"]);
}
