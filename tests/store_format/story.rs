//! What happened to the store of the fixture: each kind of record, with every field set once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redeliver::clock::{ManualClock, Timestamp};
use redeliver::delivery::Attempt;
use redeliver::endpoint::{
    BasicAuth, Check, EndpointSettings, EndpointState, Filter, FilterOn, Order, Origin,
    TextEncoding, TimestampMode,
};
use redeliver::event::{Form, NewEvent};
use redeliver::secret::Secret;
use redeliver::store::backend::Backend;
use redeliver::store::memory::Memory;
use redeliver::store::{
    Claim, Effect, EndpointCommand, Log, Options, Outcome, ReplayRequest, Settlement, Store,
};

pub const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub const ENTROPY: [u64; 3] = [0x1234_5678_9abc_def0, 2, 3];

/// The endpoints' numbers.
pub const WAREHOUSE: u32 = 0;
pub const CRM: u32 = 1;
pub const GONE: u32 = 2;

/// The event whose frame is lost, and accepted as lost.
pub const LOST: u64 = 6;

pub fn at(second: u64) -> Timestamp {
    START.plus(Duration::from_secs(second))
}

fn native() -> NewEvent {
    NewEvent {
        source: "api".into(),
        kind: "order.paid".into(),
        subject: None,
        time: None,
        content_type: "application/json".into(),
        form: Form::Data,
        body: r#"{"n":1}"#.into(),
        status: None,
        idempotency_key: None,
    }
}

fn cloud_event() -> NewEvent {
    NewEvent {
        source: "https://shop.example/orders".into(),
        subject: Some("order 17".to_owned()),
        time: Some(Timestamp::from_millis(1_699_999_999_123)),
        idempotency_key: Some("order-17".to_owned()),
        ..native()
    }
}

fn relayed() -> NewEvent {
    NewEvent {
        source: "mail".into(),
        kind: "activity".into(),
        form: Form::Relayed,
        content_type: "application/json; charset=utf-8".into(),
        body: "[{\"activityStatus\":\"READ\"}]\r\n".into(),
        status: Some("READ".into()),
        ..native()
    }
}

/// Its body lies in three records of its own; every 10,000 bytes another letter.
fn large() -> NewEvent {
    let letters = (0..120_000).map(|n| b'a' + (n / 10_000) as u8);
    NewEvent {
        content_type: "text/plain".into(),
        body: letters.collect(),
        ..native()
    }
}

/// Every event that is not lost: position, second of its coming, content.
pub fn events() -> Vec<(u64, u64, NewEvent)> {
    vec![
        (1, 0, native()),
        (2, 0, cloud_event()),
        (3, 0, relayed()),
        (4, 0, large()),
        (5, 20, native()),
        (7, 21, native()),
    ]
}

/// Everything at its default.
pub fn warehouse() -> EndpointSettings {
    EndpointSettings {
        name: "warehouse".to_owned(),
        url: "https://warehouse.example/hook".to_owned(),
        policy: "hotjar".to_owned(),
        order: Order::Independent,
        filter: Filter::all(FilterOn::Kind),
        concurrency: 8,
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

/// Everything away from its default.
pub fn crm() -> EndpointSettings {
    EndpointSettings {
        name: "crm".to_owned(),
        url: "http://crm.example:8080/in?x=1".to_owned(),
        policy: "esputnik".to_owned(),
        order: Order::InOrder,
        filter: Filter {
            on: FilterOn::Status,
            patterns: vec!["READ".to_owned(), "CLICKED".to_owned()],
        },
        concurrency: 1,
        timeout: Some(Duration::from_millis(2_500)),
        basic_auth: Some(BasicAuth {
            user: "u".to_owned(),
            password: Secret::new("not a real password"),
        }),
        headers: vec![("x-team".to_owned(), "sales".to_owned())],
        signing_key: Some(Secret::new("bm90IGEgcmVhbCBrZXk=")),
        key_encoding: TextEncoding::Base64,
        signature_encoding: TextEncoding::Base64,
        timestamp_mode: TimestampMode::Fixed,
        allow_http: true,
        drop_while_inactive: true,
        ca_pem: Some("-----BEGIN CERTIFICATE-----\n".to_owned()),
        check: Check::Only200,
        origin: Origin::Config,
        rotation: None,
    }
}

pub fn answered(number: u32, second: u64, status: u16) -> Attempt {
    Attempt {
        number,
        started_at: at(second),
        ended_at: at(second),
        status: Some(status),
        error: None,
        response_excerpt: Some("said so".to_owned()),
    }
}

struct Teller<B> {
    clock: Arc<ManualClock>,
    log: Log<B>,
}

impl<B: Backend> Teller<B> {
    fn command(&self, command: EndpointCommand) {
        let ticket = self.log.endpoint(command).unwrap();
        self.log.commit().unwrap();
        ticket.blocking_recv().unwrap().unwrap();
    }

    fn append(&self, events: Vec<NewEvent>) {
        let ticket = self.log.append(events).unwrap();
        self.log.commit().unwrap();
        ticket.blocking_recv().unwrap().unwrap();
    }

    fn settle(&self, claim: &Claim, attempt: Attempt, outcome: Outcome, effect: Effect) {
        let settlement = Settlement {
            attempt,
            outcome,
            effect,
        };
        self.log.settle(claim.token, settlement).unwrap();
    }

    fn tell(&self) {
        let add = |settings| EndpointCommand::Add(Box::new(settings), EndpointState::Active);
        let mut gone = warehouse();
        gone.name = "gone".to_owned();
        gone.filter.patterns = vec!["order.*".to_owned()];
        self.command(add(warehouse()));
        self.command(add(EndpointSettings {
            url: "https://crm.example/".to_owned(),
            ..crm()
        }));
        self.command(add(gone));
        self.append(vec![native(), cloud_event(), relayed(), large()]);
        let reason = Some("maintenance".to_owned());
        self.command(EndpointCommand::SetState(
            CRM,
            EndpointState::Paused,
            reason,
        ));
        self.command(EndpointCommand::Update(CRM, Box::new(crm())));
        self.clock.set(at(10));
        self.attempts();
        self.clock.set(at(15));
        self.replay();
        self.clock.set(at(20));
        self.append(vec![native()]);
        self.append(vec![native()]);
        self.clock.set(at(21));
        self.append(vec![native()]);
    }

    /// One delivered, two dead, one waiting, one gone with its endpoint.
    fn attempts(&self) {
        let claims = self.log.claim(100).unwrap();
        let claim = |endpoint, seq| {
            let found = claims
                .iter()
                .find(|claim| (claim.token.endpoint, claim.token.seq) == (endpoint, seq));
            found.unwrap()
        };
        let refused = Attempt {
            status: None,
            error: Some("connection refused".to_owned()),
            response_excerpt: None,
            ..answered(1, 10, 0)
        };
        let retry = Outcome::Retry {
            after: Duration::from_secs(30),
        };
        self.settle(
            claim(WAREHOUSE, 1),
            answered(1, 10, 200),
            Outcome::Delivered,
            Effect::None,
        );
        self.settle(
            claim(WAREHOUSE, 2),
            answered(1, 10, 500),
            Outcome::Dead,
            Effect::None,
        );
        self.settle(claim(WAREHOUSE, 3), refused, retry, Effect::None);
        self.settle(
            claim(WAREHOUSE, 4),
            answered(1, 10, 500),
            Outcome::Dead,
            Effect::None,
        );
        let removal = Effect::Remove("410 Gone".to_owned());
        self.settle(claim(GONE, 1), answered(1, 10, 410), Outcome::Gone, removal);
        self.log.commit().unwrap();
    }

    fn replay(&self) {
        let request = ReplayRequest {
            endpoint: WAREHOUSE,
            since: None,
            until: None,
            seq: Some(2),
            only_dead: true,
            limit: 1,
            dry_run: false,
        };
        assert_eq!(self.log.replay(request), Ok(1));
        let claim = self.log.claim(100).unwrap().remove(0);
        self.settle(
            &claim,
            answered(2, 15, 200),
            Outcome::Delivered,
            Effect::None,
        );
        self.log.commit().unwrap();
    }
}

/// The story in memory; at its end the frame of event [`LOST`] is lost, and that is accepted.
pub fn in_memory() -> Memory {
    let clock = Arc::new(ManualClock::new(START));
    let log = Log::over(
        Memory::default(),
        clock.clone(),
        Options::default(),
        ENTROPY,
    )
    .unwrap();
    let teller = Teller { clock, log };
    teller.tell();
    let left = teller.log.backend().after_kill();
    left.damage(&[&b"e"[..], &LOST.to_be_bytes()].concat(), None);
    let accept = Options {
        accept_loss: Some(LOST..=LOST),
        ..Options::default()
    };
    let log = Log::over(left, teller.clock, accept, ENTROPY).unwrap();
    log.commit().unwrap();
    log.backend().after_power_cut()
}

/// The story on a disk, closed: the two files that are ours beside sled's, by name.
pub fn on_disk() -> BTreeMap<Vec<u8>, Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(START));
    let log = Log::open(
        dir.path(),
        8 << 20,
        clock.clone(),
        Options::default(),
        ENTROPY,
    )
    .unwrap();
    let teller = Teller { clock, log };
    teller.tell();
    teller.log.close().unwrap();
    let file = |name: &str| {
        let bytes = std::fs::read(dir.path().join(name)).unwrap();
        (name.as_bytes().to_vec(), bytes)
    };
    [file("high-water"), file("projections")].into()
}
