//! `chopmark log`: whether the log is what was written, out of it, into it, and what happens in it.

pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod inspect;
mod seal;
mod shown;
mod tail;
pub(crate) mod verify;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use chopmark_signing::{MAX_JWKS_BYTES, PublicKeys, key_file};

use crate::cli::log::LogCommand;
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::keys::{HELP as KEYS_HELP, configured};

/// Does what is asked of the log.
///
/// # Errors
/// It cannot be used, or is not what it must be.
pub(crate) async fn run(command: &LogCommand, config: &Config) -> Result<(), Failure> {
    match command {
        LogCommand::Verify(args) => verify::run(args, config).await,
        LogCommand::Export(args) => export::run(args, config).await,
        LogCommand::Import(args) => import::run(args, config).await,
        LogCommand::Tail(args) => tail::run(args, config).await,
        LogCommand::Seal(args) => seal::run(args, config).await,
    }
}

/// The public keys of this installation; none where it has no keys yet.
fn keys_of(config: &Config) -> Result<PublicKeys, Failure> {
    if let Some(ring) = configured(config)? {
        return Ok(PublicKeys::from(&ring));
    }
    let file = DataDir::at(&config.data_dir).signing_keys();
    if !file.exists() {
        return Ok(PublicKeys::default());
    }
    let ring = key_file::load(&file).or_fail(Reason::Storage, "the signing keys", KEYS_HELP)?;
    Ok(PublicKeys::from(&ring))
}

/// The keys of some JWKS files.
fn keys_in(files: &[PathBuf]) -> Result<PublicKeys, Failure> {
    let read = |file: &PathBuf| {
        let json = read_jwks(file).or_fail(Reason::Usage, file.display(), "name a file with a JWKS")?;
        let help = "`chopmark keys root --json` and `/.well-known/jwks.json` give one";
        PublicKeys::from_jwks(&json).or_fail(Reason::Usage, file.display(), help)
    };
    files.iter().try_fold(PublicKeys::default(), |keys, file| Ok(keys.and(read(file)?)))
}

fn read_jwks(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut json = vec![];
    File::open(file)?.take(MAX_JWKS_BYTES).read_to_end(&mut json)?;
    Ok(json)
}
