use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use hyper::{Request, Version};

/// Counts the open HTTP/1.1 requests of a connection. While one is open, hyper may stop reading, and then does not notice
/// that the client disconnects. Over HTTP/2 it always reads. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Http1Requests(Arc<AtomicUsize>);

/// An open HTTP/1.1 request. Dropping the guard closes it.
#[derive(Debug)]
pub(super) struct Http1Request(Http1Requests);

impl Http1Requests {
    /// Counts the request until the guard is dropped. `None` for HTTP/2.
    pub(super) fn start<B>(&self, request: &Request<B>) -> Option<Http1Request> {
        if request.version() == Version::HTTP_2 {
            return None;
        }
        self.0.fetch_add(1, Relaxed);
        Some(Http1Request(self.clone()))
    }

    pub(super) fn is_any_open(&self) -> bool {
        self.0.load(Relaxed) > 0
    }
}

impl Drop for Http1Request {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}
