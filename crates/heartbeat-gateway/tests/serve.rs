//! The `serve` command, run as a process with real sockets, real time and real signals.
#![cfg(unix)]

mod support;

use std::io::BufRead;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hyper::Version;
use support::client::{ResponseStream, SOON, WireFormat};
use support::decode::Item;
use support::tls::Certificate;
use support::{Serving, address_in, assert_refused, next_ids, on_each_runtime, subscribe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tonic::Code;

on_each_runtime![
    sigterm_ends_a_hundred_open_streams_with_success,
    an_open_client_delays_the_shutdown_by_the_grace_period_only,
    a_client_resumes_after_its_last_event,
    the_idle_proxy_keeps_a_stream_with_heartbeats,
    a_server_recovers_from_too_many_open_files,
    a_half_closed_client_continues_to_read_and_a_disconnected_one_is_detected,
];

async fn sigterm_ends_a_hundred_open_streams_with_success(runtime: &str) {
    let server = Serving::start(&format!("--runtime {runtime} --shutdown-within 20s"));
    let streams = join_all((0..100).map(|_| async {
        let mut stream = subscribe(server.address, "").await.expect("served");
        assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
        stream
    }))
    .await;

    server.terminate();
    for mut stream in streams {
        let end = stream.message().await.expect("status OK");
        assert_eq!(end, None, "nothing follows");
    }
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("all streams have ended"), "{log}");
    assert!(log.contains(&format!("runtime=\"{runtime}\"")), "{log}");
    assert_eq!(log.matches("client=127.0.0.1:").count(), 100, "{log}");
}

async fn an_open_client_delays_the_shutdown_by_the_grace_period_only(runtime: &str) {
    let server = Serving::start(&format!("--runtime {runtime} --shutdown-within 4s"));
    let incomplete_call = support::send_head_only(server.address).await;
    let mut stream = subscribe(server.address, "").await.expect("served");
    assert_eq!(next_ids(&mut stream, 1).await, ["1"]);

    let start = Instant::now();
    server.terminate();
    while TcpStream::connect(server.address).await.is_ok() {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(start.elapsed() < Duration::from_secs(4), "no connection is accepted during shutdown");
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("closing the remaining streams"), "{log}");
    drop(incomplete_call);
}

#[tokio::test]
async fn a_hangup_does_not_end_the_process() {
    let server = Serving::start("--event-every 100ms");
    let mut stream = subscribe(server.address, "").await.expect("served");
    next_ids(&mut stream, 1).await;
    server.hang_up();
    next_ids(&mut stream, 5).await;
    server.terminate();
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("SIGHUP ignored"), "{log}");
}

#[tokio::test]
async fn a_second_signal_skips_the_grace_period() {
    let server = Serving::start("--shutdown-within 60s");
    let incomplete_call = support::send_head_only(server.address).await;
    let mut stream = subscribe(server.address, "").await.expect("served");
    assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
    server.terminate();
    while TcpStream::connect(server.address).await.is_ok() {
        sleep(Duration::from_millis(10)).await;
    }
    server.terminate();
    let (status, log) = timeout(SOON, server.end()).await.expect("soon");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("closing the remaining streams"), "{log}");
    drop(incomplete_call);
}

async fn a_client_resumes_after_its_last_event(runtime: &str) {
    let server = Serving::start(&format!("--runtime {runtime} --event-every 100ms"));
    let mut stream = subscribe(server.address, "").await.expect("served");
    let seen = next_ids(&mut stream, 3).await;
    drop(stream);
    sleep(Duration::from_millis(300)).await; // meanwhile events are published

    let last: u64 = seen[2].parse().expect("a number");
    let mut stream = subscribe(server.address, &seen[2]).await.expect("served");
    let resumed = next_ids(&mut stream, 5).await;
    assert_eq!(resumed, (last + 1..=last + 5).map(|id| id.to_string()).collect::<Vec<_>>());

    let rejected = subscribe(server.address, "an unknown id").await.expect_err("unknown");
    assert_eq!(rejected.code(), Code::InvalidArgument);
    server.terminate();
    assert_eq!(server.end().await.0.code(), Some(0));
}

#[tokio::test]
async fn the_idle_proxy_cuts_a_stream_without_heartbeats() {
    let mut server = Serving::start("--interval 0s --event-every 0s --idle-cut 500ms");
    let proxy_address = address_in(&mut server.stdout, "cutting idle connections on ");
    let mut stream = subscribe(proxy_address, "").await.expect("served");
    assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
    let since = Instant::now();
    assert!(stream.message().await.is_err(), "cut");
    assert!(since.elapsed() >= Duration::from_millis(400), "{:?}", since.elapsed());
    server.terminate();
    assert!(server.end().await.1.contains("cutting an idle connection"));
}

async fn the_idle_proxy_keeps_a_stream_with_heartbeats(runtime: &str) {
    let arguments = "--interval 150ms --event-every 0s --idle-cut 1s";
    let mut server = Serving::start(&format!("--runtime {runtime} {arguments}"));
    let proxy_address = address_in(&mut server.stdout, "cutting idle connections on ");
    let mut stream = subscribe(proxy_address, "").await.expect("served");
    assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(2) {
        assert!(stream.message().await.expect("an open stream").expect("not ended").is_heartbeat());
    }
    server.terminate();
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("very short interval"), "{log}");
}

async fn a_server_recovers_from_too_many_open_files(runtime: &str) {
    let files = 40;
    let server = Serving::start_with_files("-n", files, &format!("--runtime {runtime}"));
    let since = Instant::now();
    let mut connections = Vec::new();
    for _ in 0..files {
        connections.push(TcpStream::connect(server.address).await.expect("in its backlog"));
    }
    sleep(Duration::from_millis(500)).await; // accepts fail meanwhile
    drop(connections);

    let stream = timeout(SOON, subscribe(server.address, "")).await;
    let mut stream = stream.expect("soon").expect("served");
    assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
    server.terminate();
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    let warnings = log.matches("cannot accept a connection").count();
    assert!(log.contains("too few open files"), "{log}");
    let pauses = since.elapsed().as_millis() / 50;
    assert!((1..=pauses).contains(&(warnings as u128)), "{warnings} in {pauses} pauses: {log}");
}

async fn a_half_closed_client_continues_to_read_and_a_disconnected_one_is_detected(runtime: &str) {
    let limits = "--interval 100ms --event-every 0s --max-streams 1";
    let server = Serving::start(&format!("--runtime {runtime} {limits}"));
    let mut client = TcpStream::connect(server.address).await.expect("connect");
    client.write_all(b"GET /events HTTP/1.1\r\nhost: here\r\n\r\n").await.expect("written");
    client.shutdown().await.expect("a half-close");
    let mut read = String::new();
    let reading = async {
        while read.matches(":\n").count() < 5 {
            read.push(char::from(client.read_u8().await.expect("no end")));
        }
    };
    timeout(SOON, reading).await.expect("soon");

    drop(client);
    let again = async {
        while subscribe(server.address, "").await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, again).await.expect("a free permit");
    server.terminate();
    assert_eq!(server.end().await.0.code(), Some(0));
}

#[tokio::test]
async fn the_limit_of_open_files_is_raised() {
    let server = Serving::start_with_files("-Sn", 40, "--max-connections 100");
    let streams = join_all((0..100).map(|_| subscribe(server.address, "")));
    let streams = timeout(SOON, streams).await.expect("soon");
    assert!(streams.iter().all(Result::is_ok));
    server.terminate();
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("too few open files"), "{log}");
}

#[tokio::test]
async fn the_output_has_an_example_and_tls_works() {
    let certificate = Certificate::new("serve");
    let (cert, key) = (certificate.cert.display(), certificate.key.display());
    let mut server = Serving::start(&format!("--tls-cert {cert} --tls-key {key}"));
    for path in ["/events", "/events.ndjson"] {
        let mut line = String::new();
        server.stdout.read_line(&mut line).expect("a line");
        assert_eq!(line, format!("try: curl -N https://{}{path}\n", server.address));
    }
    let connection = certificate.connect(server.address, &["http/1.1"]).await;
    let request = WireFormat::Sse.request("");
    let mut events = ResponseStream::send_on(connection, Version::HTTP_11, request).await;
    assert_eq!(events.event().await.event_type, "gateway.tick");
    server.terminate();
    assert_eq!(events.end().await, Item::Ended);
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("protocol=\"SSE\""), "{log}");
}

#[tokio::test]
async fn flags_set_limits_and_origins() {
    let flags = "--max-streams 1 --cors-origin https://a.example --cors-origin https://b.example";
    let server = Serving::start(flags);
    let mut request = WireFormat::Sse.request("");
    request.headers_mut().insert("origin", "https://b.example".parse().expect("a value"));
    let only = ResponseStream::send(server.address, Version::HTTP_11, request).await;
    assert_eq!(only.headers["access-control-allow-origin"], "https://b.example");
    let rejected =
        ResponseStream::subscribe(server.address, WireFormat::Sse, Version::HTTP_11, "").await;
    assert_eq!(rejected.status, 503);
    server.terminate();
    assert_eq!(server.end().await.0.code(), Some(0));
}

#[tokio::test]
async fn without_origins_no_other_page_can_read() {
    for (flags, allowed) in [("", None), ("--cors-origin *", Some("*"))] {
        let server = Serving::start(flags);
        let mut request = WireFormat::Sse.request("");
        request.headers_mut().insert("origin", "https://page.example".parse().expect("a value"));
        let response = ResponseStream::send(server.address, Version::HTTP_11, request).await;
        let found = response.headers.get("access-control-allow-origin");
        assert_eq!(found.map(|value| value.to_str().expect("text")), allowed, "{flags:?}");
        server.terminate();
        assert_eq!(server.end().await.0.code(), Some(0));
    }
}

#[test]
fn an_invalid_command_line_is_rejected_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    let taken = format!("serve --listen {address}");
    let metrics_taken = format!("serve --listen 127.0.0.1:0 --metrics {address}");
    for (arguments, reason) in [
        (taken.as_str(), "Address already in use"),
        (&format!("{taken} --runtime smol"), "Address already in use"),
        (&format!("{taken} --runtime async-std"), "Address already in use"),
        (&metrics_taken, "Address already in use"),
        (
            "serve --metrics nowhere",
            "expected an address like 127.0.0.1:8080, localhost:8080 or 8080",
        ),
        ("serve --interval banana", "expected a duration like 15s"),
        ("serve --interval -5s", "expected a duration like 15s"),
        ("serve --jitter 1.5", "must be at least 0 and less than 1"),
        ("serve --jitter much", "expected a fraction like 0.1"),
        ("serve --listen 256.0.0.1:1", "expected an address like 127.0.0.1:8080"),
        ("serve --idle-counts bytes", "--idle-cut"),
        ("serve --runtime glommio", "tokio, smol, async-std"),
        ("serve --listne 8080", "a similar argument exists: '--listen'"),
        ("serve --unknown", "--unknown"),
        ("serve --max-streams 0", "0 is not in 1.."),
        ("serve --max-header-size 100", "100 is not in 8192..=1048576"),
        ("serve --idle-timeout soon", "expected a duration like 15s"),
        ("serve --tls-cert some.pem", "--tls-key"),
        ("serve --tls-cert no.pem --tls-key no.pem", "cannot read certificates from no.pem (PEM)"),
        ("serve --cors-origin example.org", "expected an origin like https://example.org"),
        ("serve --cors-origin https://example.org/", "expected an origin like https://example.org"),
    ] {
        assert_refused(arguments, reason);
    }
}
