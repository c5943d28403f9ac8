//! The store that is damaged: a few frames of each kind, a body in parts, deliveries at each
//! stage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redeliver::clock::{Clock, ManualClock, Timestamp};
use redeliver::delivery::Attempt;
use redeliver::endpoint::{
    Check, EndpointSettings, EndpointState, Filter, FilterOn, Order, Origin, TextEncoding,
    TimestampMode,
};
use redeliver::event::{Form, NewEvent};
use redeliver::store::backend::Backend;
use redeliver::store::memory::Memory;
use redeliver::store::{
    Effect, EndpointCommand, Log, Options, Outcome, ReplayRequest, Settlement, Store,
};

/// Every key with its value.
pub type Records = BTreeMap<Vec<u8>, Vec<u8>>;

pub const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// The endpoint that takes all its events at once.
pub const AT_ONCE: u32 = 0;
/// The event whose body lies in records of its own.
const LARGE: u64 = 5;

pub struct Story {
    pub records: Records,
    /// Of each frame of events, by its first: how many.
    pub counts: BTreeMap<u64, u64>,
    /// The next event at the time of the n-th frame of transitions, counted from 1.
    pub as_of: BTreeMap<usize, u64>,
    /// What is still to be delivered to [`AT_ONCE`].
    pub due: BTreeSet<u64>,
}

pub static STORY: LazyLock<Story> = LazyLock::new(tell);

/// The event at `seq`, as it came in.
pub fn event(seq: u64) -> NewEvent {
    let body = match seq {
        LARGE => (0..13_000_u32).map(|n| b'a' + (n / 600) as u8).collect(),
        _ => format!("{{\"n\":{seq}}}").into_bytes(),
    };
    NewEvent {
        source: "api".into(),
        kind: format!("order.{seq}").into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form: Form::Data,
        body: body.into(),
        status: None,
        idempotency_key: None,
    }
}

fn settings(name: &str, order: Order) -> EndpointSettings {
    EndpointSettings {
        name: name.to_owned(),
        url: "https://crm.example/".to_owned(),
        policy: "standard".to_owned(),
        order,
        filter: Filter::all(FilterOn::Kind),
        concurrency: 64,
        timeout: None,
        basic_auth: None,
        headers: Vec::new(),
        signing_key: None,
        key_encoding: TextEncoding::Utf8,
        signature_encoding: TextEncoding::Hex,
        timestamp_mode: TimestampMode::PerAttempt,
        allow_http: false,
        drop_while_inactive: false,
        ca_pem: None,
        check: Check::Off,
        origin: Origin::Api,
        rotation: None,
    }
}

struct Teller {
    clock: Arc<ManualClock>,
    log: Log<Memory>,
    story: Story,
    next: u64,
}

impl Teller {
    fn commit(&mut self) {
        let frames = |log: &Log<Memory>| log.backend().scan(b"t", b"t", 100).unwrap().len();
        let before = frames(&self.log);
        self.log.commit().unwrap();
        for frame in before + 1..=frames(&self.log) {
            // Transitions of a group come before its events.
            self.story.as_of.insert(frame, self.next);
        }
    }

    fn add(&mut self, name: &str, order: Order) {
        let add = EndpointCommand::Add(Box::new(settings(name, order)), EndpointState::Active);
        drop(self.log.endpoint(add).unwrap());
        self.commit();
    }

    fn append(&mut self, count: u64) {
        let events = (self.next..self.next + count).map(event).collect();
        drop(self.log.append(events).unwrap());
        self.commit();
        self.story.counts.insert(self.next, count);
        self.next += count;
    }

    /// Ends one attempt of everything that is due, each in another way.
    fn deliver(&mut self) {
        for claim in self.log.claim(100).unwrap() {
            let now = self.clock.now();
            let outcome = match (claim.token.seq + u64::from(claim.token.endpoint)) % 4 {
                0 => Outcome::Dead,
                1 => Outcome::Retry {
                    after: Duration::from_secs(30),
                },
                _ => Outcome::Delivered,
            };
            let attempt = Attempt {
                number: claim.attempt,
                started_at: now,
                ended_at: now,
                status: Some(200),
                error: None,
                response_excerpt: Some("said so".to_owned()),
            };
            let settlement = Settlement {
                attempt,
                outcome,
                effect: Effect::None,
            };
            self.log.settle(claim.token, settlement).unwrap();
        }
        self.commit();
        self.clock
            .set(self.clock.now().plus(Duration::from_secs(10)));
    }
}

fn tell() -> Story {
    let clock = Arc::new(ManualClock::new(START));
    let log = Log::over(
        Memory::default(),
        clock.clone(),
        Options::default(),
        [0x1234_5678_9abc_def0, 2, 3],
    )
    .unwrap();
    let story = Story {
        records: Records::new(),
        counts: BTreeMap::new(),
        as_of: BTreeMap::new(),
        due: BTreeSet::new(),
    };
    let mut teller = Teller {
        clock,
        log,
        story,
        next: 1,
    };
    teller.add("at-once", Order::Independent);
    teller.add("in-order", Order::InOrder);
    teller.append(1);
    teller.append(3);
    teller.deliver();
    // The large one.
    teller.append(1);
    teller.append(2);
    teller.deliver();
    let replay = ReplayRequest {
        endpoint: AT_ONCE,
        since: None,
        until: None,
        seq: Some(2),
        only_dead: false,
        limit: 10,
        dry_run: false,
    };
    teller.log.replay(replay).unwrap();
    teller.commit();
    teller.append(1);
    teller.deliver();
    teller.append(4);
    teller.append(1);
    let mut story = teller.story;
    let left = teller.log.backend().scan(b"", b"", usize::MAX).unwrap();
    story.records = left.into_iter().collect();
    assert!(story.as_of.len() >= 5 && story.counts.len() >= 7);
    story.due = super::open(story.records.clone(), None)
        .unwrap()
        .claim(1000)
        .unwrap()
        .iter()
        .filter(|claim| claim.token.endpoint == AT_ONCE)
        .map(|claim| claim.token.seq)
        .collect();
    assert!(story.due.len() >= 6, "{:?}", story.due);
    story
}
