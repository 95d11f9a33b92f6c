//! TLS of the callback listener, where Chopmark itself does it: TLS 1.2 and later, HTTP/1.1 only.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls;
use crate::failure::{Failure, OrFail, Reason};

/// The TLS settings of these files.
///
/// # Errors
/// A file cannot be read, or certificate and key do not belong together.
pub(super) fn server_config(tls: &Tls) -> Result<ServerConfig, Failure> {
    let help = "tls.cert is the certificate with its chain, tls.key its private key, both PEM";
    let certificates =
        certificates(&tls.cert).or_fail(Reason::Usage, format!("tls.cert {}", tls.cert.display()), help)?;
    let key = private_key(&tls.key).or_fail(Reason::Usage, format!("tls.key {}", tls.key.display()), help)?;
    // The provider is named here and never installed for the process: other libraries bring their own.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .or_fail(Reason::Usage, "tls.cert and tls.key cannot be used together", help)
}

/// The certificates in a PEM file, of which there must be one at least.
pub(crate) fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let mut reader = BufReader::new(File::open(path)?);
    let certificates = rustls_pemfile::certs(&mut reader).collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err(io::Error::other("there is no certificate in it"));
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    let mut reader = BufReader::new(File::open(path)?);
    rustls_pemfile::private_key(&mut reader)?.ok_or_else(|| io::Error::other("there is no private key in it"))
}
