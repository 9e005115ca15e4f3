use std::time::Duration;

use axum::Router;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{accept_async, client_async};

use crate::proxying::{Proxying, SOON};
use crate::upstream::{Alive, listener, read_head, serve, serve_raw};

/// Switches to the echo protocol, sends `hello` at once, and echoes what it receives until the end.
async fn echo(alive: Alive) -> String {
    serve_raw(move |head, mut connection| {
        let one = alive.one();
        async move {
            assert!(head.contains("connection: upgrade\r\n"), "{head}");
            assert!(head.contains("upgrade: echo/1, other\r\n"), "{head}");
            let response = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade, x-one\r\n\
                            upgrade: echo/1\r\nx-one: 1\r\nx-two: 2\r\n\r\nhello";
            connection.write_all(response.as_bytes()).await.expect("written");
            let (mut reader, mut writer) = connection.split();
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
            let _ = writer.write_all(b" bye").await;
            drop(one);
        }
    })
    .await
}

/// Upgrades, and reads `hello`.
async fn upgraded(proxy: &Proxying) -> TcpStream {
    let mut client = proxy.connect().await;
    let request = "GET /chat?secret=1 HTTP/1.1\r\nhost: here\r\nconnection: Upgrade\r\nupgrade: echo/1, other\r\n\r\n";
    client.write_all(request.as_bytes()).await.expect("written");
    let head = timeout(SOON, read_head(&mut client)).await.expect("soon");
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert!(
        head.contains("connection: upgrade\r\n") && head.contains("upgrade: echo/1\r\n"),
        "{head}"
    );
    assert!(head.contains("x-two: 2\r\n") && !head.contains("x-one"), "{head}");
    let mut hello = [0; 5];
    timeout(SOON, client.read_exact(&mut hello)).await.expect("soon").expect("more");
    assert_eq!(&hello, b"hello");
    client
}

#[tokio::test]
async fn an_upgraded_connection_copies_until_both_sides_have_ended() {
    let alive = Alive::default();
    let proxy = Proxying::start(echo(alive.clone()).await, "");
    let mut client = upgraded(&proxy).await;
    let exchange = async {
        let mut echoed = [0; 3];
        for _ in 0..3 {
            client.write_all(b"abc").await.expect("written");
            client.read_exact(&mut echoed).await.expect("echoed");
            assert_eq!(&echoed, b"abc");
        }
        client.write_all(b"d").await.expect("written");
        client.shutdown().await.expect("a half-close");
        let mut rest = String::new();
        client.read_to_string(&mut rest).await.expect("the end of the response");
        assert_eq!(rest, "d bye");
    };
    timeout(SOON, exchange).await.expect("soon");
    alive.becomes(0).await;
    assert!(proxy.request_logs(1).await[0].contains("status=101"));
    proxy.wait_for_log(" upgraded ").await;
    let log = proxy.log();
    let line = log.lines().find(|line| line.contains(" upgraded ")).expect("logged");
    for part in
        ["client=127.0.0.1:", "path=\"/chat\"", "up=10", "down=19", "duration=", "end=\"complete\""]
    {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[tokio::test]
async fn durations_in_the_log_end_at_the_millisecond() {
    let proxy = Proxying::start(echo(Alive::default()).await, "");
    let mut client = upgraded(&proxy).await;
    sleep(Duration::from_millis(1100)).await; // longer than a second
    client.shutdown().await.expect("a half-close");
    proxy.request_logs(1).await;
    proxy.wait_for_log(" upgraded ").await;
    let log = proxy.log();
    let durations: Vec<&str> =
        log.split_whitespace().filter_map(|field| field.strip_prefix("duration=")).collect();
    assert_eq!(durations.len(), 2, "{log}");
    for duration in durations {
        let number = duration.strip_suffix("ms").or(duration.strip_suffix('s')).expect("a unit");
        let digits = number.split_once('.').map_or(0, |(_, digits)| digits.len());
        assert!(
            digits <= 3 && number.chars().all(|char| char == '.' || char.is_ascii_digit()),
            "{log}"
        );
    }
}

#[tokio::test]
async fn an_upgraded_connection_ends_with_its_client() {
    let alive = Alive::default();
    let proxy = Proxying::start(echo(alive.clone()).await, "");
    let client = upgraded(&proxy).await;
    alive.becomes(1).await;
    drop(client);
    alive.becomes(0).await;
}

#[tokio::test]
async fn an_upgraded_connection_is_drained_or_cut_at_shutdown() {
    for (ends, log) in
        [(true, "all requests have ended"), (false, "closing the remaining requests")]
    {
        let mut proxy = Proxying::start(echo(Alive::default()).await, "--shutdown-within 2s");
        let mut client = upgraded(&proxy).await;
        proxy.terminate();
        while TcpStream::connect(proxy.address).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        client.write_all(b"abc").await.expect("written");
        let mut echoed = [0; 3];
        timeout(SOON, client.read_exact(&mut echoed)).await.expect("soon").expect("still there");
        if ends {
            client.shutdown().await.expect("a half-close");
        }
        assert_eq!(proxy.wait_for_exit().await.code(), Some(0));
        proxy.wait_for_log(log).await;
        let end = if ends { "up=3 down=12" } else { "up=3 down=8" };
        proxy.wait_for_log(end).await;
        proxy.wait_for_log(if ends { "end=\"complete\"" } else { "end=\"dropped\"" }).await;
    }
}

#[tokio::test]
async fn an_upgraded_connection_ends_with_its_upstream() {
    let upstream = serve_raw(|_, mut connection| async move {
        let response =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: silent\r\n\r\n";
        connection.write_all(response.as_bytes()).await.expect("written");
    })
    .await;
    let proxy = Proxying::start(upstream, "");
    let mut client = proxy.connect().await;
    let request = "GET / HTTP/1.1\r\nhost: here\r\nconnection: Upgrade\r\nupgrade: silent\r\n\r\n";
    client.write_all(request.as_bytes()).await.expect("written");
    let exchange = async { while client.write_all(&[b'x'; 10_000]).await.is_ok() {} };
    timeout(SOON, exchange).await.expect("an end in time");
    proxy.wait_for_log("end=\"failed\"").await;
}

#[tokio::test]
async fn a_websocket_passes() {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.expect("a connection");
        let mut socket = accept_async(connection).await.expect("a WebSocket");
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.expect("sent");
            }
        }
    });
    let proxy = Proxying::start(format_args!("http://{address}"), "");
    let request = "ws://front.example/chat".into_client_request().expect("a request");
    let handshake = client_async(request, proxy.connect().await);
    let (mut socket, _) = timeout(SOON, handshake).await.expect("soon").expect("a WebSocket");
    for text in ["one", "two"] {
        socket.send(Message::text(text)).await.expect("sent");
        let echoed = timeout(SOON, socket.next()).await.expect("soon").expect("no end");
        assert_eq!(echoed.expect("no error"), Message::text(text));
    }
    socket.close(None).await.expect("closed");
}

#[tokio::test]
async fn a_declined_upgrade_is_a_plain_request() {
    let upstream = serve(Router::new().fallback(any(async || "no upgrade"))).await;
    for arguments in ["", "--upstream-http2"] {
        let proxy = Proxying::start(&upstream, arguments);
        let request =
            "GET / HTTP/1.1\r\nhost: here\r\nconnection: upgrade, close\r\nupgrade: echo\r\n\r\n";
        let (head, body) = crate::client::exchange(&proxy, request).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(!head.contains("upgrade"), "{head}");
        assert_eq!(body, b"no upgrade");
    }
}

#[tokio::test]
async fn a_websocket_is_rejected_over_http2_to_the_upstream() {
    let upstream = serve(Router::new().fallback(any(async || "no upgrade"))).await;
    let proxy = Proxying::start(upstream, "--upstream-http2");
    let request =
        "GET / HTTP/1.1\r\nhost: here\r\nconnection: upgrade, close\r\nupgrade: WebSocket\r\n\r\n";
    let (head, body) = crate::client::exchange(&proxy, request).await;
    assert!(head.starts_with("HTTP/1.1 501 Not Implemented\r\n"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("over HTTP/2 to the upstream"), "{body:?}");
}

#[tokio::test]
async fn an_upgrade_to_h2c_is_ignored() {
    let upstream = serve_raw(|head, mut connection| async move {
        let requested = head.contains("upgrade") || head.contains("http2-settings");
        let response =
            format!("HTTP/1.1 200 OK\r\nx-requested: {requested}\r\ncontent-length: 0\r\n\r\n");
        connection.write_all(response.as_bytes()).await.expect("written");
    })
    .await;
    let proxy = Proxying::start(upstream, "");
    for protocols in ["h2c", "websocket, H2C"] {
        let request = format!(
            "GET / HTTP/1.1\r\nhost: here\r\nconnection: Upgrade, HTTP2-Settings, close\r\n\
             upgrade: {protocols}\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
        );
        let (head, _) = crate::client::exchange(&proxy, &request).await;
        assert!(head.contains("x-requested: false\r\n"), "{head}");
    }
}

#[tokio::test]
async fn an_unrequested_upgrade_is_502() {
    let upstream = serve_raw(|_, mut connection| async move {
        let response =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
        connection.write_all(response.as_bytes()).await.expect("written");
    })
    .await;
    let proxy = Proxying::start(upstream, "");
    let request = "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    let (head, body) = crate::client::exchange(&proxy, request).await;
    assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{head}");
    assert_eq!(body, b"502 Bad Gateway: the upstream switched protocols without a request\n");
}
