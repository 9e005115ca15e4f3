//! Upstreams of the proxy.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::proxying::SOON;

pub(crate) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

/// Serves over HTTP/1.1 and h2c with at most `max_streams` streams per connection, and returns the URL.
pub(crate) async fn serve_at_most(max_streams: Option<u32>, router: Router) -> String {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http2().max_concurrent_streams(max_streams);
        while let Ok((connection, _)) = listener.accept().await {
            let service = TowerToHyperService::new(router.clone());
            let (http, io) = (http.clone(), TokioIo::new(connection));
            tokio::spawn(async move { http.serve_connection_with_upgrades(io, service).await });
        }
    });
    format!("http://{address}")
}

pub(crate) async fn serve(router: Router) -> String {
    serve_at_most(None, router).await
}

/// Calls `serve` for each connection with the head of its request, and returns the URL.
pub(crate) async fn serve_raw<F>(serve: impl Fn(String, TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let head = read_head(&mut connection).await;
            tokio::spawn(serve(head, connection));
        }
    });
    format!("http://{address}")
}

/// Responds to each request with these pieces, with a pause after each, and closes the connection.
pub(crate) async fn in_pieces(pause: Duration, pieces: &[&str]) -> String {
    let pieces: Arc<[String]> = pieces.iter().map(|&piece| piece.to_owned()).collect();
    serve_raw(move |_, mut connection| {
        let pieces = Arc::clone(&pieces);
        async move {
            for piece in &*pieces {
                if connection.write_all(piece.as_bytes()).await.is_err() {
                    return;
                }
                sleep(pause).await;
            }
        }
    })
    .await
}

/// Reads up to a blank line.
pub(crate) async fn read_head(connection: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).expect("text")
}

/// Counts live values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alive(Arc<AtomicUsize>);

/// A live value.
#[derive(Debug)]
pub(crate) struct One(Alive);

impl Alive {
    pub(crate) fn one(&self) -> One {
        self.0.fetch_add(1, Relaxed);
        One(self.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Relaxed)
    }

    pub(crate) async fn becomes(&self, count: usize) {
        let waiting = async {
            while self.count() != count {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("there are {}", self.count()));
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}
