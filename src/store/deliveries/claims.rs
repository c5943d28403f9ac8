//! Claims and settlements: what changes in memory at once and on disk with the next group.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::endpoint::EndpointState;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::projection::queue::{Then, Waiting};
use crate::store::record::{AttemptRecord, Transition};
use crate::store::{Claim, Depth, Outcome, SettleError, Settlement, StoreError, Token};

/// No more is claimed while this many settlements, or bytes of what receivers answered, wait to be
/// written.
const MAX_UNSAVED: usize = 16_384;
const MAX_UNSAVED_BYTES: usize = 8 << 20;

/// An attempt is settled sooner than this after its end. Less is no step of a clock.
const SETTLED_WITHIN: Duration = Duration::from_secs(1);

/// How long a delivery whose event cannot be read is left alone, so that it holds up nobody else.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(3600);
/// The same, where it is not the event that is damaged: there may be no descriptor for a moment.
const DISK_PAUSE: Duration = Duration::from_secs(1);

impl<B: Backend> Log<B> {
    /// How much there is to do.
    pub(in crate::store) fn present_depth(&self) -> Depth {
        let mut shared = self.shared();
        let now = self.now(&mut shared);
        Depth {
            uncommitted: self.inbox.len() + self.committing.load(Ordering::Acquire),
            unsaved: shared.unsaved.len(),
            in_flight: shared.state.in_flight(),
            next_due: shared.state.next_due(now, self.options.in_flight_max),
            last_seq: *self.tail.borrow(),
        }
    }

    /// See [`Store::live`](crate::store::Store::live).
    pub(in crate::store) fn count_live(&self, claims: &[Token]) -> usize {
        // Mostly there are none, and then nobody is held up.
        if claims.is_empty() {
            return 0;
        }
        let shared = self.shared();
        let is_live = |token: &&Token| {
            let entry = shared.state.entry(token.endpoint);
            entry.is_some_and(|e| e.queue.claimed(token.seq, token.generation).is_some())
        };
        claims.iter().filter(is_live).count()
    }

    /// See [`Store::claim`](crate::store::Store::claim).
    pub(in crate::store) fn claim_due(&self, max: usize) -> Result<Vec<Claim>, StoreError> {
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error);
        }
        let taken = {
            let mut shared = self.shared();
            // Under the lock: beside a moment from before a settlement, its due time would look
            // like one of a clock that went back.
            let now = self.now(&mut shared);
            if shared.unsaved.len() >= MAX_UNSAVED || shared.unsaved_bytes >= MAX_UNSAVED_BYTES {
                return Ok(Vec::new());
            }
            let in_flight_max = self.options.in_flight_max;
            shared.state.take(max, in_flight_max, now)
        };
        if !taken.is_empty() {
            self.tell_of_change();
        }
        let mut claims = Vec::with_capacity(taken.len());
        for taken in taken {
            let missing = || StoreError::Damaged {
                from: taken.seq,
                to: taken.seq,
                what: "not in the log".to_owned(),
            };
            let token = Token {
                endpoint: taken.endpoint.number,
                seq: taken.seq,
                generation: taken.claim.generation,
            };
            let event = match self
                .read_event(taken.seq)
                .and_then(|e| e.ok_or_else(missing))
            {
                Ok(event) => event,
                Err(error) => {
                    tracing::error!(%error, seq = taken.seq, "an event cannot be delivered");
                    let pause = match error {
                        StoreError::Disk(_) => DISK_PAUSE,
                        _ => UNREADABLE_PAUSE,
                    };
                    self.set_aside(token, pause);
                    continue;
                }
            };
            claims.push(Claim {
                token,
                endpoint: taken.endpoint,
                due: taken.claim.due.unwrap_or(event.received_at),
                event,
                attempt: taken.claim.attempts + 1,
                failures: taken.claim.failures,
            });
        }
        Ok(claims)
    }

    fn set_aside(&self, token: Token, pause: Duration) {
        let mut shared = self.shared();
        let now = self.now(&mut shared);
        let (endpoint, seq) = (token.endpoint, token.seq);
        shared.state.set_aside(endpoint, seq, pause, now);
    }

    /// See [`Store::settle`](crate::store::Store::settle).
    pub(in crate::store) fn settle_claim(
        &self,
        token: Token,
        settlement: Settlement,
    ) -> Result<(), SettleError> {
        let mut shared = self.shared();
        let now = self.now(&mut shared);
        let entry = shared.state.entry(token.endpoint);
        let (claim, removed) = entry
            .and_then(|entry| {
                let claim = entry.queue.claimed(token.seq, token.generation)?;
                Some((claim, entry.endpoint.state == EndpointState::Removed))
            })
            .ok_or(SettleError::Fenced)?;
        let Settlement {
            attempt,
            outcome,
            effect,
        } = settlement;
        // On a clock that was set since, a moment ago is long ago, or still to come.
        let is_far = now.since(attempt.ended_at) > SETTLED_WITHIN;
        let ended_at = match is_far && shared.clock_was_set {
            true => now,
            false => attempt.ended_at.min(now),
        };
        let then = match outcome {
            Outcome::Delivered => Then::Delivered,
            Outcome::Gone => Then::Removed,
            _ if removed => Then::Removed,
            Outcome::Dead => Then::Dead,
            Outcome::Retry { after } => Then::Waiting(Waiting {
                failures: claim.failures + 1,
                attempts: attempt.number,
                due: ended_at.plus(after),
                delay: after,
            }),
        };
        let record = AttemptRecord {
            endpoint: token.endpoint,
            seq: token.seq,
            attempt,
            then,
        };
        let hung = shared.state.hangs(token.endpoint);
        let attempt = Transition::Attempt(Box::new(record));
        self.record_quietly(&mut shared, now, attempt, false);
        // Whoever settles a success looks for what is next himself; but for more than one, or for
        // something later, somebody else has to look.
        let is_plain = then == Then::Delivered && !hung && !shared.state.waits(token.endpoint);
        if !is_plain {
            self.wake();
        }
        self.apply_effect(&mut shared, token.endpoint, effect);
        Ok(())
    }

    /// See [`Store::release`](crate::store::Store::release).
    pub(in crate::store) fn release_claim(&self, token: Token) -> Result<(), SettleError> {
        let mut shared = self.shared();
        let entry = shared.state.entry(token.endpoint);
        entry
            .and_then(|entry| entry.queue.claimed(token.seq, token.generation))
            .ok_or(SettleError::Fenced)?;
        let now = self.now(&mut shared);
        shared.state.release(token.endpoint, token.seq, now);
        drop(shared);
        self.wake();
        Ok(())
    }
}
