//! `chopmark license`.

pub(crate) mod adopt;

use std::num::NonZeroUsize;

use chopmark_domain::ids::{Fingerprint, SellerId, Sku};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

use super::{ConfigArgs, EXIT_CODES, utc};
use adopt::AdoptArgs;

/// `chopmark license`.
#[derive(Debug, Subcommand)]
pub(crate) enum LicenseCommand {
    /// Takes over an instance that existed before Chopmark, under the id it has
    #[command(after_long_help = EXIT_CODES)]
    Adopt(Box<AdoptArgs>),
    /// Lists licenses
    #[command(after_long_help = EXIT_CODES)]
    List(ListArgs),
    /// Shows one license, now or as it was
    #[command(after_long_help = EXIT_CODES)]
    Show(ShowArgs),
    /// Tells what happened to a license, and what was behind it
    #[command(after_long_help = EXIT_CODES)]
    History(HistoryArgs),
    /// Says why a check is answered as it is, or was
    #[command(after_long_help = EXIT_CODES)]
    Explain(ExplainArgs),
    /// Stops a license: checks say BLOCKED
    #[command(after_long_help = EXIT_CODES)]
    Block(BlockArgs),
    /// Lets a license go on
    #[command(after_long_help = EXIT_CODES)]
    Unblock(UnblockArgs),
    /// Lists the machines of a license, and when they were last seen
    #[command(after_long_help = EXIT_CODES)]
    Machines(MachinesArgs),
    /// Frees the seat of a machine
    #[command(after_long_help = EXIT_CODES)]
    Free(FreeArgs),
}

impl LicenseCommand {
    /// Where the configuration is.
    pub(crate) fn config(&self) -> &ConfigArgs {
        match self {
            Self::Adopt(args) => &args.config,
            Self::List(args) => &args.config,
            Self::Show(args) => &args.which.config,
            Self::History(args) => &args.which.config,
            Self::Explain(args) => &args.which.config,
            Self::Block(args) => &args.which.config,
            Self::Unblock(args) => &args.which.config,
            Self::Machines(args) => &args.which.config,
            Self::Free(args) => &args.which.config,
        }
    }
}

/// Which license.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The instance id, license code or ECS id
    #[arg(value_name = "LICENSE")]
    pub(crate) license: String,
    /// Whose it is, where two sellers have the same
    #[arg(long, value_name = "ID", value_parser = SellerId::parse)]
    pub(crate) seller: Option<SellerId>,
}

/// `chopmark license list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Of this seller only
    #[arg(long, value_name = "ID", value_parser = SellerId::parse)]
    pub(crate) seller: Option<SellerId>,
    /// Of this product only
    #[arg(long, value_name = "SKU", value_parser = Sku::parse)]
    pub(crate) product: Option<Sku>,
    /// With this status only
    #[arg(long, value_enum)]
    pub(crate) status: Option<StatusName>,
    /// Those that an operator stopped only
    #[arg(long)]
    pub(crate) blocked: bool,
    /// Deployments whose ECS id two systems were lately seen to use in turn only
    #[arg(long)]
    pub(crate) clones: bool,
    /// Whose id begins like this
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = limit)]
    pub(crate) limit: NonZeroUsize,
    /// Prints JSON, one license a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// The status of a license, as verdicts spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusName {
    /// Bought, and not handed over yet: a code that nobody activated, a license document that was not delivered
    Pending,
    /// Usable
    Active,
    /// Frozen by the marketplace
    Frozen,
    /// Over
    Released,
}

/// `chopmark license show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Which license.
    #[command(flatten)]
    pub(crate) which: Which,
    /// As it was then, e.g. 2026-12-01T00:00:00Z: all that was known by that time, judged at that time
    #[arg(long, value_name = "TIME", value_parser = utc)]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// Prints the license as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark license history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Which license.
    #[command(flatten)]
    pub(crate) which: Which,
    /// Prints JSON, one event a line, with the data and the signed request or answer behind it
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark license explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Which license.
    #[command(flatten)]
    pub(crate) which: Which,
    /// What of the log to look at: the `position` of the check's answer [default: everything]
    #[arg(long, value_name = "POSITION", value_parser = position)]
    pub(crate) position: Option<u64>,
    /// The time of the check: the `checked_at` of its answer [default: that of the position, else now]
    #[arg(long, value_name = "TIME", value_parser = utc)]
    pub(crate) at: Option<DateTime<Utc>>,
    /// The product that the check asked for
    #[arg(long, value_name = "SKU", value_parser = Sku::parse)]
    pub(crate) product: Option<Sku>,
    /// The fingerprint of the machine that asked
    #[arg(long, value_name = "FINGERPRINT", value_parser = Fingerprint::parse)]
    pub(crate) machine: Option<Fingerprint>,
    /// Prints the explanation as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark license block`.
#[derive(Debug, Args)]
pub(crate) struct BlockArgs {
    /// Which license.
    #[command(flatten)]
    pub(crate) which: Which,
    /// Why, for those who ask later; customers do not see it
    #[arg(long, value_name = "TEXT", value_parser = chopmark_query::block_reason)]
    pub(crate) reason: String,
    /// Prints the license as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark license unblock`.
#[derive(Debug, Args)]
pub(crate) struct UnblockArgs {
    /// Which license.
    #[command(flatten)]
    pub(crate) which: Which,
    /// Prints the license as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark license machines`.
#[derive(Debug, Args)]
pub(crate) struct MachinesArgs {
    /// Which license.
    #[command(flatten)]
    pub(crate) which: Which,
    /// Prints JSON, one machine a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark license free`.
#[derive(Debug, Args)]
pub(crate) struct FreeArgs {
    /// Which license.
    #[command(flatten)]
    pub(crate) which: Which,
    /// The machine
    #[arg(value_name = "FINGERPRINT", value_parser = Fingerprint::parse)]
    pub(crate) fingerprint: Fingerprint,
    /// Gives the seat away at once, although the machine may hold a lease that is good for a while
    #[arg(long)]
    pub(crate) now: bool,
    /// Prints the machine as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn limit(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "write a whole number, 1 or more")
}

fn position(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "this is no position; hand over the `position` of an answer, a whole number")
}
