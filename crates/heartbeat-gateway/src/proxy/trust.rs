//! Whom the proxy believes to be the upstream.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Certificates that are trusted besides those that the system trusts.
#[derive(Debug, Clone)]
pub struct Authorities(RootCertStore);

impl Authorities {
    /// Reads them from a file in PEM.
    ///
    /// # Errors
    ///
    /// If there are none, or one cannot be used: the text says which.
    pub fn read(path: &str) -> Result<Self, String> {
        let file = CertificateDer::pem_file_iter(path);
        let certificates = file.and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates =
            certificates.map_err(|error| format!("cannot read certificates in PEM: {error}"))?;
        if certificates.is_empty() {
            return Err("there is no certificate in PEM in it".to_owned());
        }
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let added = roots.add(certificate);
            added.map_err(|error| format!("a certificate in it cannot be used: {error}"))?;
        }
        Ok(Self(roots))
    }
}

/// TLS toward an upstream whose certificate the system trusts, or one of `further`.
pub(super) fn the_system_and(further: Option<&Authorities>) -> ClientConfig {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "certificates of the system cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system.certs);
    if let Some(Authorities(further)) = further {
        roots.roots.extend_from_slice(&further.roots);
    }
    if roots.is_empty() {
        tracing::warn!(
            "no upstream can be trusted: the system has no certificates; see --upstream-ca"
        );
    }
    with(roots)
}

/// TLS toward nobody, for an upstream without it.
pub(super) fn nobody() -> ClientConfig {
    with(RootCertStore::empty())
}

fn with(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has what these versions need")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
