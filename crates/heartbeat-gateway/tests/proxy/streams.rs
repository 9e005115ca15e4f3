use std::io::BufRead;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::client::{exchange, fetch, get, h2, text};
use crate::proxying::{Proxying, SOON};
use crate::upstream::in_pieces;

/// Longer than three times the interval.
const PAUSE: Duration = Duration::from_millis(350);
const INTERVAL: &str = "--interval 100ms";

/// Serves a stream of this type; each piece is a chunk.
async fn stream(content_type: &str, pieces: &[&str]) -> String {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let chunks = pieces.iter().map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len()));
    let written: Vec<String> =
        std::iter::once(head).chain(chunks).chain(["0\r\n\r\n".to_owned()]).collect();
    let written: Vec<&str> = written.iter().map(String::as_str).collect();
    in_pieces(PAUSE, &written).await
}

/// Removes the heartbeats from the received bytes, and returns their positions in the original. `heartbeat` returns the
/// heartbeat after these bytes. `fits` checks a position, given the bytes before and after it.
fn heartbeats(
    received: &str,
    original: &str,
    heartbeat: impl Fn(&str) -> &'static str,
    fits: impl Fn(&str, &str) -> bool,
) -> Vec<usize> {
    let (mut received, mut place) = (received, 0);
    let mut found = Vec::new();
    while !received.is_empty() {
        let (before, after) = original.split_at(place);
        if let Some(rest) = received.strip_prefix(heartbeat(before)).filter(|_| fits(before, after))
        {
            received = rest;
            found.push(place);
        } else {
            let next = after.chars().next().expect("more output than expected");
            received =
                received.strip_prefix(next).unwrap_or_else(|| panic!("{before:?} {received:?}"));
            place += next.len_utf8();
        }
    }
    assert_eq!(place, original.len(), "whole");
    found
}

/// A comment with the line end of the last line that ended with LF or CRLF.
fn comment(before: &str) -> &'static str {
    let lf = before.rfind('\n');
    if lf.is_some_and(|lf| before[..lf].ends_with('\r')) { ":\r\n" } else { ":\n" }
}

/// Whether a line starts at this position, and not inside a CRLF.
fn at_a_line(before: &str, after: &str) -> bool {
    match before.chars().next_back() {
        None | Some('\n') => true,
        Some('\r') => !after.starts_with('\n'),
        Some(_) => false,
    }
}

#[tokio::test]
async fn events_in_any_chunks_pass_unchanged() {
    let pieces = [
        "\u{feff}",
        "id: 1\r",
        "\n",
        "data: o",
        "ne\r\n",
        "data: tw",
        "o\r\n\r",
        "\n",
        "event: x\n",
        "data: é",
        "\n\n",
        "retry: 1\r",
        "data: last\r\r",
    ];
    let original: String = pieces.concat();
    let upstream = stream("text/event-stream; charset=utf-8", &pieces).await;
    let proxy = Proxying::start(&upstream, INTERVAL);
    let over_http1 = fetch(&proxy, get("/")).await;
    let over_http2 = h2(&proxy).await.send_request(get("/")).await.expect("a response");
    for response in [over_http1, over_http2] {
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let received = text(response).await;
        // The byte order mark is removed if a heartbeat precedes it: it carries no data.
        let original = if received.starts_with(':') { &original[3..] } else { &original };
        let found = heartbeats(&received, original, comment, at_a_line);
        for fits in ["id: 1\r\n", "data: one\r\n", "event: x\n"] {
            let place = original.find(fits).expect("present") + fits.len();
            assert!(found.contains(&place), "{fits:?} {received:?}");
        }
    }
    let line = &proxy.request_logs(2).await[0];
    assert!(line.contains("kept_alive=true") && line.contains("end=\"complete\""), "{line}");
}

#[tokio::test]
async fn a_stream_that_ends_with_its_connection_has_heartbeats() {
    let pieces =
        ["HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n", "data: 1\n\n", "data: 2"];
    let proxy = Proxying::start(in_pieces(PAUSE, &pieces).await, INTERVAL);
    let received = text(fetch(&proxy, get("/")).await).await;
    let found = heartbeats(&received, "data: 1\n\ndata: 2", comment, at_a_line);
    assert!(found.iter().filter(|&&place| place == 9).count() >= 2, "{received:?}");
}

#[tokio::test]
async fn ndjson_has_heartbeats_if_enabled() {
    let pieces = ["{\"a\":1}\n", "{\"b\":", "2}\n{\"c\":3", "}\r\n", "{\"d\":4}\n"];
    let original = pieces.concat();
    let upstream = stream("application/x-ndjson", &pieces).await;
    let received = join_all(["--ndjson blank", "--ndjson space", ""].map(async |arguments| {
        let proxy = Proxying::start(&upstream, &format!("{INTERVAL} {arguments}"));
        text(fetch(&proxy, get("/")).await).await
    }));
    let [blank, space, without] = received.await.try_into().expect("three");
    for (received, heartbeat) in [(blank, "\n"), (space, " ")] {
        let fits = |before: &str, _: &str| before.is_empty() || before.ends_with('\n');
        let found = heartbeats(&received, &original, |_| heartbeat, fits);
        assert!(found.contains(&8) && found.contains(&25), "{received:?}");
        let lines = received.lines().map(str::trim).filter(|line| !line.is_empty());
        assert_eq!(lines.collect::<Vec<_>>(), original.lines().collect::<Vec<_>>());
    }
    assert_eq!(without, original);
}

#[tokio::test]
async fn other_responses_pass_unchanged() {
    let cases = [
        ("text/plain", INTERVAL),
        ("application/json", INTERVAL),
        ("text/event-stream\r\ncontent-encoding: gzip", INTERVAL),
        ("text/event-stream", "--interval 0s"),
    ];
    let passing = cases.map(async |(content_type, arguments)| {
        let pieces = ["data: 1\n\n", "data: 2\n\n"];
        let proxy = Proxying::start(stream(content_type, &pieces).await, arguments);
        let response = fetch(&proxy, get("/")).await;
        assert!(!response.headers().contains_key("x-accel-buffering"), "{content_type}");
        assert_eq!(text(response).await, pieces.concat(), "{content_type}");
    });
    join_all(passing).await;
}

#[tokio::test]
async fn heartbeats_stop_after_give_up_after() {
    let pieces = ["data: 1\n\n"; 4];
    let upstream = stream("text/event-stream", &pieces[..1]).await;
    let proxy = Proxying::start(upstream, "--interval 50ms --give-up-after 120ms");
    let received = text(fetch(&proxy, get("/")).await).await;
    let found = heartbeats(&received, pieces[0], comment, at_a_line);
    let behind = found.iter().filter(|&&place| place > 0).count();
    assert!(behind <= 2, "then {PAUSE:?} follow: {received:?}");
}

#[tokio::test]
async fn the_metrics_count_heartbeats() {
    let upstream = stream("text/event-stream", &["data: 1\n\n", "data: 2\n\n"]).await;
    let mut proxy = Proxying::start(upstream, &format!("{INTERVAL} --metrics 127.0.0.1:0"));
    let mut line = String::new();
    proxy.stdout.read_line(&mut line).expect("a line");
    let address = line.trim_end().strip_prefix("metrics on http://").expect("an address");
    let address: SocketAddr = address.trim_end_matches("/metrics").parse().expect("an address");
    text(fetch(&proxy, get("/")).await).await;
    proxy.request_logs(1).await;

    let scraping = async {
        let mut connection = tokio::net::TcpStream::connect(address).await.expect("connect");
        let request = b"GET /metrics HTTP/1.0\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut connection, request).await.expect("written");
        let mut page = String::new();
        connection.read_to_string(&mut page).await.expect("text");
        page
    };
    let page = timeout(SOON, scraping).await.expect("soon");
    let sent = page.lines().find(|line| {
        line.starts_with("heartbeat_messages_total{") && line.contains("outcome=\"sent\"")
    });
    let sent = sent.and_then(|line| line.rsplit_once(' ')).unwrap_or_else(|| panic!("{page}"));
    assert!(sent.1.parse::<f64>().expect("a number") >= 3.0, "{page}");
}

#[tokio::test]
async fn each_request_has_a_log_line() {
    let upstream = stream("text/plain", &["12345"]).await;
    let proxy = Proxying::start(upstream, "");
    let request = "GET /a/b?secret=1 HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    exchange(&proxy, request).await;
    let lines = proxy.request_logs(1).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        " INFO ",
        "client=127.0.0.1:",
        "method=GET",
        "path=\"/a/b\"",
        "status=200",
        "bytes=5",
        "duration=",
        "kept_alive=false",
        "end=\"complete\"",
    ] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(!lines[0].contains("secret"), "{}", lines[0]);
}
