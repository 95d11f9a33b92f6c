//! The image and the compose files.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use crate::{of_repository, python, run, with_secrets};

#[tokio::test]
async fn the_image_has_nothing_that_its_linter_complains_of() {
    let hadolint = python().await.with_file_name("hadolint");
    run(Command::new(hadolint).args(["--failure-threshold", "info"]).arg(of_repository("deploy/container/Dockerfile")));
}

#[tokio::test]
async fn scripts_have_nothing_that_their_linter_complains_of() {
    let shellcheck = python().await.with_file_name("shellcheck");
    let scripts = ["deploy/compose/make-secrets", "deploy/container/healthy"].map(of_repository);
    run(Command::new(shellcheck).args(scripts));
}

#[test]
fn what_the_image_is_built_from_is_what_the_build_is_given() {
    let ignored = std::fs::read_to_string(of_repository(".dockerignore")).unwrap();
    let dockerfile = std::fs::read_to_string(of_repository("deploy/container/Dockerfile")).unwrap();
    let given: Vec<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(given.iter().all(|path| of_repository(path).exists()));
    let copied = dockerfile.lines().filter(|line| line.starts_with("COPY ") && !line.contains("--from="));
    let sources = copied.filter_map(|line| line.split(' ').skip(1).find(|word| !word.starts_with("--")));
    for source in sources.filter(|source| *source != ".") {
        assert!(given.contains(&source), "{source} is copied and left out of the build by .dockerignore");
    }
}

/// Runs the image's health check against a server that answers once with this status.
fn healthy(status: &'static str) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = vec![];
        // The shell sends line by line.
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        connection.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    let mut check = Command::new(of_repository("deploy/container/healthy"));
    let answer = check.env("HEALTHY_AT", address.to_string()).output().unwrap();
    let request = server.join().unwrap();
    assert!(request.starts_with("GET /readyz HTTP/1.1\r\n"), "{request}");
    answer.status.success()
}

#[test]
fn a_container_is_healthy_when_it_is_ready() {
    assert!(healthy("200 OK"));
    assert!(!healthy("503 Service Unavailable"));
    // Nobody there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut check = Command::new(of_repository("deploy/container/healthy"));
    assert!(!check.env("HEALTHY_AT", port.to_string()).output().unwrap().status.success());
}

#[tokio::test]
async fn compose_files_are_of_the_specification_and_mount_what_there_is() {
    let python = python().await;
    let folder = tempfile::tempdir().unwrap();
    let compose = with_secrets(folder.path());
    let program = of_repository("tests/conformance/deploy/compose.py");
    let printed = run(Command::new(&python).arg(&program).arg(&compose));
    assert!(printed.contains("single.yaml: 0 wrong") && printed.contains("cluster.yaml: 0 wrong"), "{printed}");

    // The check sees what is wrong.
    let single = compose.join("single.yaml");
    let text = std::fs::read_to_string(&single).unwrap();
    for (right, wrong) in [("read_only: true", "read_onyl: true"), ("single.toml", "sinlge.toml"), ("[ALL]", "[]")] {
        std::fs::write(&single, text.replace(right, wrong)).unwrap();
        let status = Command::new(&python).arg(&program).arg(&compose).output().unwrap().status;
        assert_eq!(status.code(), Some(1), "{wrong} is taken");
    }
}
