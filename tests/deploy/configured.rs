//! Every configuration under `deploy/` is one that Chopmark takes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{of_repository, python, run, with_secrets};

/// Where the configurations of containers have their secrets.
const IN_CONTAINERS: &str = "/etc/chopmark/secrets/";

/// `chopmark serve --check-config`, as a container or unit would have it.
fn check(config: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chopmark"));
    run(command.args(["serve", "--check-config", "--config"]).arg(config).env_clear())
}

/// The URL of the log names a file inside the container; here it is elsewhere.
fn move_authority(secrets: &Path) {
    let url = fs::read_to_string(secrets.join("log-url")).unwrap();
    assert!(url.contains(IN_CONTAINERS), "{url}");
    fs::remove_file(secrets.join("log-url")).unwrap();
    fs::write(secrets.join("log-url"), url.replace(IN_CONTAINERS, &format!("{}/", secrets.display()))).unwrap();
}

#[test]
fn configurations_of_compose_are_sound_with_the_secrets_that_are_made_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let compose = with_secrets(folder.path());
    let single = check(&compose.join("single.toml"));
    assert!(single.contains("seller     acme: 1 base key"), "{single}");

    move_authority(&compose.join("secrets"));
    let cluster = check(&compose.join("cluster.toml"));
    assert!(cluster.contains("keys       2,"), "the signing keys are read: {cluster}");
}

#[test]
fn secrets_that_are_there_are_kept_and_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let compose = with_secrets(folder.path());
    let secrets = compose.join("secrets");
    let read = |name: &str| fs::read_to_string(secrets.join(name)).unwrap();
    let names: Vec<_> =
        fs::read_dir(&secrets).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let before: Vec<_> = names.iter().map(|name| read(name)).collect();
    run(&mut Command::new(compose.join("make-secrets")));
    assert_eq!(names.iter().map(|name| read(name)).collect::<Vec<_>>(), before);
    assert_eq!(fs::metadata(&secrets).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(read("views-url").contains(read("postgres-password").trim()));

    let mut verify = Command::new("openssl");
    verify.args(["verify", "-CAfile", "log-ca.pem", "eventstore-1.pem", "eventstore-2.pem", "eventstore-3.pem"]);
    run(verify.current_dir(&secrets));
}

#[tokio::test]
async fn the_chart_is_one_that_helm_and_kubernetes_take_and_so_is_its_configuration() {
    let python = python().await;
    let folder = tempfile::tempdir().unwrap();
    let compose = with_secrets(folder.path());
    move_authority(&compose.join("secrets"));
    let mut command = Command::new(python);
    command.arg(of_repository("tests/conformance/deploy/chart.py")).arg(of_repository("deploy/helm/chopmark"));
    command.arg(of_repository("target/conformance/helm")).arg(&compose);
    let printed = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert!(printed.contains("as-it-comes: 16 objects, 0 wrong"), "{printed}");
    let checked = check(&compose.join("as-it-comes.toml"));
    assert!(checked.contains("seller     acme"), "{checked}");
}
