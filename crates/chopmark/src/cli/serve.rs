//! `chopmark serve`.

use clap::{Args, ValueEnum};

use super::ConfigArgs;

/// `chopmark serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which part of Chopmark this process is
    #[arg(long, value_enum, default_value_t = Role::All)]
    pub role: Role,
    /// Prints the commented default configuration, the reference of every key, and ends
    #[arg(long, conflicts_with = "check_config")]
    pub print_config: bool,
    /// Checks the configuration, its secrets included, says what it comes to, and ends
    #[arg(long)]
    pub check_config: bool,
}

/// A part of Chopmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything
    All,
}
