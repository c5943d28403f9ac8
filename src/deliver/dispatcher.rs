//! The loop that claims what is due, sends it and settles what came back.
//!
//! Fairness is the store's: it hands out claims endpoint by endpoint. Here the number of attempts
//! at once is bounded, and an attempt that hangs costs one place until its deadline.

mod pause;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::agenda::Agenda;
use super::courier::Courier;
use super::observer::{Nobody, Observer};
use super::outcomes::{Ended, Outcomes};
use super::verdict::judge;
use crate::clock::{SharedClock, Stopwatch, Timestamp};
use crate::id::DeliveryId;
use crate::policy::Input;
use crate::store::{Claim, Effect, Store, StoreError, Token};

pub use pause::without_policy;

/// Claims that are taken in one go.
const CLAIMS_AT_ONCE: usize = 64;

/// The longest sleep, of the machine's own time, before the store is asked again what is due: so
/// it soon sees that the clock was set, and writes down what that means for the next start.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long an attempt for which there was no descriptor rests before its claim goes back.
const SHORTAGE_PAUSE: Duration = Duration::from_secs(1);

/// How often a shortage that lasts is told: it must not fill the disk with its log.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// Delivers what the store hands out.
pub struct Dispatcher {
    store: Arc<dyn Store>,
    courier: Arc<Courier>,
    clock: SharedClock,
    in_flight_max: usize,
    jitter: Mutex<StdRng>,
    agenda: Agenda,
    told_of_shortage: Mutex<Option<Timestamp>>,
    outcomes: Outcomes,
    observer: Arc<dyn Observer>,
}

/// Puts a claim back if its attempt ends without a settlement: stopped by a drain, or by a panic.
struct Held<'a> {
    dispatcher: &'a Dispatcher,
    token: Token,
    settled: bool,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.dispatcher.agenda.end(self.token);
        if !self.settled {
            // Fenced means that somebody else has ended it, which is as good.
            let _ = self.dispatcher.store.release(self.token);
        }
    }
}

impl Dispatcher {
    /// A dispatcher of at most `in_flight_max` attempts at once; `seed` is for the jitter.
    pub fn new(
        store: Arc<dyn Store>,
        courier: Arc<Courier>,
        clock: SharedClock,
        in_flight_max: usize,
        seed: u64,
    ) -> Self {
        Self {
            store,
            courier,
            clock,
            in_flight_max: in_flight_max.max(1),
            jitter: Mutex::new(StdRng::seed_from_u64(seed)),
            agenda: Agenda::default(),
            told_of_shortage: Mutex::default(),
            outcomes: Outcomes::default(),
            observer: Arc::new(Nobody),
        }
    }

    /// Also tells `observer` of its attempts.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Keeps its attempts on `agenda`, for the one who moves a manual clock.
    #[must_use]
    pub fn with_agenda(mut self, agenda: Agenda) -> Self {
        self.agenda = agenda;
        self
    }

    /// Where its attempts are, while they are under way.
    pub fn agenda(&self) -> &Agenda {
        &self.agenda
    }

    /// How its attempts end.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Delivers until `stop` turns true, then waits up to `drain` for what is under way. What is
    /// not done by then is put back, and attempted again after the next start under its own number.
    ///
    /// # Errors
    /// Where the store cannot be read: nothing can be delivered from it.
    pub async fn run(
        self: Arc<Self>,
        mut stop: watch::Receiver<bool>,
        drain: Duration,
    ) -> Result<(), StoreError> {
        let mut work = self.store.work();
        let mut attempts = JoinSet::new();
        while !*stop.borrow_and_update() {
            work.mark_unchanged();
            // Before the claim, which needs their room, and never behind it: the end of an attempt
            // that nobody has looked at yet is what wakes the next claim.
            while attempts.try_join_next().is_some() {}
            let looked = self.clock.moment();
            let room = self.in_flight_max - attempts.len();
            let claims = self.store.claim(room.min(CLAIMS_AT_ONCE))?;
            let full = claims.len() == CLAIMS_AT_ONCE;
            for claim in claims {
                attempts.spawn(self.clone().attempt_one_after_another(claim, stop.clone()));
            }
            let next_due = self.store.depth().next_due;
            // Due times have moved with a clock that was set, away from the time that was read.
            let was_set = self.clock.moment().stepped_ms != looked.stepped_ms;
            if full || was_set {
                continue;
            }
            // What was due before the claim and was not handed out waits for something to change.
            let room = attempts.len() < self.in_flight_max;
            let due = next_due.filter(|due| room && *due > looked.now);
            tokio::select! {
                // In this order, not by chance: a seeded simulation repeats exactly.
                biased;
                _ = work.changed() => {}
                () = self.sleep_until(due) => {}
                Some(_) = attempts.join_next() => {}
                _ = stop.changed() => {}
            }
        }
        let done = async { while attempts.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, done).await.is_err() {
            tracing::warn!(
                unfinished = attempts.len(),
                "stopping before these attempts have ended; they are repeated after the next start"
            );
            attempts.shutdown().await;
        }
        Ok(())
    }

    async fn sleep_until(&self, due: Option<Timestamp>) {
        match due {
            Some(due) => {
                let due = self.clock.sleep_until(due);
                let _ = tokio::time::timeout(LOOK_AGAIN, due).await;
            }
            None => std::future::pending().await,
        }
    }

    /// Goes on with whatever is next while there is something: what follows a success costs no
    /// task of its own, and wakes nobody.
    async fn attempt_one_after_another(self: Arc<Self>, claim: Claim, stop: watch::Receiver<bool>) {
        let mut next = Some(claim);
        while let Some(claim) = next.take() {
            if !self.may_begin(&claim, stop.clone()).await {
                // Fenced means that somebody else has ended it, which is as good.
                let _ = self.store.release(claim.token);
                return;
            }
            self.attempt(claim).await;
            if !*stop.borrow() {
                // Where the store cannot be read, the one who looks next will say so.
                next = self.store.claim_next().unwrap_or_default();
            }
        }
    }

    /// Waits as long as a fault on demand holds the attempt back; false if a stop comes first.
    async fn may_begin(&self, claim: &Claim, mut stop: watch::Receiver<bool>) -> bool {
        let Some(faults) = self.courier.faults() else {
            return true;
        };
        tokio::select! {
            biased;
            () = faults.hold(claim) => true,
            _ = stop.wait_for(|stop| *stop) => false,
        }
    }

    async fn attempt(&self, claim: Claim) {
        let Some(policy) = self.courier.policy(&claim.endpoint) else {
            self.pause_without_policy(&claim);
            return;
        };
        let now = self.clock.now();
        self.observer.began(&claim, now.since(claim.due));
        let deadline = self.courier.deadline(&claim.endpoint.settings, now);
        let watch = Stopwatch::start();
        self.agenda.begin(claim.token, deadline);
        let mut held = Held {
            dispatcher: self,
            token: claim.token,
            settled: false,
        };
        let (attempt, input) = self.courier.attempt(&claim).await;
        let took = watch.elapsed();
        if input == Input::Release {
            self.tell_of_shortage(attempt.error.as_deref());
            // It keeps its place meanwhile, so that nothing spins; then the claim goes back.
            tokio::time::sleep(SHORTAGE_PAUSE).await;
            return;
        }
        let jitter = self.jitter();
        let settlement = judge(&claim, &policy, attempt, input, jitter);
        // Before it is settled: who sees that it has ended finds it counted.
        self.observer.ended(&claim, &settlement, took);
        tracing::debug!(
            endpoint = claim.endpoint.settings.name,
            delivery = %DeliveryId::new(claim.event.id, claim.endpoint.number),
            event = %claim.event.id,
            attempt = settlement.attempt.number,
            status = settlement.attempt.status,
            error = settlement.attempt.error,
            outcome = ?settlement.outcome,
            "attempt ended"
        );
        if settlement.effect != Effect::None {
            tracing::warn!(
                endpoint = claim.endpoint.settings.name,
                delivery = %DeliveryId::new(claim.event.id, claim.endpoint.number),
                event = %claim.event.id,
                attempt = settlement.attempt.number,
                effect = ?settlement.effect,
                "the receiver's answer changes the endpoint"
            );
        }
        let ended = self
            .outcomes
            .are_watched()
            .then(|| Ended::of(&claim, &settlement));
        // While the store has it as one that is under way, or else another one might pass for it.
        self.agenda.end(claim.token);
        held.settled = self.store.settle(claim.token, settlement).is_ok();
        self.observer.settled(&claim);
        if held.settled {
            self.outcomes.tell(ended);
        }
    }

    fn tell_of_shortage(&self, error: Option<&str>) {
        let now = self.clock.now();
        let told = self.told_of_shortage.lock();
        let mut told = told.unwrap_or_else(PoisonError::into_inner);
        let lately = told.is_some_and(|told| told <= now && now.since(told) < TELL_AGAIN);
        if !lately {
            *told = Some(now);
            tracing::warn!(
                error,
                "attempts wait for this machine to have something to spare"
            );
        }
    }

    fn jitter(&self) -> f64 {
        let mut rng = self.jitter.lock().unwrap_or_else(PoisonError::into_inner);
        rng.random()
    }
}
