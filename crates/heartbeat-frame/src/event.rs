// Included instead of a module, so that rustfmt leaves the file as prost-build wrote it.
include!("generated/galaxy.gateway.v1.rs");

impl GatewayEvent {
    /// The `event_type` of a heartbeat.
    pub const HEARTBEAT: &'static str = "gateway.heartbeat";

    /// A heartbeat: [`HEARTBEAT`](Self::HEARTBEAT) for an `event_type`, and nothing else.
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
    #[must_use = "a heartbeat does nothing until it is sent"]
    pub fn heartbeat() -> Self {
        Self { event_type: Self::HEARTBEAT.to_owned(), ..Self::default() }
    }

    /// Whether a client is to skip this event.
    ///
    /// Its `event_type` alone decides, so that a heartbeat that learns to carry more is still
    /// skipped by the clients of today.
    #[must_use = "a heartbeat that is not skipped is taken for an event"]
    pub fn is_heartbeat(&self) -> bool {
        self.event_type == Self::HEARTBEAT
    }
}
