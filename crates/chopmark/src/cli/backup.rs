//! `chopmark backup` and `chopmark restore`.

use std::path::PathBuf;

use clap::Args;

use super::ConfigArgs;

/// `chopmark backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The folder to make, or an empty one. It appears when the backup is whole
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Prints what was saved as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The folder of the backup
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Prints what was restored as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
