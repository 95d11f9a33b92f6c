//! `chopmark keys`.

use clap::{Args, Subcommand};

use super::{ConfigArgs, EXIT_CODES};

/// `chopmark keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Lists the keys that leases are signed with
    #[command(after_long_help = EXIT_CODES)]
    List(KeysArgs),
    /// Makes the next key the one that signs, and makes a new next one
    #[command(after_long_help = EXIT_CODES)]
    Rotate(KeysArgs),
    /// Prints the root key to compile into software: the public part of the key that signs
    #[command(after_long_help = EXIT_CODES)]
    Root(KeysArgs),
}

impl KeysCommand {
    /// What all of them take.
    pub(crate) fn args(&self) -> &KeysArgs {
        match self {
            Self::List(args) | Self::Rotate(args) | Self::Root(args) => args,
        }
    }
}

/// `chopmark keys list`, `rotate` and `root`.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Prints JSON; `root` prints all public keys as a JWKS
    #[arg(long)]
    pub(crate) json: bool,
}
