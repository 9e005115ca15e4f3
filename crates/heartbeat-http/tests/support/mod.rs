//! A body whose frames the test pushes.

#![allow(unreachable_pub, dead_code, reason = "a module of several test programs")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The error of a body.
pub type SourceError = &'static str;

/// A body whose frames the test pushes. Clones are the same body.
#[derive(Debug, Clone, Default)]
pub struct FrameSource(Rc<RefCell<SourceState>>);

#[derive(Debug, Default)]
struct SourceState {
    frames: VecDeque<Result<Frame<Bytes>, SourceError>>,
    ended: bool,
    hint: SizeHint,
    is_end_stream: bool,
    polls: usize,
    waker: Option<Waker>,
}

impl FrameSource {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&self, data: impl Into<Bytes>) {
        self.push_frame(Ok(Frame::data(data.into())));
    }

    pub fn push_frame(&self, frame: Result<Frame<Bytes>, SourceError>) {
        self.change(|state| state.frames.push_back(frame));
    }

    pub fn end(&self) {
        self.change(|state| state.ended = true);
    }

    pub fn set_hint(&self, hint: SizeHint) {
        self.change(|state| state.hint = hint);
    }

    pub fn set_end_stream(&self) {
        self.change(|state| state.is_end_stream = true);
    }

    /// The number of polls.
    pub fn polls(&self) -> usize {
        self.0.borrow().polls
    }

    fn change(&self, change: impl FnOnce(&mut SourceState)) {
        let mut state = self.0.borrow_mut();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Body for FrameSource {
    type Data = Bytes;
    type Error = SourceError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SourceError>>> {
        let mut state = self.0.borrow_mut();
        state.polls += 1;
        if let Some(frame) = state.frames.pop_front() {
            return Poll::Ready(Some(frame));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.0.borrow().is_end_stream
    }

    #[allow(clippy::clone_on_copy, reason = "`Copy` in newer versions of http-body only")]
    fn size_hint(&self) -> SizeHint {
        self.0.borrow().hint.clone()
    }
}
