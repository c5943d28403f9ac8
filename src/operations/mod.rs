//! Operational events: what happens to endpoints, deliveries and the disk becomes events of the log,
//! which are delivered as all others are, to those who ask for them by name.
//!
//! What is told follows from two things that outlive a crash: how the store stands, and what was
//! told, which stands in the log. A crash between the two repeats nothing and forgets no state that
//! lasts.
//!
//! Deliveries of these very events are never told about: an endpoint that gets them and fails would
//! else make more of them for ever.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | [`Operations`]: what is noticed where it happens |
//! | [`streak`] | how long each endpoint has been failing: pure |
//! | [`disk`] | whether the disk has little room left: pure |
//! | [`own`] | dead letters that are operational events themselves: pure |
//! | [`told`] | what was told, by the log's own events: pure |
//! | `memory` | the same over restarts, and for when those events have expired |
//! | [`plan`] | what is to be told: pure |
//! | [`notice`] | what is told, as an event: pure |
//! | [`run`] | puts it into the log |

pub mod disk;
mod memory;
pub mod notice;
pub mod own;
pub mod plan;
pub mod run;
pub mod streak;
pub mod told;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{SharedClock, Timestamp};
use crate::config;
use crate::deliver::Observer as ObservesDelivery;
use crate::deliver::agenda::Slot;
use crate::id::DeliveryId;
use crate::store::{self, Claim, Effect, GaveUp, Outcome, Settlement, Token, Written};

use own::OwnDead;
use streak::{Dead, Failure, Streaks};

/// Looking takes moments; whoever moves a clock is patient with it for this long of its time.
const LOOKING: Duration = Duration::from_secs(60);

/// What is noticed where it happens, until it is told.
pub struct Operations {
    config: config::Operations,
    clock: SharedClock,
    noticed: Mutex<Noticed>,
    /// Whether a success may be of interest: there is a streak, or something is settled.
    is_troubled: AtomicBool,
    look: watch::Sender<u64>,
}

#[derive(Debug)]
struct Noticed {
    streaks: Streaks,
    /// Attempts that are news, and are not settled yet: the store does not show them.
    unsettled: HashSet<Token>,
    own_dead: OwnDead,
    /// There is something to look at.
    wanted: bool,
    /// When it is looked at whatever happens; none, if never.
    look_at: Option<Timestamp>,
    /// Where it says so to the one who moves the clock.
    slot: Slot,
}

impl Operations {
    /// Told by these rules; `slot` is its line of the agenda, which is busy from now on.
    pub fn new(config: config::Operations, slot: Slot, clock: SharedClock) -> Self {
        slot.works_until(clock.now().plus(LOOKING));
        Self {
            config,
            clock,
            noticed: Mutex::new(Noticed {
                streaks: Streaks::default(),
                unsettled: HashSet::new(),
                own_dead: OwnDead::default(),
                wanted: true,
                look_at: None,
                slot,
            }),
            is_troubled: AtomicBool::new(false),
            look: watch::Sender::new(0),
        }
    }

    fn noticed(&self) -> MutexGuard<'_, Noticed> {
        // Nothing in here panics halfway through a change.
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody has to look. The line of the agenda is busy until then.
    fn want(&self, noticed: &mut Noticed) {
        if !std::mem::replace(&mut noticed.wanted, true) {
            noticed.slot.works_until(self.clock.now().plus(LOOKING));
            self.look.send_modify(|turn| *turn = turn.wrapping_add(1));
        }
    }

    /// It is looked at `due`, unless it is sooner. Many endpoints fail and recover all the time:
    /// only one that is due before all others costs more than a comparison.
    fn look_by(&self, noticed: &mut Noticed, due: Timestamp) {
        if noticed.look_at.is_some_and(|at| at <= due) {
            return;
        }
        noticed.look_at = Some(due);
        if !noticed.wanted && noticed.unsettled.is_empty() {
            noticed.slot.waits_until(due);
        }
        self.look.send_modify(|turn| *turn = turn.wrapping_add(1));
    }
}

impl Noticed {
    fn is_troubled(&self) -> bool {
        !self.streaks.is_empty() || !self.unsettled.is_empty() || self.own_dead.is_unsettled()
    }
}

impl ObservesDelivery for Operations {
    fn began(&self, _: &Claim, _: Duration) {}

    fn ended(&self, claim: &Claim, settlement: &Settlement, _: Duration) {
        if claim.event.content.is_operational() {
            if settlement.outcome == Outcome::Dead {
                self.noticed().own_dead.end(claim.token);
                self.is_troubled.store(true, Ordering::Release);
            }
            return;
        }
        let delivered = settlement.outcome == Outcome::Delivered;
        if delivered && !self.is_troubled.load(Ordering::Acquire) {
            return;
        }
        let at = settlement.attempt.ended_at;
        let mut noticed = self.noticed();
        let number = claim.endpoint.number;
        let is_news = match delivered {
            true => noticed.streaks.succeed(number, at),
            false => {
                let failed = noticed.streaks.fail(&self.config, claim, settlement);
                let due = failed.failing_from;
                if let Some(due) = due.filter(|due| *due > at) {
                    self.look_by(&mut noticed, due);
                }
                failed.is_first_dead || due.is_some_and(|due| due <= at)
            }
        };
        if is_news || settlement.effect != Effect::None {
            // Before it is settled, upon which the clock may be moved.
            noticed.slot.works_until(at.plus(LOOKING));
            noticed.unsettled.insert(claim.token);
        }
        self.is_troubled
            .store(noticed.is_troubled(), Ordering::Release);
    }

    fn settled(&self, claim: &Claim) {
        if !self.is_troubled.load(Ordering::Acquire) {
            return;
        }
        let mut noticed = self.noticed();
        if noticed.unsettled.remove(&claim.token) | noticed.own_dead.settle(claim.token) {
            self.want(&mut noticed);
        }
    }
}

impl store::Observer for Operations {
    fn written(&self, group: Written<'_>) {
        if group.endpoints_changed {
            self.want(&mut self.noticed());
        }
    }

    /// The next one that dies is news again, which the count alone does not show where as many have
    /// gone meanwhile.
    fn buried(&self) {
        self.want(&mut self.noticed());
    }

    fn gave_up(&self, given_up: GaveUp<'_>) {
        if given_up.operational > 0 {
            let mut noticed = self.noticed();
            let number = given_up.endpoint.number;
            noticed.own_dead.add(number, given_up.operational);
            self.want(&mut noticed);
        }
        let Some((event, attempts)) = given_up.last else {
            return;
        };
        let number = given_up.endpoint.number;
        let last = Failure {
            delivery: DeliveryId::new(event.id, number),
            event: event.id,
            kind: event.content.kind.to_string(),
            attempt: attempts,
            status: None,
            error: Some(given_up.words.to_owned()),
        };
        let mut noticed = self.noticed();
        let reason = given_up.words.to_owned();
        if noticed.streaks.give_up(number, Dead { last, reason }) {
            self.want(&mut noticed);
        }
    }
}
