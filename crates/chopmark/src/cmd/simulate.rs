//! `chopmark simulate`: plays the marketplace against a server.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use chopmark_huawei::keys::InterfaceType;
use chopmark_simulator::report::{Progress, Report, Step};
use chopmark_simulator::scenarios::{Context, Scenario, storm};
use chopmark_simulator::{Credentials, Keys, OpenApiServer, Orders, Url};
use chrono::Utc;
use clap::ValueEnum;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::cli::simulate::{ScenarioName, SimulateArgs};
use crate::config::{Config, Environment, SecretSource, SellerConfig};
use crate::failure::{Complaint, Failure, OrFail, Reason};
use crate::server::tls::certificates;

/// Plays each scenario asked for.
///
/// # Errors
/// A key is missing, an address is none, or a check failed.
pub(crate) async fn run(args: &SimulateArgs, environment: &Environment) -> Result<(), Failure> {
    must_be_playable(args)?;
    let console = Console { quiet: args.json };
    let target = url("--target", &args.target)?;
    let seller = seller(args, environment)?;
    let mut context = Context::new(target, args.seller.as_str(), keys(args, environment, seller.as_ref())?, &console);
    context.api = args.api.as_deref().map(|api| url("--api", api)).transpose()?;
    context.tls = Some(Arc::new(tls(args.ca.as_deref())?));
    context.token = args.token.source().map(|source| source.resolve(environment)).transpose()?;
    if let Some(product) = &args.product {
        context.product.sku = product.to_string();
        context.image_product = Some(product.to_string());
    }
    let orders = Orders::with_mocks(&context.product, Utc::now());
    let open_api = open_api(args, environment, seller.as_ref(), orders.clone())?;
    context.orders = open_api.is_some().then_some(orders);
    context.desk = open_api.as_ref().map(OpenApiServer::desk);

    let mut reports = vec![];
    for name in &args.scenario {
        let report = play(*name, args, &context).await;
        console.ended(&report)?;
        reports.push(report);
    }
    if let Some(server) = open_api {
        server.stop().await;
    }
    let ok = reports.iter().all(|report| report.ok);
    if args.json {
        crate::print(&format!("{:#}\n", json!({ "ok": ok, "scenarios": reports })))?;
    }
    if ok { Ok(()) } else { Err(Failure { reason: Reason::CheckFailed, complaints: vec![] }) }
}

/// What a play cannot do without is asked for before the first one begins.
fn must_be_playable(args: &SimulateArgs) -> Result<(), Failure> {
    let complaints: Vec<Complaint> = args.scenario.iter().filter_map(|name| missing(*name, args)).collect();
    if complaints.is_empty() { Ok(()) } else { Err(Failure { reason: Reason::Usage, complaints }) }
}

/// What is missing for a play.
fn missing(name: ScenarioName, args: &SimulateArgs) -> Option<Complaint> {
    use ScenarioName::{Codes, Image, Months, Online, Seats, Software};
    let needs_api = matches!(name, Seats | Image | Codes | Online | Software | Months);
    let needs_open_api = matches!(name, Codes | Online | Software | Months);
    let (option, mend) = match () {
        () if needs_api && args.api.is_none() => {
            ("--api", "give the server's api listener, e.g. --api http://127.0.0.1:8081")
        }
        () if needs_open_api && args.open_api.address.is_none() => {
            ("--open-api", "give the address that the seller's open_api.base_url names, e.g. --open-api 127.0.0.1:9443")
        }
        () if name == Image && args.product.is_none() => ("--product", "name a product of kind image"),
        () if name == Months && args.token.source().is_none() => {
            ("--token-file", "name the file of a token of the role finance or admin, or its variable with --token-env")
        }
        () => return None,
    };
    let word = name.to_possible_value().map(|word| word.get_name().to_owned()).unwrap_or_default();
    Some(Complaint::new(format!("the scenario {word} needs {option}"), mend))
}

async fn play(name: ScenarioName, args: &SimulateArgs, context: &Context<'_>) -> Report {
    let scenario = match name {
        ScenarioName::Purchase => Scenario::Purchase,
        ScenarioName::Lifecycle => Scenario::Lifecycle,
        ScenarioName::Duplicates => Scenario::Duplicates,
        ScenarioName::Reorder => Scenario::Reorder,
        ScenarioName::Outage => Scenario::Outage,
        ScenarioName::Dialtest => Scenario::Dialtest,
        ScenarioName::Seats => Scenario::Seats,
        ScenarioName::Image => Scenario::Image,
        ScenarioName::Codes => Scenario::Codes,
        ScenarioName::Online => Scenario::Online,
        ScenarioName::Software => Scenario::Software,
        ScenarioName::Months => Scenario::Months,
        ScenarioName::Storm => return storm::play(context, storm_options(args)).await,
    };
    scenario.play(context).await
}

fn storm_options(args: &SimulateArgs) -> storm::Options {
    let load = &args.load;
    storm::Options {
        rate: load.rate.map_or(0.0, f64::from),
        connections: usize::try_from(load.connections).unwrap_or(usize::MAX),
        count: load.count.into(),
        duplicates: load.duplicates.unwrap_or(storm::Options::default().duplicates),
        keep_acknowledged: false,
    }
}

fn url(option: &str, text: &str) -> Result<Url, Failure> {
    text.parse().or_fail(Reason::Usage, format!("{option} {text}"), "write it like http://127.0.0.1:8080")
}

/// The seller's configuration, if something is wanted of it that no option gives.
fn seller(args: &SimulateArgs, environment: &Environment) -> Result<Option<SellerConfig>, Failure> {
    let open_api = &args.open_api;
    let has_credentials = open_api.access_key.is_some() && open_api.secret_key().is_some();
    if args.base_key.source().is_some() && (open_api.address.is_none() || has_credentials) {
        return Ok(None);
    }
    let config = Config::load(args.config.file.as_deref(), environment)?;
    Ok(config.sellers.into_iter().find(|seller| seller.id == args.seller))
}

/// The keys to sign with: of the options, else of the configuration.
fn keys(args: &SimulateArgs, environment: &Environment, seller: Option<&SellerConfig>) -> Result<Keys, Failure> {
    let given = |source: Option<SecretSource>| source.map(|source| source.resolve(environment)).transpose();
    let (base, code) = (given(args.base_key.source())?, given(args.code_key.source())?);
    let configured = |wanted: InterfaceType| -> Option<SecretString> {
        seller?.keys.iter().find(|(interface, _)| *interface == wanted).map(|(_, key)| key.clone())
    };
    let base = base.or_else(|| configured(InterfaceType::Base)).ok_or_else(|| {
        Failure::new(
            Reason::Usage,
            format!("there is no base key for seller {}", args.seller),
            "give one with --key-env or --key-file, or name a configuration that has this seller with --config",
        )
    })?;
    let license_code = code.or_else(|| configured(InterfaceType::LicenseCode));
    Ok(Keys { base, license_code, general: configured(InterfaceType::General) })
}

/// The open API, if it is to be served.
fn open_api(
    args: &SimulateArgs,
    environment: &Environment,
    seller: Option<&SellerConfig>,
    orders: Orders,
) -> Result<Option<OpenApiServer>, Failure> {
    let Some(address) = args.open_api.address else {
        return Ok(None);
    };
    let server = OpenApiServer::start_at(address, credentials(args, environment, seller)?, orders);
    server.or_fail(Reason::Usage, format!("--open-api {address}"), "choose another address").map(Some)
}

/// What callers of the open API sign with: of the options, else of the configuration.
fn credentials(
    args: &SimulateArgs,
    environment: &Environment,
    seller: Option<&SellerConfig>,
) -> Result<Credentials, Failure> {
    let configured = seller.and_then(|seller| seller.open_api.as_ref());
    let access_key = args.open_api.access_key.clone();
    let access_key = access_key.or_else(|| Some(configured?.access_key.expose_secret().to_owned()));
    let secret_key = args.open_api.secret_key().map(|secret| secret.resolve(environment)).transpose()?;
    let secret_key = secret_key.or_else(|| Some(configured?.secret_key.clone()));
    access_key.zip(secret_key).map(|(access_key, secret_key)| Credentials { access_key, secret_key }).ok_or_else(|| {
        Failure::new(
            Reason::Usage,
            format!("--open-api has no AK and SK, and seller {} has no open_api in the configuration", args.seller),
            "give --access-key and --secret-key-env, or name a configuration that has them with --config",
        )
    })
}

/// The usual roots of trust, and those of a file. Verification is never skipped: the marketplace does not either.
fn tls(file: Option<&Path>) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = file {
        let (doing, help) = (format!("--ca {}", file.display()), "name a PEM file with certificates");
        for certificate in certificates(file).or_fail(Reason::Usage, &doing, help)? {
            roots.add(certificate).or_fail(Reason::Usage, &doing, help)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.or_fail(Reason::Usage, "TLS", "call an http:// address")?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Prints as the play goes on.
struct Console {
    quiet: bool,
}

impl Console {
    fn ended(&self, report: &Report) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        let storm = report.storm.as_ref().map(ToString::to_string).unwrap_or_default();
        crate::print(&format!("{storm}{}\n\n", report.summary()))
    }
}

impl Progress for Console {
    fn began(&self, scenario: &str) {
        self.say(&format!("{scenario}\n"));
    }

    fn stepped(&self, step: &Step) {
        self.say(&format!("{step}\n"));
    }

    fn advanced(&self, done: u64, of: u64) {
        if std::io::stdout().is_terminal() {
            self.say(&format!("\r  {done} of {of}{}", if done == of { "\n" } else { "" }));
        }
    }
}

impl Console {
    fn say(&self, text: &str) {
        if !self.quiet {
            let mut output = std::io::stdout();
            // One who closes the output early has seen enough.
            let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
        }
    }
}
