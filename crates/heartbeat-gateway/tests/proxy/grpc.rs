use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request as HttpRequest;
use axum::routing::post;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use heartbeat_frame::GatewayEvent;
use tokio::time::sleep;
use tonic::client::Grpc as Client;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic::server::Grpc as Server;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tonic_prost::prost::Message;
use tower::service_fn;

use crate::proxying::Proxying;
use crate::upstream::{listener, serve};

type Codec = ProstCodec<GatewayEvent, GatewayEvent>;
type EventStream = BoxStream<'static, Result<GatewayEvent, Status>>;

const PAUSE: Duration = Duration::from_millis(350);

fn event(text: &str) -> GatewayEvent {
    GatewayEvent { event_type: text.to_owned(), ..GatewayEvent::default() }
}

/// Two events, each after a pause, then an error with metadata, which is sent in trailers.
fn events() -> EventStream {
    let mut error = Status::resource_exhausted("no more events");
    error.metadata_mut().insert("x-left", MetadataValue::from_static("0"));
    let events = stream::iter([Ok(event("one")), Ok(event("two")), Err(error)]);
    let delayed = events.then(|event| async {
        sleep(PAUSE).await;
        event
    });
    delayed.boxed()
}

/// A server with a method of each kind. All methods are slow.
fn router() -> Router {
    let server = || Server::new(Codec::default());
    let unary = async move |request: HttpRequest<Body>| {
        let method = service_fn(async |request: Request<GatewayEvent>| {
            sleep(PAUSE).await;
            Ok::<_, Status>(Response::new(request.into_inner()))
        });
        server().unary(method, request).await
    };
    let server_streaming = async move |request: HttpRequest<Body>| {
        let method = service_fn(async |_: Request<GatewayEvent>| Ok(Response::new(events())));
        server().server_streaming(method, request).await
    };
    let late_head = async move |request: HttpRequest<Body>| {
        let method = service_fn(async |_: Request<GatewayEvent>| {
            sleep(3 * PAUSE).await;
            Ok(Response::new(events()))
        });
        server().server_streaming(method, request).await
    };
    let client_streaming = async move |request: HttpRequest<Body>| {
        let method = service_fn(async |request: Request<Streaming<GatewayEvent>>| {
            let events: Vec<_> = request.into_inner().try_collect().await?;
            sleep(PAUSE).await;
            Ok::<_, Status>(Response::new(event(&events.len().to_string())))
        });
        server().client_streaming(method, request).await
    };
    let both = async move |request: HttpRequest<Body>| {
        let method = service_fn(async |request: Request<Streaming<GatewayEvent>>| {
            let echo: EventStream = request.into_inner().boxed();
            Ok(Response::new(echo))
        });
        server().streaming(method, request).await
    };
    Router::new()
        .route("/test.Kinds/Unary", post(unary))
        .route("/test.Kinds/ServerStreaming", post(server_streaming))
        .route("/test.Kinds/Other", post(server_streaming))
        .route("/test.Kinds/LateHead", post(late_head))
        .route("/test.Kinds/ClientStreaming", post(client_streaming))
        .route("/test.Kinds/Both", post(both))
}

const METHODS: &str = "--method /test.Kinds/ServerStreaming --method /test.Kinds/Both";

async fn proxying(arguments: &str) -> Proxying {
    let arguments = format!("--interval 100ms --upstream-http2 {METHODS} {arguments}");
    Proxying::start(serve(router()).await, &arguments)
}

async fn client(proxy: &Proxying) -> Client<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", proxy.address)).expect("a URL");
    let mut client = Client::new(endpoint.connect().await.expect("connect"));
    client.ready().await.expect("ready");
    client
}

fn path(method: &'static str) -> PathAndQuery {
    PathAndQuery::from_static(method)
}

/// The items that a client of a streaming method receives, with a dot for each heartbeat, and the end.
async fn received(
    mut events: Streaming<GatewayEvent>,
    heartbeat: &GatewayEvent,
) -> (String, Status) {
    let mut received = String::new();
    loop {
        match events.message().await {
            Ok(Some(event)) if event == *heartbeat => received.push('.'),
            Ok(Some(event)) => received += &event.event_type,
            Ok(None) => return (received, Status::ok("")),
            Err(status) => return (received, status),
        }
    }
}

async fn subscribe(proxy: &Proxying, method: &'static str) -> Streaming<GatewayEvent> {
    let request = Request::new(event(""));
    let mut client = client(proxy).await;
    let response = client.server_streaming(request, path(method), Codec::default()).await;
    response.expect("a response").into_inner()
}

#[tokio::test]
async fn a_configured_method_has_heartbeats_and_keeps_its_trailers() {
    let named = GatewayEvent::heartbeat();
    let hex = "0A11676174657761792E686561727462656174";
    for (arguments, heartbeat) in [
        (String::new(), GatewayEvent::default()),
        ("--message gateway".to_owned(), named.clone()),
        (format!("--message hex:{hex}"), named),
    ] {
        let proxy = proxying(&arguments).await;
        let events = subscribe(&proxy, "/test.Kinds/ServerStreaming").await;
        let (received, status) = received(events, &heartbeat).await;
        let heartbeats: Vec<usize> =
            received.split(['o', 'n', 'e', 't', 'w']).map(str::len).collect();
        assert_eq!(received.replace('.', ""), "onetwo");
        assert!(heartbeats.iter().filter(|&&count| count >= 2).count() == 3, "{received}");
        assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "no more events"));
        assert_eq!(status.metadata().get("x-left").expect("metadata"), "0");
    }
}

#[tokio::test]
async fn a_configured_method_has_no_response_timeout() {
    let proxy = proxying("--response-timeout 300ms --method /test.Kinds/LateHead").await;
    let events = subscribe(&proxy, "/test.Kinds/LateHead").await;
    let (received, status) = received(events, &GatewayEvent::default()).await;
    assert_eq!(received.replace('.', ""), "onetwo");
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn other_methods_pass_unchanged() {
    let proxy = proxying("").await;
    let events = subscribe(&proxy, "/test.Kinds/Other").await;
    let (received, status) = received(events, &GatewayEvent::default()).await;
    assert_eq!((received.as_str(), status.code()), ("onetwo", Code::ResourceExhausted));
}

#[tokio::test]
async fn unary_methods_pass_unchanged() {
    let proxy = proxying("").await;
    let request = Request::new(event("text"));
    let response =
        client(&proxy).await.unary(request, path("/test.Kinds/Unary"), Codec::default()).await;
    assert_eq!(response.expect("a response").into_inner(), event("text"));
    let request = Request::new(stream::iter(["a", "b", "c"]).map(event));
    let method = path("/test.Kinds/ClientStreaming");
    let response = client(&proxy).await.client_streaming(request, method, Codec::default()).await;
    assert_eq!(response.expect("a response").into_inner(), event("3"));
}

#[tokio::test]
async fn both_sides_stream_at_once() {
    let proxy = proxying("").await;
    let request = stream::iter(["a", "b"]).then(|text| async move {
        sleep(PAUSE).await;
        event(text)
    });
    let request = Request::new(request.chain(stream::once(async {
        sleep(PAUSE).await;
        event("c")
    })));
    let method = path("/test.Kinds/Both");
    let response = client(&proxy).await.streaming(request, method, Codec::default()).await;
    let events = response.expect("a response").into_inner();
    let (received, status) = received(events, &GatewayEvent::default()).await;
    assert_eq!(status.code(), Code::Ok);
    assert_eq!(received.replace('.', ""), "abc");
    assert!(received.contains("a..") && received.contains("b.."), "{received}");
}

#[tokio::test]
async fn methods_are_read_from_a_descriptor_set() {
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/../heartbeat-frame/proto");
    let files = ["galaxy/gateway/v1/gateway.proto"];
    let set = protox::compile(files, [proto]).expect("a valid proto file").encode_to_vec();
    let file = std::env::temp_dir().join(format!("proxy-{}.descriptors", std::process::id()));
    std::fs::write(&file, set).expect("written");
    let server = Router::new().route(
        "/galaxy.gateway.v1.GatewayService/Subscribe",
        post(async |request: HttpRequest<Body>| {
            let method = service_fn(async |_: Request<GatewayEvent>| Ok(Response::new(events())));
            Server::new(Codec::default()).server_streaming(method, request).await
        }),
    );
    let arguments = format!(
        "--interval 100ms --upstream-http2 --methods-in {} --method /test.Kinds/Both",
        file.display()
    );
    let proxy = Proxying::start(serve(server).await, &arguments);
    let events = subscribe(&proxy, "/galaxy.gateway.v1.GatewayService/Subscribe").await;
    let (received, _) = received(events, &GatewayEvent::default()).await;
    std::fs::remove_file(file).expect("removed");
    assert!(received.contains("one..") && received.contains("..two"), "{received}");
}

#[tokio::test]
async fn a_grpc_client_receives_the_reason_of_a_failure() {
    let (listener, address) = listener().await;
    drop(listener);
    let proxy = Proxying::start(format_args!("http://{address}"), "--upstream-http2");
    let request = Request::new(event("text"));
    let response =
        client(&proxy).await.unary(request, path("/test.Kinds/Unary"), Codec::default()).await;
    let status: Status = response.expect_err("no upstream");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "cannot connect to the upstream");
}
