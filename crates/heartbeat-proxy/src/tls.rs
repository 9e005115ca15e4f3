//! The TLS configuration for connections to the upstream.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Root certificates that are trusted in addition to those of the system.
#[derive(Debug, Clone)]
pub struct ExtraRoots(RootCertStore);

impl ExtraRoots {
    /// Reads root certificates from a PEM file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, contains no certificate, or contains an unusable one.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, InvalidRoots> {
        let file = CertificateDer::pem_file_iter(path);
        let certificates = file.and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = certificates
            .map_err(|error| InvalidRoots(format!("cannot read certificates (PEM): {error}")))?;
        if certificates.is_empty() {
            return Err(InvalidRoots("no certificate in the PEM file".to_owned()));
        }
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let added = roots.add(certificate);
            added.map_err(|error| InvalidRoots(format!("unusable certificate: {error}")))?;
        }
        Ok(Self(roots))
    }
}

/// A file of root certificates is not usable. The text has the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidRoots(String);

impl fmt::Display for InvalidRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for InvalidRoots {}

/// Trusts the root certificates of the system and `extra`.
pub(crate) fn client_config_with_roots(extra: Option<&ExtraRoots>) -> ClientConfig {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "cannot read a root certificate of the system");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system.certs);
    if let Some(ExtraRoots(extra)) = extra {
        roots.roots.extend_from_slice(&extra.roots);
    }
    if roots.is_empty() {
        tracing::warn!("no root certificates: TLS to the upstream will fail");
    }
    client_config(roots)
}

/// For an upstream without TLS. It trusts no certificate.
pub(crate) fn unused_client_config() -> ClientConfig {
    client_config(RootCertStore::empty())
}

fn client_config(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
