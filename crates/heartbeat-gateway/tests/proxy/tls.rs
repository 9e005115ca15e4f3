use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs, process};

use axum::Router;
use axum::http::{HeaderMap, Version};
use axum::routing::any;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rcgen::{CertifiedKey, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::client::{fetch, get, h2_over, text};
use crate::proxying::Proxying;
use crate::upstream::listener;

/// A certificate for localhost and 127.0.0.1, in files too.
struct Certificate {
    made: CertifiedKey<KeyPair>,
    cert: PathBuf,
    key: PathBuf,
}

impl Certificate {
    fn new(name: &str) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("made");
        let file = |what| env::temp_dir().join(format!("proxy-{}-{name}.{what}", process::id()));
        let (cert, key) = (file("cert"), file("key"));
        fs::write(&cert, made.cert.pem()).expect("written");
        fs::write(&key, made.signing_key.serialize_pem()).expect("written");
        Self { made, cert, key }
    }

    fn der(&self) -> CertificateDer<'static> {
        self.made.cert.der().clone()
    }

    /// Serves over TLS, in the protocols that are named, and gives the URL.
    async fn serve(&self, protocols: &[&[u8]], router: Router) -> String {
        let key = PrivateKeyDer::try_from(self.made.signing_key.serialize_der()).expect("a key");
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.der()], key)
            .expect("a certificate and its key");
        config.alpn_protocols = protocols.iter().map(|&protocol| protocol.to_vec()).collect();
        let tls = TlsAcceptor::from(Arc::new(config));
        let (listener, address) = listener().await;
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (tls, service) = (tls.clone(), TowerToHyperService::new(router.clone()));
                tokio::spawn(async move {
                    let io = TokioIo::new(tls.accept(connection).await.ok()?);
                    auto::Builder::new(TokioExecutor::new())
                        .serve_connection(io, service)
                        .await
                        .ok()
                });
            }
        });
        format!("https://localhost:{}", address.port())
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        for file in [&self.cert, &self.key] {
            let _ = fs::remove_file(file); // it lies in a directory for such files
        }
    }
}

/// Tells the version, and by which scheme the client has come.
fn telling() -> Router {
    let tell = async |version: Version, headers: HeaderMap| {
        let scheme = headers["x-forwarded-proto"].to_str().expect("text");
        format!("{version:?} {scheme}")
    };
    Router::new().fallback(any(tell))
}

#[tokio::test]
async fn both_sides_may_speak_tls() {
    let (outer, inner) = (Certificate::new("outer"), Certificate::new("inner"));
    let upstream = inner.serve(&[b"h2", b"http/1.1"], telling()).await;
    for (arguments, told) in [("", "HTTP/1.1 https"), ("--upstream-http2", "HTTP/2.0 https")] {
        let files = format!(
            "--upstream-ca {} --tls-cert {} --tls-key {}",
            inner.cert.display(),
            outer.cert.display(),
            outer.key.display()
        );
        let proxy = Proxying::start(&upstream, &format!("{files} {arguments}"));
        let mut roots = RootCertStore::empty();
        roots.add(outer.der()).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(config));
        let connection = connector.connect(name, proxy.connect().await).await.expect("TLS");
        assert_eq!(connection.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut client = h2_over(connection).await;
        let response = client.send_request(get("/")).await.expect("an answer");
        assert_eq!(text(response).await, told, "{}", proxy.log());
    }
}

#[tokio::test]
async fn an_upstream_that_does_not_say_what_it_speaks_is_spoken_to_in_http1() {
    let inner = Certificate::new("silent");
    let upstream = inner.serve(&[], telling()).await;
    let proxy = Proxying::start(&upstream, &format!("--upstream-ca {}", inner.cert.display()));
    assert_eq!(text(fetch(&proxy, get("/")).await).await, "HTTP/1.1 http", "{}", proxy.log());
}

#[tokio::test]
async fn an_upstream_that_nobody_vouches_for_is_not_asked() {
    let (inner, another) = (Certificate::new("unknown"), Certificate::new("another"));
    let upstream = inner.serve(&[], telling()).await;
    let trusts_another = format!("--upstream-ca {}", another.cert.display());
    for arguments in ["", trusts_another.as_str()] {
        let proxy = Proxying::start(&upstream, arguments);
        let response = fetch(&proxy, get("/")).await;
        assert_eq!(response.status(), 502);
        assert!(text(response).await.contains("cannot be reached"));
        proxy.logs("invalid peer certificate").await;
    }
}

#[tokio::test]
async fn a_certificate_is_for_a_name() {
    let inner = Certificate::new("name");
    let upstream = inner.serve(&[], telling()).await.replace("localhost", "127.0.0.2");
    let proxy = Proxying::start(&upstream, &format!("--upstream-ca {}", inner.cert.display()));
    assert_eq!(fetch(&proxy, get("/")).await.status(), 502);
}
