//! `chopmark simulate`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use chopmark_domain::ids::{SellerId, Sku};
use clap::{Args, ValueEnum};
use secrecy::SecretString;

use super::ConfigArgs;
use crate::config::SecretSource;

/// `chopmark simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The server's callback listener, e.g. http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    pub(crate) target: String,
    /// Which seller to call: the last part of /callbacks/{seller}
    #[arg(long, value_name = "ID", value_parser = SellerId::parse)]
    pub(crate) seller: SellerId,
    /// The server's api listener, to check what becomes of licenses, e.g. http://127.0.0.1:8081
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
    /// Trusts the certificates of this PEM file too, where the server's is not of a public authority
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// What to play; may be repeated
    #[arg(long, value_enum, value_name = "NAME", default_value = "purchase")]
    pub(crate) scenario: Vec<ScenarioName>,
    /// The SKU to play with: what is bought; for `image`, a product of kind image [default: a63ee5c9-0000, and none]
    #[arg(long, value_name = "SKU", value_parser = Sku::parse)]
    pub(crate) product: Option<Sku>,
    /// Prints the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the keys are that no other option names.
    #[command(flatten, next_help_heading = "Keys")]
    pub(crate) config: ConfigArgs,
    /// The key of the base interface.
    #[command(flatten)]
    pub(crate) base_key: BaseKeyArgs,
    /// The key of license-code delivery.
    #[command(flatten)]
    pub(crate) code_key: CodeKeyArgs,
    /// A token to look things up with.
    #[command(flatten)]
    pub(crate) token: TokenArgs,
    /// The open API to serve.
    #[command(flatten, next_help_heading = "Open API")]
    pub(crate) open_api: OpenApiArgs,
    /// How much of a storm.
    #[command(flatten, next_help_heading = "Load")]
    pub(crate) load: LoadArgs,
}

/// The key of the base interface; without it the configuration's first.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct BaseKeyArgs {
    /// The key of the base interface; other users of this machine can see it
    #[arg(long, value_name = "KEY", value_parser = secret)]
    key: Option<SecretString>,
    /// The environment variable that holds the key of the base interface
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// The file that holds the key of the base interface
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// The key of license-code delivery; without it the configuration's first.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct CodeKeyArgs {
    /// The key of license-code delivery; other users of this machine can see it
    #[arg(long, value_name = "KEY", value_parser = secret)]
    code_key: Option<SecretString>,
    /// The environment variable that holds the key of license-code delivery
    #[arg(long, value_name = "NAME")]
    code_key_env: Option<String>,
    /// The file that holds the key of license-code delivery
    #[arg(long, value_name = "FILE")]
    code_key_file: Option<PathBuf>,
}

/// A token of the server.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct TokenArgs {
    /// The environment variable that holds a token: with one of the role support `image` sees what operators are shown,
    /// `months` needs one of the role finance or admin
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    /// The file that holds such a token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// The marketplace's open API, served while the play lasts.
#[derive(Debug, Args)]
pub(crate) struct OpenApiArgs {
    /// Serves the marketplace's open API too, at this address; the seller's open_api.base_url must name it
    #[arg(long = "open-api", value_name = "ADDRESS")]
    pub(crate) address: Option<SocketAddr>,
    /// The AK that callers of the open API sign with [default: the seller's in the configuration]
    #[arg(long, value_name = "AK", requires = "address")]
    pub(crate) access_key: Option<String>,
    /// The SK that goes with it; other users of this machine can see it [default: as for the AK]
    #[arg(long, value_name = "SK", value_parser = secret, requires = "address")]
    secret_key: Option<SecretString>,
    /// The environment variable that holds the SK
    #[arg(long, value_name = "NAME", requires = "address", conflicts_with = "secret_key")]
    secret_key_env: Option<String>,
}

/// How much of a storm.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Callbacks a second, for `storm` [default: as many as are answered]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// Connections at a time, for `storm`
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,
    /// Purchases to play, for `storm`
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    /// Which share of the deliveries repeats an earlier purchase, 0 to 1, for `storm` [default: 0.01]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) duplicates: Option<f64>,
}

/// A play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScenarioName {
    /// A purchase, its query, and its repetition
    Purchase,
    /// A license from purchase to release, through everything the marketplace can do to it
    Lifecycle,
    /// Everything delivered more than once
    Duplicates,
    /// Callbacks out of order
    Reorder,
    /// The open API is away, and comes back
    Outage,
    /// The console's dial tests
    Dialtest,
    /// Many purchases at once
    Storm,
    /// A race of machines for the seats of a license
    Seats,
    /// An image: an ECS is enrolled, moved, installed again, copied; needs --product
    Image,
    /// License codes, from the buyer's hands to activation; needs --open-api
    Codes,
    /// A license document made on request; needs --open-api
    Online,
    /// The customer's software, through an outage and a freeze; needs --open-api
    Software,
    /// Three months of a shop, the console's files and its bills; needs --open-api and a token of the role finance
    Months,
}

impl BaseKeyArgs {
    /// Where the key is; `None` means in the configuration.
    #[must_use]
    pub(crate) fn source(&self) -> Option<SecretSource> {
        named(self.key.as_ref(), self.key_env.as_ref(), self.key_file.as_ref())
    }
}

impl CodeKeyArgs {
    /// Where the key is; `None` means in the configuration, if it has one.
    #[must_use]
    pub(crate) fn source(&self) -> Option<SecretSource> {
        named(self.code_key.as_ref(), self.code_key_env.as_ref(), self.code_key_file.as_ref())
    }
}

impl TokenArgs {
    /// Where the token is; `None` means there is none.
    #[must_use]
    pub(crate) fn source(&self) -> Option<SecretSource> {
        named(None, self.token_env.as_ref(), self.token_file.as_ref())
    }
}

impl OpenApiArgs {
    /// Where the SK is; `None` means in the configuration.
    #[must_use]
    pub(crate) fn secret_key(&self) -> Option<SecretSource> {
        named(self.secret_key.as_ref(), self.secret_key_env.as_ref(), None)
    }
}

fn named(value: Option<&SecretString>, variable: Option<&String>, file: Option<&PathBuf>) -> Option<SecretSource> {
    let value = value.cloned().map(SecretSource::Value);
    let variable = variable.cloned().map(SecretSource::Variable);
    value.or(variable).or(file.cloned().map(SecretSource::File))
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "this is no number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("a share lies between 0 and 1".into()) }
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}
