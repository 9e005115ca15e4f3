//! The remote call in gRPC, gRPC-Web and Connect.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::future::{self, Either};
use heartbeat_async::Timer;
use heartbeat_core::Instant;

use super::protocol::{CONTENT_TYPES, ClientProtocol};
use super::subscriptions::Subscriptions;
use super::{connect, errors, grpc};

/// Maximum time until the message of a request has arrived.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers a call once the message of the request has arrived.
pub(super) async fn subscribe<T>(
    State(subscriptions): State<Subscriptions<T>>,
    request: Request<Body>,
) -> Response
where
    T: Timer<Instant: Send, Sleep: Send> + Clone + Send + Sync + 'static,
{
    let timer = subscriptions.timer.clone();
    let headers = request.headers().clone();
    let answer = Box::pin(async move {
        match ClientProtocol::of(request.headers()) {
            Some(ClientProtocol::Connect(codec)) => {
                connect::answer(subscriptions, codec, request).await
            }
            Some(protocol) => grpc::answer(subscriptions, protocol, request).await,
            None => {
                let reason = format!("unsupported Content-Type: expected one of {CONTENT_TYPES}\n");
                let accept = [("accept-post", CONTENT_TYPES)];
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, accept, reason).into_response()
            }
        }
    });
    let Some(deadline) = timer.now().checked_add(REQUEST_TIMEOUT) else { return answer.await };
    match future::select(answer, Box::pin(timer.sleep_until(deadline))).await {
        Either::Left((response, _)) => response,
        Either::Right(_) => errors::request_timeout(&headers),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::{Bytes, to_bytes};
    use axum::http::Version;
    use futures_util::stream::{self, StreamExt};
    use heartbeat_tokio::TokioTimer;
    use tokio::time::Instant;

    use super::*;
    use crate::event_log::EventLog;
    use crate::server::protocol::SUBSCRIBE;

    #[tokio::test(start_paused = true)]
    async fn a_missing_message_times_out() {
        for (content_type, beginning) in [
            ("application/grpc", "\0\0"),
            ("application/grpc-web", "\0\0\0\0\x01"),
            ("application/grpc-web-text", "AA"),
            ("application/connect+proto", ""),
            ("application/connect+json", "\0\0\0\0\x02{"),
        ] {
            let start_of_body = stream::iter([Ok::<_, Infallible>(Bytes::from(beginning))]);
            let request = Request::post(SUBSCRIBE)
                .version(Version::HTTP_2)
                .header("content-type", content_type)
                .body(Body::from_stream(start_of_body.chain(stream::pending())));
            let subscriptions = Subscriptions { log: EventLog::new(1), timer: TokioTimer };
            let start = Instant::now();
            let answer = subscribe(State(subscriptions), request.expect("a request")).await;
            assert_eq!(start.elapsed().as_secs(), 10, "{content_type}");
            assert_eq!(answer.status(), StatusCode::OK, "{content_type}");
            assert_eq!(answer.headers()["content-type"], content_type);
            let (head, body) = answer.into_parts();
            let body = to_bytes(body, 1000).await.expect("whole");
            if content_type.contains("connect") {
                let end = r#"{"error":{"code":"deadline_exceeded","message":"the message of the request did not arrive in time"}}"#;
                let length = u8::try_from(end.len()).expect("short");
                assert_eq!(body, [&[2, 0, 0, 0, length], end.as_bytes()].concat());
            } else {
                assert_eq!(head.headers["grpc-status"], "4", "{content_type}");
                assert_eq!(body, "", "{content_type}");
            }
        }
    }
}
