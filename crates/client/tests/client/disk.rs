//! What is kept survives restarts, crashes, other processes and damage.

use std::fs;
use std::path::PathBuf;

use chopmark_client::{Answer, Source};

use crate::world::World;

/// The state file.
fn state_file(world: &World) -> PathBuf {
    let entries = fs::read_dir(world.folder.path()).expect("the folder");
    let mut files = entries.map(|entry| entry.expect("an entry").path());
    files.find(|path| path.extension().is_some_and(|ending| ending == "json")).expect("a state file")
}

#[test]
fn the_state_is_its_owners_alone_and_shows_no_license() {
    let world = World::new();
    assert!(world.client().check().may_run());
    let file = state_file(&world);
    assert!(!file.to_string_lossy().contains(crate::world::LICENSE));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(file).expect("the file").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_damaged_state_is_put_aside_and_as_good_as_none() {
    let garbage: [&[u8]; 4] = [b"", b"{\"lease\": ", b"\0\xff\0", b"[1, 2]"];
    for damage in garbage {
        let world = World::new();
        assert!(world.client().check().may_run());
        let file = state_file(&world);
        fs::write(&file, damage).expect("the file");
        world.is_down();
        let answer = world.client().check();
        assert!(matches!(&answer, Answer::InGrace(facts) if facts.renew_by.is_none()), "{answer:?}");
        assert_eq!(fs::read(file.with_extension("json.damaged")).expect("put aside"), damage);
        world.is_up();
        assert!(matches!(world.client().check(), Answer::Licensed(_)));
        world.is_down();
        assert!(matches!(world.client().check(), Answer::Licensed(_)), "kept again");
    }
}

#[test]
fn a_changed_state_licenses_nobody() {
    let world = World::new();
    world.says_no("FROZEN");
    assert!(!world.client().check().may_run());
    let file = state_file(&world);
    let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&file).expect("the file")).expect("JSON");
    let forged = crate::signer::Key::new(9).lease(&crate::world::claims(crate::world::START));
    state["lease"] = forged.into();
    fs::write(&file, state.to_string()).expect("the file");
    world.is_down();
    assert!(!world.client().check().may_run());
}

#[test]
fn a_process_killed_while_writing_leaves_the_state_from_before() {
    let world = World::new();
    assert!(world.client().check().may_run());
    let file = state_file(&world);
    let before = fs::read(&file).expect("the file");
    // What is there when a process dies between writing and renaming.
    fs::write(file.with_extension("json.new"), &before[..before.len() / 2]).expect("the leftover");
    world.is_down();
    assert!(matches!(world.client().check(), Answer::Licensed(_)));
    world.is_up();
    assert!(matches!(world.client().check(), Answer::Licensed(_)));
    assert!(!file.with_extension("json.new").exists(), "and the next writes over the rest");
}

#[test]
fn several_processes_may_share_a_folder() {
    let world = World::new();
    let client = || {
        let machine = chopmark_client::Fingerprint::parse(crate::world::MACHINE).expect("one");
        let minute = std::time::Duration::from_mins(1);
        let builder = world.builder().timeouts(minute, minute).license(crate::world::LICENSE).machine(machine);
        builder.build().expect("a client")
    };
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..10 {
                    let answer = client().check();
                    assert!(matches!(&answer, Answer::Licensed(_)), "{answer:?}");
                    assert_eq!(answer.contact().not_kept, None);
                }
            });
        }
    });
    assert!(!state_file(&world).with_extension("json.damaged").exists());
    world.is_down();
    assert!(matches!(world.client().check(), Answer::Licensed(_)));
}

#[test]
fn a_folder_that_cannot_be_written_costs_the_memory_over_restarts_and_nothing_else() {
    let world = World::new();
    let blocked = world.folder.path().join("a-file");
    fs::write(&blocked, "").expect("a file");
    let client = || {
        let machine = chopmark_client::Fingerprint::parse(crate::world::MACHINE).expect("one");
        let builder = world.builder().license(crate::world::LICENSE).machine(machine);
        builder.state_dir(blocked.join("state")).build().expect("a client")
    };
    let running = client();
    let answer = running.check();
    assert!(matches!(&answer, Answer::Licensed(facts) if facts.contact.not_kept.is_some()), "{answer:?}");
    world.is_down();
    let answer = running.check();
    assert!(matches!(&answer, Answer::Licensed(facts) if facts.contact.source == Source::Disk), "{answer:?}");
    assert!(matches!(client().check(), Answer::InGrace(_)), "a restart does not know of it");
}
