//! `chopmark license adopt`.

use chopmark_domain::ids::{InstanceId, OrderId, OrderLineId, ProductId, SellerId, Sku};
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use crate::cli::{ConfigArgs, utc};

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
