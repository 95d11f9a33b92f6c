//! `chopmark settlement`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use chopmark_domain::ids::{OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::readiness::Blocked;
use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use rust_decimal::Decimal;

use super::{ConfigArgs, EXIT_CODES, utc};
use crate::config::SecretSource;

/// `chopmark settlement`.
#[derive(Debug, Subcommand)]
pub(crate) enum SettlementCommand {
    /// Lists the months: what was sold, what the marketplace keeps, what is paid out and when
    #[command(after_long_help = EXIT_CODES)]
    Periods(PeriodsArgs),
    /// Lists settlement lines, each with its amount, its month and what it waits for
    #[command(after_long_help = EXIT_CODES)]
    Lines(LinesArgs),
    /// Says what will be paid and when, and what is still blocked and why
    #[command(after_long_help = EXIT_CODES)]
    Forecast(ForecastArgs),
    /// Reads a file of the console: shows what it would change, and changes it with --commit
    #[command(subcommand, after_long_help = EXIT_CODES)]
    Import(ImportCommand),
    /// Compares the bill of a month with what was expected, differences first; exit code 1 if any is open
    #[command(after_long_help = EXIT_CODES)]
    Reconcile(ReconcileArgs),
    /// Accepts or disputes a difference
    #[command(after_long_help = EXIT_CODES)]
    Judge(JudgeArgs),
    /// States facts of an order's line that the open API does not give, as read on the console
    #[command(after_long_help = EXIT_CODES)]
    State(Box<StateArgs>),
    /// Records a correction on a month's bill
    #[command(after_long_help = EXIT_CODES)]
    Adjust(AdjustArgs),
    /// Shows what a month would be closed with, and closes it with --commit: its lines stand from then on
    #[command(after_long_help = EXIT_CODES)]
    Close(CloseArgs),
    /// Writes a view to a file, CSV or XLSX
    #[command(after_long_help = EXIT_CODES)]
    Export(ExportArgs),
}

/// Where the server is and who asks.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Whose money [default: the only seller of the configuration]
    #[arg(long, value_name = "ID", value_parser = SellerId::parse)]
    pub(crate) seller: Option<SellerId>,
    /// The server's api listener [default: the configuration's listen.api, on this machine]
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<url::Url>,
    /// Trusts the certificates of this PEM file too, where the server's is not of a public authority
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// A token of the role finance or admin.
    #[command(flatten)]
    pub(crate) token: FinanceTokenArgs,
    /// Prints the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A token of the server with the role finance or admin.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct FinanceTokenArgs {
    /// The environment variable that holds a token of the role finance or admin [default: the file admin-token in data_dir]
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    /// The file that holds such a token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl FinanceTokenArgs {
    /// Where the token is; `None` means in the data folder.
    #[must_use]
    pub(crate) fn source(&self) -> Option<SecretSource> {
        let variable = self.token_env.clone().map(SecretSource::Variable);
        variable.or(self.token_file.clone().map(SecretSource::File))
    }
}

/// `chopmark settlement periods`.
#[derive(Debug, Args)]
pub(crate) struct PeriodsArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `chopmark settlement lines`.
#[derive(Debug, Args)]
pub(crate) struct LinesArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Which of them.
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value = "100")]
    pub(crate) limit: NonZeroUsize,
}

/// Which lines.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Of this month, e.g. 202405
    #[arg(long, value_name = "YYYYMM", value_parser = Period::parse)]
    pub(crate) period: Option<Period>,
    /// Of this product
    #[arg(long, value_name = "SKU", value_parser = Sku::parse)]
    pub(crate) product: Option<Sku>,
    /// Of this order
    #[arg(long, value_name = "ID", value_parser = OrderId::parse)]
    pub(crate) order: Option<OrderId>,
    /// Only those that wait for this, e.g. SUPERVISION_OPEN
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub(crate) blocked: Option<Blocked>,
}

/// `chopmark settlement forecast`.
#[derive(Debug, Args)]
pub(crate) struct ForecastArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `chopmark settlement import`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Transaction details: what the open API does not tell of orders
    #[command(after_long_help = EXIT_CODES)]
    Transactions(ImportArgs),
    /// The bill of a month
    #[command(after_long_help = EXIT_CODES)]
    Bill(ImportBillArgs),
}

/// `chopmark settlement import transactions`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The file as the console exported it, CSV or XLSX
    #[arg(id = "exported", value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The mapping of its columns [default: the one that fits best]
    #[arg(long, value_name = "NAME")]
    pub(crate) mapping: Option<String>,
    /// Takes the file; without it nothing is changed
    #[arg(long)]
    pub(crate) commit: bool,
}

/// `chopmark settlement import bill`.
#[derive(Debug, Args)]
pub(crate) struct ImportBillArgs {
    /// The file.
    #[command(flatten)]
    pub(crate) import: ImportArgs,
    /// The bill's month, e.g. 202405
    #[arg(long, value_name = "YYYYMM", value_parser = Period::parse)]
    pub(crate) period: Period,
    /// The tab of the console that it is from
    #[arg(long, value_enum, default_value_t = CategoryName::Generic)]
    pub(crate) category: CategoryName,
}

/// `chopmark settlement reconcile`.
#[derive(Debug, Args)]
pub(crate) struct ReconcileArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The month, e.g. 202405
    #[arg(value_name = "YYYYMM", value_parser = Period::parse)]
    pub(crate) period: Period,
    /// The tab of the console
    #[arg(long, value_enum, default_value_t = CategoryName::Generic)]
    pub(crate) category: CategoryName,
    /// Shows what matches, too
    #[arg(long)]
    pub(crate) all: bool,
}

/// `chopmark settlement judge`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("verdict").required(true)))]
pub(crate) struct JudgeArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The month, e.g. 202405
    #[arg(value_name = "YYYYMM", value_parser = Period::parse)]
    pub(crate) period: Period,
    /// What the pair is matched by, as `reconcile` shows it, e.g. line:CS2207261447AUY4H-000001
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// The tab of the console
    #[arg(long, value_enum, default_value_t = CategoryName::Generic)]
    pub(crate) category: CategoryName,
    /// The bill is right, or not worth a ticket
    #[arg(long, group = "verdict")]
    pub(crate) accept: bool,
    /// The bill is wrong; a ticket goes to the marketplace
    #[arg(long, group = "verdict")]
    pub(crate) dispute: bool,
    /// Why, and the ticket's number
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: String,
}

/// `chopmark settlement state`. What is not given stays as it was.
#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The order
    #[arg(value_name = "ORDER", value_parser = OrderId::parse)]
    pub(crate) order: OrderId,
    /// Its line [default: its first, ORDER-000001]
    #[arg(long, value_name = "ID", value_parser = OrderLineId::parse)]
    pub(crate) line: Option<OrderLineId>,
    /// When it takes effect: a time like 2024-05-01T00:00:00+08:00, or `not-yet`
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub(crate) effective: Option<Moment>,
    /// When it was paid in full: a time, or `not-yet`
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub(crate) paid: Option<Moment>,
    /// When it was accepted: a time, `not-yet`, or `not-applicable`
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub(crate) accepted: Option<Moment>,
    /// What the goods cost; negative for a refund
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) sales: Option<Decimal>,
    /// The voucher used
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) voucher: Option<Decimal>,
    /// The line that a refund gives back
    #[arg(long, value_name = "ID", value_parser = OrderLineId::parse)]
    pub(crate) original: Option<OrderLineId>,
    /// It never took effect and never will: it leaves the views
    #[arg(long)]
    pub(crate) withdrawn: bool,
}

/// `chopmark settlement adjust`.
#[derive(Debug, Args)]
pub(crate) struct AdjustArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The month whose bill it is on, e.g. 202405
    #[arg(value_name = "YYYYMM", value_parser = Period::parse)]
    pub(crate) period: Period,
    /// The month that is corrected [default: the one before]
    #[arg(long, value_name = "YYYYMM", value_parser = Period::parse)]
    pub(crate) corrects: Option<Period>,
    /// The line that is corrected, where it is about one
    #[arg(long, value_name = "LINE")]
    pub(crate) line: Option<String>,
    /// The tab of the console
    #[arg(long, value_enum, default_value_t = CategoryName::Generic)]
    pub(crate) category: CategoryName,
    /// What it is called, for ever, e.g. the ticket's number
    #[arg(long, value_name = "ID")]
    pub(crate) id: String,
    /// How much; negative if it is taken back
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) amount: Decimal,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: String,
}

/// `chopmark settlement close`.
#[derive(Debug, Args)]
pub(crate) struct CloseArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The month, e.g. 202405
    #[arg(value_name = "YYYYMM", value_parser = Period::parse)]
    pub(crate) period: Period,
    /// Closes it, for good; without it nothing is changed
    #[arg(long)]
    pub(crate) commit: bool,
}

/// `chopmark settlement export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Where the server is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Which view
    #[arg(value_enum)]
    pub(crate) view: View,
    /// Which lines.
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// The tab of the console, for a reconciliation
    #[arg(long, value_enum, default_value_t = CategoryName::Generic)]
    pub(crate) category: CategoryName,
    /// The file to write; its ending says how: .csv or .xlsx
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// A view that can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum View {
    /// The months
    Periods,
    /// Settlement lines
    Lines,
    /// What is expected
    Forecast,
    /// A bill compared with what was expected; needs --period
    Reconciliation,
}

/// A tab of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CategoryName {
    /// Generic goods
    Generic,
    /// Selected and certified parts
    Selected,
    /// Joint operation
    JointOperation,
    /// Huawei self-service
    HuaweiSelfService,
}

impl CategoryName {
    /// Its code.
    #[must_use]
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Generic => Category::Generic,
            Self::Selected => Category::Selected,
            Self::JointOperation => Category::JointOperation,
            Self::HuaweiSelfService => Category::HuaweiSelfService,
        }
        .code()
    }
}

/// A stated moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It has not happened.
    NotYet,
    /// It does not apply.
    NotApplicable,
    /// It happens then.
    At(DateTime<Utc>),
}

impl Moment {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "not-yet" => Ok(Self::NotYet),
            "not-applicable" => Ok(Self::NotApplicable),
            text => utc(text).map(Self::At),
        }
    }
}

fn reason(text: &str) -> Result<Blocked, String> {
    Blocked::from_code(text).ok_or_else(|| {
        let known: Vec<_> = Blocked::ALL.into_iter().map(Blocked::code).collect();
        format!("lines wait for none of this; choose one of {}", known.join(", "))
    })
}
