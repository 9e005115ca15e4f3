use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, Version};
use axum::routing::any;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::client::{fetch, get, h2_over, text};
use crate::proxying::Proxying;
use crate::support::tls::Certificate;
use crate::upstream::listener;

/// Serves over TLS with these ALPN protocols, and returns the URL.
async fn serve(by: &Certificate, protocols: &[&[u8]], router: Router) -> String {
    let key = PrivateKeyDer::from_pem_file(&by.key).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![by.der()], key)
        .expect("a certificate and its key");
    config.alpn_protocols = protocols.iter().map(|&protocol| protocol.to_vec()).collect();
    let tls = TlsAcceptor::from(Arc::new(config));
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (tls, service) = (tls.clone(), TowerToHyperService::new(router.clone()));
            tokio::spawn(async move {
                let io = TokioIo::new(tls.accept(connection).await.ok()?);
                auto::Builder::new(TokioExecutor::new()).serve_connection(io, service).await.ok()
            });
        }
    });
    format!("https://localhost:{}", address.port())
}

/// Responds with the version, and with the scheme of the client.
fn describing() -> Router {
    let describe = async |version: Version, headers: HeaderMap| {
        let scheme = headers["x-forwarded-proto"].to_str().expect("text");
        format!("{version:?} {scheme}")
    };
    Router::new().fallback(any(describe))
}

#[tokio::test]
async fn both_sides_can_use_tls() {
    let (outer, inner) = (Certificate::new("outer"), Certificate::new("inner"));
    let upstream = serve(&inner, &[b"h2", b"http/1.1"], describing()).await;
    for (arguments, expected) in [("", "HTTP/1.1 https"), ("--upstream-http2", "HTTP/2.0 https")] {
        let files = format!(
            "--upstream-ca {} --tls-cert {} --tls-key {}",
            inner.cert.display(),
            outer.cert.display(),
            outer.key.display()
        );
        let proxy = Proxying::start(&upstream, &format!("{files} {arguments}"));
        let connection = outer.connect(proxy.address, &["h2"]).await;
        assert_eq!(connection.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut client = h2_over(connection).await;
        let response = client.send_request(get("/")).await.expect("a response");
        assert_eq!(text(response).await, expected, "{}", proxy.log());
    }
}

#[tokio::test]
async fn an_upstream_without_alpn_gets_http1() {
    let inner = Certificate::new("silent");
    let upstream = serve(&inner, &[], describing()).await;
    let proxy = Proxying::start(&upstream, &format!("--upstream-ca {}", inner.cert.display()));
    assert_eq!(text(fetch(&proxy, get("/")).await).await, "HTTP/1.1 http", "{}", proxy.log());
}

#[tokio::test]
async fn an_upstream_with_an_untrusted_certificate_is_502() {
    let (inner, another) = (Certificate::new("unknown"), Certificate::new("another"));
    let upstream = serve(&inner, &[], describing()).await;
    let trusts_another = format!("--upstream-ca {}", another.cert.display());
    for arguments in ["", trusts_another.as_str()] {
        let proxy = Proxying::start(&upstream, arguments);
        let response = fetch(&proxy, get("/")).await;
        assert_eq!(response.status(), 502);
        assert!(text(response).await.contains("cannot connect to the upstream"));
        proxy.wait_for_log("invalid peer certificate").await;
    }
}

#[tokio::test]
async fn the_certificate_must_match_the_host_name() {
    let inner = Certificate::new("name");
    let upstream = serve(&inner, &[], describing()).await.replace("localhost", "127.0.0.2");
    let proxy = Proxying::start(&upstream, &format!("--upstream-ca {}", inner.cert.display()));
    assert_eq!(fetch(&proxy, get("/")).await.status(), 502);
}
