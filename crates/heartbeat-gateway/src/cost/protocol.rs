use heartbeat_frame::cost::{Frame, Http};
use heartbeat_frame::{NdjsonHeartbeat, SseHeartbeat};

use crate::rpc_message::RpcMessage;

/// A protocol with one of its heartbeats, and the versions of HTTP that carry it.
pub(super) struct CostProtocol {
    pub(super) name: &'static str,
    pub(super) form: Frame,
    pub(super) over: &'static [Http],
}

const ANY: &[Http] = &[Http::Http1, Http::Http2];

/// All protocols in the order of the report.
pub(super) fn all(message: RpcMessage) -> Vec<CostProtocol> {
    let (proto, json) = (message.proto(), message.json());
    let block = SseHeartbeat::comment_block("").expect("the text has no line break");
    let event = SseHeartbeat::event("heartbeat", "").expect("the text has no line break");
    [
        ("gRPC", Frame::envelope(&proto), &[Http::Http2][..]), // its trailers need HTTP/2
        ("gRPC-Web", Frame::envelope(&proto), ANY),
        ("gRPC-Web-text", Frame::envelope_base64(&proto), ANY),
        ("Connect proto", Frame::envelope(&proto), ANY),
        ("Connect JSON", Frame::envelope(&json), ANY),
        ("SSE comment", Frame::sse(&SseHeartbeat::default()), ANY),
        ("SSE block", Frame::sse(&block), ANY),
        ("SSE event", Frame::sse(&event), ANY),
        ("NDJSON line", Frame::ndjson(NdjsonHeartbeat::BlankLine), ANY),
        ("NDJSON space", Frame::ndjson(NdjsonHeartbeat::Space), ANY),
        ("WebSocket Ping", Frame::ping(), &[Http::Http1]), // rare over HTTP/2
    ]
    .map(|(name, form, over)| CostProtocol { name, form, over })
    .into()
}
