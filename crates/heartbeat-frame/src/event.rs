// Included, not a module: rustfmt must not change the output of prost-build.
include!("generated/galaxy.gateway.v1.rs");

impl GatewayEvent {
    /// The `event_type` of a heartbeat.
    pub const HEARTBEAT: &'static str = "gateway.heartbeat";

    /// A heartbeat: `event_type` is [`HEARTBEAT`](Self::HEARTBEAT), all other fields are empty.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_frame::GatewayEvent;
    ///
    /// let received = [
    ///     GatewayEvent { event_type: "order.filled".into(), ..GatewayEvent::default() },
    ///     GatewayEvent::heartbeat(),
    /// ];
    /// let events: Vec<_> = received.iter().filter(|event| !event.is_heartbeat()).collect();
    /// assert_eq!(events, [&received[0]]);
    /// ```
    #[must_use = "a heartbeat has no effect until it is sent"]
    pub fn heartbeat() -> Self {
        Self { event_type: Self::HEARTBEAT.to_owned(), ..Self::default() }
    }

    /// Whether this event is a heartbeat, which clients skip.
    ///
    /// Only `event_type` is compared, so that current clients skip future heartbeats with more fields.
    #[must_use = "a client must skip heartbeats"]
    pub fn is_heartbeat(&self) -> bool {
        self.event_type == Self::HEARTBEAT
    }
}
