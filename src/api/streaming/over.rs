//! When an answer that lasts is broken off: a stream, a wait, an export, a backup.

use super::sse;
use crate::api::Admin;
use crate::api::gate::auth::LetIn;

/// Why an answer that lasts is broken off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Over {
    /// The server stops.
    Draining,
    /// A token by which it may have been asked for was taken back, or its session has ended.
    Withdrawn,
}

impl Over {
    /// For whoever was answered so far.
    pub(in crate::api) fn words(self) -> &'static str {
        match self {
            Self::Draining => "the server is shutting down",
            Self::Withdrawn => {
                "a token was taken back, or the session has ended; ask again by one that counts"
            }
        }
    }
}

impl Admin {
    /// Resolves when an answer that lasts has to end: to somebody who was let in so.
    pub(in crate::api) fn over(
        &self,
        let_in: LetIn,
    ) -> impl Future<Output = Over> + Send + 'static {
        let draining = self.draining.clone();
        let (tokens, sessions) = (self.tokens.clone(), self.sessions.clone());
        async move {
            tokio::select! {
                () = sse::drained(draining) => Over::Draining,
                () = let_in.until_over(tokens, sessions) => Over::Withdrawn,
            }
        }
    }
}
