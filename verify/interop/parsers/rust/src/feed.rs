//! Feeding a parser: in chunks, and with a note of how far it was fed when it yielded an event.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{AsyncRead, Stream};
use serde::Serialize;
use serde_json::Value;

/// The number of bytes of the stream that stands for its end.
const END: usize = usize::MAX >> 12;

/// Bytes, whether they are heartbeats, and how many bytes of the stream have been fed after them.
pub type Segment = (Vec<u8>, bool, usize);

/// A stream with heartbeats, and the same stream without.
pub struct Case<'a> {
    pub id: u64,
    pub format: &'a str,
    pub chunkings: Vec<&'a str>,
    pub segments: Vec<Segment>,
    pub without: Vec<Vec<Segment>>,
}

impl<'a> Case<'a> {
    pub fn new(case: &'a Value) -> Self {
        let chunkings = case["chunkings"].as_array().into_iter().flatten();
        let without = case["without"].as_array().into_iter().flatten();
        Self {
            id: case["id"].as_u64().expect("a number"),
            format: case["format"].as_str().expect("a name"),
            chunkings: chunkings.filter_map(Value::as_str).collect(),
            segments: segments(&case["segments"]),
            without: without.map(segments).collect(),
        }
    }
}

fn segments(value: &Value) -> Vec<Segment> {
    let segments = value.as_array().into_iter().flatten().map(|it| {
        let bytes = it[0].as_str().and_then(|it| STANDARD.decode(it).ok()).expect("base64");
        let end = it[2].as_u64().and_then(|it| it.try_into().ok()).expect("a length");
        (bytes, it[1] == true, end)
    });
    segments.collect()
}

#[derive(Clone)]
pub struct Chunk {
    bytes: Bytes,
    /// How many bytes of the stream have been fed after it. Heartbeats do not count.
    position: usize,
}

/// Cuts segments into chunks:
///
/// - `bytes`: each byte is a chunk; long streams are cut into larger pieces
/// - `lines`: each CR and LF is a chunk, and what is between them
/// - `segments`: heartbeats are chunks of their own
/// - `whole`: all bytes are one chunk
pub fn cut(segments: &[Segment], chunking: &str) -> Vec<Chunk> {
    if chunking == "whole" {
        let bytes: Vec<u8> = segments.iter().flat_map(|it| it.0.clone()).collect();
        let whole = segments.last().map(|it| Chunk { bytes: bytes.into(), position: it.2 });
        return whole.into_iter().collect();
    }
    let mut chunks = Vec::new();
    for (bytes, is_heartbeat, end) in segments {
        let pieces: Vec<&[u8]> = match chunking {
            "bytes" => bytes.chunks(if bytes.len() <= 512 { 1 } else { 4096 }).collect(),
            "lines" => {
                let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
                bytes.chunk_by(|a, b| !is_line_end(a) && !is_line_end(b)).collect()
            }
            _ => vec![bytes],
        };
        let mut left = bytes.len();
        for piece in pieces {
            left -= piece.len();
            let position = if *is_heartbeat { *end } else { end - left };
            chunks.push(Chunk { bytes: Bytes::copy_from_slice(piece), position });
        }
    }
    chunks
}

/// What a parser yielded: the events, each with how far the parser had been fed; and its error.
#[derive(Serialize)]
pub struct Run {
    events: Vec<(String, usize)>,
    error: Option<String>,
}

impl Run {
    pub fn of(read: fn(&[Chunk]) -> Self, chunks: &[Chunk]) -> Self {
        panic::catch_unwind(AssertUnwindSafe(|| read(chunks)))
            .unwrap_or_else(|_| Self { events: Vec::new(), error: Some("panic".to_owned()) })
    }

    fn push(&mut self, event: &Value, position: usize) {
        let mut text = event.to_string();
        if text.len() > 1000 {
            text = format!("{}… {} bytes", &text[..100], text.len());
        }
        self.events.push((text, position));
    }
}

/// Reads a stream of events. After each chunk the stream is polled until it waits for more.
pub fn poll_all<S: Stream<Item = Result<Value, String>>>(
    chunks: &[Chunk],
    parser: impl FnOnce(Source) -> S,
) -> Run {
    let source = Source::default();
    let mut events = pin!(parser(source.clone()));
    let mut run = Run { events: Vec::new(), error: None };
    let mut cx = Context::from_waker(Waker::noop());
    let mut position = 0;
    let mut chunks = chunks.iter();
    loop {
        match events.as_mut().poll_next(&mut cx) {
            Poll::Ready(Some(Ok(event))) => run.push(&event, position),
            Poll::Ready(Some(Err(error))) => {
                run.error = Some(error);
                return run;
            }
            Poll::Ready(None) => return run,
            Poll::Pending => match chunks.next() {
                Some(chunk) => {
                    position = chunk.position;
                    source.0.borrow_mut().chunks.push_back(chunk.bytes.clone());
                }
                None if position == END => return run, // it never ends
                None => {
                    position = END;
                    source.0.borrow_mut().ended = true;
                }
            },
        }
    }
}

/// The bytes that an asynchronous parser reads.
#[derive(Clone, Default)]
pub struct Source(Rc<RefCell<Fed>>);

#[derive(Default)]
struct Fed {
    chunks: VecDeque<Bytes>,
    ended: bool,
}

impl Stream for Source {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut fed = self.0.borrow_mut();
        match fed.chunks.pop_front() {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None if fed.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Source {
    fn poll_read(&self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut fed = self.0.borrow_mut();
        while let Some(chunk) = fed.chunks.front_mut() {
            let size = chunk.len().min(into.len());
            if size > 0 {
                into[..size].copy_from_slice(&chunk.split_to(size));
                return Poll::Ready(Ok(size));
            }
            fed.chunks.pop_front();
        }
        if fed.ended { Poll::Ready(Ok(0)) } else { Poll::Pending }
    }
}

impl AsyncRead for Source {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Self::poll_read(&self, into)
    }
}

impl tokio::io::AsyncRead for Source {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        into: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Self::poll_read(&self, into.initialize_unfilled()).map_ok(|size| into.advance(size))
    }
}

/// Reads an iterator of events, which takes the next chunk when it needs one.
pub fn iterate<I: Iterator<Item = Result<Value, String>>>(
    chunks: &[Chunk],
    parser: impl FnOnce(Reader) -> I,
) -> Run {
    let position = Rc::new(Cell::new(0));
    let reader = Reader { chunks: chunks.to_vec().into(), position: position.clone() };
    let mut run = Run { events: Vec::new(), error: None };
    for event in parser(reader) {
        match event {
            Ok(event) => run.push(&event, position.get()),
            Err(error) => {
                run.error = Some(error);
                break;
            }
        }
    }
    run
}

/// The bytes that a blocking parser reads.
pub struct Reader {
    chunks: VecDeque<Chunk>,
    position: Rc<Cell<usize>>,
}

impl Iterator for Reader {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.pop_front();
        self.position.set(chunk.as_ref().map_or(END, |it| it.position));
        chunk.map(|it| it.bytes)
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(chunk) = self.chunks.front_mut() else {
                self.position.set(END);
                return Ok(0);
            };
            let size = chunk.bytes.len().min(into.len());
            if size > 0 {
                self.position.set(chunk.position);
                into[..size].copy_from_slice(&chunk.bytes.split_to(size));
                return Ok(size);
            }
            self.chunks.pop_front();
        }
    }
}
