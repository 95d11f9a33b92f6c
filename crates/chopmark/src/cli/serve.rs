//! `chopmark serve`.

use clap::{Args, ValueEnum};

use super::ConfigArgs;

/// `chopmark serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Which part of Chopmark this process is
    #[arg(long, value_enum, default_value_t = Role::All)]
    pub(crate) role: Role,
    /// Prints the commented default configuration, the reference of every key, and ends
    #[arg(long, conflicts_with = "check_config")]
    pub(crate) print_config: bool,
    /// Checks the configuration, its secrets included, says what it comes to, and ends
    #[arg(long)]
    pub(crate) check_config: bool,
}

/// A part of Chopmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Everything
    All,
}
