//! A connection to the upstream on which no incomplete HTTP/2 response looks complete.

use std::collections::HashSet;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Replaces the reason of a reset that ends a response before its end.
///
/// hyper takes the reasons `NO_ERROR` and `CANCEL` for the end of the body, because a server may send `NO_ERROR` after a
/// complete response. It does not show whether the response was complete; its frames do.
pub(crate) struct IncompleteReset<C> {
    io: C,
    is_http2: bool,
    received: Frames,
    sent: Frames,
    /// The streams whose response has begun and not ended.
    open: HashSet<u32>,
}

impl<C> IncompleteReset<C> {
    /// Over HTTP/1.1 it changes nothing.
    pub(crate) fn new(io: C, is_http2: bool) -> Self {
        let (received, sent) = (Frames::default(), Frames::after(PREFACE_LEN));
        Self { io, is_http2, received, sent, open: HashSet::new() }
    }

    fn on_received(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while let Some((frame, end)) = self.received.next_end(&bytes[at..]) {
            at += end;
            match frame.kind {
                DATA | HEADERS if frame.flags & END_STREAM != 0 => {
                    self.open.remove(&frame.stream);
                }
                HEADERS => {
                    self.open.insert(frame.stream);
                }
                RST_STREAM if self.open.remove(&frame.stream) => {
                    let reason = &mut bytes[at - 1];
                    if let NO_ERROR | CANCEL = *reason {
                        *reason = INTERNAL_ERROR;
                    }
                }
                _ => {}
            }
        }
    }

    fn on_sent(&mut self, mut bytes: &[u8]) {
        while let Some((frame, end)) = self.sent.next_end(bytes) {
            bytes = &bytes[end..];
            if frame.kind == RST_STREAM {
                self.open.remove(&frame.stream);
            }
        }
    }
}

const PREFACE_LEN: usize = 24;

// Types of frames, a flag, and the last bytes of reasons (RFC 9113, sections 6 and 7).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;
const NO_ERROR: u8 = 0;
const INTERNAL_ERROR: u8 = 2;
const CANCEL: u8 = 8;

/// Splits one direction of a connection into frames.
#[derive(Debug, Default)]
struct Frames {
    /// The beginning of the head of a frame.
    head: [u8; HEAD_LEN],
    head_len: usize,
    /// The rest of the current frame, or of the connection preface.
    rest: usize,
}

const HEAD_LEN: usize = 9;

#[derive(Debug, Clone, Copy)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Frames {
    /// Skips `rest` bytes first.
    fn after(rest: usize) -> Self {
        Self { rest, ..Self::default() }
    }

    /// Reads up to the end of a frame. Returns the frame and how many bytes were read, or `None` if no frame ends in
    /// `bytes`.
    fn next_end(&mut self, bytes: &[u8]) -> Option<(Frame, usize)> {
        let mut read = 0;
        loop {
            let skipped = self.rest.min(bytes.len() - read);
            self.rest -= skipped;
            read += skipped;
            if self.rest > 0 {
                return None;
            }
            if self.head_len == HEAD_LEN {
                self.head_len = 0;
                let [_, _, _, kind, flags, stream @ ..] = self.head;
                let stream = u32::from_be_bytes(stream) & (u32::MAX >> 1);
                return Some((Frame { kind, flags, stream }, read));
            }
            let more = (HEAD_LEN - self.head_len).min(bytes.len() - read);
            if more == 0 {
                return None;
            }
            self.head[self.head_len..][..more].copy_from_slice(&bytes[read..][..more]);
            self.head_len += more;
            read += more;
            if self.head_len == HEAD_LEN {
                let [high, middle, low, ..] = self.head;
                self.rest = u32::from_be_bytes([0, high, middle, low]) as usize;
            }
        }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for IncompleteReset<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        if self.is_http2 {
            self.on_received(&mut buffer.filled_mut()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for IncompleteReset<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        if self.is_http2 {
            self.on_sent(&bytes[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices))?;
        let mut rest = if self.is_http2 { written } else { 0 };
        for slice in slices {
            let count = rest.min(slice.len());
            self.on_sent(&slice[..count]);
            rest -= count;
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<C: Connection> Connection for IncompleteReset<C> {
    fn connected(&self) -> Connected {
        self.io.connected()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).expect("short");
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    }

    fn reset(stream: u8, reason: u8) -> Vec<u8> {
        frame(RST_STREAM, 0, stream, &[0, 0, 0, reason])
    }

    /// What hyper reads if `received` arrives in pieces of this length.
    fn read(received: &[u8], piece: usize) -> Vec<u8> {
        let mut connection = IncompleteReset::new((), true);
        let mut read = received.to_vec();
        read.chunks_mut(piece).for_each(|piece| connection.on_received(piece));
        assert_eq!(connection.open.len(), 0);
        read
    }

    #[test]
    fn the_reason_of_a_reset_before_the_end_is_replaced() {
        let head = |flags| frame(HEADERS, flags, 1, b"head");
        let data = |flags| frame(DATA, flags, 1, b"data");
        let table = [
            ("after the head", vec![head(0)], true),
            ("after data", vec![head(0), data(0)], true),
            ("after the end of the data", vec![head(0), data(END_STREAM)], false),
            ("after an empty end", vec![head(0), frame(DATA, END_STREAM, 1, b"")], false),
            ("after trailers", vec![head(0), data(0), head(END_STREAM)], false),
            ("after a head alone", vec![head(END_STREAM)], false),
            ("before the head", vec![], false),
        ];
        for (case, frames, replaced) in table {
            for (reason, other) in [(NO_ERROR, INTERNAL_ERROR), (CANCEL, INTERNAL_ERROR), (7, 7)] {
                let before = [frames.concat(), frame(DATA, END_STREAM, 3, b"of another stream")];
                let received = [&before.concat()[..], &reset(1, reason)].concat();
                let expected = if replaced { other } else { reason };
                let expected = [&before.concat()[..], &reset(1, expected)].concat();
                for piece in 1..=received.len() {
                    assert_eq!(read(&received, piece), expected, "{case}, {reason}, {piece}");
                }
            }
        }
    }

    #[test]
    fn streams_that_the_proxy_resets_are_forgotten() {
        let mut connection = IncompleteReset::new((), true);
        connection.on_received(&mut frame(HEADERS, 0, 1, b"head"));
        let sent =
            [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, b""), &reset(1, CANCEL)];
        sent.concat().chunks(5).for_each(|piece| connection.on_sent(piece));
        assert_eq!(connection.open.len(), 0);
    }
}
