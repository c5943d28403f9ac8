//! The log read from one position on, in pieces of bounded size, past what is damaged.

use std::sync::Arc;

use crate::event::Event;
use crate::id::Seq;
use crate::store::{Store, StoreError};

/// How many events are read at once at first, and at most.
const AT_ONCE: usize = 32;
const AT_ONCE_MAX: usize = 1024;

/// How many bytes of bodies are read at once, about: the number of events follows from it.
const BYTES_AT_ONCE: usize = 1 << 20;

/// Where somebody is who reads the log.
#[derive(Clone, Debug)]
pub struct Walk {
    next: Seq,
    at_once: usize,
    bytes_at_once: usize,
}

/// What came next.
#[derive(Debug)]
pub enum Step {
    /// Some events; none where all that is left was given up for lost.
    Events(Vec<Arc<Event>>),
    /// These cannot be read, and are walked past.
    Damaged {
        /// The first.
        from: Seq,
        /// The last.
        to: Seq,
        /// What was found.
        what: String,
    },
    /// Everything has been read.
    End,
}

impl Walk {
    /// Begins at `next`.
    pub fn from(next: Seq) -> Self {
        Self {
            next: next.max(1),
            at_once: AT_ONCE,
            bytes_at_once: BYTES_AT_ONCE,
        }
    }

    /// Begins at `next`, for one of many who do not read fast: in pieces of about `bytes`, or of one
    /// event.
    pub fn in_small_pieces(next: Seq, bytes: usize) -> Self {
        Self {
            at_once: 1,
            bytes_at_once: bytes,
            ..Self::from(next)
        }
    }

    /// The position of what comes next.
    pub fn next(&self) -> Seq {
        self.next
    }

    /// The next events, up to `last` and perhaps beyond. Blocks.
    ///
    /// # Errors
    /// Those of the store, but for damage: what may pass is tried again by the next step.
    pub fn step(&mut self, store: &dyn Store, last: Seq) -> Result<Step, StoreError> {
        while self.next <= last {
            match store.read(self.next, self.at_once) {
                Ok(events) => {
                    let bytes: usize = events.iter().map(|event| event.content.body.len()).sum();
                    let wanted = match bytes < self.bytes_at_once / 2 {
                        true => self.at_once * 2,
                        false => self.at_once / 2,
                    };
                    self.at_once = wanted.clamp(1, AT_ONCE_MAX);
                    self.next = events.last().map_or(last, |event| event.seq) + 1;
                    return Ok(Step::Events(events));
                }
                // What lies before it is whole, and comes first.
                Err(StoreError::Damaged { from, .. }) if self.at_once > 1 => {
                    let before = from.saturating_sub(self.next).max(1);
                    let fewer = usize::try_from(before).unwrap_or(usize::MAX);
                    self.at_once = fewer.min(self.at_once - 1);
                }
                Err(StoreError::Damaged { to, what, .. }) => {
                    let from = self.next;
                    let to = to.max(from);
                    self.next = to + 1;
                    return Ok(Step::Damaged { from, to, what });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Step::End)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::event::{Form, NewEvent};
    use crate::store::memory::Memory;
    use crate::store::{Log, Options};

    fn log(bodies: impl IntoIterator<Item = usize>) -> Log<Memory> {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        let log = Log::over(Memory::default(), clock, Options::default(), [1, 2, 3]).unwrap();
        for length in bodies {
            let event = NewEvent {
                source: "api".into(),
                kind: "t".into(),
                subject: None,
                time: None,
                content_type: "application/octet-stream".into(),
                form: Form::Relayed,
                body: vec![0; length].into(),
                status: None,
                idempotency_key: None,
            };
            log.append(vec![event]).unwrap();
            while log.commit().unwrap() {}
        }
        log
    }

    /// How many events each piece had.
    fn pieces(mut walk: Walk, log: &Log<Memory>) -> Vec<usize> {
        let last = *log.tail().borrow();
        let mut pieces = Vec::new();
        let mut next = walk.next();
        while let Step::Events(events) = walk.step(log, last).unwrap() {
            for event in &events {
                assert_eq!(event.seq, next);
                next += 1;
            }
            pieces.push(events.len());
        }
        assert_eq!(next, last + 1);
        pieces
    }

    #[test]
    fn every_event_comes_once_in_pieces_that_grow_and_shrink_with_the_bodies() {
        let small = log([10; 200]);
        assert_eq!(pieces(Walk::from(1), &small), [32, 64, 104]);
        assert_eq!(pieces(Walk::from(150), &small), [32, 19]);
        let large = log([400_000; 40]);
        let pieces_of_large = pieces(Walk::from(1), &large);
        assert_eq!(pieces_of_large[0], 32);
        assert!(pieces_of_large[1..].iter().sum::<usize>() == 8);
        let gentle = pieces(Walk::in_small_pieces(1, 16 * 1024), &large);
        assert_eq!(gentle, [1; 40]);
        let gentle = pieces(Walk::in_small_pieces(1, 16 * 1024), &small);
        assert_eq!(gentle[..4], [1, 2, 4, 8]);
    }
}
