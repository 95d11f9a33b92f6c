//! The first admin token: made once, kept in a file that only its owner can read. The log knows its hash.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use chopmark_commands::Commands;
use chopmark_domain::access::{Grant, Role, TokenHash};
use chopmark_domain::cause::Cause;
use secrecy::ExposeSecret;

use crate::failure::{Failure, OrFail, Reason};

/// Reads the admin token, or makes it, and sees that the log knows it.
///
/// # Errors
/// The file cannot be read or written, or the log cannot.
pub(crate) async fn ensure_admin_token(path: &Path, commands: &Commands) -> Result<(), Failure> {
    let help = "give the data folder to the user that runs chopmark";
    let token = read_or_make(path).or_fail(Reason::Storage, format!("the admin token in {}", path.display()), help)?;
    let hash = TokenHash::of(&token);
    let grant = Grant { id: token_id(&token), hash, role: Role::Admin, sellers: vec![], expires_at: None };
    super::unless_newer(commands.create_token(grant, &Cause::System).await, "the admin token")?;
    Ok(())
}

fn read_or_make(path: &Path) -> std::io::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => std::fs::remove_file(path)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let token = chopmark_query::token_text().expose_secret().to_owned();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    Ok(token)
}

/// What a token is called: its first digits, too few to guess the rest from.
fn token_id(token: &str) -> String {
    token.chars().take(12).collect()
}
