//! `chopmark serve --check-config`.

use std::fmt::Write as _;
use std::path::Path;

use chopmark_huawei::keys::InterfaceType;
use chopmark_signing::KeyRing;

use crate::config::{Config, Environment, SellerConfig};
use crate::failure::Failure;
use crate::server::keys::configured;

/// Checks a configuration and describes it, or says all that is wrong.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn check(file: Option<&Path>, environment: &Environment) -> Result<String, Failure> {
    let config = Config::load(file, environment)?;
    // Reading the file tells nothing of what is in the keys that it names.
    let keys = configured(&config)?;
    Ok(describe(&config, keys.as_ref()))
}

/// A configuration in a few lines, without secrets.
fn describe(config: &Config, keys: Option<&KeyRing>) -> String {
    let Config { file, data_dir, listen, tls, log, sellers, products, .. } = config;
    let file = file.as_deref().map_or("the built-in default".into(), |file| file.display().to_string());
    let scheme = if tls.is_some() { "https" } else { "http" };
    let mut lines = vec![
        format!("The configuration is sound: {file}"),
        format!("  data       {}", data_dir.display()),
        format!("  log        {log}"),
        format!("  callbacks  {scheme}://{}/callbacks/{{seller}}", listen.callbacks),
        format!("  api        http://{}", listen.api),
    ];
    lines.extend(listen.admin.map(|admin| format!("  admin      http://{admin}")));
    lines.push(format!("  metrics    http://{}/metrics", listen.metrics));
    lines.push(match keys {
        Some(keys) => format!("  keys       {}, the signing one is {}", keys.keys().count(), keys.signing().kid()),
        None => "  keys       made and kept in the data folder".into(),
    });
    for seller in sellers {
        lines.push(format!("  seller     {}", describe_seller(seller)));
        let of_seller = products.iter().filter(|product| product.seller == seller.id);
        lines.extend(of_seller.map(|product| format!("  product    {} ({})", product.sku, product.terms.name)));
    }
    lines.extend(config.warnings().iter().map(|warning| format!("warning: {warning}")));
    lines.join("\n") + "\n"
}

/// E.g. `acme: 2 base keys, 1 license_code key, open API`.
fn describe_seller(seller: &SellerConfig) -> String {
    let mut text = format!("{}:", seller.id);
    for interface in InterfaceType::ALL {
        let count = seller.keys.iter().filter(|(of, _)| *of == interface).count();
        if count > 0 {
            let keys = if count == 1 { "key" } else { "keys" };
            // Writing to a string does not fail.
            let _ = write!(text, " {count} {interface} {keys},");
        }
    }
    text + if seller.open_api.is_some() { " open API" } else { " no open API" }
}
