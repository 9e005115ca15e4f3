//! A body whose frames are laid before it by hand.

#![allow(unreachable_pub, dead_code, reason = "it is a module of several test programs")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Why a body fails.
pub type Broken = &'static str;

/// A body whose frames the test pushes. Clones are the same body.
#[derive(Debug, Clone, Default)]
pub struct Source(Rc<RefCell<Laid>>);

#[derive(Debug, Default)]
struct Laid {
    frames: VecDeque<Result<Frame<Bytes>, Broken>>,
    has_ended: bool,
    /// What it says of itself.
    hint: SizeHint,
    is_end_stream: bool,
    polls: usize,
    waker: Option<Waker>,
}

impl Source {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&self, data: impl Into<Bytes>) {
        self.push_frame(Ok(Frame::data(data.into())));
    }

    pub fn push_frame(&self, frame: Result<Frame<Bytes>, Broken>) {
        self.change(|laid| laid.frames.push_back(frame));
    }

    pub fn end(&self) {
        self.change(|laid| laid.has_ended = true);
    }

    pub fn set_hint(&self, hint: SizeHint) {
        self.change(|laid| laid.hint = hint);
    }

    pub fn set_end_stream(&self) {
        self.change(|laid| laid.is_end_stream = true);
    }

    /// How often it was polled.
    pub fn polls(&self) -> usize {
        self.0.borrow().polls
    }

    fn change(&self, change: impl FnOnce(&mut Laid)) {
        let mut laid = self.0.borrow_mut();
        change(&mut laid);
        let waker = laid.waker.take();
        drop(laid);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Body for Source {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let mut laid = self.0.borrow_mut();
        laid.polls += 1;
        if let Some(frame) = laid.frames.pop_front() {
            return Poll::Ready(Some(frame));
        }
        if laid.has_ended {
            return Poll::Ready(None);
        }
        laid.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.0.borrow().is_end_stream
    }

    #[allow(clippy::clone_on_copy, reason = "it is `Copy` in newer versions only")]
    fn size_hint(&self) -> SizeHint {
        self.0.borrow().hint.clone()
    }
}
