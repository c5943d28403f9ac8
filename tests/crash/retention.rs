//! Kills and power cuts while events expire: the clock is moved all the time, so that a look for what
//! is old is under way, or near, at any moment.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use redeliver::clock::Timestamp;
use redeliver::id::EventId;
use serde_json::json;

use crate::cast::{self, CONFIGURED};
use crate::chance::{self, Chance};
use crate::disk::{Cut, Disk};
use crate::ledger::{count, text};
use crate::link::{Link, Target};
use crate::payload::{self, Sizes};
use crate::process::broker::{Broker, Site};
use crate::process::receiver::{Receiver, Seen};
use crate::process::{eventually, now};
use crate::senders::{Acknowledged, Habit, Senders};

/// What is asked for in every run; `REDELIVER_KILLS` and `REDELIVER_POWER_CUTS` ask for other numbers.
const KILLS: u64 = 30;
const CUTS: u64 = 5;

/// What is kept, in short: four moves of the clock, and a dead letter for some more.
const RETENTION: &str =
    "\n[retention]\nmax_age = \"1m\"\ndead_letters_max_age = \"3m\"\nattempts_max_age = \"2m\"\n";
const MAX_AGE: Duration = Duration::from_secs(60);

/// By how much the clock is moved at once: more than there is between two looks.
const MOVE: Duration = Duration::from_secs(15);

/// How long it works before its end, at most.
const WORK: Duration = Duration::from_millis(250);

/// Room for what the senders send, many times over.
const DISK_BYTES: u64 = 1 << 30;

const HABIT: Habit = Habit {
    senders: 3,
    sizes: Sizes::Small,
    pause: Duration::from_millis(20),
};

/// What the broker's clock shows at most: a move that was not answered may have been made.
type Dial = Mutex<Option<Timestamp>>;

/// Moves the clock of whatever process there is.
struct Mover {
    dial: Arc<Dial>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

fn locked(dial: &Dial) -> MutexGuard<'_, Option<Timestamp>> {
    dial.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mover {
    fn start(seed: u64, target: &Target) -> Self {
        let (dial, end): (Arc<Dial>, Arc<AtomicBool>) = Default::default();
        let mut link = Link::new(target.clone());
        let mut chance = Chance::new(seed, "mover");
        let (moved, ended) = (dial.clone(), end.clone());
        let thread = std::thread::spawn(move || {
            let by = format!("{}s", MOVE.as_secs());
            let body = json!({"by": by, "patience": "100ms"}).to_string();
            while !ended.load(Ordering::Relaxed) {
                if link.turn().is_some() {
                    let mut most = locked(&moved);
                    *most = most.map(|most| most.plus(MOVE));
                    drop(most);
                    let answer = link.send("POST", "/v1/clock/advance", &body);
                    let code = answer.map(|answer| answer.status);
                    assert!(matches!(code, None | Some(200) | Some(500..)), "{code:?}");
                }
                sleep(chance.moment(Duration::from_millis(20)));
            }
        });
        Self {
            dial,
            end,
            thread: Some(thread),
        }
    }

    /// A process begins with the machine's time: the clock goes on where it may have been.
    fn go_on(&self, broker: &Broker) {
        let shown = time(text(&broker.get("/v1/clock")["now"]));
        let most = locked(&self.dial).unwrap_or(shown);
        let by = format!("{}ms", most.since(shown).as_millis());
        let advanced = broker.post("/v1/clock/advance", &json!({"by": by, "patience": "5s"}));
        *locked(&self.dial) = Some(time(text(&advanced["now"])));
    }

    fn stop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A store of which events expire, those who use it, and what became of it so far.
struct Tide {
    site: Site,
    receiver: Arc<Receiver>,
    senders: Senders,
    mover: Mover,
    target: Target,
    /// Events that were answered 410, and since when.
    gone: HashMap<String, Timestamp>,
    checked: usize,
}

impl Tide {
    fn new(seed: u64, site: Site) -> Self {
        let receiver = Arc::new(cast::receiver());
        site.configure(&(cast::configuration(&receiver, seed) + RETENTION));
        let target = Target::default();
        Self {
            site,
            senders: Senders::start(seed, HABIT, &target),
            mover: Mover::start(seed, &target),
            target,
            receiver,
            gone: HashMap::new(),
            checked: 0,
        }
    }

    /// Starts it, looks at what it has found, and lets everybody at it.
    fn start(&mut self) -> Broker {
        let broker = self.site.start(&["--clock", "manual"]);
        let events = self.senders.acknowledged_from(0);
        // Before the clock is moved: nothing expires that had not expired before.
        let gone = events.iter().filter(|e| self.gone.contains_key(&e.id));
        for known in gone.cloned().collect::<Vec<_>>() {
            self.look_at(&broker, &known);
        }
        self.mover.go_on(&broker);
        // New ones, and those before them that are about to expire.
        for known in &events[self.checked.saturating_sub(50)..] {
            self.look_at(&broker, known);
        }
        self.checked = events.len();
        let before = self.senders.count();
        self.target.point_at(Some(broker.address));
        eventually("an event is taken", || {
            self.senders.check_alive();
            (self.senders.count() > before).then_some(())
        });
        broker
    }

    /// It is there as it was sent; or has expired, not before its time, and for good.
    fn look_at(&mut self, broker: &Broker, known: &Acknowledged) {
        let answer = broker.send("GET", &format!("/v1/events/{}", known.id), &[], b"");
        if answer.status == 410 {
            // A repeat is answered with the id of the first one, which may be older than itself.
            let received_at = known.id.parse::<EventId>().unwrap().time();
            let age = locked(&self.mover.dial).unwrap().since(received_at);
            assert!(age > MAX_AGE, "{known:?} has expired after {age:?}");
            self.gone.entry(known.id.clone()).or_insert_with(now);
            return;
        }
        assert_eq!(answer.status, 200, "lost: {known:?}: {}", answer.text());
        let came_back = self.gone.get(&known.id);
        assert!(
            came_back.is_none(),
            "{known:?} had expired by {came_back:?}"
        );
        let data = format!(r#""data":{}"#, payload::data(&known.key));
        assert!(answer.text().contains(&data), "{known:?} has other bytes");
    }

    /// The process has ended.
    fn ended(&self) {
        self.target.point_at(None);
        self.receiver.settle();
    }

    /// Waits until all is delivered or given up, and all of it has expired. Gives the number of events.
    fn finish(mut self, broker: Broker) -> usize {
        self.senders.stop();
        self.mover.stop();
        let advance = |patience: &str| {
            let by = json!({"by": "15s", "patience": patience});
            let advanced = broker.post("/v1/clock/advance", &by);
            *locked(&self.mover.dial) = Some(time(text(&advanced["now"])));
        };
        for name in CONFIGURED {
            eventually(&format!("the backlog of {name} is empty"), || {
                advance("200ms");
                (broker.endpoint(name)["backlog"] == 0).then_some(())
            });
        }
        let events = self.senders.acknowledged_from(0);
        self.was_delivered(&events);
        // Dead letters keep theirs for three minutes. A pass may take its time: nobody hangs any more.
        (0..14).for_each(|_| advance("60s"));
        for known in &events {
            self.look_at(&broker, known);
            assert!(
                self.gone.contains_key(&known.id),
                "{known:?} has not expired"
            );
        }
        // What was delivered is counted still; dead letters that have expired are none any more.
        let last = count(&broker.get("/v1/status")["store"]["last_seq"]);
        for name in CONFIGURED {
            let endpoint = broker.endpoint(name);
            let [delivered, dead] = ["delivered", "dead"].map(|part| count(&endpoint[part]));
            assert!(0 < delivered && delivered <= last, "{endpoint}");
            assert_eq!(dead, 0, "{endpoint}");
        }
        broker.stop();
        self.verify();
        events.len()
    }

    fn verify(&self) {
        let verified = self.site.verify();
        assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    }

    /// Each endpoint got every event, or has given it up after three attempts; none after it was
    /// told to have expired.
    fn was_delivered(&self, events: &[Acknowledged]) {
        let posts = self.receiver.posts();
        let mut seen: HashMap<(&str, &str), Vec<&Seen>> = HashMap::new();
        for post in &posts {
            let event = post.header("redeliver-event-id");
            let late = self.gone.get(event).filter(|gone| post.arrived > **gone);
            assert!(late.is_none(), "sent after it had expired: {post:?}");
            let endpoint = cast::endpoint_of(post);
            seen.entry((endpoint, event)).or_default().push(post);
        }
        for (known, name) in events.iter().flat_map(|e| CONFIGURED.map(|name| (e, name))) {
            let posts = seen.get(&(name, &*known.id)).map_or(&[][..], Vec::as_slice);
            let taken = posts.iter().any(|p| matches!(p.answered, Some((200, _))));
            let attempts: HashSet<u32> = posts.iter().map(|post| post.attempt()).collect();
            let given_up = name == "free" && attempts.len() >= 3;
            assert!(taken || given_up, "{name} never got {known:?}: {posts:?}");
        }
    }
}

#[test]
fn kills_while_events_expire_lose_nothing_that_has_not_and_bring_nothing_back() {
    let seed = chance::seed();
    let kills = chance::asked("REDELIVER_KILLS").unwrap_or(KILLS);
    println!("REDELIVER_SEED={seed} REDELIVER_KILLS={kills}");
    let (mut chance, began) = (Chance::new(seed, "ebb"), now());
    let mut tide = Tide::new(seed, Site::new());
    let (mut starting, mut start) = (0, Duration::from_millis(100));
    for kill in 0..kills {
        if chance.one_in(4) {
            let process = tide.site.spawn(&["--clock", "manual"]);
            sleep(chance.moment(start.mul_f64(1.1)));
            process.kill();
            starting += 1;
            continue;
        }
        let spawned_at = now();
        let broker = tide.start();
        start = now().since(spawned_at).min(Duration::from_secs(1));
        sleep(chance.moment(WORK));
        broker.kill();
        tide.ended();
        if kill % 10 == 9 {
            tide.verify();
        }
    }
    let broker = tide.start();
    let (gone, events) = (tide.gone.len(), tide.finish(broker));
    println!(
        "{kills} kills ({starting} while it started) in {:?}: {events} acknowledged events, none lost, none back; {gone} of them seen to have expired meanwhile",
        now().since(began)
    );
    assert!(gone > 0 || kills < KILLS);
}

#[test]
fn power_cuts_while_events_expire_lose_nothing_that_has_not_and_bring_nothing_back() {
    let mut disk = match Disk::new(DISK_BYTES) {
        Ok(disk) => disk,
        Err(missing) => {
            println!(
                "skipped: power cuts need root, loop devices, mkfs.ext4 and python3; {missing}"
            );
            return;
        }
    };
    let seed = chance::seed();
    let cuts = chance::asked("REDELIVER_POWER_CUTS").unwrap_or(CUTS);
    println!("REDELIVER_SEED={seed} REDELIVER_POWER_CUTS={cuts}");
    let (mut chance, began) = (Chance::new(seed, "ebb"), now());
    let site = Site::with_data(disk.path().join("data"));
    let mut tide = Tide::new(seed, site);
    for _ in 0..cuts {
        let broker = tide.start();
        let cutter = disk.cutter().unwrap();
        sleep(chance.moment(3 * WORK));
        let how = *chance.one_of(&[Cut::AsItIs, Cut::AsItIs, Cut::WithJournal]);
        cutter.cut(how);
        broker.kill();
        tide.ended();
        disk.power_up();
        if chance.one_in(3) {
            tide.verify();
        }
    }
    let broker = tide.start();
    let (gone, events) = (tide.gone.len(), tide.finish(broker));
    println!(
        "{cuts} power cuts in {:?}: {events} acknowledged events, none lost, none back; {gone} of them seen to have expired meanwhile",
        now().since(began)
    );
}
