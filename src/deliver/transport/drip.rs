//! A body that comes slowly, piece by piece.

use std::task::{Context, Poll, ready};

use hyper::http::response::Parts;

use super::Transport;
use super::answer::{ANSWER_LIMIT, Answer, Excerpt};
use super::error::SendError;
use super::message::Request;
use crate::clock::Sleep;

/// What is waited for between two pieces.
type Wait = Box<dyn FnMut() -> Sleep + Send>;

/// How slowly a body comes.
pub struct Drip {
    piece: usize,
    wait: Wait,
    waiting: Option<Sleep>,
    has_begun: bool,
}

impl Drip {
    /// In pieces of so many bytes; behind each, what `wait` gives is waited for.
    pub fn new(piece: usize, wait: Wait) -> Self {
        Self {
            piece: piece.max(1),
            wait,
            waiting: None,
            has_begun: false,
        }
    }

    /// How many bytes may go, once they may.
    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        if self.has_begun {
            let waiting = self.waiting.get_or_insert_with(&mut self.wait);
            ready!(waiting.as_mut().poll(context));
            self.waiting = None;
        }
        self.has_begun = true;
        Poll::Ready(self.piece)
    }
}

impl Transport {
    /// As [`send`](Self::send), with a body that comes slowly.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn send_slowly(
        &self,
        request: Request,
        deadline: Sleep,
        drip: Drip,
    ) -> Result<Answer, SendError> {
        let excerpt = |head: &Parts| Excerpt::new(&head.headers);
        let (head, mut excerpt, complete) = self
            .converse(request, Some(drip), deadline, ANSWER_LIMIT, excerpt)
            .await?;
        excerpt.truncated = !complete;
        Ok(excerpt.into_answer(head.status.as_u16(), head.headers))
    }
}
