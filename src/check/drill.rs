//! What is sent to find out whether a duty is fulfilled. Data only.

use crate::clock::Timestamp;
use crate::event::NewEvent;

pub use super::change::Change;
pub use super::identity::{Identity, Run};

/// Makes the content of a message of that identity, sent at that time. The same arguments bring the
/// same bytes.
pub type Shape = fn(&Identity, Timestamp) -> NewEvent;

/// One message to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch {
    /// What is special about it, as in "the message with spaces"; may be empty.
    pub label: &'static str,
    /// Its content.
    pub shape: Shape,
    /// By how many seconds its timestamp is ahead of the clock; negative for an old one.
    pub moved_s: i64,
    /// What is done to it once it is signed.
    pub change: Option<Change>,
}

impl Dispatch {
    /// A genuine message of now.
    pub fn of(shape: Shape) -> Self {
        Self {
            label: "",
            shape,
            moved_s: 0,
            change: None,
        }
    }

    /// A genuine message that is told from others by `label`.
    pub fn named(label: &'static str, shape: Shape) -> Self {
        Self {
            label,
            ..Self::of(shape)
        }
    }

    /// The same, with its timestamp moved.
    #[must_use]
    pub fn moved(self, moved_s: i64) -> Self {
        Self { moved_s, ..self }
    }

    /// The same, changed.
    #[must_use]
    pub fn changed(self, change: Change) -> Self {
        let change = Some(change);
        Self { change, ..self }
    }

    /// The genuine message behind it, of now.
    #[must_use]
    pub fn genuine(self) -> Self {
        Self {
            moved_s: 0,
            change: None,
            ..self
        }
    }
}

/// How a duty is looked at.
#[derive(Clone, Debug)]
pub enum Drill {
    /// A message is answered, however, within the vendor's time.
    Answer(Dispatch),
    /// Each message, of an identity of its own, is answered with success.
    Accept(Vec<Dispatch>),
    /// As `Accept`, all of one identity.
    AcceptSequence(Vec<Dispatch>),
    /// As `Accept` for one message, and by the vendor's own success rule even where everything else
    /// is looked at leniently because this one has failed.
    AcceptStrictly(Dispatch),
    /// Each message is answered with 4xx, and its genuine twin with success: a receiver that refuses
    /// everything has not looked at the difference.
    Refuse(Vec<Dispatch>),
    /// A genuine message is accepted after forgeries that came in a row.
    AcceptAfter(Dispatch),
    /// GET is answered with 2xx.
    Get,
    /// These messages, sent one after another and all of one identity if `same`, have so many effects.
    Effects {
        /// What is sent.
        dispatches: Vec<Dispatch>,
        /// Whether they are one message, or parts of one story, again and again.
        same: bool,
        /// What the observer must see.
        expected: u64,
    },
    /// One message and then the second one of the same identity: both are answered with success.
    Repeat(Dispatch, Dispatch),
    /// One message several times at the same time has one effect.
    AtOnce(Dispatch),
    /// Many messages at the same time are all accepted in time; if `counted`, each has one effect.
    Load {
        /// What is sent.
        dispatch: Dispatch,
        /// Whether the observer judges, too.
        counted: bool,
    },
    /// After its restart the receiver accepts a new message; if `repeated`, one from before has no
    /// second effect.
    Restart {
        /// What is sent.
        dispatch: Dispatch,
        /// Whether a message from before is judged.
        repeated: bool,
    },
    /// Nothing is sent, for no rule says what would be right.
    Unjudged(&'static str),
}
