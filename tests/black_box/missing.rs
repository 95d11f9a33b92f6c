//! The log is gone from a folder that had one: no new log takes its place unasked.

use std::fs;

use crate::support::{Home, config};

#[tokio::test]
async fn a_log_that_has_gone_missing_is_not_begun_anew_unasked() {
    let home = Home::new(&config(""));
    let log = home.data().join("log.db");
    let server = home.serve().await;
    let instance = server.buy().await;
    server.stop();
    let kept = home.folder.path().join("kept.db");
    fs::rename(&log, &kept).unwrap();

    let leavings = ["admin-token", "license-index.snapshot", "reactor.snapshot"];
    let adopt = ["license", "adopt", "--seller", "acme", "old-instance-1"];
    for words in [&["serve"][..], &["apply"], &adopt, &["license", "list"], &["rebuild"]] {
        let output = home.run(words);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{words:?}: {errors}");
        assert!(errors.contains("log.db") && errors.contains("is missing") && errors.contains("data_dir"), "{errors}");
        for left in leavings {
            assert!(home.data().join(left).exists() && errors.contains(left), "{left}: {errors}");
        }
        assert!(!log.exists(), "{words:?} has made a log");
    }
    let found = home.run(&["doctor"]);
    assert_eq!(found.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&found.stdout).contains("is missing, although there was one"));

    fs::rename(&kept, &log).unwrap();
    let server = home.serve().await;
    assert_eq!(server.check(&instance).await["code"], "VALID", "the log is back, and all is well");
    server.stop();

    fs::remove_file(&log).unwrap();
    for left in leavings {
        fs::remove_file(home.data().join(left)).unwrap();
    }
    let server = home.serve().await;
    assert_eq!(server.check(&instance).await["code"], "NOT_FOUND", "begun anew, as was asked for");
}
