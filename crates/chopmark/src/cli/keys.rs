//! `chopmark keys`.

use clap::{Args, Subcommand};

use super::{ConfigArgs, EXIT_CODES};

/// `chopmark keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Lists the keys that leases are signed with
    #[command(after_long_help = EXIT_CODES)]
    List(ListArgs),
    /// Makes the next key the one that signs, and makes a new next one
    #[command(after_long_help = EXIT_CODES)]
    Rotate(RotateArgs),
    /// Prints the root key to compile into software: the public part of the key that signs
    #[command(after_long_help = EXIT_CODES)]
    Root(RootArgs),
}

impl KeysCommand {
    /// Where the configuration is.
    pub(crate) fn config(&self) -> &ConfigArgs {
        match self {
            Self::List(args) => &args.config,
            Self::Rotate(args) => &args.config,
            Self::Root(args) => &args.config,
        }
    }
}

/// `chopmark keys list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Prints JSON, one key a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark keys rotate`.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Rotates although the keys changed within the last ten minutes
    #[arg(long)]
    pub(crate) force: bool,
    /// Prints which key signs, which is next and which was the former one as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark keys root`.
#[derive(Debug, Args)]
pub(crate) struct RootArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Prints all public keys as a JWKS
    #[arg(long)]
    pub(crate) json: bool,
}
