//! The turns, without sink and heart.

#[allow(warnings, clippy::pedantic, reason = "it is a copy, and linted where it is at home")]
mod turn {
    include!(concat!(env!("OUT_DIR"), "/push/turn.rs"));
}

use crate::counted::Arc;

/// Whose turn it is. Clones share the turns.
#[derive(Debug, Clone)]
pub struct Turns(Arc<turn::Turns>);

/// A turn. Dropping it gives it back.
#[derive(Debug)]
pub struct Turn<'a>(turn::Turn<'a>);

impl Turns {
    /// It is nobody's turn.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "loom knows it only within a model")]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Waits for the turn.
    pub async fn take(&self) -> Turn<'_> {
        Turn(self.0.take().await)
    }

    /// Takes the turn if nobody has it, and nobody waits for it.
    #[must_use]
    pub fn try_take(&self) -> Option<Turn<'_>> {
        self.0.try_take().map(Turn)
    }

    /// Waits until somebody gives the turn back, not quietly.
    pub fn given_back(&self) -> impl Future<Output = ()> {
        self.0.given_back()
    }
}

impl Turn<'_> {
    /// Gives it back without a word to those who wait for [`Turns::given_back`].
    pub fn give_back_quietly(self) {
        self.0.give_back_quietly();
    }
}
