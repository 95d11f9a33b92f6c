//! `chopmark license`.

use chopmark_domain::ids::{InstanceId, OrderId, OrderLineId, ProductId, SellerId, Sku};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};

use super::{ConfigArgs, EXIT_CODES, utc};

/// `chopmark license`.
#[derive(Debug, Subcommand)]
pub enum LicenseCommand {
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

/// `chopmark license adopt`.
#[derive(Debug, Args)]
pub struct AdoptArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Whose instance it is
    #[arg(long, value_name = "ID", value_parser = SellerId::parse)]
    pub seller: SellerId,
    /// The instance's id, as the marketplace knows it
    #[arg(value_name = "INSTANCE", value_parser = InstanceId::parse)]
    pub instance: InstanceId,
    /// The order it was bought with: a repetition of that purchase then answers this instance
    #[arg(long, value_name = "ID", value_parser = OrderId::parse, requires = "order_line")]
    pub order: Option<OrderId>,
    /// The line of that order
    #[arg(long, value_name = "ID", value_parser = OrderLineId::parse, requires = "order")]
    pub order_line: Option<OrderLineId>,
    /// What was bought: the SKU
    #[arg(long, value_parser = Sku::parse)]
    pub sku: Option<Sku>,
    /// What was bought: the marketplace's product id
    #[arg(long, value_name = "ID", value_parser = ProductId::parse)]
    pub product_id: Option<ProductId>,
    /// How many were bought
    #[arg(long, value_name = "NUMBER")]
    pub quantity: Option<u32>,
    /// When it expires, e.g. 2027-10-27T10:30:15Z
    #[arg(long, value_name = "TIME", value_parser = utc)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Where it stands
    #[arg(long, value_enum, default_value_t = AdoptedStatus::Active)]
    pub status: AdoptedStatus,
    /// Prints the license as JSON
    #[arg(long)]
    pub json: bool,
}

/// Where an adopted instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdoptedStatus {
    /// Usable
    Active,
    /// Frozen by the marketplace
    Frozen,
}

/// `chopmark license list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Of this seller only
    #[arg(long, value_name = "ID", value_parser = SellerId::parse)]
    pub seller: Option<SellerId>,
    /// Of this product only
    #[arg(long, value_name = "SKU", value_parser = Sku::parse)]
    pub product: Option<Sku>,
    /// With this status only
    #[arg(long, value_enum)]
    pub status: Option<StatusName>,
    /// Whose id begins like this
    #[arg(long, value_name = "TEXT")]
    pub prefix: Option<String>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub limit: usize,
    /// Prints JSON, one license a line
    #[arg(long)]
    pub json: bool,
}

/// The status of a license, as verdicts spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusName {
    /// A code or online license that is not activated yet
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
pub struct ShowArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The instance id or license code
    #[arg(value_name = "LICENSE")]
    pub license: String,
    /// Whose it is, where two sellers have the same
    #[arg(long, value_name = "ID", value_parser = SellerId::parse)]
    pub seller: Option<SellerId>,
    /// As it was then, e.g. 2026-12-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = utc)]
    pub as_of: Option<DateTime<Utc>>,
    /// Prints the license as JSON
    #[arg(long)]
    pub json: bool,
}
