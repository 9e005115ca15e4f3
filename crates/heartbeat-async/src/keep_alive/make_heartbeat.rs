/// Makes the heartbeats of a stream, and classifies its items.
///
/// A closure that returns a heartbeat implements it, and most streams need no more. Implement the trait to report the size
/// of a heartbeat, to recognize heartbeats of another source, or to send no heartbeat between the parts of a message.
///
/// # Example
///
/// ```
/// use heartbeat_async::{MakeHeartbeat, ItemKind};
///
/// /// An empty line is the heartbeat of a stream of lines.
/// struct EmptyLine;
///
/// impl MakeHeartbeat<String> for EmptyLine {
///     fn make(&mut self) -> String {
///         String::from("\n")
///     }
///
///     fn classify(&mut self, line: &String) -> ItemKind {
///         if line == "\n" { ItemKind::Heartbeat } else { ItemKind::Event }
///     }
///
///     fn encoded_len(&mut self, line: &String) -> Option<usize> {
///         Some(line.len())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not make heartbeats of type `{Item}`",
    note = "pass a closure that returns an item of the stream, such as `|| String::from(\":\\n\")`; for a stream of `Result`, \
            `try_heartbeat` takes a closure that returns what is in `Ok`"
)]
pub trait MakeHeartbeat<Item> {
    /// Makes the next heartbeat. If encoding is expensive, encode it once and return clones.
    fn make(&mut self) -> Item;

    /// Classifies an item of the inner stream. Default: [`ItemKind::Event`].
    fn classify(&mut self, item: &Item) -> ItemKind {
        let _ = item;
        ItemKind::Event
    }

    /// The size of a heartbeat in bytes, for the observer. Default: unknown.
    fn encoded_len(&mut self, heartbeat: &Item) -> Option<usize> {
        let _ = heartbeat;
        None
    }

    /// Whether a heartbeat may follow the items that were [classified](Self::classify) so far. Default: `true`.
    ///
    /// While it is `false`, no heartbeat is due, the producer is not given up, and the peer does not count as stalled.
    /// Only an item may change the value.
    fn at_boundary(&self) -> bool {
        true
    }
}

/// What an item of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// An event.
    Event,
    /// A heartbeat of another source, such as an inner layer. It ends the silence, but does not show that the producer is
    /// alive. See [T21](crate::rules#t21-nesting).
    Heartbeat,
    /// An error. It does not reset the timer, and no heartbeat follows it until another item does.
    /// See [T17](crate::rules#t17-pull-side).
    Error,
}

impl<Item, F: FnMut() -> Item> MakeHeartbeat<Item> for F {
    fn make(&mut self) -> Item {
        self()
    }
}

/// Makes the heartbeats of a stream of `Result`: each is an `Ok`, and an `Err` is an [`ItemKind::Error`].
#[derive(Debug, Clone, Copy, Default)]
pub struct MakeOk<B> {
    inner: B,
}

impl<B> MakeOk<B> {
    /// Wraps a [`MakeHeartbeat`] for the values in `Ok`.
    pub const fn new(inner: B) -> Self {
        Self { inner }
    }
}

impl<Item, E, B: MakeHeartbeat<Item>> MakeHeartbeat<Result<Item, E>> for MakeOk<B> {
    fn make(&mut self) -> Result<Item, E> {
        Ok(self.inner.make())
    }

    fn classify(&mut self, item: &Result<Item, E>) -> ItemKind {
        item.as_ref().map_or(ItemKind::Error, |item| self.inner.classify(item))
    }

    fn encoded_len(&mut self, heartbeat: &Result<Item, E>) -> Option<usize> {
        self.inner.encoded_len(heartbeat.as_ref().ok()?)
    }

    fn at_boundary(&self) -> bool {
        self.inner.at_boundary()
    }
}

/// Recognizes heartbeats of another source; made by
/// [`HeartbeatStream::treat_as_heartbeat`](crate::HeartbeatStream::treat_as_heartbeat).
#[derive(Debug, Clone, Copy)]
pub struct Classify<B, P> {
    pub(super) inner: B,
    pub(super) is_heartbeat: P,
}

impl<Item, B: MakeHeartbeat<Item>, P: FnMut(&Item) -> bool> MakeHeartbeat<Item> for Classify<B, P> {
    fn make(&mut self) -> Item {
        self.inner.make()
    }

    fn classify(&mut self, item: &Item) -> ItemKind {
        if (self.is_heartbeat)(item) { ItemKind::Heartbeat } else { self.inner.classify(item) }
    }

    fn encoded_len(&mut self, heartbeat: &Item) -> Option<usize> {
        self.inner.encoded_len(heartbeat)
    }

    fn at_boundary(&self) -> bool {
        self.inner.at_boundary()
    }
}
