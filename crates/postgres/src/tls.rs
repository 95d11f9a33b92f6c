//! TLS towards the server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::PostgresError;

/// Whom to trust as the server's authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authorities {
    Public,
    InFile(PathBuf),
}

/// Connects with TLS to servers whose certificate one of the authorities signed, for the name in the URL.
pub(crate) fn connector(authorities: &Authorities) -> Result<MakeRustlsConnect, PostgresError> {
    let roots = match authorities {
        Authorities::Public => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
        Authorities::InFile(path) => {
            roots_in(path).map_err(|reason| PostgresError::Authorities { path: path.clone(), reason })?
        }
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| PostgresError::NoConnection { reason: error.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn roots_in(path: &Path) -> Result<RootCertStore, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut text.as_slice()) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("no certificate in it; it must be PEM".into()) } else { Ok(roots) }
}
