use heartbeat_frame::HeartbeatMessage;

use crate::BodyFraming;
use crate::stream_format::{RpcCodec, RpcProtocol};

/// The message that is a heartbeat in gRPC, gRPC-Web and Connect.
///
/// Every client can decode [`HeartbeatMessage::empty`]: it sees a message with all fields at their defaults. Clients that
/// use JSON get no heartbeats unless [`with_json`](Self::with_json) sets one.
///
/// # Example
///
/// ```
/// use heartbeat_frame::HeartbeatMessage;
/// use heartbeat_http::RpcHeartbeat;
///
/// let json = HeartbeatMessage::from_payload(r#"{"eventType":"gateway.heartbeat"}"#)?;
/// let heartbeat = RpcHeartbeat::new(HeartbeatMessage::gateway_event()).with_json(json);
/// # Ok::<(), heartbeat_frame::PayloadTooLong>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a heartbeat does nothing until it is given to a policy"]
pub struct RpcHeartbeat {
    proto: HeartbeatMessage,
    json: Option<HeartbeatMessage>,
    /// For gRPC-Web text, whose base64 is encoded once.
    web_text: BodyFraming,
}

impl RpcHeartbeat {
    /// The heartbeat for clients that use protobuf.
    pub fn new(proto: HeartbeatMessage) -> Self {
        Self { web_text: BodyFraming::grpc_web_text(&proto), proto, json: None }
    }

    /// Sets the heartbeat for clients that use JSON, in all protocols except gRPC-Web text.
    pub fn with_json(self, json: HeartbeatMessage) -> Self {
        Self { json: Some(json), ..self }
    }

    pub(crate) fn framing(&self, protocol: RpcProtocol, codec: RpcCodec) -> Option<BodyFraming> {
        let message = match codec {
            RpcCodec::Proto => &self.proto,
            RpcCodec::Json => self.json.as_ref()?,
        };
        match protocol {
            RpcProtocol::Grpc => Some(BodyFraming::grpc(message)),
            RpcProtocol::GrpcWeb => Some(BodyFraming::grpc_web(message)),
            RpcProtocol::GrpcWebText => (codec == RpcCodec::Proto).then(|| self.web_text.clone()),
            RpcProtocol::Connect => Some(BodyFraming::connect(message)),
        }
    }
}

impl From<HeartbeatMessage> for RpcHeartbeat {
    fn from(proto: HeartbeatMessage) -> Self {
        Self::new(proto)
    }
}
