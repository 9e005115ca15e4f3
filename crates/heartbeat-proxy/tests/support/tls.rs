//! A self-signed certificate, and a TLS client that trusts it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs, process};

use heartbeat_proxy::http_server::ServerOptions;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A certificate for localhost and 127.0.0.1, and its key, in files that are deleted at the end.
pub struct Certificate {
    der: CertificateDer<'static>,
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    pub fn new(name: &str) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let file =
            |what| env::temp_dir().join(format!("heartbeat-{}-{name}.{what}", process::id()));
        let (cert, key) = (file("cert"), file("key"));
        fs::write(&cert, made.cert.pem()).expect("written");
        fs::write(&key, made.signing_key.serialize_pem()).expect("written");
        Self { der: made.cert.der().clone(), cert, key }
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.der.clone()
    }

    pub fn apply(&self, options: ServerOptions) -> ServerOptions {
        options.with_tls(&self.cert, &self.key)
    }

    /// Connects over TLS and offers the protocols `alpn`.
    pub async fn connect(&self, address: SocketAddr, alpn: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der()).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|&version| version.into()).collect();
        let connection = TcpStream::connect(address).await.expect("connect");
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, connection).await.expect("trusted")
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = (fs::remove_file(&self.cert), fs::remove_file(&self.key));
    }
}
