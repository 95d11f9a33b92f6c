//! The first admin token: made once, kept in a file that only its owner can read. The log knows its hash.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use chopmark_commands::{CommandError, Commands};
use chopmark_domain::access::{Grant, Role, TokenHash};
use chopmark_domain::cause::Cause;
use secrecy::{ExposeSecret, SecretString};

use crate::failure::{Failure, OrFail, Reason};

/// The first admin token.
#[derive(Clone)]
pub(super) struct AdminToken(SecretString);

impl AdminToken {
    /// Reads it, or makes it.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn ensure(file: &Path) -> Result<Self, Failure> {
        let help = "give the data folder to the user that runs chopmark";
        let token = read_or_make(file);
        token.or_fail(Reason::Storage, format!("the admin token in {}", file.display()), help).map(Self)
    }

    /// Sees that the log knows it.
    ///
    /// # Errors
    /// [`CommandError`].
    pub(super) async fn make_known(&self, commands: &Commands) -> Result<(), CommandError> {
        let token = self.0.expose_secret();
        let (id, hash) = (token_id(token), TokenHash::of(token));
        let grant = Grant { id, hash, role: Role::Admin, sellers: vec![], expires_at: None };
        commands.create_token(grant, &Cause::System).await.map(drop)
    }
}

fn read_or_make(path: &Path) -> std::io::Result<SecretString> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().into()),
        Ok(_) => std::fs::remove_file(path)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let token = chopmark_query::token_text();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{}", token.expose_secret())?;
    file.sync_all()?;
    Ok(token)
}

/// What a token is called: its first digits, too few to guess the rest from.
fn token_id(token: &str) -> String {
    token.chars().take(12).collect()
}
