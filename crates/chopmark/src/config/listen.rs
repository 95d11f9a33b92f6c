//! Listeners: where they are.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use super::reader::{Found, Unique};
use super::secret::RELATIVE_TO_CONFIG;

/// The addresses to listen on.
#[derive(Debug, Clone)]
pub(crate) struct Listen {
    /// For the marketplace.
    pub(crate) callbacks: SocketAddr,
    /// For checks and views.
    pub(crate) api: SocketAddr,
    /// For Prometheus.
    pub(crate) metrics: SocketAddr,
    /// For everything that needs a token, where it is not on `api`.
    pub(crate) admin: Option<SocketAddr>,
    /// Proxies in front of `api`, of whose word about the caller's address is made use.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

/// Certificate and key of a listener, PEM files that exist.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// The certificate and its chain.
    pub(crate) cert: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

pub(super) fn read(found: Found<'_>) -> Option<Listen> {
    let mut section = found.section()?;
    let mut taken = Unique::new("listener at");
    let callbacks = section.required("callbacks", "callbacks = \"127.0.0.1:8080\"", |found| address(found, &mut taken));
    let api = section.required("api", "api = \"127.0.0.1:8081\"", |found| address(found, &mut taken));
    let metrics = section.required("metrics", "metrics = \"127.0.0.1:9090\"", |found| address(found, &mut taken));
    let admin = section.optional("admin", |found| address(found, &mut taken));
    let proxies: Vec<_> = section.elements("trusted_proxies").into_iter().map(network).collect();
    section.finish();
    let trusted_proxies = proxies.into_iter().collect::<Option<_>>();
    Some(Listen {
        callbacks: callbacks?,
        api: api?,
        metrics: metrics?,
        admin: admin?,
        trusted_proxies: trusted_proxies?,
    })
}

fn address(found: Found<'_>, taken: &mut Unique<SocketAddr>) -> Option<SocketAddr> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let text = found.text()?;
    let Ok(address) = text.parse::<SocketAddr>() else {
        let what = format!("{text:?} is not an IP address with a port");
        spot.refuse(reader, what, format!("write {}", likely_address(&text)));
        return None;
    };
    // Port 0 is another one each time.
    if address.port() != 0 {
        taken.add(&address, spot, reader);
    }
    Some(address)
}

fn network(found: Found<'_>) -> Option<IpNet> {
    const MEND: &str = "write an address like \"10.0.0.7\" or a network like \"10.0.0.0/8\"";
    let parse = |text: &str| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map_err(|_| format!("{text:?} is neither an address nor a network"))
    };
    found.parsed(parse, MEND)
}

/// What was probably meant by something that is no address.
fn likely_address(text: &str) -> String {
    match text.rsplit_once(':') {
        Some(("", port)) if port.parse::<u16>().is_ok() => format!("\"0.0.0.0:{port}\" to listen on every address"),
        Some(("localhost", port)) if port.parse::<u16>().is_ok() => format!("\"127.0.0.1:{port}\""),
        _ => "it like \"127.0.0.1:8080\", or \"[::1]:8080\" for IPv6".into(),
    }
}

pub(super) fn read_tls(found: Found<'_>) -> Option<Tls> {
    let mut section = found.section()?;
    let cert = section.required("cert", "cert = \"tls/fullchain.pem\"", existing_file);
    let key = section.required("key", "key = \"tls/key.pem\"", existing_file);
    section.finish();
    Some(Tls { cert: cert?, key: key? })
}

fn existing_file(found: Found<'_>) -> Option<PathBuf> {
    let (spot, reader) = (found.spot.clone(), found.reader);
    let path = reader.folder.join(found.text()?);
    if path.is_file() {
        return Some(path);
    }
    spot.refuse(reader, format!("there is no file {}", path.display()), RELATIVE_TO_CONFIG);
    None
}
