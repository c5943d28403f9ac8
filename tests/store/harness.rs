//! What the store tests share: events, endpoints, and a store that can be closed and opened.

use std::sync::Arc;
use std::time::Duration;

use redeliver::clock::{Clock, ManualClock, Timestamp};
use redeliver::delivery::Attempt;
use redeliver::endpoint::{
    Check, EndpointSettings, EndpointState, Filter, FilterOn, Order, Origin, TextEncoding,
    TimestampMode,
};
use redeliver::event::{Form, NewEvent};
use redeliver::store::backend::Backend;
use redeliver::store::disk::Disk;
use redeliver::store::memory::Memory;
use redeliver::store::{
    Appended, Claim, Effect, EndpointCommand, Log, Options, Outcome, ReplayRequest, Settlement,
    Store,
};

pub const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub const ENTROPY: [u64; 3] = [0x1234_5678_9abc_def0, 2, 3];

pub fn event(kind: &str, body: impl Into<Vec<u8>>) -> NewEvent {
    NewEvent {
        source: "api".into(),
        kind: kind.into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form: Form::Data,
        body: body.into().into(),
        status: None,
        idempotency_key: None,
    }
}

pub fn keyed(key: &str) -> NewEvent {
    NewEvent {
        idempotency_key: Some(key.to_owned()),
        ..event("keyed", "{}")
    }
}

pub fn settings(name: &str, order: Order) -> EndpointSettings {
    EndpointSettings {
        name: name.to_owned(),
        url: "http://127.0.0.1:9/".to_owned(),
        policy: "test".to_owned(),
        order,
        filter: Filter::all(FilterOn::Kind),
        concurrency: 4,
        timeout: None,
        basic_auth: None,
        headers: Vec::new(),
        signing_key: None,
        key_encoding: TextEncoding::Utf8,
        signature_encoding: TextEncoding::Hex,
        timestamp_mode: TimestampMode::PerAttempt,
        allow_http: true,
        drop_while_inactive: false,
        ca_pem: None,
        check: Check::Off,
        origin: Origin::Api,
        rotation: None,
    }
}

/// A store that forgets its process on request.
pub trait Implementation: Sized {
    type Backend: Backend;
    fn create() -> Self;
    fn open(&self, clock: Arc<ManualClock>, options: Options) -> Log<Self::Backend>;
    /// Ends the process of `log`, cleanly or by a kill, and starts another on what is left.
    fn restart(
        self,
        log: Log<Self::Backend>,
        clock: Arc<ManualClock>,
        options: Options,
        clean: bool,
    ) -> (Self, Log<Self::Backend>);
}

/// The options of a store that writes straight to its database.
pub fn without_journal() -> Options {
    Options {
        journal_bytes: 0,
        ..Options::default()
    }
}

impl World<OnDisk> {
    /// With everything in the database at once.
    pub fn without_journal() -> Self {
        Self::with(without_journal())
    }

    /// What a kill leaves in its directory.
    pub fn kill(self) -> OnDisk {
        drop(self.log);
        self.implementation.unwrap()
    }

    /// Where the store lies.
    pub fn dir(&self) -> std::path::PathBuf {
        self.implementation.as_ref().unwrap().0.path().to_owned()
    }

    /// Closes the store and keeps its directory.
    pub fn into_directory(self) -> OnDisk {
        self.log.close().unwrap();
        self.implementation.unwrap()
    }
}

pub struct OnDisk(pub tempfile::TempDir);

impl Implementation for OnDisk {
    type Backend = Disk;

    fn create() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self, clock: Arc<ManualClock>, options: Options) -> Log<Disk> {
        Log::open(self.0.path(), 8 << 20, clock, options, ENTROPY).unwrap()
    }

    fn restart(
        self,
        log: Log<Disk>,
        clock: Arc<ManualClock>,
        options: Options,
        clean: bool,
    ) -> (Self, Log<Disk>) {
        if clean {
            log.close().unwrap();
        }
        // A kill at this point leaves what sled has flushed; real kills are tested with the binary.
        drop(log);
        let log = self.open(clock, options);
        (self, log)
    }
}

pub struct InMemory;

impl Implementation for InMemory {
    type Backend = Memory;

    fn create() -> Self {
        Self
    }

    fn open(&self, clock: Arc<ManualClock>, options: Options) -> Log<Memory> {
        Log::over(Memory::default(), clock, options, ENTROPY).unwrap()
    }

    fn restart(
        self,
        log: Log<Memory>,
        clock: Arc<ManualClock>,
        options: Options,
        clean: bool,
    ) -> (Self, Log<Memory>) {
        if clean {
            log.close().unwrap();
        }
        let left = log.backend().after_kill();
        drop(log);
        (Self, Log::over(left, clock, options, ENTROPY).unwrap())
    }
}

/// A store under test with its clock.
pub struct World<I: Implementation> {
    pub clock: Arc<ManualClock>,
    pub log: Log<I::Backend>,
    implementation: Option<I>,
    options: Options,
}

impl<I: Implementation> World<I> {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let implementation = I::create();
        Self {
            log: implementation.open(clock.clone(), options.clone()),
            clock,
            implementation: Some(implementation),
            options,
        }
    }

    /// Starts another process on what is left, under another clock.
    pub fn restart_under(mut self, clock: Arc<ManualClock>) -> Self {
        self.clock = clock;
        self.restart(false)
    }

    pub fn restart(self, clean: bool) -> Self {
        let (implementation, log) = self.implementation.unwrap().restart(
            self.log,
            self.clock.clone(),
            self.options.clone(),
            clean,
        );
        Self {
            log,
            clock: self.clock,
            implementation: Some(implementation),
            options: self.options,
        }
    }

    /// Starts another process on what is left, with other options.
    pub fn restart_with(mut self, options: Options, clean: bool) -> Self {
        self.options = options;
        self.restart(clean)
    }

    /// Attempts everything that is due, one delivery after the other, until nothing is.
    pub fn settle_all(&self, outcome: impl Fn(u64) -> Outcome) {
        while let Some(claim) = self.log.claim(1).unwrap().pop() {
            let outcome = outcome(claim.token.seq);
            let settled = settlement(&claim, self.clock.now(), outcome, Effect::None);
            self.log.settle(claim.token, settled).unwrap();
        }
        self.log.save().unwrap();
    }

    pub fn advance(&self, seconds: u64) {
        self.clock
            .set(self.clock.now().plus(Duration::from_secs(seconds)));
    }

    pub fn append(&self, events: Vec<NewEvent>) -> Vec<Appended> {
        let ticket = self.log.append(events).unwrap();
        self.log.commit().unwrap();
        ticket.blocking_recv().unwrap().unwrap()
    }

    pub fn append_many(&self, count: u64) {
        for n in 0..count {
            self.append(vec![event("test", format!("{n}"))]);
        }
    }

    pub fn add(&self, settings: EndpointSettings) -> u32 {
        let command = EndpointCommand::Add(Box::new(settings), EndpointState::Active);
        self.command(command)
    }

    pub fn command(&self, command: EndpointCommand) -> u32 {
        let ticket = self.log.endpoint(command).unwrap();
        self.log.commit().unwrap();
        ticket.blocking_recv().unwrap().unwrap().number
    }

    pub fn claim(&self) -> Vec<Claim> {
        self.log.claim(100).unwrap()
    }

    /// The positions that can be claimed now; they are claimed.
    pub fn claimed_seqs(&self) -> Vec<u64> {
        self.claim().iter().map(|claim| claim.token.seq).collect()
    }

    pub fn settle(&self, claim: &Claim, outcome: Outcome) {
        self.settle_with(claim, outcome, Effect::None);
    }

    pub fn settle_with(&self, claim: &Claim, outcome: Outcome, effect: Effect) {
        let settlement = settlement(claim, self.clock.now(), outcome, effect);
        self.log.settle(claim.token, settlement).unwrap();
        self.log.commit().unwrap();
    }
}

pub fn settlement(claim: &Claim, now: Timestamp, outcome: Outcome, effect: Effect) -> Settlement {
    Settlement {
        attempt: Attempt {
            number: claim.attempt,
            started_at: now,
            ended_at: now,
            status: Some(if outcome == Outcome::Delivered {
                200
            } else {
                500
            }),
            error: None,
            response_excerpt: Some("said so".to_owned()),
        },
        outcome,
        effect,
    }
}

pub fn retry(seconds: u64) -> Outcome {
    Outcome::Retry {
        after: Duration::from_secs(seconds),
    }
}

/// Everything of one endpoint; tests narrow it down.
pub fn replay(endpoint: u32) -> ReplayRequest {
    ReplayRequest {
        endpoint,
        since: None,
        until: None,
        seq: None,
        only_dead: false,
        limit: u64::MAX,
        dry_run: false,
    }
}
