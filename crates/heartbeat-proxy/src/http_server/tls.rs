use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ServerError;
use super::options::TlsFiles;

/// The versions of HTTP over TLS, in order of preference.
const ALPN_PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Makes a TLS acceptor from a certificate chain and a private key.
pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServerError> {
    let pem = |expected, path: &Path| {
        let path = path.to_owned();
        move |source| ServerError::Pem { expected, path, source }
    };
    let TlsFiles { certificates, private_key } = files;
    let chain = read_chain(certificates).map_err(pem("certificates", certificates))?;
    let key =
        PrivateKeyDer::from_pem_file(private_key).map_err(pem("a private key", private_key))?;
    // The crypto provider is set here, not for the process: other code may use another one.
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(ServerError::Tls)?;
    config.alpn_protocols = ALPN_PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)?.collect::<Result<_, _>>()?;
    if chain.is_empty() { Err(Error::NoItemsFound) } else { Ok(chain) }
}
