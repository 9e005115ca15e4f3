/// What the heartbeats of a stream are, and how they are told from its real items.
///
/// A closure that makes the heartbeat is one, and all that most streams need. Implement the trait
/// to tell the size of an item, to know another wrapper's heartbeats (T21), or where items are pieces
/// of messages, between which no heartbeat may stand.
///
/// # Example
///
/// ```
/// use heartbeat_async::{MakeHeartbeat, ItemKind};
///
/// /// An empty line is the heartbeat of this stream of lines.
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
pub trait MakeHeartbeat<Item> {
    /// Makes the next heartbeat. Encode it once and clone it, if that is cheaper.
    fn make(&mut self) -> Item;

    /// What an item of the inner stream is. Default: real.
    fn classify(&mut self, item: &Item) -> ItemKind {
        let _ = item;
        ItemKind::Event
    }

    /// How many bytes a heartbeat takes, for the observer. Default: unknown.
    fn encoded_len(&mut self, heartbeat: &Item) -> Option<usize> {
        let _ = heartbeat;
        None
    }

    /// Whether a heartbeat may stand behind the items whose [`classify`](Self::classify) was asked so far.
    /// Default: always.
    ///
    /// While it may not, nobody asks whether one is due, and that is no stall (T20). Only an item may
    /// change the answer: it breaks the silence at the same time.
    fn at_boundary(&self) -> bool {
        true
    }
}

/// What an item that passes by is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A real event (T3).
    Event,
    /// A heartbeat that somebody else has made. It breaks the silence, but is no sign of life from
    /// the producer (T12, T21).
    Heartbeat,
    /// A failure. It is no send, and no heartbeat follows it until something else does (T17).
    Error,
}

impl<Item, F> MakeHeartbeat<Item> for F
where
    F: FnMut() -> Item,
{
    fn make(&mut self) -> Item {
        self()
    }
}

/// The heartbeats of a stream of `Result`: each is an `Ok`, and an `Err` that passes by is a failure
/// (T17).
#[derive(Debug, Clone, Copy, Default)]
pub struct MakeOk<B> {
    inner: B,
}

impl<B> MakeOk<B> {
    /// Wraps what knows the heartbeats within the `Ok`.
    pub const fn new(inner: B) -> Self {
        Self { inner }
    }
}

impl<Item, E, B> MakeHeartbeat<Result<Item, E>> for MakeOk<B>
where
    B: MakeHeartbeat<Item>,
{
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

/// Heartbeats that are known also where somebody else has made them (T21); see
/// [`HeartbeatStream::treat_as_heartbeat`](crate::HeartbeatStream::treat_as_heartbeat).
#[derive(Debug, Clone, Copy)]
pub struct Classify<B, P> {
    inner: B,
    is_heartbeat: P,
}

impl<B, P> Classify<B, P> {
    pub(crate) const fn new(inner: B, is_heartbeat: P) -> Self {
        Self { inner, is_heartbeat }
    }
}

impl<Item, B, P> MakeHeartbeat<Item> for Classify<B, P>
where
    B: MakeHeartbeat<Item>,
    P: FnMut(&Item) -> bool,
{
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
