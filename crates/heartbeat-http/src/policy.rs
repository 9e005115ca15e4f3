use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use heartbeat_async::{Config, NoObserver, Observed, Observer};
use heartbeat_frame::{NdjsonHeartbeat, SseHeartbeat};
use http::{HeaderMap, HeaderName};

use crate::stream_format::StreamFormat;
use crate::{BodyFraming, RpcHeartbeat, StreamingMethods};

/// Which responses get heartbeats, how often, and which heartbeats.
///
/// An interval or a [`Config`] converts into a policy: server-sent events get a comment, and all other responses pass
/// through. An interval of zero disables heartbeats.
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
#[must_use = "a policy does nothing until it is given to a layer"]
pub struct HeartbeatPolicy<O = NoObserver> {
    config: Config,
    sse: Option<BodyFraming>,
    ndjson: Option<BodyFraming>,
    rpc: Option<(StreamingMethods, RpcHeartbeat)>,
    set_proxy_headers: bool,
    client_interval: Option<ClientInterval>,
    telemetry: O,
}

/// How a client may request an interval.
#[derive(Debug, Clone)]
struct ClientInterval {
    header: HeaderName,
    range: RangeInclusive<Duration>,
}

impl HeartbeatPolicy {
    /// Heartbeats for server-sent events: a comment of two bytes.
    ///
    /// `config` is an interval or a [`Config`]. [`Config::with_stall_after`] has an effect on a
    /// [`Hub`](heartbeat_async::Hub) only.
    pub fn new(config: impl Into<Config>) -> Self {
        Self {
            config: config.into(),
            sse: Some(BodyFraming::sse(&SseHeartbeat::default())),
            ndjson: None,
            rpc: None,
            set_proxy_headers: true,
            client_interval: None,
            telemetry: NoObserver,
        }
    }
}

impl<O> HeartbeatPolicy<O> {
    /// Sets the heartbeat for server-sent events (`text/event-stream`). Default: a comment without text. Its lines end as
    /// those of the stream do, with LF or CR LF.
    pub fn with_sse(self, heartbeat: &SseHeartbeat) -> Self {
        Self { sse: Some(BodyFraming::sse(heartbeat)), ..self }
    }

    /// Disables heartbeats for server-sent events.
    pub fn without_sse(self) -> Self {
        Self { sse: None, ..self }
    }

    /// Sets the heartbeat for newline-delimited JSON. Default: no heartbeats, since strict readers reject a blank line.
    ///
    /// The content types are `application/x-ndjson`, `application/ndjson`, `application/jsonl`, `application/x-jsonl`,
    /// `application/jsonlines`, `application/x-jsonlines`, `application/json-lines` and `application/stream+json`. JSON text
    /// sequences (`application/json-seq`), whose records begin with a record separator, get no heartbeats.
    ///
    /// With [`NdjsonHeartbeat::Space`] a stream that ends right after a heartbeat ends with a space and no line feed. Most
    /// readers of lines reject that; see [`NdjsonHeartbeat`] for which reader takes which form. After white space that the
    /// application has sent itself, a heartbeat has
    /// [the form that fits there](heartbeat_frame::NdjsonTracker::heartbeat_here).
    pub fn with_ndjson(self, heartbeat: NdjsonHeartbeat) -> Self {
        Self { ndjson: Some(BodyFraming::ndjson(heartbeat)), ..self }
    }

    /// Sets the heartbeat for these methods of gRPC, gRPC-Web (binary and text) and Connect. Default: no heartbeats, since
    /// a heartbeat is a message that the client sees.
    ///
    /// `heartbeat` is a [`HeartbeatMessage`](heartbeat_frame::HeartbeatMessage) for clients that use protobuf, or a
    /// [`RpcHeartbeat`] with one for JSON as well. The heartbeat is not compressed, even where other messages
    /// are; the protocols allow that.
    ///
    /// For [giving up](Config::with_give_up_after) a message that is equal to the heartbeat counts as a heartbeat of another
    /// layer. The exception is the [empty message](heartbeat_frame::HeartbeatMessage::empty), which counts as an event.
    pub fn with_rpc(self, methods: StreamingMethods, heartbeat: impl Into<RpcHeartbeat>) -> Self {
        Self { rpc: Some((methods, heartbeat.into())), ..self }
    }

    /// Whether to set headers that keep proxies from buffering heartbeats, on SSE and NDJSON responses that get
    /// heartbeats: `X-Accel-Buffering: no`, unless the response has that header, and `no-transform` in
    /// `Cache-Control`. Default: `true`.
    pub fn with_proxy_headers(self, set: bool) -> Self {
        Self { set_proxy_headers: set, ..self }
    }

    /// Lets a client request an interval, in seconds, with this header. Default: clients cannot.
    ///
    /// The requested interval is rounded down to whole seconds, or to milliseconds below one second, and then clamped to
    /// `range`. A [`Hub`](heartbeat_async::Hub) has room for 65,536 different intervals. Clients cannot exceed that while the
    /// range ends below 17 hours.
    ///
    /// Values that are not numbers, are negative, or do not fit into a `Duration` are ignored. If the interval of the policy
    /// is zero, the header is ignored. If `range` begins with zero, a client can disable its heartbeats with `0`; other values
    /// are then clamped to at least one second.
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
        Self { client_interval: Some(ClientInterval { header, range }), ..self }
    }

    /// The same policy, with heartbeats disabled.
    pub(crate) fn disabled(&self) -> Self
    where
        O: Clone,
    {
        Self { config: self.config.with_interval(Duration::ZERO), ..self.clone() }
    }

    /// Reports to `observer`. Each response gets a clone of it. See [T19](heartbeat_async::rules#t19-outcome).
    pub fn with_observer<N: Observer + Clone>(self, observer: N) -> HeartbeatPolicy<Observed<N>> {
        let Self { config, sse, ndjson, rpc, set_proxy_headers, client_interval, telemetry: _ } =
            self;
        let telemetry = Observed::new(observer);
        HeartbeatPolicy { config, sse, ndjson, rpc, set_proxy_headers, client_interval, telemetry }
    }

    pub(crate) fn telemetry(&self) -> &O {
        &self.telemetry
    }

    pub(crate) fn sets_proxy_headers(&self) -> bool {
        self.set_proxy_headers
    }

    /// The configuration for this request.
    pub(crate) fn config(&self, request: &HeaderMap) -> Config {
        match self.client_interval.as_ref().and_then(|it| it.of(request)) {
            Some(interval) if !self.config.is_disabled() => self.config.with_interval(interval),
            _ => self.config,
        }
    }

    /// Whether [`with_rpc`](Self::with_rpc) names the method at this path, `/package.Service/Method`.
    ///
    /// Such a method may be quiet before its response starts, too: some gRPC servers send the head of the response together
    /// with the first message. A timeout for the head should not apply to it.
    #[must_use]
    pub fn is_streaming_method(&self, path: &str) -> bool {
        self.rpc.as_ref().is_some_and(|(methods, _)| methods.contain(path))
    }

    /// The framing of a response of this format, if it gets heartbeats. A method that does not
    /// [stream](Self::is_streaming_method) gets none.
    pub(crate) fn framing(&self, format: StreamFormat, streams: bool) -> Option<BodyFraming> {
        match format {
            StreamFormat::Sse => self.sse.clone(),
            StreamFormat::Ndjson => self.ndjson.clone(),
            StreamFormat::Rpc(protocol, codec) => {
                let (_, heartbeat) = self.rpc.as_ref().filter(|_| streams)?;
                heartbeat.framing(protocol, codec)
            }
        }
    }
}

/// The shortest interval that a client can request, where the range begins with zero.
const MIN_CLIENT_INTERVAL: Duration = Duration::from_secs(1);

impl ClientInterval {
    fn of(&self, request: &HeaderMap) -> Option<Duration> {
        let seconds = request.get(&self.header)?.to_str().ok()?.trim().parse().ok()?;
        let requested = round_down(Duration::try_from_secs_f64(seconds).ok()?);
        let requested = requested.min(*self.range.end()).max(*self.range.start());
        let unbounded = self.range.start().is_zero() && !requested.is_zero();
        Some(if unbounded { requested.max(MIN_CLIENT_INTERVAL) } else { requested })
    }
}

/// Rounds to whole seconds, or to milliseconds below one second. Only zero becomes zero.
fn round_down(interval: Duration) -> Duration {
    match interval.as_secs() {
        0 if interval.is_zero() => Duration::ZERO,
        0 => Duration::from_millis(u64::from(interval.subsec_millis().max(1))),
        seconds => Duration::from_secs(seconds),
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
        let Self { config, sse, ndjson, rpc, set_proxy_headers, client_interval, telemetry: _ } =
            self;
        f.debug_struct("HeartbeatPolicy")
            .field("config", config)
            .field("sse", sse)
            .field("ndjson", ndjson)
            .field("rpc", rpc)
            .field("set_proxy_headers", set_proxy_headers)
            .field("client_interval", client_interval)
            .finish_non_exhaustive()
    }
}
