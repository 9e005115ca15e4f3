//! The turns of the push side, without its sink.

use std::future::Future;

use heartbeat_async::loom_models;
use loom::sync::Arc;

/// Who may use the sink. Clones share the turns.
#[derive(Debug, Clone)]
pub struct Turns(Arc<loom_models::Turns>);

impl Turns {
    /// Nobody has the turn.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "loom knows it only within a model")]
    pub fn new() -> Self {
        Self(Arc::new(loom_models::Turns::default()))
    }

    /// Waits for the turn.
    pub async fn take(&self) -> Turn<'_> {
        self.0.take().await
    }

    /// Takes the turn if it is free and no task waits for it.
    #[must_use]
    pub fn try_take(&self) -> Option<Turn<'_>> {
        self.0.try_take()
    }

    /// Waits until a turn is given back, and not quietly.
    pub fn given_back(&self) -> impl Future<Output = ()> {
        self.0.given_back()
    }
}

/// A turn. Dropping it gives it back.
pub type Turn<'a> = loom_models::Turn<'a>;
