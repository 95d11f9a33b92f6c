//! `chopmark license`.

use std::num::NonZeroUsize;

use chopmark_domain::ids::{InstanceId, OrderId, OrderLineId, ProductId, SellerId, Sku};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

use super::{ConfigArgs, EXIT_CODES, utc};

/// `chopmark license`.
#[derive(Debug, Subcommand)]
pub(crate) enum LicenseCommand {
    /// Takes over an instance that existed before Chopmark, under the id it has
    #[command(after_long_help = EXIT_CODES)]
    Adopt(Box<AdoptArgs>),
    /// Lists licenses
    #[command(after_long_help = EXIT_CODES)]
    List(ListArgs),
    /// Shows one license
    #[command(after_long_help = EXIT_CODES)]
    Show(ShowArgs),
}

impl LicenseCommand {
    /// Where the configuration is.
    pub(crate) fn config(&self) -> &ConfigArgs {
        match self {
            Self::Adopt(args) => &args.config,
            Self::List(args) => &args.config,
            Self::Show(args) => &args.config,
        }
    }
}

/// `chopmark license adopt`.
#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Whose instance it is
    #[arg(long, value_name = "ID", value_parser = SellerId::parse)]
    pub(crate) seller: SellerId,
    /// The instance's id, as the marketplace knows it
    #[arg(value_name = "INSTANCE", value_parser = InstanceId::parse)]
    pub(crate) instance: InstanceId,
    /// The order it was bought with: a repetition of that purchase then answers this instance
    #[arg(long, value_name = "ID", value_parser = OrderId::parse, requires = "order_line")]
    pub(crate) order: Option<OrderId>,
    /// The line of that order
    #[arg(long, value_name = "ID", value_parser = OrderLineId::parse, requires = "order")]
    pub(crate) order_line: Option<OrderLineId>,
    /// What was bought: the SKU
    #[arg(long, value_parser = Sku::parse)]
    pub(crate) sku: Option<Sku>,
    /// What was bought: the marketplace's product id
    #[arg(long, value_name = "ID", value_parser = ProductId::parse)]
    pub(crate) product_id: Option<ProductId>,
    /// How many were bought
    #[arg(long, value_name = "NUMBER")]
    pub(crate) quantity: Option<u32>,
    /// When it expires, e.g. 2027-10-27T10:30:15Z
    #[arg(long, value_name = "TIME", value_parser = utc)]
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Where it stands
    #[arg(long, value_enum, default_value_t = AdoptedStatus::Active)]
    pub(crate) status: AdoptedStatus,
    /// Prints the license as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where an adopted instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AdoptedStatus {
    /// Usable
    Active,
    /// Frozen by the marketplace
    Frozen,
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
    /// Whose id begins like this
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value = "100")]
    pub(crate) limit: NonZeroUsize,
    /// Prints JSON, one license a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// The status of a license, as verdicts spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusName {
    /// Bought, and not made yet; in this version no license stays so
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
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The instance id or license code
    #[arg(value_name = "LICENSE")]
    pub(crate) license: String,
    /// Whose it is, where two sellers have the same
    #[arg(long, value_name = "ID", value_parser = SellerId::parse)]
    pub(crate) seller: Option<SellerId>,
    /// Prints the license as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
