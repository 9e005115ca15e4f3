use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use heartbeat_async::{Config, NoObserver, Observer};
use heartbeat_frame::{NdjsonHeartbeat, SseHeartbeat};
use http::{HeaderMap, HeaderName};

use crate::media::Media;
use crate::{BodyFraming, RpcHeartbeat, StreamingMethods};

/// Which responses are kept alive, how often, and with what.
///
/// An interval or a [`Config`] is one already: server-sent events get a comment then, and nothing else
/// is touched. An interval of zero switches everything off (T1).
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use heartbeat_frame::{HeartbeatMessage, NdjsonHeartbeat};
/// use heartbeat_http::{StreamingMethods, HeartbeatPolicy};
///
/// let streams = StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
/// let policy = HeartbeatPolicy::new(Duration::from_secs(15))
///     .with_ndjson(NdjsonHeartbeat::BlankLine)
///     .with_rpc(streams, HeartbeatMessage::gateway_event());
/// ```
#[derive(Clone)]
#[must_use = "a policy does nothing until a layer has it"]
pub struct HeartbeatPolicy<O = NoObserver> {
    config: Config,
    sse: Option<BodyFraming>,
    ndjson: Option<BodyFraming>,
    messages: Option<(StreamingMethods, RpcHeartbeat)>,
    through_proxies: bool,
    wish: Option<Wish>,
    observer: O,
}

/// How a client may ask for an interval.
#[derive(Debug, Clone)]
struct Wish {
    header: HeaderName,
    range: RangeInclusive<Duration>,
}

impl HeartbeatPolicy {
    /// Heartbeats for server-sent events: the comment of two bytes.
    ///
    /// `config` is an interval or a whole [`Config`]. [`Config::with_stall_after`] has an effect
    /// on a [`Hub`](heartbeat_async::Hub) alone (T20).
    pub fn new(config: impl Into<Config>) -> Self {
        Self {
            config: config.into(),
            sse: Some(BodyFraming::sse(&SseHeartbeat::default())),
            ndjson: None,
            messages: None,
            through_proxies: true,
            wish: None,
            observer: NoObserver,
        }
    }
}

impl<O> HeartbeatPolicy<O> {
    /// Another heartbeat for server-sent events: `text/event-stream`. Default: the comment without a
    /// text.
    pub fn with_sse(self, heartbeat: &SseHeartbeat) -> Self {
        Self { sse: Some(BodyFraming::sse(heartbeat)), ..self }
    }

    /// No heartbeats for server-sent events.
    pub fn without_sse(self) -> Self {
        Self { sse: None, ..self }
    }

    /// Heartbeats for newline-delimited JSON: `application/x-ndjson`, `application/ndjson` and
    /// `application/jsonl`. Default: none, since a strict reader chokes on a blank line.
    ///
    /// [`NdjsonHeartbeat::Space`] no parser chokes on. If the stream ends right after it, the last line
    /// is a space without a line end.
    pub fn with_ndjson(self, heartbeat: NdjsonHeartbeat) -> Self {
        Self { ndjson: Some(BodyFraming::ndjson(heartbeat)), ..self }
    }

    /// Heartbeats for these methods of gRPC, gRPC-Web (binary and text) and Connect. Default: none,
    /// since a heartbeat is a message that the client sees.
    ///
    /// `messages` is a [`HeartbeatMessage`](heartbeat_frame::HeartbeatMessage), for clients that speak
    /// protobuf, or a [`RpcHeartbeat`], which has one for JSON too. Where messages are compressed the
    /// heartbeat is one that is not, which the protocols allow.
    pub fn with_rpc(self, methods: StreamingMethods, messages: impl Into<RpcHeartbeat>) -> Self {
        Self { messages: Some((methods, messages.into())), ..self }
    }

    /// Whether the headers of SSE and NDJSON responses that are kept alive ask proxies not to hold the
    /// heartbeats back: `X-Accel-Buffering: no`, unless the response has a say on that itself, and
    /// `no-transform` in `Cache-Control`. Default: yes.
    pub fn with_proxy_headers(self, set: bool) -> Self {
        Self { through_proxies: set, ..self }
    }

    /// Lets a client ask for an interval, in seconds, by this header of its request. Default: it may
    /// not.
    ///
    /// What it asks for is moved into `range`. What is no number, below zero, or longer than a
    /// `Duration` can be, is not heard. Where the interval is zero nobody is heard: heartbeats are off.
    /// If the range begins with zero a client can switch its own off; what else it asks for is a second
    /// at least, lest it ask for a flood.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use heartbeat_http::HeartbeatPolicy;
    /// use http::HeaderName;
    ///
    /// let header = HeaderName::from_static("heartbeat-interval");
    /// let range = Duration::from_secs(5)..=Duration::from_secs(60);
    /// let policy = HeartbeatPolicy::new(Duration::from_secs(15)).with_client_interval(header, range);
    /// ```
    pub fn with_client_interval(self, header: HeaderName, range: RangeInclusive<Duration>) -> Self {
        Self { wish: Some(Wish { header, range }), ..self }
    }

    /// Tells `observer` what becomes of the heartbeats (T19). Each response has a clone of it.
    pub fn with_observer<P: Observer + Clone>(self, observer: P) -> HeartbeatPolicy<P> {
        let Self { config, sse, ndjson, messages, through_proxies, wish, observer: _ } = self;
        HeartbeatPolicy { config, sse, ndjson, messages, through_proxies, wish, observer }
    }

    pub(crate) fn observer(&self) -> &O {
        &self.observer
    }

    pub(crate) fn sets_proxy_headers(&self) -> bool {
        self.through_proxies
    }

    /// What the interval and the rest are for this request.
    pub(crate) fn config(&self, request: &HeaderMap) -> Config {
        match self.wish.as_ref().and_then(|wish| wish.of(request)) {
            Some(interval) if !self.config.is_disabled() => self.config.with_interval(interval),
            _ => self.config,
        }
    }

    /// Whether the method of that path answers with a stream of messages.
    pub(crate) fn streams(&self, path: &str) -> bool {
        self.messages.as_ref().is_some_and(|(methods, _)| methods.contain(path))
    }

    /// How such a response is kept alive, if it is at all. A method that does not [stream](Self::streams)
    /// must not.
    pub(crate) fn framing(&self, media: Media, streams: bool) -> Option<BodyFraming> {
        match media {
            Media::Sse => self.sse.clone(),
            Media::Ndjson => self.ndjson.clone(),
            Media::Messages(protocol, codec) => {
                let (_, messages) = self.messages.as_ref().filter(|_| streams)?;
                messages.framing(protocol, codec)
            }
        }
    }
}

/// The shortest interval that a client may ask for, where the server sets none but zero.
const LEAST: Duration = Duration::from_secs(1);

impl Wish {
    fn of(&self, request: &HeaderMap) -> Option<Duration> {
        let seconds = request.get(&self.header)?.to_str().ok()?.trim().parse().ok()?;
        let asked = Duration::try_from_secs_f64(seconds).ok()?;
        let asked = asked.min(*self.range.end()).max(*self.range.start());
        let unbounded = self.range.start().is_zero() && !asked.is_zero();
        Some(if unbounded { asked.max(LEAST) } else { asked })
    }
}

impl From<Config> for HeartbeatPolicy {
    fn from(config: Config) -> Self {
        Self::new(config)
    }
}

impl From<Duration> for HeartbeatPolicy {
    fn from(interval: Duration) -> Self {
        Self::new(interval)
    }
}

impl<O> fmt::Debug for HeartbeatPolicy<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, sse, ndjson, messages, through_proxies, wish, observer: _ } = self;
        f.debug_struct("HeartbeatPolicy")
            .field("config", config)
            .field("sse", sse)
            .field("ndjson", ndjson)
            .field("messages", messages)
            .field("through_proxies", through_proxies)
            .field("wish", wish)
            .finish_non_exhaustive()
    }
}
