//! `chopmark token`.

use chopmark_domain::access::Role;
use chopmark_domain::ids::SellerId;
use clap::{Args, Subcommand, ValueEnum};

use super::duration::seconds;
use super::{ConfigArgs, EXIT_CODES};

/// `chopmark token`.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token and prints it, this once: standard output has the token alone
    #[command(after_long_help = EXIT_CODES)]
    Create(CreateArgs),
    /// Lists tokens: what they may do, until when, and when they were last used
    #[command(after_long_help = EXIT_CODES)]
    List(ListArgs),
    /// Takes a token back, for good
    #[command(after_long_help = EXIT_CODES)]
    Revoke(RevokeArgs),
}

impl TokenCommand {
    /// Where the configuration is.
    pub(crate) fn config(&self) -> &ConfigArgs {
        match self {
            Self::Create(args) => &args.config,
            Self::List(args) => &args.config,
            Self::Revoke(args) => &args.config,
        }
    }
}

/// `chopmark token create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// What it is called in lists and in the history of licenses: 1 to 64 of A-Z a-z 0-9 . _ - and for ever
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it may do
    #[arg(long, value_enum)]
    pub(crate) role: RoleName,
    /// For this seller; may be repeated [default: for all]
    #[arg(long = "seller", value_name = "ID", value_parser = SellerId::parse)]
    pub(crate) sellers: Vec<SellerId>,
    /// Ends by itself after this time, e.g. 12h or 30d, at most ten years [default: never]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) expires_in: Option<u32>,
    /// Prints the token with all that is known of it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Look licenses up and help customers
    Support,
    /// Read the finance views too
    Finance,
    /// Everything
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Support => Self::Support,
            RoleName::Finance => Self::Finance,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// `chopmark token list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Prints JSON, one token a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark token revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// What it is called
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}
