//! Backups of a store of which something has expired, and what a backup keeps from expiring.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use redeliver::clock::{ManualClock, Timestamp};
use redeliver::delivery::{Attempt, Status};
use redeliver::endpoint::{
    BasicAuth, Check, EndpointSettings, EndpointState, Filter, FilterOn, Order, Origin,
    PreviousKey, Rotation, TextEncoding, TimestampMode,
};
use redeliver::event::{Form, NewEvent};
use redeliver::secret::{MasterKey, Secret};
use redeliver::store::backup::{Have, LENGTH_BYTES, Target};
use redeliver::store::disk::Disk;
use redeliver::store::keyring::Keyring;
use redeliver::store::{
    DeliveryQuery, Effect, EndpointCommand, Log, Options, Outcome, Retention, Settlement, Store,
    verify,
};

pub const CACHE: u64 = 8 << 20;
pub const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub const HOUR: Duration = Duration::from_secs(3600);

/// Two events at the beginning become dead letters, whose events are kept for longer.
const DEAD: [u64; 2] = [2, 3];

pub fn options(keys: Option<u8>) -> Options {
    let mut options = Options {
        retention: Retention {
            max_age: Some(HOUR),
            ..Retention::default()
        },
        ..Options::default()
    };
    if let Some(byte) = keys {
        options.keys = keyring(byte);
    }
    options
}

fn keyring(byte: u8) -> Arc<Keyring> {
    let key = MasterKey::parse(&Secret::new(hex::encode([byte; 32]))).unwrap();
    let drawn = std::sync::atomic::AtomicU8::new(0);
    let draw = move || [drawn.fetch_add(1, std::sync::atomic::Ordering::Relaxed); 24];
    Arc::new(Keyring::new(&key, &[], Box::new(draw)))
}

pub struct World {
    pub log: Log<Disk>,
    pub clock: Arc<ManualClock>,
}

pub fn open(dir: &Path, at: Timestamp, options: Options) -> World {
    let clock = Arc::new(ManualClock::new(at));
    let log = Log::open(dir, CACHE, clock.clone(), options, [1 << 32 | 1, 2, 3]).unwrap();
    World { log, clock }
}

const SECRETS: [&str; 4] = [
    "planted-signing-key",
    "planted-previous-key",
    "planted-password",
    "planted-header",
];

pub fn settings() -> EndpointSettings {
    EndpointSettings {
        signing_key: Some(Secret::new(SECRETS[0])),
        rotation: Some(Rotation {
            rotated_at: START,
            previous: Some(PreviousKey {
                key: Secret::new(SECRETS[1]),
                until: START.plus(1000 * HOUR),
            }),
        }),
        basic_auth: Some(BasicAuth {
            user: "crm".to_owned(),
            password: Secret::new(SECRETS[2]),
        }),
        headers: vec![("x-key".to_owned(), SECRETS[3].to_owned())],
        name: "crm".to_owned(),
        url: "https://crm.example/".to_owned(),
        policy: "standard".to_owned(),
        order: Order::Independent,
        filter: Filter::all(FilterOn::Kind),
        concurrency: 4,
        timeout: None,
        key_encoding: TextEncoding::Utf8,
        signature_encoding: TextEncoding::Hex,
        timestamp_mode: TimestampMode::PerAttempt,
        allow_http: false,
        drop_while_inactive: false,
        ca_pem: None,
        check: Check::Off,
        origin: Origin::Api,
    }
}

impl World {
    pub fn add_endpoint(&self) {
        let add = EndpointCommand::Add(Box::new(settings()), EndpointState::Active);
        let ticket = self.log.endpoint(add).unwrap();
        self.log.commit().unwrap();
        ticket.blocking_recv().unwrap().unwrap();
    }

    /// Events with a body of some parts, each of them delivered but for the dead ones.
    pub fn put(&self, count: u64) {
        self.put_of("api", count, |seq| DEAD.contains(&seq));
    }

    /// Events of this source, each of them delivered, or a dead letter if it `is_dead`.
    pub fn put_of(&self, source: &str, count: u64, is_dead: impl Fn(u64) -> bool) {
        for number in 0..count {
            let event = NewEvent {
                source: source.into(),
                kind: "order.paid".into(),
                subject: None,
                time: None,
                content_type: "text/plain".into(),
                form: Form::Data,
                body: vec![number as u8; 20_000].into(),
                status: None,
                idempotency_key: None,
            };
            let ticket = self.log.append(vec![event]).unwrap();
            self.log.commit().unwrap();
            ticket.blocking_recv().unwrap().unwrap();
            for claim in self.log.claim(10).unwrap() {
                let outcome = match is_dead(claim.token.seq) {
                    true => Outcome::Dead,
                    false => Outcome::Delivered,
                };
                let attempt = Attempt {
                    number: 1,
                    started_at: self.now(),
                    ended_at: self.now(),
                    status: Some(200),
                    error: None,
                    response_excerpt: None,
                };
                let settlement = Settlement {
                    attempt,
                    outcome,
                    effect: Effect::None,
                };
                self.log.settle(claim.token, settlement).unwrap();
            }
            self.log.save().unwrap();
        }
    }

    pub fn now(&self) -> Timestamp {
        redeliver::clock::Clock::now(&*self.clock)
    }

    pub fn pass(&self, time: Duration) {
        self.clock.set(self.now().plus(time));
    }

    fn there(&self) -> Vec<u64> {
        let events = self.log.read(1, 1000).unwrap();
        events.iter().map(|event| event.seq).collect()
    }

    pub fn dead(&self) -> BTreeSet<u64> {
        let query = DeliveryQuery {
            statuses: vec![Status::Dead],
            limit: 100,
            ..DeliveryQuery::default()
        };
        let page = self.log.deliveries(&query).unwrap();
        page.items.iter().map(|view| view.event.seq).collect()
    }

    pub fn pieces(&self, have: &Have) -> Vec<Vec<u8>> {
        let mut cursor = self.log.begin_backup(have).unwrap();
        let mut pieces = Vec::new();
        while let Some(piece) = self.log.read_backup(&mut cursor).unwrap() {
            pieces.push(piece[LENGTH_BYTES..].to_vec());
        }
        pieces
    }

    /// Half of what is there has expired, transitions as well.
    pub fn aged(dir: &Path, keys: Option<u8>) -> Self {
        let world = open(dir, START, options(keys));
        world.add_endpoint();
        world.put(40);
        world.pass(2 * HOUR);
        world.put(40);
        let maintained = world.log.maintain().unwrap();
        assert_eq!(maintained.expired_events, 38);
        assert!(maintained.expired_frames > 30, "{maintained:?}");
        world
    }
}

pub fn target(dir: &Path) -> Target {
    Target::begin(dir, CACHE, 9).unwrap()
}

/// Whether it is what `world` is, and goes on from there. It has no snapshot.
#[track_caller]
fn is_the_same(dir: &Path, world: &World, keys: Option<u8>) {
    assert!(verify(dir, CACHE).unwrap().findings.is_empty());
    let copy = open(dir, world.now(), options(keys));
    assert_eq!(copy.there(), world.there());
    assert_eq!(copy.dead(), world.dead());
    assert_eq!(copy.log.expired_at(1), world.log.expired_at(1));
    assert!(copy.log.expired_at(1).is_some());
    let views = copy.log.endpoints().unwrap();
    assert_eq!(views[0].endpoint.settings, settings());
    let own = world.log.endpoints().unwrap();
    assert_eq!(views[0].ended, own[0].ended);
    for seq in world.there() {
        assert_eq!(copy.log.event(seq).unwrap(), world.log.event(seq).unwrap());
    }
    copy.put(1);
    assert_eq!(
        copy.log.figures().last_seq,
        world.log.figures().last_seq + 1
    );
}

#[test]
fn nothing_expires_while_a_backup_reads_and_it_does_behind_it() {
    let dirs = tempfile::tempdir().unwrap();
    let world = open(&dirs.path().join("data"), START, options(None));
    world.add_endpoint();
    world.put(70);
    world.pass(2 * HOUR);
    let mut target = target(&dirs.path().join("copy"));
    let mut cursor = world.log.begin_backup(&target.have()).unwrap();
    while let Some(piece) = world.log.read_backup(&mut cursor).unwrap() {
        target.take(&piece[LENGTH_BYTES..]).unwrap();
        assert_eq!(world.log.maintain().unwrap().expired_events, 0);
    }
    assert_eq!(world.log.maintain().unwrap().expired_events, 0);
    drop(cursor);
    let summary = target.finish().unwrap();
    assert_eq!((summary.report.events, summary.report.last_seq), (70, 70));
    assert_eq!(world.log.maintain().unwrap().expired_events, 68);
}

#[test]
fn a_backup_taken_behind_an_expiry_is_whole_and_knows_what_has_gone() {
    let dirs = tempfile::tempdir().unwrap();
    let world = World::aged(&dirs.path().join("data"), None);
    assert_eq!(world.dead(), BTreeSet::from(DEAD));
    let dir = dirs.path().join("copy");
    let summary = target(&dir).copy(&world.log, |_, _| ()).unwrap();
    assert_eq!(summary.report.last_seq, 80);
    is_the_same(&dir, &world, None);
}

#[test]
fn a_backup_that_was_cut_off_before_an_expiry_is_gone_on_with_behind_it() {
    let dirs = tempfile::tempdir().unwrap();
    let world = open(&dirs.path().join("data"), START, options(None));
    world.add_endpoint();
    world.put(40);
    let before = world.pieces(&Have::NOTHING);
    let cuts = [2, before.len() / 2, before.len() - 1];
    let begin = |cut: usize| {
        let dir = dirs.path().join(format!("copy-{cut}"));
        let mut target = target(&dir);
        for piece in &before[..cut] {
            target.take(piece).unwrap();
        }
        assert!(target.finish().is_err());
        dir
    };
    let begun = cuts.map(begin);
    world.pass(2 * HOUR);
    world.put(40);
    assert_eq!(world.log.maintain().unwrap().expired_events, 38);
    for dir in begun {
        let mut target = target(&dir);
        for piece in world.pieces(&target.have()) {
            target.take(&piece).unwrap();
        }
        target.finish().unwrap();
        is_the_same(&dir, &world, None);
    }
}

/// Which of the secrets stand in plain in a file of `dir`.
fn leaks(dir: &Path) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(leaks(&path));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let stands = |text: &&str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
        found.extend(SECRETS.into_iter().filter(stands));
    }
    found
}

#[test]
fn a_base_holds_no_secret_in_plain_where_there_is_a_master_key() {
    for keys in [Some(1), None] {
        let dirs = tempfile::tempdir().unwrap();
        let dir = dirs.path().join("data");
        let world = World::aged(&dir, keys);
        let running = leaks(&dir);
        world.log.close().unwrap();
        let (at, there) = (world.now(), world.there());
        drop(world);
        // So that the base alone knows the endpoint.
        std::fs::remove_file(dir.join("projections")).unwrap();
        let stopped = leaks(&dir);
        let all = BTreeSet::from(SECRETS);
        match keys {
            Some(_) => assert!(running.is_empty() && stopped.is_empty(), "{stopped:?}"),
            None => assert_eq!((running, stopped), (all.clone(), all)),
        }
        let again = open(&dir, at, options(keys));
        assert_eq!(again.there(), there);
        let views = again.log.endpoints().unwrap();
        assert_eq!(views[0].endpoint.settings, settings());
    }
}

#[test]
fn a_sealed_copy_seals_the_base_as_well() {
    let dirs = tempfile::tempdir().unwrap();
    let world = World::aged(&dirs.path().join("data"), None);
    let dir = dirs.path().join("sealed");
    let target = target(&dir).sealed_with(keyring(5)).unwrap();
    target.copy(&world.log, |_, _| ()).unwrap();
    assert_eq!(leaks(&dir), BTreeSet::new());
    is_the_same(&dir, &world, Some(5));
}
