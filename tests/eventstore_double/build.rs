//! Makes the server's half of the protocol from the descriptions that the client's crate brings along.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The services that the client calls.
const DESCRIPTIONS: [&str; 3] = ["streams.proto", "gossip.proto", "serverfeatures.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    let descriptions = descriptions()?;
    for file in DESCRIPTIONS {
        println!("cargo::rerun-if-changed={}", descriptions.join(file).display());
    }
    let compiled = protox::compile(DESCRIPTIONS, [descriptions])?;
    tonic_build::configure().build_client(false).disable_comments(".").compile_fds(compiled)?;
    Ok(())
}

/// The folder `protos` in the source of the crate `eventstore`, wherever cargo keeps it.
fn descriptions() -> Result<PathBuf, Box<dyn Error>> {
    let mut metadata = Command::new(std::env::var("CARGO")?);
    // What other platforms need may not have been fetched, and is not asked for.
    metadata.args(["metadata", "--format-version", "1", "--offline", "--filter-platform", &std::env::var("TARGET")?]);
    metadata.arg("--manifest-path").arg(Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("Cargo.toml"));
    let output = metadata.output()?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let client = packages.iter().find(|package| package["name"] == "eventstore");
    let manifest = client.and_then(|client| client["manifest_path"].as_str()).ok_or("eventstore is no dependency")?;
    Ok(Path::new(manifest).with_file_name("protos"))
}
