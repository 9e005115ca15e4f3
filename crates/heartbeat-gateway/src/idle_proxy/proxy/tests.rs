use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use super::*;

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const IDLE_CUT: Duration = Duration::from_secs(1);
/// Well below `IDLE_CUT`, so that delays of a busy machine do not cause a cut.
const TICK: Duration = Duration::from_millis(100);
/// The allowed delay of a cut. It is a few milliseconds on an idle machine.
const SLACK: Duration = Duration::from_secs(2);

/// A proxy in front of a server that handles its connections with `handle`.
struct Setup {
    addr: SocketAddr,
    stats: Arc<ProxyStats>,
    proxy: JoinHandle<()>,
}

async fn setup<F>(idle_cut: Duration, counts: ActivityRule, handle: fn(TcpStream) -> F) -> Setup
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let server = TcpListener::bind(ANY_PORT).await.unwrap();
    let upstream = server.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = server.accept().await {
            tokio::spawn(handle(connection));
        }
    });
    proxy_to(upstream, idle_cut, counts).await
}

async fn proxy_to(upstream: SocketAddr, idle_cut: Duration, counts: ActivityRule) -> Setup {
    let proxy = IdleProxy::bind(ANY_PORT, upstream, idle_cut, counts).await.unwrap();
    Setup { addr: proxy.local_addr(), stats: proxy.stats(), proxy: tokio::spawn(proxy.run()) }
}

/// Reads to the end, which may be a reset, and returns the number of bytes.
async fn drain(client: &mut TcpStream) -> usize {
    let mut total = 0;
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = client.read(&mut buffer).await {
        total += read;
    }
    total
}

#[tokio::test]
async fn an_idle_connection_is_cut_and_an_active_one_is_not() {
    let echo = setup(IDLE_CUT, ActivityRule::Data, |mut server| async move {
        let (mut from, mut to) = server.split();
        tokio::io::copy(&mut from, &mut to).await.map(drop)
    })
    .await;

    let mut client = TcpStream::connect(echo.addr).await.unwrap();
    let mut last_request = Instant::now();
    for _ in 0..25 {
        time::sleep(TICK).await;
        last_request = Instant::now();
        client.write_u8(b'?').await.unwrap();
        client.read_u8().await.expect("an active connection stays open");
    }
    time::timeout(IDLE_CUT + SLACK, drain(&mut client)).await.expect("cut when idle");
    let silence = last_request.elapsed(); // the last response arrived after the last request

    assert!(silence >= IDLE_CUT, "cut after {silence:?}");
    assert_eq!((echo.stats.connections(), echo.stats.cuts()), (1, 1));
    assert_eq!((echo.stats.client_bytes(), echo.stats.server_bytes()), (25, 25));
}

#[tokio::test]
async fn pings_keep_a_connection_open_only_if_bytes_count() {
    async fn pings(mut server: TcpStream) -> io::Result<()> {
        server.write_all(&[0, 0, 0, 0x4, 0, 0, 0, 0, 0]).await?; // SETTINGS
        loop {
            time::sleep(TICK).await;
            let ping = [0, 0, 8, 0x6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
            server.write_all(&ping).await?;
        }
    }
    async fn client(proxied: &Setup) -> TcpStream {
        let mut client = TcpStream::connect(proxied.addr).await.unwrap();
        client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        client.write_all(&[0, 0, 0, 0x4, 0, 0, 0, 0, 0]).await.unwrap();
        client
    }
    let data = setup(IDLE_CUT, ActivityRule::Data, pings).await;
    let bytes = setup(IDLE_CUT, ActivityRule::Bytes, pings).await;

    let start = Instant::now();
    let (mut data_client, mut bytes_client) = (client(&data).await, client(&bytes).await);
    let (kept, cut_after) = tokio::join!(
        time::timeout(IDLE_CUT * 5 / 2, drain(&mut bytes_client)),
        time::timeout(IDLE_CUT + SLACK, async {
            drain(&mut data_client).await;
            start.elapsed()
        }),
    );

    assert!(kept.is_err(), "pings keep the connection open if bytes count");
    let cut_after = cut_after.expect("cut although the server sends pings");
    assert!(cut_after >= IDLE_CUT, "cut after {cut_after:?}");
    assert_eq!((data.stats.cuts(), bytes.stats.cuts()), (1, 0));
}

#[tokio::test]
async fn both_directions_pass_unchanged_with_a_half_close() {
    const MEBIBYTE: usize = 1024 * 1024;
    // No two buffers of the proxy have the same content, because 251 is prime.
    fn pattern(seed: usize) -> Vec<u8> {
        (seed..seed + MEBIBYTE).map(|i| (i * i % 251).to_le_bytes()[0]).collect()
    }
    // Zero disables the cut.
    let proxied = setup(Duration::ZERO, ActivityRule::Bytes, |mut server| async move {
        let mut request = Vec::new();
        server.read_to_end(&mut request).await?;
        assert!(request == pattern(1), "the request is unchanged");
        server.write_all(&pattern(2)).await
    })
    .await;

    let mut client = TcpStream::connect(proxied.addr).await.unwrap();
    client.write_all(&pattern(1)).await.unwrap();
    client.shutdown().await.unwrap();
    let mut response = Vec::new();
    time::timeout(Duration::from_secs(4), client.read_to_end(&mut response))
        .await
        .unwrap()
        .unwrap();

    assert!(response == pattern(2), "the response is unchanged");
    let (stats, mebibyte) = (&proxied.stats, MEBIBYTE as u64);
    assert_eq!((stats.client_bytes(), stats.server_bytes()), (mebibyte, mebibyte));
    assert_eq!(stats.cuts(), 0, "the end of a connection is not a cut");
}

#[tokio::test]
async fn an_unreachable_upstream_closes_one_connection_and_dropping_the_proxy_closes_all() {
    let unused_socket = TcpSocket::new_v4().unwrap(); // holds the port, but does not listen
    unused_socket.bind(ANY_PORT).unwrap();
    let upstream = unused_socket.local_addr().unwrap();
    let unreachable = proxy_to(upstream, Duration::ZERO, ActivityRule::Data).await;
    for _ in 0..2 {
        let mut client = TcpStream::connect(unreachable.addr).await.unwrap();
        time::timeout(SLACK, drain(&mut client)).await.expect("closed");
    }
    assert_eq!((unreachable.stats.connections(), unreachable.stats.cuts()), (2, 0));

    let proxied = setup(Duration::ZERO, ActivityRule::Data, |mut server| async move {
        server.write_u8(b'!').await?;
        server.read_u8().await.map(drop)
    })
    .await;
    let mut client = TcpStream::connect(proxied.addr).await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'!');
    proxied.proxy.abort();
    time::timeout(SLACK, drain(&mut client)).await.expect("its connections are closed");
    assert!(TcpStream::connect(proxied.addr).await.is_err(), "its listener is closed");
    assert_eq!(proxied.stats.cuts(), 0, "an abort is not a cut");
}
