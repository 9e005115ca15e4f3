//! tonic's server with the layer, and compressed messages.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use heartbeat_frame::service::gateway_service_client::GatewayServiceClient;
use heartbeat_frame::service::gateway_service_server::{GatewayService, GatewayServiceServer};
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use heartbeat_tokio::{HeartbeatLayer, HeartbeatMessage, HeartbeatPolicy, StreamingMethods};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::codegen::Bytes;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

const SUBSCRIBE: &str = "/galaxy.gateway.v1.GatewayService/Subscribe";

/// Three events with a pause of ten intervals between them.
struct EventService;

#[tonic::async_trait]
impl GatewayService for EventService {
    type SubscribeStream = BoxStream<'static, Result<GatewayEvent, Status>>;

    async fn subscribe(
        &self,
        _: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let events = stream::iter(1..=3).then(|number| async move {
            if number > 1 {
                sleep(Duration::from_millis(300)).await;
            }
            let event_type = format!("{number}, and something to compress").repeat(20);
            Ok(GatewayEvent { event_type, ..Default::default() })
        });
        Ok(Response::new(events.boxed()))
    }
}

/// A server with compression enabled and the layer.
async fn serve(methods: StreamingMethods) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a bound listener");
    let policy = HeartbeatPolicy::new(Duration::from_millis(30))
        .with_rpc(methods, HeartbeatMessage::gateway_event());
    let server = Server::builder()
        .layer(HeartbeatLayer::new(policy))
        .add_service(GatewayServiceServer::new(EventService).send_compressed(Gzip));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

/// The items that tonic's client receives: events by their number, heartbeats as dots.
async fn received(address: SocketAddr, compressed: bool) -> String {
    let client = GatewayServiceClient::connect(format!("http://{address}")).await;
    let mut client = client.expect("connect");
    if compressed {
        client = client.accept_compressed(Gzip);
    }
    let events = client.subscribe(SubscribeRequest::default()).await.expect("a response");
    let mut events = events.into_inner();
    let mut received = String::new();
    while let Some(mut event) = events.message().await.expect("a valid message") {
        received.push(if event.is_heartbeat() { '.' } else { event.event_type.remove(0) });
    }
    received
}

fn has_heartbeats_around_events(received: &str) -> bool {
    let events: String = received.split('.').collect();
    assert_eq!(events, "123", "{received}");
    received.contains("1.") && received.contains(".2") && received.contains("2.")
}

#[tokio::test]
async fn a_client_decodes_heartbeats_among_compressed_messages() {
    let address = serve(StreamingMethods::paths([SUBSCRIBE])).await;
    for compressed in [true, false] {
        let received = received(address, compressed).await;
        assert!(has_heartbeats_around_events(&received), "{received}");
    }
}

#[tokio::test]
async fn other_methods_have_no_heartbeats() {
    let address = serve(StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Other"])).await;
    assert_eq!(received(address, true).await, "123");
}

#[tokio::test]
async fn heartbeats_are_marked_as_uncompressed() {
    let address = serve(StreamingMethods::paths([SUBSCRIBE])).await;
    let connection = TcpStream::connect(address).await.expect("connect");
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(connection)).await;
    let (mut http, connection) = handshake.expect("an HTTP/2 handshake");
    tokio::spawn(connection);
    let request = hyper::Request::post(format!("http://{address}{SUBSCRIBE}"))
        .header("content-type", "application/grpc")
        .header("grpc-accept-encoding", "gzip")
        .body(Full::new(Bytes::from_static(&[0; 5])))
        .expect("a request");
    let response = http.send_request(request).await.expect("a response");
    assert_eq!(response.headers()["grpc-encoding"], "gzip");
    assert!(!response.headers().contains_key("x-accel-buffering"));
    let body = response.into_body().collect().await.expect("a complete body");
    assert_eq!(body.trailers().expect("trailers")["grpc-status"], "0");
    let mut bytes = body.to_bytes();

    let (mut compressed, mut heartbeats) = (0, 0);
    while !bytes.is_empty() {
        let header = bytes.split_to(5);
        let length = u32::from_be_bytes(header[1..].try_into().expect("4 bytes"));
        let message = bytes.split_to(length.try_into().expect("a complete message"));
        match header[0] {
            0 => {
                assert_eq!(message, "\n\x11gateway.heartbeat");
                heartbeats += 1;
            }
            flags => {
                assert_eq!((flags, &message[..2]), (1, &b"\x1f\x8b"[..]));
                compressed += 1;
            }
        }
    }
    assert_eq!(compressed, 3);
    assert!(heartbeats >= 2, "{heartbeats}");
}
