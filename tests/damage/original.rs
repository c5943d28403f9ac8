//! A store before it is damaged: its files, and everything that was put into it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use redeliver::clock::ManualClock;
use redeliver::endpoint::Order;
use redeliver::event::Event;
use redeliver::store::backend::Backend;
use redeliver::store::disk::Disk;
use redeliver::store::{EndpointCommand, Log, Options, Outcome, Store, StoreError};

use super::harness::*;

/// The bytes by which a frame is looked for.
const HEAD: usize = 10;

/// What is asked about a delivery: its status and its attempts.
pub type Told = (
    redeliver::delivery::Status,
    Vec<redeliver::delivery::Attempt>,
);

/// A record, every place of the database's file that holds it, and of the volumes, and every entry
/// of the journal, by file and number.
#[derive(Debug)]
pub struct Record {
    bytes: Vec<u8>,
    places: Vec<usize>,
    volumes: Vec<(String, usize)>,
    entries: Vec<(String, usize)>,
}

/// Files of a store, and what is in them.
pub struct Original {
    pub files: BTreeMap<String, Vec<u8>>,
    /// Where the entries of the journal lie, by file.
    pub journal: BTreeMap<String, Vec<Range<usize>>>,
    /// By position, from 1.
    pub events: Vec<Arc<Event>>,
    /// By endpoint and position.
    pub deliveries: BTreeMap<(u32, u64), Told>,
    /// The first frame of transitions that a power cut may take, and so damage as well.
    pub unpromised: u64,
    /// By position: the frame that it is in, and the parts of its body.
    events_in: BTreeMap<u64, Vec<Record>>,
    transitions_in: BTreeMap<u64, Record>,
    meta: Record,
}

/// Where damaged stores are put: in memory, where there is such a place.
pub fn place() -> tempfile::TempDir {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() {
        tempfile::tempdir_in(shared).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

pub fn open(dir: &Path, options: Options) -> Result<Log<Disk>, StoreError> {
    let clock = Arc::new(ManualClock::new(START));
    Log::open(dir, 8 << 20, clock, options, ENTROPY)
}

/// Options that give up these events and transitions.
pub fn accepting(events: Option<(u64, u64)>, transitions: Option<(u64, u64)>) -> Options {
    Options {
        accept_loss: events.map(|(from, to)| from..=to),
        accept_lost_transitions: transitions.map(|(from, to)| from..=to),
        ..Options::default()
    }
}

fn with_a_small_journal() -> World<OnDisk> {
    let world = World::<OnDisk>::with(Options {
        journal_bytes: 48 << 10,
        ..Options::default()
    });
    world.add(settings("warehouse", Order::Independent));
    for number in 0..27_u64 {
        let len = [40, 300, 2_000, 14_000][(number % 4) as usize];
        world.append(vec![event("t", vec![number as u8; len])]);
        for claim in world.log.claim(1).unwrap() {
            world.settle(&claim, Outcome::Delivered);
        }
    }
    world
}

impl Original {
    /// A few events to two endpoints, some delivered, on hardly more bytes than that needs.
    pub fn small() -> Self {
        let world = World::without_journal();
        world.add(settings("crm", Order::InOrder));
        world.append(vec![event("a", "one"), event("a", "two")]);
        let world = world.restart(true);
        world.settle(&world.claim()[0], Outcome::Delivered);
        world.append(vec![event("b", vec![b'x'; 6_200])]);
        Self::of(world)
    }

    /// One event behind a snapshot of three, left as a kill leaves it.
    pub fn going_on() -> Self {
        let world = World::without_journal();
        world.append_many(3);
        let world = world.restart(true);
        world.append(vec![event("a", "four")]);
        Self::of_killed(world)
    }

    /// Events, some in parts, and ends of attempts, in a journal of which the database has taken in
    /// some generations; killed.
    pub fn journaled() -> Self {
        Self::of_killed(with_a_small_journal())
    }

    /// The same, closed: nothing is left in the journal.
    pub fn checkpointed() -> Self {
        Self::of(with_a_small_journal())
    }

    /// Events and changes of an endpoint behind a snapshot, in turn, left as a kill leaves them;
    /// and the mark as it was at the snapshot.
    pub fn changing() -> (Self, Vec<u8>) {
        let world = World::without_journal();
        let crm = world.add(settings("crm", Order::Independent));
        world.append_many(2);
        let world = world.restart(true);
        let mark = fs::read(world.dir().join("high-water")).unwrap();
        for number in 0..6 {
            let name = format!("crm {number}");
            let changed = Box::new(settings(&name, Order::Independent));
            world.command(EndpointCommand::Update(crm, changed));
            world.append(vec![event("a", name)]);
        }
        (Self::of_killed(world), mark)
    }

    /// Twelve events, the sixth with this body, in the database or in a volume.
    pub fn with_body(body: Vec<u8>, in_a_volume: bool) -> Self {
        let world = match in_a_volume {
            true => World::<OnDisk>::new(),
            false => World::without_journal(),
        };
        world.append_many(5);
        world.append(vec![event("a", body)]);
        world.append_many(6);
        Self::of(world)
    }

    /// Thousands of events in several segments, of which the last was used before; left as a kill
    /// leaves them.
    pub fn of_segments() -> Self {
        let dir = place();
        write_files(dir.path(), &super::reuse::used_again());
        Self::at(dir.path())
    }

    /// Hundreds of events, some in parts, with all that can become of their deliveries; closed, or
    /// left as a kill leaves it.
    pub fn large(closed: bool) -> Self {
        let mut world = World::without_journal();
        let crm = world.add(settings("crm", Order::InOrder));
        world.add(settings("warehouse", Order::Independent));
        for group in 0..120u64 {
            let body = |n: u64| -> Vec<u8> {
                let len = [40, 300, 2_000, 6_144, 14_000][((group + n) % 5) as usize];
                (0..len)
                    .map(|at| (group * 31 + n * 7 + at / 3) as u8)
                    .collect()
            };
            world.append((0..1 + group % 3).map(|n| event("t", body(n))).collect());
            for claim in world.log.claim(3).unwrap() {
                let outcome = match claim.token.seq % 7 {
                    0 => retry(3_600),
                    1 => Outcome::Dead,
                    _ => Outcome::Delivered,
                };
                world.settle(&claim, outcome);
            }
            if group == 60 {
                world.log.replay(replay(crm)).unwrap();
                world.log.commit().unwrap();
            }
            if group % 50 == 49 {
                world = world.restart(group == 49);
            }
        }
        if closed {
            Self::of(world)
        } else {
            Self::of_killed(world)
        }
    }

    fn of(world: World<OnDisk>) -> Self {
        let dir = world.dir();
        let kept = world.into_directory();
        let original = Self::at(&dir);
        drop(kept);
        original
    }

    fn of_killed(world: World<OnDisk>) -> Self {
        let (from, to) = (world.dir(), place());
        let killed = world.kill();
        write_files(to.path(), &read_files(&from));
        drop(killed);
        Self::at(to.path())
    }

    fn at(dir: &Path) -> Self {
        let files = read_files(dir);
        let looked_at = place();
        write_files(looked_at.path(), &files);
        let log = open(looked_at.path(), Options::default()).unwrap();
        let events: Vec<Arc<Event>> = (1..).map_while(|seq| log.event(seq).unwrap()).collect();
        let deliveries = told(&log, events.len() as u64);
        let db = files["db"].clone();
        let used = db.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        let db_heads = heads(&db[..used]);
        let volumes = files.iter().filter(|(name, _)| is_volume(name));
        let volumes: Vec<_> = volumes
            .map(|(name, bytes)| (name, bytes, heads(bytes)))
            .collect();
        let scan = |prefix: &[u8]| log.backend().scan(prefix, prefix, 1 << 20).unwrap();
        let journal = journal(&files);
        let entries = journal.iter().flat_map(|(name, entries)| {
            let entry = |range: &Range<usize>| &files[name][range.clone()];
            entries.iter().map(entry).map(generations)
        });
        let oldest = entries.map(|(_, oldest)| oldest).max().unwrap_or(0);
        let record = |bytes: Vec<u8>| {
            let places = db_heads.get(&bytes[..HEAD]).into_iter().flatten().copied();
            let places = places.filter(|at| db[*at..].starts_with(&bytes)).collect();
            let holds = |(name, number): &(&String, usize)| {
                let entry = &files[*name][journal[*name][*number].clone()];
                let is_live = generations(entry).0 >= oldest;
                is_live && entry.windows(bytes.len()).any(|window| window == bytes)
            };
            let entries = journal.iter();
            let entries = entries.flat_map(|(name, all)| (0..all.len()).map(move |n| (name, n)));
            let volumes = volumes.iter().flat_map(|(name, volume, heads)| {
                let places = heads.get(&bytes[..HEAD]).into_iter().flatten();
                let places = places.filter(|at| volume[**at..].starts_with(&bytes));
                places.map(|at| ((*name).clone(), *at))
            });
            Record {
                volumes: volumes.collect(),
                entries: entries
                    .filter(holds)
                    .map(|(n, at)| (n.clone(), at))
                    .collect(),
                places,
                bytes,
            }
        };
        let number = |key: &[u8]| u64::from_be_bytes(key[1..9].try_into().unwrap());
        let frames = scan(b"e");
        let mut events_in: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
        let mut ends: Vec<u64> = frames.iter().map(|(key, _)| number(key)).collect();
        ends.push(events.len() as u64 + 1);
        for ((key, bytes), end) in frames.iter().zip(&ends[1..]) {
            for seq in number(key)..*end {
                events_in
                    .entry(seq)
                    .or_default()
                    .push(record(bytes.clone()));
            }
        }
        for (key, bytes) in scan(b"b") {
            events_in
                .entry(number(&key))
                .or_default()
                .push(record(bytes));
        }
        let transitions_in: BTreeMap<u64, Record> = scan(b"t")
            .into_iter()
            .map(|(key, bytes)| (number(&key), record(bytes)))
            .collect();
        Self {
            unpromised: next_frame(&files["high-water"]),
            meta: record(log.backend().get(b"m").unwrap().unwrap()),
            journal: journal.clone(),
            files,
            events,
            deliveries,
            events_in,
            transitions_in,
        }
    }

    /// Whether there are attempts that a power cut may take.
    pub fn has_unpromised(&self) -> bool {
        let last = self.transitions_in.keys().next_back();
        last.is_some_and(|last| *last >= self.unpromised)
    }

    /// Where each record lies, and how long it is.
    pub fn records(&self) -> Vec<(&[usize], usize)> {
        let events = self.events_in.values().flatten();
        let records = events.chain(self.transitions_in.values());
        let placed = records.map(|record| (record.places.as_slice(), record.bytes.len()));
        placed.collect()
    }

    /// Where each record lies in volumes, and how long it is.
    pub fn records_of_volumes(&self) -> Vec<(&[(String, usize)], usize)> {
        let events = self.events_in.values().flatten();
        let records = events.chain(self.transitions_in.values());
        let placed = records.map(|record| (record.volumes.as_slice(), record.bytes.len()));
        placed.filter(|(places, _)| !places.is_empty()).collect()
    }

    /// Where the frame with this event lies, and how long it is.
    pub fn frame_of(&self, seq: u64) -> (&[usize], usize) {
        let frame = &self.events_in[&seq][0];
        (&frame.places, frame.bytes.len())
    }

    /// Where in volumes the frame with this event lies.
    pub fn volumes_of(&self, seq: u64) -> &[(String, usize)] {
        &self.events_in[&seq][0].volumes
    }

    /// Where a frame of transitions lies, and how long it is.
    pub fn transition(&self, number: u64) -> (&[usize], usize) {
        let record = &self.transitions_in[&number];
        (&record.places, record.bytes.len())
    }

    pub fn last_seq(&self) -> u64 {
        self.events.len() as u64
    }

    /// The part of the database's file that holds anything.
    pub fn used(&self) -> usize {
        let db = &self.files["db"];
        db.iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1)
    }

    /// The events that cannot be read any more from what is left.
    pub fn lost_events(&self, left: &Left<'_>) -> Vec<u64> {
        let lost = |records: &[Record]| !records.iter().all(|record| record.is_in(left));
        let all = self.events_in.iter();
        all.filter(|(_, records)| lost(records))
            .map(|(seq, _)| *seq)
            .collect()
    }

    /// The same of the frames of transitions.
    pub fn lost_transitions(&self, left: &Left<'_>) -> Vec<u64> {
        let all = self.transitions_in.iter();
        let lost = all.filter(|(_, record)| !record.is_in(left));
        lost.map(|(number, _)| *number).collect()
    }

    /// Whether anything still says which store it is.
    pub fn has_meta(&self, left: &Left<'_>) -> bool {
        self.meta.is_in(left)
    }
}

/// Bytes that lie elsewhere now.
#[derive(Clone, Debug)]
pub struct Moved {
    pub from: Range<usize>,
    pub to: usize,
}

/// What is left of the files: the database's, in which some bytes have moved, all of them, and which
/// entries of the journal are whole.
pub struct Left<'a> {
    pub db: &'a [u8],
    pub files: &'a BTreeMap<String, Vec<u8>>,
    pub moved: &'a [Moved],
    pub is_whole: &'a dyn Fn(&str, usize) -> bool,
}

impl Record {
    fn is_in(&self, left: &Left<'_>) -> bool {
        let Left {
            db,
            files,
            moved,
            is_whole,
        } = left;
        let mut entries = self.entries.iter();
        if entries.any(|(name, number)| is_whole(name, *number)) {
            return true;
        }
        let len = self.bytes.len();
        let is_there = |(name, at): &(String, usize)| {
            files.get(name).is_some_and(|volume| {
                let mut windows = volume.windows(len);
                volume.get(*at..at + len) == Some(&self.bytes) || windows.any(|w| w == self.bytes)
            })
        };
        if self.volumes.iter().any(is_there) {
            return true;
        }
        let at = |place: usize| db.get(place..place + len) == Some(&self.bytes);
        self.places.iter().any(|place| {
            let elsewhere = moved
                .iter()
                .filter(|moved| moved.from.start <= *place && place + len <= moved.from.end);
            at(*place)
                || elsewhere
                    .clone()
                    .any(|moved| at(place - moved.from.start + moved.to))
        })
    }
}

/// Where the entries of a journal lie that was left by a kill and by nothing else: from the second
/// page on, each on a page of its own, its length first.
fn journal(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<Range<usize>>> {
    const PAGE: usize = 4096;
    let files = files.iter();
    let files = files.filter(|(name, _)| name.starts_with("journal-"));
    let entries = files.map(|(name, bytes)| {
        let (mut entries, mut at) = (Vec::new(), PAGE);
        while let Some(len) = bytes.get(at..at + 4) {
            let len = u32::from_le_bytes(len.try_into().unwrap()) as usize;
            if len == 0 {
                break;
            }
            entries.push(at..at + 4 + len);
            at = (at + 4 + len).next_multiple_of(PAGE);
        }
        (name.clone(), entries)
    });
    entries.collect()
}

/// The generation of an entry, and the oldest one that was still wanted when it was written: what is
/// left of those before is written over by the next start.
fn generations(entry: &[u8]) -> (u64, u64) {
    const FRAME: usize = 4;
    const BODY: usize = FRAME + 22;
    let number = |at: usize, len: usize| {
        let mut bytes = [0; 8];
        bytes[..len].copy_from_slice(&entry[at..at + len]);
        u64::from_le_bytes(bytes)
    };
    // Salt, how many were synced, oldest: each in the fewest bytes.
    let mut at = BODY;
    let mut oldest = 0;
    for _ in 0..3 {
        let len = match entry[at] {
            251 => 2,
            252 => 4,
            253 => 8,
            _ => 0,
        };
        oldest = match len {
            0 => number(at, 1),
            _ => number(at + 1, len),
        };
        at += 1 + len;
    }
    (number(FRAME + 10, 8), oldest)
}

/// Every place in the file where a frame may begin, by its first bytes: version, kind, CRC and the
/// CRC of the one before it.
fn heads(db: &[u8]) -> HashMap<[u8; HEAD], Vec<usize>> {
    let mut heads: HashMap<[u8; HEAD], Vec<usize>> = HashMap::new();
    let mut at = 0;
    while let Some(head) = db.get(at..at + HEAD) {
        if head[0] == 1 && (1..=5).contains(&head[1]) {
            heads.entry(head.try_into().unwrap()).or_default().push(at);
        }
        at += 1;
    }
    heads
}

/// What is told of every delivery.
pub fn told(log: &Log<Disk>, last_seq: u64) -> BTreeMap<(u32, u64), Told> {
    let mut told = BTreeMap::new();
    for view in log.endpoints().unwrap() {
        for seq in 1..=last_seq {
            let number = view.endpoint.number;
            if let Ok(Some(delivery)) = log.delivery(number, seq) {
                told.insert((number, seq), (delivery.status, delivery.attempts));
            }
        }
    }
    told
}

/// What the high-water mark says: the third number of the slot that was written last.
fn next_frame(mark: &[u8]) -> u64 {
    let number = |slot: &[u8], at: usize| u64::from_le_bytes(slot[at..at + 8].try_into().unwrap());
    let last = mark.chunks(32).max_by_key(|slot| number(slot, 0));
    last.map_or(0, |slot| number(slot, 16))
}

/// Whether a file, named within the directory of the store, is a volume.
pub fn is_volume(name: &str) -> bool {
    name.starts_with("records/")
}

/// Every file of the store and, by their names with that of the directory, its volumes.
pub fn read_files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for (within, prefix) in [(dir.to_owned(), ""), (dir.join("records"), "records/")] {
        let entries = fs::read_dir(within)
            .into_iter()
            .flatten()
            .map(Result::unwrap);
        for entry in entries.filter(|entry| entry.file_type().unwrap().is_file()) {
            let name = entry.file_name().into_string().unwrap();
            files.insert(format!("{prefix}{name}"), fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// Puts files into a directory, and nothing else.
pub fn write_files(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
