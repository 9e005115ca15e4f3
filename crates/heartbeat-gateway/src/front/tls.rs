use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::FrontError;

/// What HTTP there is over TLS, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Makes what accepts TLS out of a certificate's chain and its key, both in PEM.
pub(super) fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, FrontError> {
    let pem = |expected, path: &Path| {
        let path = path.to_owned();
        move |source| FrontError::Pem { expected, path, source }
    };
    let chain = chain(cert).map_err(pem("certificates", cert))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem("a private key", key))?;
    // Said here and not for the whole process: another part of it may want another provider.
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(FrontError::Tls)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn chain(cert: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)?.collect::<Result<_, _>>()?;
    if chain.is_empty() { Err(Error::NoItemsFound) } else { Ok(chain) }
}
