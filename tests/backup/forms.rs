//! One store in every form: as it is, after a kill, without its snapshot, put together anew, as a copy
//! and as a copy that was cut off and gone on with. Each of them says the same of everything, whatever
//! operators and retention did before.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redeliver::delivery::{Attempt, Status};
use redeliver::endpoint::{EndpointSettings, EndpointState, Order};
use redeliver::event::{Form, NewEvent};
use redeliver::store::backup::LENGTH_BYTES;
use redeliver::store::{
    DeliveryQuery, Effect, EndpointCommand, FoundDelivery, Log, Options, Outcome, ReplayRequest,
    Retention, Settlement, SourceRetention, Store, UndeliveredQuery, verify,
};

use super::expired::{CACHE, HOUR, START, World, open, settings, target};

/// Numbers that look drawn, from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

fn options(chance: &mut Chance) -> Options {
    let some = |hours: u64| (hours > 0).then(|| HOUR * u32::try_from(hours).unwrap());
    let mut retention = Retention {
        max_age: some(2),
        attempts_max_age: some(chance.below(4)),
        dead_letters_max_age: some(3 * chance.below(3)),
        waiting_max_age: some(5 * chance.below(2)),
        ..Retention::default()
    };
    if chance.below(2) == 0 {
        let short = SourceRetention {
            max_age: some(1),
            dead_letters_max_age: some(2 * chance.below(2)),
            max_bytes: None,
        };
        retention.sources.insert("short".to_owned(), short);
        let long = SourceRetention::default();
        retention.sources.insert("long".to_owned(), long);
    }
    Options {
        retention,
        ..Options::default()
    }
}

/// What a store says of everything in it.
#[derive(Debug, PartialEq)]
struct Said {
    there: Vec<u64>,
    statuses: BTreeMap<(u32, u64), Status>,
    dead: Vec<(u32, u64)>,
    counts: Vec<(u64, u64, u64, u64)>,
}

fn said(log: &dyn Store) -> Said {
    let views = log.endpoints().unwrap();
    let last = *log.tail().borrow();
    let mut statuses = BTreeMap::new();
    for view in &views {
        for seq in 1..=last {
            let number = view.endpoint.number;
            if let Some(view) = log.delivery(number, seq).unwrap() {
                statuses.insert((number, seq), view.status);
            }
        }
    }
    let (mut dead, mut after) = (Vec::new(), None);
    loop {
        let query = DeliveryQuery {
            statuses: vec![Status::Dead],
            limit: 3,
            after,
            ..DeliveryQuery::default()
        };
        let page = log.deliveries(&query).unwrap();
        let found = page.items.iter();
        dead.extend(found.map(|view| (view.endpoint.number, view.event.seq)));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let counts = views.iter().map(|view| {
        let ended = view.ended;
        (view.backlog, ended.delivered, ended.dead, ended.removed)
    });
    Said {
        there: log
            .read(1, 10_000)
            .unwrap()
            .iter()
            .map(|event| event.seq)
            .collect(),
        statuses,
        dead,
        counts: counts.collect(),
    }
}

impl Said {
    /// Where `self`, which is of another form, and what is `expected` differ.
    fn differences(&self, expected: &Self) -> Vec<String> {
        let mut all = Vec::new();
        if self.there != expected.there {
            all.push(format!("events {:?}, not {:?}", self.there, expected.there));
        }
        let keys = self.statuses.keys().chain(expected.statuses.keys());
        for key in keys.collect::<BTreeSet<_>>() {
            let found = [&self.statuses, &expected.statuses].map(|it| it.get(key));
            if found[0] != found[1] {
                all.push(format!("{key:?} is {:?}, not {:?}", found[0], found[1]));
            }
        }
        if self.dead != expected.dead {
            all.push(format!("dead {:?}, not {:?}", self.dead, expected.dead));
        }
        if self.counts != expected.counts {
            all.push(format!(
                "counts {:?}, not {:?}",
                self.counts, expected.counts
            ));
        }
        all
    }
}

struct Story {
    chance: Chance,
    world: World,
    options: Options,
    dirs: tempfile::TempDir,
    forms: u32,
}

impl Story {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let options = options(&mut chance);
        let dirs = tempfile::tempdir().unwrap();
        let world = open(&dirs.path().join("data"), START, options.clone());
        let mut story = Self {
            chance,
            world,
            options,
            dirs,
            forms: 0,
        };
        for _ in 0..2 {
            story.add_endpoint();
        }
        story
    }

    fn log(&self) -> &Log<redeliver::store::disk::Disk> {
        &self.world.log
    }

    fn dir(&mut self, name: &str) -> PathBuf {
        self.forms += 1;
        self.dirs.path().join(format!("{name}-{}", self.forms))
    }

    fn command(&self, command: EndpointCommand) {
        if let Ok(ticket) = self.log().endpoint(command) {
            self.log().commit().unwrap();
            ticket.blocking_recv().unwrap().unwrap();
        }
    }

    fn add_endpoint(&mut self) {
        let number = self.log().endpoints().unwrap().len();
        let settings = EndpointSettings {
            name: format!("e{number}"),
            order: match self.chance.below(2) {
                0 => Order::InOrder,
                _ => Order::Independent,
            },
            ..settings()
        };
        self.command(EndpointCommand::Add(
            Box::new(settings),
            EndpointState::Active,
        ));
    }

    fn some_endpoint(&mut self) -> u32 {
        let count = self.log().endpoints().unwrap().len() as u64;
        self.chance.below(count) as u32
    }

    fn some_event(&mut self) -> u64 {
        let last = *self.log().tail().borrow();
        1 + self.chance.below(last.max(1))
    }

    fn append(&mut self) {
        for _ in 0..=self.chance.below(3) {
            let event = |chance: &mut Chance| NewEvent {
                source: ["short", "long", "other"][chance.below(3) as usize].into(),
                kind: "a".into(),
                subject: None,
                time: None,
                content_type: "text/plain".into(),
                form: Form::Data,
                body: vec![7; [30, 700, 9_000][chance.below(3) as usize]].into(),
                status: None,
                idempotency_key: None,
            };
            let events = 1 + self.chance.below(5);
            let events = (0..events).map(|_| event(&mut self.chance)).collect();
            let ticket = self.log().append(events).unwrap();
            self.log().commit().unwrap();
            ticket.blocking_recv().unwrap().unwrap();
        }
    }

    fn attempt(&mut self) {
        let now = self.world.now();
        for _ in 0..self.chance.below(12) {
            let Some(claim) = self.log().claim(1).unwrap().pop() else {
                break;
            };
            let outcome = match self.chance.below(6) {
                0 => Outcome::Dead,
                1 => Outcome::Retry {
                    after: Duration::from_secs(60),
                },
                _ => Outcome::Delivered,
            };
            let attempt = Attempt {
                number: claim.attempt,
                started_at: now,
                ended_at: now,
                status: Some(if outcome == Outcome::Delivered {
                    200
                } else {
                    500
                }),
                error: None,
                response_excerpt: None,
            };
            let settlement = Settlement {
                attempt,
                outcome,
                effect: Effect::None,
            };
            self.log().settle(claim.token, settlement).unwrap();
        }
        self.log().save().unwrap();
    }

    fn put_back(&mut self) {
        let (endpoint, seq) = (self.some_endpoint(), self.some_event());
        let request = ReplayRequest {
            endpoint,
            since: None,
            until: None,
            seq: (self.chance.below(3) > 0).then_some(seq),
            only_dead: self.chance.below(2) == 0,
            limit: 1 + self.chance.below(4),
            dry_run: false,
        };
        self.log().replay(request).unwrap();
    }

    fn discard(&mut self) {
        let query = UndeliveredQuery {
            endpoint: self.some_endpoint(),
            from: self.some_event(),
            until: u64::MAX >> 16,
            only: None,
            statuses: match self.chance.below(2) {
                0 => vec![Status::Dead],
                _ => vec![Status::Pending, Status::Waiting],
            },
            kinds: None,
            limit: 2,
        };
        let found: Vec<FoundDelivery> = self.log().find_undelivered(&query).unwrap().items;
        self.log()
            .discard(query.endpoint, &found, "by hand")
            .unwrap();
    }

    /// One thing that may happen.
    fn happens(&mut self) {
        match self.chance.below(20) {
            0..5 => self.append(),
            5..10 => self.attempt(),
            10 | 11 => self.put_back(),
            12 => self.discard(),
            13 => {
                let (endpoint, seq) = (self.some_endpoint(), self.some_event());
                self.log().give_up(endpoint, seq, None).unwrap();
            }
            14 => {
                let endpoint = self.some_endpoint();
                self.log().retry_waiting(endpoint).unwrap();
            }
            15 => {
                let state = match self.chance.below(7) {
                    0 => EndpointState::Removed,
                    1..4 => EndpointState::Paused,
                    _ => EndpointState::Active,
                };
                let number = self.some_endpoint();
                self.command(EndpointCommand::SetState(number, state, None));
                if state == EndpointState::Removed {
                    self.add_endpoint();
                }
            }
            16 => self.world.pass(HOUR / 2),
            _ => {
                self.world.pass(Duration::from_secs(300));
                self.log().maintain().unwrap();
            }
        }
    }

    fn is_told(&self, dir: &Path, expected: &Said, what: &str) {
        let other = open(dir, self.world.now(), self.options.clone());
        if what.ends_with("gone on with") {
            // It has records still that have expired: they go first.
            other.log.maintain().unwrap();
        }
        let said = said(&other.log);
        other.log.close().unwrap();
        drop(other);
        assert_eq!(said.differences(expected), [""; 0], "{what}");
        assert_eq!(verify(dir, CACHE).unwrap().findings, [], "{what}");
    }

    /// A copy of which a part comes now, and the rest behind what else happens.
    fn begin_copy(&mut self) -> PathBuf {
        let dir = self.dir("resumed");
        let mut begun = target(&dir);
        let mut cursor = self.log().begin_backup(&begun.have()).unwrap();
        let mut pieces = Vec::new();
        while let Some(piece) = self.log().read_backup(&mut cursor).unwrap() {
            pieces.push(piece);
        }
        let cut = self.chance.below(pieces.len() as u64) as usize;
        for piece in &pieces[..cut] {
            begun.take(&piece[LENGTH_BYTES..]).unwrap();
        }
        assert!(begun.finish().is_err());
        dir
    }
}

fn kill_and_copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => kill_and_copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

fn told_the_same(seed: u64) {
    let mut story = Story::new(seed);
    for round in 0..6 {
        for _ in 0..30 {
            story.happens();
        }
        let resumed = story.begin_copy();
        for _ in 0..story.chance.below(40) {
            story.happens();
        }
        // Nothing is left that a pass would let go.
        story.log().maintain().unwrap();
        let expected = said(story.log());
        let what = |form: &str| format!("seed {seed}, round {round}: {form}");

        let whole = story.dir("copy");
        target(&whole).copy(story.log(), |_, _| ()).unwrap();
        story.is_told(&whole, &expected, &what("copy"));
        target(&resumed).copy(story.log(), |_, _| ()).unwrap();
        story.is_told(&resumed, &expected, &what("copy that was gone on with"));

        let data = story.dirs.path().join("data");
        for (form, removes, marks) in [
            ("killed", false, false),
            ("without its snapshot", true, false),
            ("put together anew", false, true),
            ("put together anew without its snapshot", true, true),
        ] {
            let dir = story.dir("form");
            kill_and_copy(&data, &dir);
            if removes {
                let _ = fs::remove_file(dir.join("projections"));
            }
            if marks {
                fs::write(dir.join("unreadable"), b"").unwrap();
            }
            story.is_told(&dir, &expected, &what(form));
            fs::remove_dir_all(dir).unwrap();
        }
        if story.chance.below(3) == 0 {
            let (at, options) = (story.world.now(), story.options.clone());
            let Story { world, dirs, .. } = &mut story;
            world.log.close().unwrap();
            let elsewhere = open(&dirs.path().join("aside"), at, Options::default());
            drop(std::mem::replace(world, elsewhere));
            *world = open(&data, at, options);
            fs::remove_dir_all(dirs.path().join("aside")).unwrap();
        }
    }
}

/// `REDELIVER_HISTORIES=100-200` tries others.
#[test]
fn every_form_of_a_store_says_the_same_of_everything() {
    let seeds = std::env::var("REDELIVER_HISTORIES").unwrap_or_else(|_| "1-2".to_owned());
    let (from, to) = seeds.split_once('-').unwrap();
    for seed in from.parse().unwrap()..=to.parse::<u64>().unwrap() {
        told_the_same(seed);
    }
}
