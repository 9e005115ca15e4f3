use axum::body::Body;
use axum::http::{Request, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use futures_util::stream::BoxStream;
use heartbeat_async::Timer;
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use tonic::Status;
use tonic_web::GrpcWebLayer;
use tower_layer::Layer;
use tower_service::Service;

use super::deadline::Deadline;
use super::protocol::{ClientProtocol, MAX_REQUEST_SIZE};
use super::subscriptions::Subscriptions;
use heartbeat_frame::service::gateway_service_server::{GatewayService, GatewayServiceServer};

/// Answers a call of gRPC or gRPC-Web.
pub(super) async fn answer<T>(
    subscriptions: Subscriptions<T>,
    protocol: ClientProtocol,
    mut request: Request<Body>,
) -> Response
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    request.extensions_mut().insert(protocol);
    let service = GatewayServiceServer::new(subscriptions);
    let mut service = service.max_decoding_message_size(MAX_REQUEST_SIZE);
    let answered = if protocol == ClientProtocol::GrpcWeb {
        GrpcWebLayer::new().layer(service).call(request).await
    } else if request.version() < Version::HTTP_2 {
        let reason = "gRPC requires HTTP/2: use HTTP/2, gRPC-Web or Connect\n";
        return (StatusCode::HTTP_VERSION_NOT_SUPPORTED, reason).into_response();
    } else {
        service.call(request).await
    };
    let Ok(response) = answered;
    response.map(Body::new)
}

#[tonic::async_trait]
impl<T> GatewayService for Subscriptions<T>
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    type SubscribeStream = BoxStream<'static, Result<GatewayEvent, Status>>;

    async fn subscribe(
        &self,
        request: tonic::Request<SubscribeRequest>,
    ) -> Result<tonic::Response<Self::SubscribeStream>, Status> {
        let (metadata, extensions, request) = request.into_parts();
        let deadline = Deadline::of_grpc(metadata.as_ref())?;
        let protocol = extensions.get().copied().unwrap_or(ClientProtocol::Grpc);
        self.answer(&request, deadline, protocol, &extensions).map(tonic::Response::new)
    }
}
