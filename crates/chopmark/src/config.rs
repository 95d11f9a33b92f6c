//! The configuration: `chopmark.toml` over the compiled-in default, environment variables over both, checked as a whole.
//!
//! ```text
//! default.toml ─┐
//! chopmark.toml ┼─▶ document (a tree; every value knows its line) ─▶ reader ─▶ Config
//! CHOPMARK_…   ─┘                                                      └─────▶ every problem: key, place, mend
//! ```

mod app_info;
mod document;
mod environment;
mod keys;
mod limits;
mod listen;
mod policy;
mod problem;
mod product;
mod reader;
mod secret;
mod seller;
mod settlement;
mod storage;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::terms::SettlementTerms;

pub(crate) use environment::{Environment, LOG_FORMAT};
pub(crate) use keys::KeysConfig;
pub(crate) use limits::Limits;
pub(crate) use listen::{Listen, Tls};
pub(crate) use problem::{ConfigError, Place, Problem};
pub(crate) use product::ProductConfig;
pub(crate) use secret::{SecretError, SecretSource};
pub(crate) use seller::SellerConfig;
pub(crate) use storage::{LogAt, ViewsAt};

use document::Node;
use reader::{Found, Reader, Unique};

use crate::failure::Complaint;

/// The commented default: the reference of every key, and the values of those that a file leaves out.
pub(crate) const DEFAULT: &str = include_str!("config/default.toml");

/// The file taken where none is named, if it exists.
const USUAL_FILE: &str = "chopmark.toml";

/// A whole, checked configuration.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file it came from; `None` when there was none.
    pub(crate) file: Option<PathBuf>,
    /// The folder of everything Chopmark keeps.
    pub(crate) data_dir: PathBuf,
    /// The addresses to listen on.
    pub(crate) listen: Listen,
    /// Certificate and key of the callback listener, where Chopmark itself does TLS.
    pub(crate) tls: Option<Tls>,
    /// Where the event log is.
    pub(crate) log: LogAt,
    /// How much time is between two seals over the event log.
    pub(crate) seal_every: Duration,
    /// Where views are kept.
    pub(crate) views: ViewsAt,
    /// What leases are signed with.
    pub(crate) keys: KeysConfig,
    /// What listeners take.
    pub(crate) limits: Limits,
    /// The sellers.
    pub(crate) sellers: Vec<SellerConfig>,
    /// The products of all sellers.
    pub(crate) products: Vec<ProductConfig>,
}

impl Config {
    /// Loads the named file, else the one that `CHOPMARK_CONFIG` names, else `./chopmark.toml` if it exists; then the
    /// environment; and resolves every secret.
    ///
    /// # Errors
    /// A file that cannot be read, or everything that is wrong with the configuration.
    pub(crate) fn load(named: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let file = named
            .map(PathBuf::from)
            .or_else(|| environment.config_file())
            .or_else(|| Some(PathBuf::from(USUAL_FILE)).filter(|usual| usual.exists()));
        let mut tree = document::parse(DEFAULT, "built-in default")?;
        if let Some(file) = &file {
            let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
            tree = tree.overlaid(document::parse(&text, &file.display().to_string())?);
        }
        let folder = file.as_deref().and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
        let reader = Reader::new(environment, folder);
        environment.overlay(&mut tree, &reader);
        let config = read(&reader, tree, file);
        reader.into_result(config)
    }

    /// What is allowed but hardly meant.
    #[must_use]
    pub(crate) fn warnings(&self) -> Vec<Complaint> {
        if self.sellers.is_empty() {
            return vec![Complaint::new(
                "no seller is configured: every callback will be refused",
                "add a [[seller]]; `chopmark serve --print-config` shows one",
            )];
        }
        let without_orders = self.sellers.iter().filter(|seller| seller.open_api.is_none()).map(|seller| {
            Complaint::new(
                format!("seller {} has no open_api: nothing will be learned of its orders", seller.id),
                "add `open_api = { access_key = { env = \"…\" }, secret_key = { env = \"…\" } }`",
            )
        });
        let without_products = self.sellers.iter().filter(|seller| !self.sells(seller)).map(|seller| {
            Complaint::new(
                format!("seller {} has no product: its licenses will be judged without terms", seller.id),
                "add a [[product]] for each of its SKUs",
            )
        });
        let without_shares = self.products.iter().filter(|product| {
            let SettlementTerms { category, partner_ratio, tax_rate, .. } = &product.terms.settlement;
            *category == Category::JointOperation && (partner_ratio.is_none() || tax_rate.is_none())
        });
        let without_shares = without_shares.map(|product| {
            Complaint::new(
                format!(
                    "product {} is in joint operation without its shares: no amount of it can be computed",
                    product.sku
                ),
                "add `settlement.partner_ratio` and `settlement.tax_rate` to it",
            )
        });
        without_orders.chain(without_products).chain(without_shares).collect()
    }

    /// Sellers with an `open_api`: those that ask the marketplace for the facts of their orders.
    #[must_use]
    pub(crate) fn sellers_that_ask(&self) -> BTreeSet<SellerId> {
        let asking = self.sellers.iter().filter(|seller| seller.open_api.is_some());
        asking.map(|seller| seller.id.clone()).collect()
    }

    fn sells(&self, seller: &SellerConfig) -> bool {
        self.products.iter().any(|product| product.seller == seller.id)
    }
}

/// Reads all parts, so that all problems are found; `None` if a part could not be read.
fn read(reader: &Reader<'_>, tree: Node, file: Option<PathBuf>) -> Option<Config> {
    let mut root = reader.root(tree)?;
    let data_dir = root.required("data_dir", "data_dir = \"./data\"", Found::text).map(PathBuf::from);
    let listen = root.required("listen", "[listen]", listen::read);
    let tls = root.optional("tls", listen::read_tls);
    let log = root.required("log", "[log]", |found| storage::read_log(found, data_dir.as_deref()?));
    let views = root.required("views", "[views]", |found| storage::read_views(found, data_dir.as_deref()?));
    let limits = root.required("limits", "[limits]", limits::read);
    let keys = root.required("keys", "[keys]", keys::read);
    let mut ids = Unique::new("seller");
    let sellers: Vec<_> = root.elements("seller").into_iter().map(|found| seller::read(found, &mut ids)).collect();
    let mut skus = Unique::new("product");
    let products: Vec<_> =
        root.elements("product").into_iter().map(|found| product::read(found, &mut skus, &ids)).collect();
    root.finish();
    let (log, seal_every) = log?;
    Some(Config {
        file,
        data_dir: data_dir?,
        listen: listen?,
        tls: tls?,
        log,
        seal_every,
        views: views?,
        keys: keys?,
        limits: limits?,
        sellers: sellers.into_iter().collect::<Option<_>>()?,
        products: products.into_iter().collect::<Option<_>>()?,
    })
}

fn unreadable(file: &Path, error: &std::io::Error) -> ConfigError {
    ConfigError::from(Problem {
        place: Place::File(file.display().to_string().into()),
        key: String::new(),
        what: format!("the configuration file cannot be read: {error}"),
        mend: "name the right file with --config, or make one: chopmark serve --print-config > chopmark.toml".into(),
    })
}
