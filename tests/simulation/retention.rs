//! What the operator wants to be kept, and what a pass of the store may take away by that.
//!
//! The store is looked at before and after a pass, at a moment at which nothing else happens. What
//! it says of each delivery before is held against what the receivers have seen, for later there is
//! nothing left to be asked about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redeliver::clock::Timestamp;
use redeliver::delivery::Status;
use redeliver::event::Event;
use redeliver::id::Seq;
use redeliver::store::{
    DeliveryQuery, DeliveryView, EndpointView, Maintained, Retention, Store, StoreError,
};

use super::disk::Point;
use super::ledger::Ledger;
use super::verdict::{self, Broken, ensure};

/// Events of one group, and so of one frame.
pub const GROUP_EVENTS: usize = 3;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What a run keeps, and when it looks for what has expired.
pub struct Keeper {
    pub retention: Retention,
    rng: StdRng,
}

impl Keeper {
    /// Of five runs two, with numbers of their own: the others go on as they would without it.
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed.rotate_left(32) ^ 0x6b65_6570);
        let mut ages = |chance, ages: &[Duration]| {
            let age = ages[rng.random_range(0..ages.len())];
            rng.random_bool(chance).then_some(age)
        };
        let is_on = ages(0.4, &[MINUTE]).is_some();
        let retention = Retention {
            max_age: ages(0.8, &[MINUTE, 10 * MINUTE, HOUR, 6 * HOUR]),
            waiting_max_age: ages(0.4, &[30 * MINUTE, 6 * HOUR, 3 * DAY]),
            dead_letters_max_age: ages(0.5, &[HOUR, DAY, 7 * DAY]),
            attempts_max_age: ages(0.5, &[MINUTE, HOUR, DAY]),
            max_bytes: rng
                .random_bool(0.3)
                .then(|| rng.random_range(3_000..40_000)),
            ..Retention::default()
        };
        Self {
            retention: match is_on {
                true => retention,
                false => Retention::default(),
            },
            rng,
        }
    }

    /// Whether a pass is to come now.
    pub fn is_due(&mut self) -> bool {
        !self.retention.is_off() && self.rng.random_bool(0.12)
    }

    /// In which write of a pass the power is to go, if it is.
    pub fn crash(&mut self) -> Option<(u64, Point)> {
        let point = Point::ALL[self.rng.random_range(0..Point::ALL.len())];
        let writes = self.rng.random_range(0..9);
        self.rng.random_bool(0.2).then_some((writes, point))
    }
}

type Deliveries = BTreeMap<(u32, Seq), DeliveryView>;

fn select(store: &dyn Store, query: DeliveryQuery) -> Result<Deliveries, String> {
    let found = verdict::select(store, query)?.into_iter();
    let key = |delivery: &DeliveryView| (delivery.endpoint.number, delivery.event.seq);
    Ok(found.map(|delivery| (key(&delivery), delivery)).collect())
}

/// What a store shows at one moment.
pub struct Look {
    pub events: BTreeMap<Seq, Arc<Event>>,
    /// Deliveries that wait, are under way or dead: whatever keeps an event.
    pub keeping: Deliveries,
    endpoints: BTreeMap<u32, EndpointView>,
    live_bytes: u64,
}

impl Look {
    pub fn at(store: &dyn Store) -> Result<Self, String> {
        let said = |error: StoreError| format!("it cannot be read: {error}");
        let events = store.read(1, usize::MAX).map_err(said)?;
        let endpoints = store.endpoints().map_err(said)?.into_iter();
        let statuses = [
            Status::Pending,
            Status::Waiting,
            Status::InFlight,
            Status::Dead,
        ];
        let query = DeliveryQuery {
            statuses: statuses.to_vec(),
            ..DeliveryQuery::default()
        };
        Ok(Self {
            events: events.into_iter().map(|event| (event.seq, event)).collect(),
            keeping: select(store, query)?,
            endpoints: endpoints.map(|view| (view.endpoint.number, view)).collect(),
            live_bytes: store.figures().live_bytes,
        })
    }

    fn keeping(&self, seq: Seq) -> impl Iterator<Item = &DeliveryView> {
        let numbers = self.endpoints.keys();
        numbers.filter_map(move |number| self.keeping.get(&(*number, seq)))
    }
}

/// A pass, by what is there before it.
pub struct Pass<'a> {
    pub retention: &'a Retention,
    pub now: Timestamp,
    pub before: Look,
    /// Every delivery of the events that may go.
    ending: Deliveries,
}

impl<'a> Pass<'a> {
    pub fn begin(
        store: &dyn Store,
        retention: &'a Retention,
        now: Timestamp,
    ) -> Result<Self, String> {
        let mut pass = Self {
            retention,
            now,
            before: Look::at(store)?,
            ending: BTreeMap::new(),
        };
        let may_go = pass.may_go();
        if let (Some(first), Some(last)) = (may_go.first(), may_go.last()) {
            let query = DeliveryQuery {
                seqs: Some(*first..=*last),
                ..DeliveryQuery::default()
            };
            pass.ending = select(store, query)?;
        }
        Ok(pass)
    }

    /// Whether what came in at `at` is older than `age`; nothing is, if there is none.
    fn is_older(&self, at: Timestamp, age: Option<Duration>) -> bool {
        age.is_some_and(|age| at.plus(age) < self.now)
    }

    /// Deliveries that have waited for too long.
    pub fn overdue(&self) -> BTreeSet<(u32, Seq)> {
        let all = self.before.keeping.iter();
        let overdue = all.filter(|(_, delivery)| self.is_overdue(delivery));
        overdue.map(|(key, _)| *key).collect()
    }

    fn is_overdue(&self, delivery: &DeliveryView) -> bool {
        let age = self.retention.waiting_max_age;
        matches!(delivery.status, Status::Pending | Status::Waiting)
            && self.is_older(delivery.event.received_at, age)
    }

    /// Why an event must stay, if it must.
    fn needed_for(&self, seq: Seq) -> Option<&'static str> {
        self.before.keeping(seq).find_map(|delivery| {
            let is_dead = delivery.status == Status::Dead || self.is_overdue(delivery);
            let age = self.retention.dead_letters_max_age;
            match is_dead {
                true if self.is_older(delivery.event.received_at, age) => None,
                true => Some("its dead letter is kept"),
                false => Some("a delivery waits for it"),
            }
        })
    }

    fn is_old(&self, event: &Event) -> bool {
        self.is_older(event.received_at, self.retention.max_age)
    }

    /// Events that the pass may take away.
    pub fn may_go(&self) -> BTreeSet<Seq> {
        let events = self.before.events.values();
        let old = events.filter(|e| self.is_old(e) || self.retention.max_bytes.is_some());
        let may_go = old.filter(|event| self.needed_for(event.seq).is_none());
        may_go.map(|event| event.seq).collect()
    }

    /// What ended before this may not be on record any more. How much is known of attempts is not
    /// bounded by time where bytes decide.
    pub fn records_until(&self) -> Timestamp {
        let Retention {
            max_age,
            max_bytes,
            attempts_max_age,
            ..
        } = *self.retention;
        match (attempts_max_age, max_age, max_bytes) {
            (Some(age), _, _) | (None, Some(age), None) => Timestamp::from_millis(
                self.now.as_millis() - i64::try_from(age.as_millis()).unwrap(),
            ),
            (None, _, Some(_)) => self.now.moved(1),
            (None, None, None) => Timestamp::from_millis(i64::MIN),
        }
    }

    /// What the pass has done, by the rules and by what the world has seen. Gives the events that
    /// are gone.
    pub fn check(
        &self,
        ledger: &Ledger,
        store: &dyn Store,
        after: &Look,
        done: Maintained,
    ) -> Result<BTreeSet<Seq>, String> {
        let gone: BTreeSet<Seq> = {
            let before = self.before.events.keys();
            let gone = before.filter(|seq| !after.events.contains_key(seq));
            gone.copied().collect()
        };
        for (seq, event) in &self.before.events {
            self.check_event(event, gone.contains(seq))?;
        }
        for seq in &gone {
            ensure(store.expired_at(*seq).is_some(), || {
                format!("event {seq} is gone, and nobody says that it has expired")
            })?;
        }
        // The first pass of a life begins with what another one may have left behind.
        if ledger.passed_in == Some(ledger.incarnation) {
            self.check_bytes(&gone)?;
        }
        let name = |key: &(u32, Seq)| format!("event {} to endpoint {}", key.1, key.0);
        for (key, delivery) in &self.before.keeping {
            if !gone.contains(&key.1) {
                let same = self.is_as_before(delivery, after.keeping.get(key));
                same.map_err(|rule| format!("{}: {rule}", name(key)))?;
            }
        }
        for (key, delivery) in self.ending.iter().filter(|(key, _)| gone.contains(&key.1)) {
            let over = self.was_over(ledger, key.0, delivery);
            over.map_err(|rule| format!("{}: {rule}", name(key)))?;
        }
        let overdue = self.overdue();
        self.check_counts(after, &overdue, &gone)?;
        let said = (done.expired_events, done.overdue_deliveries);
        ensure(said == (gone.len() as u64, overdue.len() as u64), || {
            format!("{said:?} have expired, it says: {gone:?}, {overdue:?}")
        })?;
        Ok(gone)
    }

    fn check_event(&self, event: &Event, is_gone: bool) -> Broken {
        let (seq, needed) = (event.seq, self.needed_for(event.seq));
        if is_gone {
            if let Some(why) = needed {
                return Err(format!("event {seq} has expired although {why}"));
            }
            let may = self.is_old(event) || self.retention.max_bytes.is_some();
            return ensure(may, || format!("event {seq} has expired before its time"));
        }
        ensure(needed.is_some() || !self.is_old(event), || {
            format!("event {seq} should have expired")
        })
    }

    /// The oldest go until the records take no more than they may, and none after that.
    fn check_bytes(&self, gone: &BTreeSet<Seq>) -> Broken {
        let Some(max_bytes) = self.retention.max_bytes else {
            return Ok(());
        };
        let before = self.before.live_bytes;
        let first: Vec<Seq> = self
            .before
            .events
            .keys()
            .copied()
            .take(GROUP_EVENTS)
            .collect();
        let is_free = !first.is_empty() && first.iter().all(|seq| self.needed_for(*seq).is_none());
        ensure(
            !(is_free && before > max_bytes) || gone.contains(&first[0]),
            || {
                format!(
                    "{before} bytes are too much, and event {} should have expired",
                    first[0]
                )
            },
        )?;
        let mut young = gone
            .iter()
            .filter(|seq| !self.is_old(&self.before.events[seq]));
        let Some(last) = young.next_back() else {
            return Ok(());
        };
        // Where nothing has to stay among them, everything but the last frame was not enough.
        let up_to = || self.before.events.range(..=last);
        if up_to().any(|(seq, _)| !gone.contains(seq)) || !self.overdue().is_empty() {
            return Ok(());
        }
        let earlier = up_to().rev().skip(GROUP_EVENTS);
        let freed = earlier.map(|(_, event)| event.content.body.len() as u64);
        let left = before.saturating_sub(freed.sum());
        ensure(left > max_bytes, || {
            format!(
                "event {last} has expired before its time: {left} bytes would have been few enough"
            )
        })
    }

    /// A delivery whose event is gone had come to the end that the receiver's answers lead to.
    fn was_over(&self, ledger: &Ledger, endpoint: u32, delivery: &DeliveryView) -> Broken {
        if self.is_overdue(delivery) {
            return Ok(());
        }
        let (view, watched) = (
            &self.before.endpoints[&endpoint],
            ledger.watched.get(&endpoint).ok_or("nobody has made it")?,
        );
        verdict::ended(ledger, view, watched, delivery)
    }

    /// A delivery stands as before, unless it has waited for too long, and so does what is known of
    /// its attempts, unless they are old.
    fn is_as_before(&self, before: &DeliveryView, after: Option<&DeliveryView>) -> Broken {
        let after = after.ok_or("it waits no more, and is not dead")?;
        if self.is_overdue(before) {
            return ensure(after.status == Status::Dead, || {
                format!(
                    "it is {}, and has waited for too long",
                    after.status.as_str()
                )
            });
        }
        ensure(before.status == after.status, || {
            let (before, after) = (before.status.as_str(), after.status.as_str());
            format!("it was {before}, and is {after}")
        })?;
        let until = self.records_until();
        let young = before
            .attempts
            .iter()
            .filter(|attempt| attempt.ended_at >= until);
        let on_record = |number| after.attempts.iter().any(|after| after.number == number);
        let forgotten = young.map(|attempt| attempt.number).find(|n| !on_record(*n));
        match forgotten {
            Some(number) => Err(format!("attempt {number} is young, and on record no more")),
            None => Ok(()),
        }
    }

    /// Dead letters, and what becomes one because it has waited for too long.
    pub fn dead(&self) -> BTreeSet<(u32, Seq)> {
        let is_dead =
            |delivery: &DeliveryView| delivery.status == Status::Dead || self.is_overdue(delivery);
        let dead = self.before.keeping.iter().filter(|(_, it)| is_dead(it));
        dead.map(|(key, _)| *key).collect()
    }

    /// The queues count as before, but for what has waited for too long, and for dead letters that
    /// are there no more.
    fn check_counts(
        &self,
        after: &Look,
        overdue: &BTreeSet<(u32, Seq)>,
        gone: &BTreeSet<Seq>,
    ) -> Broken {
        let dead_before = self.dead();
        for (number, view) in &self.before.endpoints {
            let ended = overdue.range((*number, 0)..=(*number, Seq::MAX)).count() as u64;
            let counts = |view: &EndpointView| {
                let ended = view.ended;
                [ended.delivered, ended.dead, ended.removed, view.backlog]
            };
            let [delivered, dead, removed, backlog] = counts(view);
            let expired = dead_before.range((*number, 0)..=(*number, Seq::MAX));
            let expired = expired.filter(|(_, seq)| gone.contains(seq)).count() as u64;
            let wanted = [delivered, dead + ended - expired, removed, backlog - ended];
            let found = after.endpoints.get(number).map(counts);
            ensure(found == Some(wanted), || {
                format!(
                    "endpoint {number} counted {wanted:?} before the pass, and counts {found:?}"
                )
            })?;
        }
        Ok(())
    }
}
