/// What the heartbeats of a stream are, and how they are told from its real items.
///
/// A closure that makes the heartbeat is one, and all that most streams need. Implement the trait
/// to tell the size of an item, to know another wrapper's heartbeats (T21), or where items are pieces
/// of messages, between which no heartbeat may stand.
///
/// # Example
///
/// ```
/// use heartbeat_async::{Beat, Kind};
///
/// /// An empty line is the heartbeat of this stream of lines.
/// struct EmptyLine;
///
/// impl Beat<String> for EmptyLine {
///     fn heartbeat(&mut self) -> String {
///         String::from("\n")
///     }
///
///     fn kind(&mut self, line: &String) -> Kind {
///         if line == "\n" { Kind::Heartbeat } else { Kind::Real }
///     }
///
///     fn bytes(&mut self, line: &String) -> Option<usize> {
///         Some(line.len())
///     }
/// }
/// ```
pub trait Beat<Item> {
    /// Makes the next heartbeat. Encode it once and clone it, if that is cheaper.
    fn heartbeat(&mut self) -> Item;

    /// What an item of the inner stream is. Default: real.
    fn kind(&mut self, item: &Item) -> Kind {
        let _ = item;
        Kind::Real
    }

    /// How many bytes a heartbeat takes, for the observer. Default: unknown.
    fn bytes(&mut self, heartbeat: &Item) -> Option<usize> {
        let _ = heartbeat;
        None
    }

    /// Whether a heartbeat may stand behind the items whose [`kind`](Self::kind) was asked so far.
    /// Default: always.
    ///
    /// While it may not, nobody asks whether one is due, and that is no stall (T20). Only an item may
    /// change the answer: it breaks the silence at the same time.
    fn fits(&self) -> bool {
        true
    }
}

/// What an item that passes by is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A real event (T3).
    Real,
    /// A heartbeat that somebody else has made. It breaks the silence, but is no sign of life from
    /// the producer (T12, T21).
    Heartbeat,
    /// A failure. It is no send, and no heartbeat follows it until something else does (T17).
    Failure,
}

impl<Item, F> Beat<Item> for F
where
    F: FnMut() -> Item,
{
    fn heartbeat(&mut self) -> Item {
        self()
    }
}

/// The heartbeats of a stream of `Result`: each is an `Ok`, and an `Err` that passes by is a failure
/// (T17).
#[derive(Debug, Clone, Copy, Default)]
pub struct TryBeat<B> {
    inner: B,
}

impl<B> TryBeat<B> {
    /// Wraps what knows the heartbeats within the `Ok`.
    pub const fn new(inner: B) -> Self {
        Self { inner }
    }
}

impl<Item, E, B> Beat<Result<Item, E>> for TryBeat<B>
where
    B: Beat<Item>,
{
    fn heartbeat(&mut self) -> Result<Item, E> {
        Ok(self.inner.heartbeat())
    }

    fn kind(&mut self, item: &Result<Item, E>) -> Kind {
        item.as_ref().map_or(Kind::Failure, |item| self.inner.kind(item))
    }

    fn bytes(&mut self, heartbeat: &Result<Item, E>) -> Option<usize> {
        self.inner.bytes(heartbeat.as_ref().ok()?)
    }

    fn fits(&self) -> bool {
        self.inner.fits()
    }
}

/// Heartbeats that are known also where somebody else has made them (T21); see
/// [`HeartbeatStream::recognize`](crate::HeartbeatStream::recognize).
#[derive(Debug, Clone, Copy)]
pub struct Recognize<B, P> {
    inner: B,
    is_heartbeat: P,
}

impl<B, P> Recognize<B, P> {
    pub(crate) const fn new(inner: B, is_heartbeat: P) -> Self {
        Self { inner, is_heartbeat }
    }
}

impl<Item, B, P> Beat<Item> for Recognize<B, P>
where
    B: Beat<Item>,
    P: FnMut(&Item) -> bool,
{
    fn heartbeat(&mut self) -> Item {
        self.inner.heartbeat()
    }

    fn kind(&mut self, item: &Item) -> Kind {
        if (self.is_heartbeat)(item) { Kind::Heartbeat } else { self.inner.kind(item) }
    }

    fn bytes(&mut self, heartbeat: &Item) -> Option<usize> {
        self.inner.bytes(heartbeat)
    }

    fn fits(&self) -> bool {
        self.inner.fits()
    }
}
