use heartbeat_frame::HeartbeatMessage;

use crate::BodyFraming;
use crate::media::{Codec, Protocol};

/// The messages that are heartbeats in gRPC, gRPC-Web and Connect.
///
/// What a client of an unrelated service is sure to decode is [`HeartbeatMessage::empty`] alone: it sees
/// a message with all fields at their defaults. Those that speak JSON get none, unless there is a text
/// for them.
///
/// # Example
///
/// ```
/// use heartbeat_frame::HeartbeatMessage;
/// use heartbeat_http::RpcHeartbeat;
///
/// let json = HeartbeatMessage::from_payload(r#"{"eventType":"gateway.heartbeat"}"#)?;
/// let messages = RpcHeartbeat::new(HeartbeatMessage::gateway_event()).with_json(json);
/// # Ok::<(), heartbeat_frame::PayloadTooLong>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "messages do nothing until a policy has them"]
pub struct RpcHeartbeat {
    proto: HeartbeatMessage,
    json: Option<HeartbeatMessage>,
    /// Encoded once.
    web_text: BodyFraming,
}

impl RpcHeartbeat {
    /// This one, for clients that speak protobuf.
    pub fn new(proto: HeartbeatMessage) -> Self {
        Self { web_text: BodyFraming::grpc_web_text(&proto), proto, json: None }
    }

    /// And this text for those that speak JSON. Not for gRPC-Web-text, in which nobody does.
    pub fn with_json(self, json: HeartbeatMessage) -> Self {
        Self { json: Some(json), ..self }
    }

    pub(crate) fn framing(&self, protocol: Protocol, codec: Codec) -> Option<BodyFraming> {
        let message = match codec {
            Codec::Proto => &self.proto,
            Codec::Json => self.json.as_ref()?,
        };
        match protocol {
            Protocol::Grpc => Some(BodyFraming::grpc(message)),
            Protocol::GrpcWeb => Some(BodyFraming::grpc_web(message)),
            Protocol::GrpcWebText => (codec == Codec::Proto).then(|| self.web_text.clone()),
            Protocol::Connect => Some(BodyFraming::connect(message)),
        }
    }
}

impl From<HeartbeatMessage> for RpcHeartbeat {
    fn from(proto: HeartbeatMessage) -> Self {
        Self::new(proto)
    }
}
