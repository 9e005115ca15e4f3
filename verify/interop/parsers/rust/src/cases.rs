//! Each stream with heartbeats at each place where they are legal. The places, and the bytes of the heartbeats, are those of a
//! [`HeartbeatBody`].

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_frame::{NdjsonHeartbeat, SseHeartbeat};
use heartbeat_http::{BodyFraming, HeartbeatBody};
use http_body::{Body, Frame};
use serde_json::{Value, json};

use crate::streams;

const INTERVAL: Duration = Duration::from_secs(1);

/// Streams up to this length are cut at each byte.
const SHORT: usize = 512;
const PIECE: usize = 4096;

pub fn all() -> Vec<Value> {
    let sse = |form, heartbeat: Result<SseHeartbeat, _>| {
        let heartbeat = heartbeat.expect("valid"); // the texts have no line breaks
        ("sse", form, BodyFraming::sse(&heartbeat))
    };
    let ndjson = |form, heartbeat| ("ndjson", form, BodyFraming::ndjson(heartbeat));
    let forms = [
        sse("empty comment", Ok(SseHeartbeat::default())),
        sse("comment", SseHeartbeat::comment("keep-alive")),
        sse("comment block", SseHeartbeat::comment_block("")),
        sse("event", SseHeartbeat::event("heartbeat", "{}")),
        ndjson("blank line", NdjsonHeartbeat::BlankLine),
        ndjson("space", NdjsonHeartbeat::Space),
    ];
    let mut cases = Vec::new();
    for (format, form, framing) in forms {
        let streams = if format == "sse" { streams::sse() } else { streams::ndjson() };
        for stream in streams {
            for (place, segments) in places(&stream.bytes, &framing) {
                if form == "comment" && place.starts_with("after") {
                    continue; // like the empty comment
                }
                let chunkings = if place.ends_with("everywhere") {
                    ["bytes", "segments", "whole"].as_slice()
                } else {
                    &["lines", "whole"]
                };
                cases.push(json!({
                    "id": cases.len(),
                    "format": format,
                    "form": form,
                    "stream": stream.name,
                    "place": place,
                    "chunkings": chunkings,
                    "segments": to_json(&segments),
                    "without": without(&stream.bytes, &segments),
                }));
            }
        }
    }
    cases
}

/// The stream with heartbeats: at each legal place alone, at all of them but the end, and there two at a time.
fn places(stream: &[u8], framing: &BodyFraming) -> Vec<(String, Vec<Segment>)> {
    let offsets = (0..=stream.len()).filter(|at| is_cut(stream, *at));
    let alone = offsets.filter_map(|at| Some((at, segments(stream, framing, &[at])?)));
    let (at_end, alone): (Vec<_>, Vec<_>) = alone.partition(|it| it.0 == stream.len());

    let everywhere: Vec<_> = alone.iter().map(|it| it.0).collect();
    let twice: Vec<_> = everywhere.iter().flat_map(|at| [*at; 2]).collect();
    let together = [("everywhere", everywhere), ("twice everywhere", twice)];
    let together = together.into_iter().filter(|it| !it.1.is_empty()).map(|(place, offsets)| {
        (place.to_owned(), segments(stream, framing, &offsets).expect("legal places"))
    });
    let alone = alone.into_iter().map(|(at, segments)| (format!("after {at} bytes"), segments));
    let at_end = at_end.into_iter().map(|(_, segments)| ("at the end".to_owned(), segments));
    together.chain(alone).chain(at_end).collect()
}

fn is_cut(stream: &[u8], at: usize) -> bool {
    let after_line_end = at > 0 && matches!(stream[at - 1], b'\r' | b'\n');
    stream.len() <= SHORT || at == stream.len() || at.is_multiple_of(PIECE) || after_line_end
}

/// Consecutive bytes that the client receives: of the stream, or of one or more heartbeats.
struct Segment {
    bytes: Vec<u8>,
    is_heartbeat: bool,
    /// How many bytes of the stream have been sent after it.
    end: usize,
}

fn to_json(segments: &[Segment]) -> Value {
    segments.iter().map(|it| json!([STANDARD.encode(&it.bytes), it.is_heartbeat, it.end])).collect()
}

/// The stream without heartbeats, cut where they were. With a byte order mark, also the stream without that mark: a client that
/// does not skip the mark reads the first event only if a heartbeat replaces or follows it.
fn without(stream: &[u8], segments: &[Segment]) -> Vec<Value> {
    let cut_from = |start: usize| {
        let mut parts: Vec<Segment> = Vec::new();
        for &Segment { end, .. } in segments {
            let from = parts.last().map_or(start, |it| it.end);
            if from < end {
                let bytes = stream[from..end].to_vec();
                parts.push(Segment { bytes, is_heartbeat: false, end });
            }
        }
        to_json(&parts)
    };
    let mark = "\u{feff}".as_bytes();
    let marked = stream.starts_with(mark).then(|| cut_from(mark.len()));
    [cut_from(0)].into_iter().chain(marked).collect()
}

/// What a [`HeartbeatBody`] sends for this stream if heartbeats are due after so many bytes of it. `None` if one of these
/// places is not legal.
fn segments(stream: &[u8], framing: &BodyFraming, heartbeats: &[usize]) -> Option<Vec<Segment>> {
    let pieces = Rc::new(RefCell::new(Pieces::default()));
    let time = VirtualTime::new();
    let body = HeartbeatBody::new(Source(pieces.clone()), time.clone(), INTERVAL, framing.clone());
    let mut body = pin!(body);
    let mut segments: Vec<Segment> = Vec::new();
    let mut poll = |is_heartbeat, end| {
        let mut any = false;
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
            any = true;
            let bytes = frame.into_data().expect("no trailers");
            match segments.last_mut() {
                Some(last) if last.is_heartbeat == is_heartbeat => {
                    last.bytes.extend(&bytes);
                    last.end = end;
                }
                _ => segments.push(Segment { bytes: bytes.into(), is_heartbeat, end }),
            }
        }
        any
    };

    let mut sent = 0;
    for end in (0..=stream.len()).filter(|at| is_cut(stream, *at)) {
        pieces.borrow_mut().ready.push_back(Bytes::copy_from_slice(&stream[sent..end]));
        sent = end;
        poll(false, end);
        for _ in heartbeats.iter().filter(|at| **at == end) {
            time.advance(INTERVAL);
            if !poll(true, end) {
                return None;
            }
        }
    }
    pieces.borrow_mut().ended = true;
    poll(true, stream.len());
    Some(segments)
}

#[derive(Default)]
struct Pieces {
    ready: VecDeque<Bytes>,
    ended: bool,
}

/// The inner body.
struct Source(Rc<RefCell<Pieces>>);

impl Body for Source {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut pieces = self.0.borrow_mut();
        match pieces.ready.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if pieces.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}
