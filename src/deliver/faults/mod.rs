//! Faults on demand, done: only where a plan was given at the start.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | the plan at work, and the waits by the broker's clock |
//! | `attempt` | an attempt that suffers |
//! | `held` | events that wait for a later one |
//! | [`log`] | what was done |

mod attempt;
mod held;
pub mod log;

use std::time::Duration;

use self::held::HeldBack;
use self::log::{Entry, FaultLog};
use super::agenda::Agenda;
use crate::clock::{SharedClock, Sleep};
use crate::duration::format_duration;
use crate::fault::{Fault, Occasion, Plan};
use crate::id::DeliveryId;
use crate::store::{Claim, Token};

/// A plan at work.
pub struct Faults {
    plan: Plan,
    clock: SharedClock,
    agenda: Agenda,
    held: HeldBack,
    log: FaultLog,
}

impl Faults {
    /// Does what `plan` says. What waits is on `agenda`, so that a manual clock that is moved stops
    /// where it is due.
    pub fn new(plan: Plan, clock: SharedClock, agenda: Agenda) -> Self {
        Self {
            plan,
            clock,
            agenda,
            held: HeldBack::default(),
            log: FaultLog::default(),
        }
    }

    /// What was done.
    pub fn log(&self) -> &FaultLog {
        &self.log
    }

    fn planned(&self, claim: &Claim) -> Vec<(Fault, Duration)> {
        self.plan.faults(Occasion {
            seq: claim.event.seq,
            event: &claim.event.content,
            endpoint: claim.endpoint.number,
            order: claim.endpoint.settings.order,
            attempt: claim.attempt,
        })
    }

    /// Waits until the attempt may begin.
    pub(super) async fn hold(&self, claim: &Claim) {
        for (fault, time) in self.planned(claim) {
            match fault {
                Fault::Reorder => self.hold_back(claim, time).await,
                Fault::Delay => {
                    pause(&self.clock, &self.agenda, claim.token, time).await;
                    let detail = format!("held for {}", format_duration(time));
                    self.note(claim, fault, Ok(detail));
                }
                _ => {}
            }
        }
    }

    async fn hold_back(&self, claim: &Claim, most: Duration) {
        let (endpoint, seq) = (claim.endpoint.number, claim.event.seq);
        let due = self.clock.now().plus(most);
        let Some(mut place) = self
            .held
            .hold(endpoint, seq, self.agenda.hold(due, claim.token))
        else {
            let why = "another event is held, and this one goes past it";
            self.note(claim, Fault::Reorder, Err(why.to_owned()));
            return;
        };
        let told = tokio::select! {
            biased;
            later = place.passed() => Ok(format!("event {later} was attempted before it")),
            () = self.clock.sleep_until(due) => {
                Err(format!("no later event was attempted within {}", format_duration(most)))
            }
        };
        self.note(claim, Fault::Reorder, told);
    }

    /// An attempt has ended: what waited for a later event goes on.
    fn attempted(&self, claim: &Claim) {
        self.held.attempted(claim.endpoint.number, claim.event.seq);
    }

    fn note(&self, claim: &Claim, fault: Fault, told: Result<String, String>) {
        let done = told.is_ok();
        let detail = told.unwrap_or_else(|why| format!("not done: {why}"));
        let delivery = DeliveryId::new(claim.event.id, claim.endpoint.number);
        tracing::info!(%delivery, attempt = claim.attempt, %fault, done, detail, "fault on demand");
        self.log.add(Entry {
            number: 0,
            delivery,
            event: claim.event.id,
            attempt: claim.attempt,
            fault,
            at: self.clock.now(),
            done,
            detail,
        });
    }
}

/// Waits by the broker's clock, before the attempt of `token` or during it.
fn pause(clock: &SharedClock, agenda: &Agenda, token: Token, time: Duration) -> Sleep {
    let due = clock.now().plus(time);
    let (slot, sleep) = (agenda.hold(due, token), clock.sleep_until(due));
    Box::pin(async move {
        let _slot = slot;
        sleep.await;
    })
}
