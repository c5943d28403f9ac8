//! One run: production code between simulated clients, a simulated disk and a simulated network.
//!
//! Everything runs on one thread, and every choice comes from the seed, so that a run repeats
//! exactly. A crash is what it is in the world: the tasks are gone, and another process starts on
//! what the disk has left.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redeliver::clock::{Clock, ManualClock, SharedClock, Timestamp};
use redeliver::endpoint::EndpointState;
use redeliver::store::Store;
use redeliver::store::memory::Memory;

use super::contract::Verdict;
use super::disk::{Point, SimDisk};
use super::faults::Fault;
use super::ledger::{Delivery, Ledger, Posted, Safety};
use super::life::{IN_FLIGHT, Life};
use super::network::Outside;
use super::plan::Endpoints;
use super::retention::{Keeper, Look, Pass};
use super::verdict;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// How long a client may repeat itself: less than the window of four hours.
const REPEATABLE: Duration = Duration::from_secs(3 * 3600);

/// More turns than any run needs to come to its end.
const PATIENCE: u32 = 5_000;

/// What is to be run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scenario {
    pub seed: u64,
    /// A mistake that the checker must find.
    pub fault: Option<Fault>,
    /// A crash in the write after this many, beside those that the seed picks.
    pub crash: Option<(u64, Point)>,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub events: u64,
    pub attempts: u64,
    pub crashes: u64,
    pub writes: u64,
    pub acknowledged: u64,
    pub duplicates: u64,
    /// Answers that remove an endpoint, and that pause one.
    pub gone: u64,
    pub paused: u64,
    /// Deliveries that have met their last failure.
    pub given_up: u64,
    /// Looks for what has expired, that came to their end; what they took away, and what had
    /// waited for too long.
    pub passes: u64,
    pub expired: u64,
    pub overdue: u64,
    /// The crash that the scenario asks for has come.
    pub came: bool,
    /// Of everything that happened.
    pub fingerprint: u64,
}

impl Summary {
    /// With what the ledger tells.
    fn of(self, ledger: &Ledger) -> Self {
        let posted = || ledger.posted.values();
        let deliveries = || ledger.deliveries.iter();
        let ended_as = |wanted| {
            let attempts = deliveries().flat_map(|(_, delivery)| &delivery.attempts);
            let verdicts = attempts.filter_map(|attempt| attempt.ended);
            verdicts.filter(|(_, verdict)| *verdict == wanted).count() as u64
        };
        let given_up = |((endpoint, _), delivery): &(&(u32, u64), &Delivery)| {
            let max = ledger.watched[endpoint].planned.vendor.attempts_max();
            max.is_some_and(|max| delivery.attempts.len() >= max as usize)
        };
        let arrivals = ledger.watched.values().map(|w| w.arrivals.len() as u64);
        Self {
            events: posted().count() as u64,
            attempts: arrivals.sum(),
            acknowledged: posted().filter(|p| p.acknowledged.is_some()).count() as u64,
            duplicates: posted().map(|posted| u64::from(posted.duplicates)).sum(),
            gone: ended_as(Verdict::Gone),
            paused: ended_as(Verdict::Paused),
            given_up: deliveries().filter(given_up).count() as u64,
            ..self
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.attempts += other.attempts;
        self.crashes += other.crashes;
        self.writes += other.writes;
        self.acknowledged += other.acknowledged;
        self.duplicates += other.duplicates;
        self.gone += other.gone;
        self.paused += other.paused;
        self.given_up += other.given_up;
        self.passes += other.passes;
        self.expired += other.expired;
        self.overdue += other.overdue;
    }
}

/// A broken rule, and what led to it.
#[derive(Debug)]
pub struct Violation {
    pub rule: String,
    pub trace: Vec<String>,
}

/// Why a life ended.
pub enum End {
    Crash(Memory, Safety),
    Broken(String),
}

pub type Turn<T = ()> = Result<T, End>;

/// Runs `scenario` to its end.
pub fn run(scenario: Scenario) -> Result<Summary, Violation> {
    go_through(&mut World::new(scenario))
}

/// The numbers of the writes that are part of a pass, if `scenario` is run.
pub fn writes_of_passes(scenario: Scenario) -> Result<Vec<u64>, Violation> {
    let mut world = World::new(scenario);
    go_through(&mut world)?;
    Ok(world.passes.into_iter().flatten().collect())
}

fn go_through(world: &mut World) -> Result<Summary, Violation> {
    let scenario = world.scenario;
    let mut memory = Memory::default();
    loop {
        let disk = Arc::new(SimDisk::over(memory, scenario.fault));
        let ended = world.live(&disk);
        world.summary.writes += disk.writes();
        world.summary.came |= disk.has_come();
        let mut ledger = world.outside.ledger();
        let rule = match ended {
            Ok(()) => ledger.violation.take(),
            Err(End::Broken(rule)) => Some(ledger.violation.take().unwrap_or(rule)),
            Err(End::Crash(left, least)) => {
                ledger.note(format!("crash: what was {least:?} is kept"));
                ledger.crash(least);
                world.summary.crashes += 1;
                memory = left;
                continue;
            }
        };
        let trace = std::mem::take(&mut ledger.trace);
        if let Some(rule) = rule {
            return Err(Violation { rule, trace });
        }
        let mut hasher = DefaultHasher::new();
        trace.hash(&mut hasher);
        return Ok(Summary {
            fingerprint: hasher.finish(),
            ..world.summary.of(&ledger)
        });
    }
}

/// A file system in memory, where there is one: syncs cost nothing there.
fn memory_disk() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    match shared.is_dir() {
        true => shared,
        false => std::env::temp_dir(),
    }
}

pub struct World {
    pub scenario: Scenario,
    pub rng: StdRng,
    pub outside: Arc<Outside>,
    pub endpoints: Endpoints,
    keeper: Keeper,
    /// The writes of each pass.
    passes: Vec<Range<u64>>,
    /// Endpoints whose making was acknowledged.
    pub made: Vec<usize>,
    /// What the store keeps beside its database; half of the runs have nothing but the log.
    beside: Option<tempfile::TempDir>,
    steps: u32,
    summary: Summary,
}

impl World {
    fn new(scenario: Scenario) -> Self {
        let mut rng = StdRng::seed_from_u64(scenario.seed);
        let mut endpoints = Endpoints::new(scenario.seed);
        for _ in 0..rng.random_range(1..=3) {
            endpoints.add();
        }
        Self {
            scenario,
            steps: rng.random_range(20..80),
            rng,
            outside: Arc::new(Outside::new(Arc::new(ManualClock::new(START)))),
            endpoints,
            keeper: Keeper::new(scenario.seed),
            passes: Vec::new(),
            made: Vec::new(),
            beside: scenario
                .seed
                .is_multiple_of(2)
                .then(|| tempfile::tempdir_in(memory_disk()).unwrap()),
            summary: Summary::default(),
        }
    }

    fn clock(&self) -> &ManualClock {
        &self.outside.clock
    }

    /// One process, from its start to its end.
    fn live(&mut self, disk: &Arc<SimDisk>) -> Turn {
        if let Some((at, point)) = self.scenario.crash
            && let Some(left) = at.checked_sub(self.summary.writes)
        {
            disk.arm_for_scenario(left, point);
        }
        // Without a reactor and with the machine's time standing still: a sleep ends when nobody
        // has anything left to do.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let clock: SharedClock = self.outside.clock.clone();
        runtime.block_on(async {
            let crashes = self.summary.crashes as u32;
            let beside = self.beside.as_ref().map(|dir| dir.path());
            let life = Life::start(
                disk.clone(),
                beside,
                &self.outside,
                clock,
                self.scenario,
                crashes,
                &self.keeper.retention,
            )?;
            self.go_on(&life).await
        })
    }

    async fn go_on(&mut self, life: &Life) -> Turn {
        let kept = verdict::kept(&self.outside.ledger(), &*life.log);
        kept.map_err(End::Broken)?;
        let expired = verdict::expired(&mut self.outside.ledger(), &*life.store);
        expired.map_err(End::Broken)?;
        for planned in self.endpoints.planned.clone() {
            self.make(life, planned).await?;
        }
        while self.steps > 0 {
            self.steps -= 1;
            if self.keeper.is_due() {
                self.maintain(life)?;
            }
            self.step(life).await?;
            self.settle_down(life).await?;
        }
        self.finish(life).await?;
        if !self.keeper.retention.is_off() {
            self.maintain(life)?;
        }
        let all = verdict::all_is_well(&self.outside.ledger(), &*life.log);
        all.map_err(End::Broken)
    }

    /// Lets everything happen that can happen at this moment.
    async fn settle_down(&self, life: &Life) -> Turn {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if let Some(rule) = life.failed().await {
            return Err(life.end(rule));
        }
        let mut ledger = self.outside.ledger();
        ledger.idle(self.clock().now(), IN_FLIGHT as u32);
        match ledger.violation.clone() {
            Some(rule) => Err(End::Broken(rule)),
            None => Ok(()),
        }
    }

    async fn step(&mut self, life: &Life) -> Turn {
        match self.rng.random_range(0..100) {
            0..38 => {
                for _ in 0..self.rng.random_range(1..=4) {
                    self.post(life);
                }
                Ok(())
            }
            38..62 => self.commit(life),
            62..84 => {
                self.commit_events(life)?;
                self.advance(life);
                Ok(())
            }
            84..87 => {
                self.commit_events(life)?;
                self.jump();
                Ok(())
            }
            87..93 => self.operate(life).await,
            93..95 => {
                let index = self.rng.random_range(0..self.endpoints.planned.len());
                self.outside
                    .ledger()
                    .note(format!("receiver {index} leaves or comes back"));
                self.outside.toggle(index);
                Ok(())
            }
            95..97 => {
                let point = [Point::Before, Point::Written, Point::Synced];
                let point = point[self.rng.random_range(0..point.len())];
                life.disk.arm(self.rng.random_range(0..3), point);
                Ok(())
            }
            97 => life.drain(&self.outside).await,
            _ => {
                let kill = self.rng.random_bool(0.5);
                let batches = self.rng.random_range(0..=life.disk.unsynced_batches());
                let least = if kill {
                    Safety::Written
                } else {
                    Safety::Synced
                };
                Err(End::Crash(life.disk.left_by(kill, batches), least))
            }
        }
    }

    pub fn commit(&self, life: &Life) -> Turn {
        let (safety, saved) = life.commit()?;
        let mut ledger = self.outside.ledger();
        ledger.note(format!("commit: {safety:?}, everything: {saved}"));
        ledger.committed(safety, saved);
        Ok(())
    }

    /// What has expired goes, with everything before and after it looked at.
    fn maintain(&mut self, life: &Life) -> Turn {
        let crash = self.keeper.crash();
        self.commit_events(life)?;
        life.save()?;
        let now = self.clock().now();
        let pass = Pass::begin(&*life.store, &self.keeper.retention, now);
        let pass = pass.map_err(|rule| life.end(rule))?;
        self.outside.ledger().pass(&pass);
        if let Some((writes, point)) = crash {
            life.disk.arm(writes, point);
        }
        let writes = || self.summary.writes + life.disk.writes();
        let (from, done) = (writes(), life.store.maintain());
        self.passes.push(from..writes());
        let done = done.map_err(|error| life.end(format!("a pass failed: {error}")))?;
        if crash.is_some() {
            life.disk.disarm();
        }
        let after = Look::at(&*life.store).map_err(|rule| life.end(rule))?;
        let mut ledger = self.outside.ledger();
        let gone = pass.check(&ledger, &*life.store, &after, done);
        let gone = gone.map_err(|rule| life.end(rule))?;
        self.summary.passes += 1;
        self.summary.expired += gone.len() as u64;
        self.summary.overdue += done.overdue_deliveries;
        ledger.passed(gone);
        Ok(())
    }

    /// Clients wait for milliseconds, not for hours; settlements may lie about.
    fn commit_events(&self, life: &Life) -> Turn {
        while life.log.depth().uncommitted > 0 {
            self.commit(life)?;
        }
        Ok(())
    }

    /// A client puts an event in, or one again whose key it has used.
    fn post(&mut self, life: &Life) {
        let now = self.clock().now();
        let mut ledger = self.outside.ledger();
        let again = self.rng.random_bool(0.2);
        let usable = ledger
            .posted
            .iter()
            .filter(|(_, posted)| posted.keyed && now.since(posted.at) < REPEATABLE);
        let usable: Vec<u64> = usable.map(|(n, _)| *n).collect();
        let n = if again && !usable.is_empty() {
            usable[self.rng.random_range(0..usable.len())]
        } else {
            ledger.posted.len() as u64
        };
        let (rng, life_number) = (&mut self.rng, ledger.incarnation);
        let posted = ledger.posted.entry(n).or_insert_with(|| {
            let length = match rng.random_range(0..20) {
                0 => rng.random_range(6_000..20_000),
                _ => rng.random_range(0..60),
            };
            Posted {
                kind: if rng.random_bool(0.5) { "a" } else { "b" },
                data: format!(r#"{{"n":{n},"pad":"{}"}}"#, "x".repeat(length)),
                keyed: rng.random_bool(0.7),
                at: now,
                acknowledged: None,
                sent: 0,
                sent_in: life_number,
                new: 0,
                duplicates: 0,
            }
        });
        posted.sent += 1;
        posted.sent_in = life_number;
        let posted = posted.clone();
        ledger.note(format!("{now} event {n} is put in"));
        life.post(n, &posted, &self.outside);
    }

    /// When something happens next.
    fn next(&self, life: &Life) -> Option<Timestamp> {
        let now = self.clock().now();
        let moments = [
            life.log.depth().next_due,
            life.dispatcher.agenda().next_after(now),
            self.outside.ledger().moments.first().copied(),
        ];
        moments.into_iter().flatten().filter(|at| *at > now).min()
    }

    fn advance(&mut self, life: &Life) {
        let soon = Duration::from_millis(self.rng.random_range(1..60_000));
        let to = self.next(life).unwrap_or(self.clock().now().plus(soon));
        self.clock().set(to);
    }

    /// Moves the clock over whatever may happen meanwhile.
    fn jump(&mut self) {
        let by = Duration::from_millis(self.rng.random_range(1..3_600_000));
        self.outside.ledger().jump();
        self.clock().set(self.clock().now().plus(by));
    }

    /// Goes on, with nothing new, until nothing is left to be done.
    async fn finish(&mut self, life: &Life) -> Turn {
        self.outside.reconnect_all();
        for _ in 0..PATIENCE {
            self.commit_events(life)?;
            self.commit(life)?;
            self.settle_down(life).await?;
            if self.keeper.is_due() {
                self.maintain(life)?;
                self.settle_down(life).await?;
            }
            let views = life.store.endpoints();
            let views = views.map_err(|error| life.end(error.to_string()))?;
            let paused = views.iter().map(|view| &view.endpoint);
            let mut paused = paused.filter(|endpoint| endpoint.state == EndpointState::Paused);
            if let Some(endpoint) = paused.next() {
                self.resume(life, endpoint.number).await?;
                continue;
            }
            if let Some(next) = self.next(life) {
                self.clock().set(next);
                continue;
            }
            let depth = life.log.depth();
            if depth.next_due.is_none() && depth.in_flight == 0 && depth.uncommitted == 0 {
                return self.commit(life);
            }
        }
        let depth = life.log.depth();
        Err(End::Broken(format!(
            "it does not come to an end: {depth:?}"
        )))
    }
}
