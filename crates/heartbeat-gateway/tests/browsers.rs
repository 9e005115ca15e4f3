//! CORS: which pages of other origins can read responses.

mod support;

use std::time::Duration;

use heartbeat_frame::GatewayEvent;
use heartbeat_gateway::server::ServerOptions;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, Version};
use support::client::{PROTOCOL_VERSIONS, ResponseStream, SUBSCRIBE, WireFormat, get};
use support::server::Server;

async fn serve(origins: &[&str], limit: u32) -> Server {
    let origins = origins.iter().map(|origin| origin.parse().expect("an origin")).collect();
    let change = |gateway: heartbeat_gateway::server::Gateway| {
        gateway.with_cors_origins(origins).with_max_streams(limit)
    };
    let interval = Duration::ZERO;
    let server = Server::start_with("tokio", 10, interval, &ServerOptions::default(), change).await;
    server.log.publish(GatewayEvent::default());
    server
}

/// The preflight request of a browser for a page of this origin.
fn preflight(path: &str, origin: &str, headers: &str) -> Request<Full<Bytes>> {
    let request = Request::options(format!("http://here{path}"))
        .header("host", "here")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", headers);
    request.body(Full::default()).expect("a request")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().expect("text"))
}

#[tokio::test]
async fn with_any_origin_every_page_can_read() {
    let server = serve(&["*"], 100).await;
    let header_lists = [
        "content-type,x-grpc-web,x-user-agent,grpc-timeout", // sent by grpc-web and connect-web
        "connect-protocol-version,connect-timeout-ms,content-type,my-metadata",
    ];
    for (requested_headers, version) in
        header_lists.into_iter().zip([Version::HTTP_11, Version::HTTP_2])
    {
        let request = preflight(SUBSCRIBE, "https://page.example", requested_headers);
        let response = ResponseStream::send(server.address, version, request).await;
        assert_eq!(response.status, 200);
        assert_eq!(text(&response.headers, "access-control-allow-origin"), "*");
        assert_eq!(text(&response.headers, "access-control-allow-methods"), "GET,POST");
        assert_eq!(text(&response.headers, "access-control-allow-headers"), requested_headers);
        assert_eq!(text(&response.headers, "access-control-max-age"), "7200");
    }
    for (format, version) in PROTOCOL_VERSIONS {
        let mut request = format.request("");
        request.headers_mut().insert("origin", "https://page.example".parse().expect("a value"));
        let mut response = ResponseStream::send(server.address, version, request).await;
        assert_eq!(text(&response.headers, "access-control-allow-origin"), "*", "{format:?}");
        let exposed = text(&response.headers, "access-control-expose-headers");
        let expected = "grpc-status,grpc-message,grpc-status-details-bin,retry-after";
        assert_eq!(exposed, expected, "{format:?}");
        assert_eq!(response.event().await.event_id, "1", "{format:?}");
    }
}

#[tokio::test]
async fn pages_can_read_error_responses() {
    let server = serve(&["*"], 1).await;
    let unknown =
        ResponseStream::subscribe(server.address, WireFormat::Sse, Version::HTTP_11, "7").await;
    assert_eq!(unknown.status, 400);
    assert_eq!(text(&unknown.headers, "access-control-allow-origin"), "*");
    unknown.text().await;

    let _only =
        ResponseStream::subscribe(server.address, WireFormat::Sse, Version::HTTP_11, "").await;
    let rejected =
        ResponseStream::subscribe(server.address, WireFormat::GrpcWeb, Version::HTTP_11, "").await;
    assert_eq!(text(&rejected.headers, "grpc-status"), "8");
    assert_eq!(text(&rejected.headers, "access-control-allow-origin"), "*");
    let request = preflight(SUBSCRIBE, "https://page.example", "content-type");
    let response = ResponseStream::send(server.address, Version::HTTP_11, request).await;
    assert_eq!(response.status, 200, "a preflight request needs no permit");
}

#[tokio::test]
async fn with_some_origins_no_other_page_can_read() {
    let server = serve(&["https://one.example", "http://127.0.0.1:3000"], 100).await;
    for (origin, allowed) in [
        ("https://one.example", "https://one.example"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("https://other.example", ""),
        ("http://one.example", ""),
        ("null", ""),
    ] {
        let mut request = get("/events");
        request.headers_mut().insert("origin", origin.parse().expect("a value"));
        for request in [request, preflight("/events", origin, "x")] {
            let response = ResponseStream::send(server.address, Version::HTTP_11, request).await;
            assert_eq!(text(&response.headers, "access-control-allow-origin"), allowed, "{origin}");
            assert_eq!(text(&response.headers, "vary"), "origin", "{origin}");
        }
    }
}
