//! Rejected requests: each protocol has its own form of error.

mod support;

use std::time::Duration;

use heartbeat_frame::GatewayEvent;
use heartbeat_gateway::server::ServerOptions;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, Version};
use prost::Message;
use support::client::{
    PROTOCOL_VERSIONS, ResponseStream, SOON, SUBSCRIBE, WireFormat, envelope, get,
};
use support::decode::Item;
use support::on_each_runtime;
use support::server::Server;
use tokio::time::{sleep, timeout};

const QUIET: Duration = Duration::ZERO;

on_each_runtime![beyond_the_limit_each_protocol_gets_its_own_error];

async fn beyond_the_limit_each_protocol_gets_its_own_error(runtime: &str) {
    let options = ServerOptions::default();
    let server =
        Server::start_with(runtime, 10, QUIET, &options, |gateway| gateway.with_max_streams(1))
            .await;
    server.log.publish(GatewayEvent::default());
    let mut only =
        ResponseStream::subscribe(server.address, WireFormat::Sse, Version::HTTP_11, "").await;
    assert_eq!(only.event().await.event_id, "1");

    let reason = "too many open streams, retry later";
    let failed = |code: &str| Item::Failed(code.to_owned(), reason.to_owned());
    for (format, version) in PROTOCOL_VERSIONS {
        let case = (format, version);
        let mut rejected = ResponseStream::subscribe(server.address, format, version, "").await;
        assert_eq!(rejected.headers["retry-after"], "1", "{case:?}");
        match format {
            WireFormat::Sse | WireFormat::Ndjson => {
                assert_eq!(rejected.status, 503, "{case:?}");
                assert_eq!(rejected.text().await, format!("{reason}\n"), "{case:?}");
                continue;
            }
            WireFormat::ConnectProto | WireFormat::ConnectJson => {
                assert_eq!(rejected.end().await, failed("resource_exhausted"), "{case:?}");
            }
            _ => assert_eq!(rejected.end().await, failed("8"), "{case:?}"),
        }
        assert_eq!(rejected.status, 200, "{case:?}");
        assert_eq!(rejected.headers["content-type"], format.content_type(), "{case:?}");
    }

    drop(only);
    let again = async {
        loop {
            let mut next =
                ResponseStream::subscribe(server.address, WireFormat::Grpc, Version::HTTP_2, "")
                    .await;
            match next.next().await {
                Item::Event(event) => return event.event_id,
                rejected => assert_eq!(rejected, failed("8")),
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(timeout(SOON, again).await.expect("a free permit"), "1");
}

#[tokio::test]
async fn an_unknown_path_is_404() {
    let server = Server::start("tokio", 10, QUIET).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for path in ["/", "/event", "/events/", "/galaxy.gateway.v1.GatewayService/Other"] {
            let response = ResponseStream::send(server.address, version, get(path)).await;
            assert_eq!(response.status, 404, "{path}");
            let text = response.text().await;
            assert!(text.starts_with(&format!("unknown path {path}: expected /events")), "{text}");
        }
    }
    // Remote calls get an error of their protocol.
    for (format, version) in PROTOCOL_VERSIONS {
        let code = match format {
            WireFormat::Sse | WireFormat::Ndjson => continue,
            WireFormat::ConnectProto | WireFormat::ConnectJson => "unimplemented",
            _ => "12",
        };
        let mut request = format.request("");
        *request.uri_mut() =
            "http://here/galaxy.gateway.v1.GatewayService/Other".parse().expect("one");
        let mut response = ResponseStream::send(server.address, version, request).await;
        let Item::Failed(found, _) = response.end().await else { panic!("{format:?}") };
        assert_eq!(found, code, "{format:?}");
    }
}

#[tokio::test]
async fn an_invalid_request_is_rejected_with_a_reason() {
    let server = Server::start("tokio", 10, QUIET).await;
    let send =
        async |request| ResponseStream::send(server.address, Version::HTTP_11, request).await;

    let response = send(get(SUBSCRIBE)).await;
    assert_eq!(response.status, 405);
    assert_eq!(response.headers["allow"], "POST");
    for path in ["/events", "/events.ndjson"] {
        let mut request = get(path);
        *request.method_mut() = Method::DELETE;
        let response = send(request).await;
        assert_eq!(response.status, 405, "{path}");
        assert_eq!(response.headers["allow"], "GET,HEAD", "{path}");
    }
    for content_type in
        ["application/json", "application/proto", "application/grpc+json", "text", ""]
    {
        let mut request = WireFormat::ConnectJson.request("");
        request.headers_mut().insert("content-type", content_type.parse().expect("a value"));
        let response = send(request).await;
        assert_eq!(response.status, 415, "{content_type}");
        let takes = response.headers["accept-post"].to_str().expect("text").to_owned();
        assert!(takes.contains("application/grpc-web-text, application/connect+proto"), "{takes}");
        assert!(
            response.text().await.ends_with(&format!("Content-Type: expected one of {takes}\n"))
        );
    }
    for path in ["/events", "/events.ndjson"] {
        let response = send(get(&format!("{path}?last_event_id=1&last_event_id=2"))).await;
        assert_eq!(response.status, 400, "{path}");
        let reason = "more than one last_event_id in the query: expected at most one\n";
        assert_eq!(response.text().await, reason, "{path}");
    }
    let response = send(WireFormat::Grpc.request("")).await;
    assert_eq!(response.status, 505);
    assert_eq!(response.text().await, "gRPC requires HTTP/2: use HTTP/2, gRPC-Web or Connect\n");

    let mut head = get("/events");
    *head.method_mut() = Method::HEAD;
    let response = send(head).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["content-type"], "text/event-stream");
    assert_eq!(response.text().await, "");
}

#[tokio::test]
async fn an_invalid_connect_call_is_rejected_with_a_reason() {
    let server = Server::start("tokio", 10, QUIET).await;
    let id = |id: &str| serde_json::json!({ "lastEventId": id }).to_string();
    let long = envelope(0, id(&"9".repeat(64 * 1024)).as_bytes());
    let twice = [envelope(0, b"{}"), envelope(0, b"{}")].concat();
    let cut = &envelope(0, b"{}")[..6];
    for (body, code, reason) in [
        (&b""[..], "unimplemented", "the request has no message: expected exactly one"),
        (&b"\0\0\0"[..], "invalid_argument", "the request ends inside the header of its message"),
        (cut, "invalid_argument", "incomplete message: 1 of 2 bytes"),
        (
            &twice,
            "unimplemented",
            "the request has data after its message: expected exactly one message",
        ),
        (
            &envelope(1, b"{}"),
            "internal",
            "the message is compressed, but no header names the compression",
        ),
        (&envelope(2, b"{}"), "invalid_argument", "unsupported flags of a message: 0x2"),
        (&envelope(0, b"[7"), "invalid_argument", "cannot decode the message of the request: "),
        (&envelope(0, b""), "invalid_argument", "cannot decode the message of the request: "),
        (&long, "resource_exhausted", "cannot read a request of up to 65536 bytes: "),
    ] {
        let request = WireFormat::ConnectJson.call(body.to_vec());
        failed(&server, request, code, reason).await;
    }
    let not_protobuf = WireFormat::ConnectProto.call(envelope(0, b"\x0a\xff"));
    let reason = "cannot decode the message of the request: ";
    failed(&server, not_protobuf, "invalid_argument", reason).await;

    for (name, value, code, reason) in [
        (
            "connect-protocol-version",
            "2",
            "invalid_argument",
            "unsupported connect-protocol-version \"2\": expected 1",
        ),
        (
            "connect-content-encoding",
            "gzip",
            "unimplemented",
            "unsupported compression \"gzip\": expected identity",
        ),
        (
            "connect-timeout-ms",
            "soon",
            "invalid_argument",
            "invalid connect-timeout-ms \"soon\": expected up to 10 digits",
        ),
    ] {
        let mut request = WireFormat::ConnectJson.request("");
        request.headers_mut().insert(name, value.parse().expect("a value"));
        failed(&server, request, code, reason).await;
    }
    // The headers of Connect's own clients are accepted.
    let mut request = WireFormat::ConnectJson.request("");
    for (name, value) in
        [("connect-protocol-version", "1"), ("connect-content-encoding", "identity")]
    {
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    server.log.publish(GatewayEvent::default());
    let mut events = ResponseStream::send(server.address, Version::HTTP_11, request).await;
    assert_eq!(events.event().await.event_id, "1");
}

async fn failed(server: &Server, request: Request<Full<Bytes>>, code: &str, reason: &str) {
    let mut response = ResponseStream::send(server.address, Version::HTTP_11, request).await;
    assert_eq!(response.status, 200, "{reason}");
    let Item::Failed(found, text) = response.end().await else { panic!("{reason}") };
    assert_eq!(found, code, "{reason}");
    assert!(text.starts_with(reason), "{text}");
}

#[tokio::test]
async fn a_large_grpc_message_is_rejected() {
    let server = Server::start("tokio", 10, QUIET).await;
    let request = heartbeat_frame::SubscribeRequest { last_event_id: "9".repeat(64 * 1024) };
    let request = WireFormat::Grpc.call(envelope(0, &request.encode_to_vec()));
    let mut response = ResponseStream::send(server.address, Version::HTTP_2, request).await;
    let Item::Failed(code, _) = response.end().await else { panic!("rejected") };
    assert_eq!(code, "11");
}

#[tokio::test]
async fn the_deadline_of_a_call_ends_it() {
    let server = Server::start("tokio", 10, Duration::from_millis(100)).await;
    server.log.publish(GatewayEvent::default());
    for (format, version) in PROTOCOL_VERSIONS {
        let (name, value, code) = match format {
            WireFormat::Sse | WireFormat::Ndjson => continue,
            WireFormat::ConnectProto | WireFormat::ConnectJson => {
                ("connect-timeout-ms", "300", "deadline_exceeded")
            }
            _ => ("grpc-timeout", "300m", "4"),
        };
        let mut request = format.request("");
        request.headers_mut().insert(name, value.parse().expect("a value"));
        let mut events = ResponseStream::send(server.address, version, request).await;
        assert_eq!(events.event().await.event_id, "1", "{format:?}");
        assert_eq!(events.next().await, Item::Heartbeat, "{format:?}");
        let reason = "the deadline of the call has passed".to_owned();
        assert_eq!(events.end().await, Item::Failed(code.to_owned(), reason), "{format:?}");
    }
}

#[tokio::test]
async fn a_zero_deadline_ends_the_call_without_events() {
    let server = Server::start("tokio", 10, QUIET).await;
    server.log.publish(GatewayEvent::default());
    for (format, version) in PROTOCOL_VERSIONS {
        let (name, value, code) = match format {
            WireFormat::Sse | WireFormat::Ndjson => continue,
            WireFormat::ConnectProto | WireFormat::ConnectJson => {
                ("connect-timeout-ms", "0", "deadline_exceeded")
            }
            _ => ("grpc-timeout", "0n", "4"),
        };
        let mut request = format.request("");
        request.headers_mut().insert(name, value.parse().expect("a value"));
        let mut events = ResponseStream::send(server.address, version, request).await;
        let reason = "the deadline of the call has passed".to_owned();
        assert_eq!(events.end().await, Item::Failed(code.to_owned(), reason), "{format:?}");
    }
}
