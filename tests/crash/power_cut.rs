//! The file system is cut off under the real process at any moment: what was not synced is gone.

use std::fmt;
use std::thread::sleep;
use std::time::Duration;

use redeliver::clock::Timestamp;

use crate::chance::{self, Chance};
use crate::disk::{Cut, Cutter, Disk};
use crate::life::{Life, Sum};
use crate::payload::Sizes;
use crate::process::broker::{Broker, Site};
use crate::process::now;
use crate::senders::Habit;

/// What is asked for in every run; `REDELIVER_POWER_CUTS` asks for another number.
const CUTS: u64 = 25;

/// Cuts that one store has to live through at most: its making is one of the moments.
const CUTS_PER_STORE: u64 = 8;

/// Room for what the senders send meanwhile, many times over.
const DISK_BYTES: u64 = 1 << 30;

/// How long it works before the cut, at most.
const WORK: Duration = Duration::from_millis(700);

const HABIT: Habit = Habit {
    senders: 4,
    sizes: Sizes::Mixed,
    pause: Duration::from_millis(20),
};

/// What was going on when the power went.
#[derive(Debug, Default)]
struct Moments {
    making: u64,
    starting: u64,
    working: u64,
    /// Processes that were left to find out by themselves, and did.
    found_out: u64,
}

impl Moments {
    fn cuts(&self) -> u64 {
        self.making + self.starting + self.working
    }
}

impl fmt::Display for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} power cuts ({} while the store was made, {} while it was opened, {} at work, after \
             {} of which the process ended itself)",
            self.cuts(),
            self.making,
            self.starting,
            self.working,
            self.found_out,
        )
    }
}

struct Mains {
    chance: Chance,
    moments: Moments,
    /// How long the last start took.
    start: Duration,
}

impl Mains {
    fn cut(&mut self, cutter: Cutter) -> (Timestamp, Timestamp) {
        let how = *self
            .chance
            .one_of(&[Cut::AsItIs, Cut::AsItIs, Cut::WithJournal]);
        cutter.cut(how)
    }

    /// Cuts a process off that is starting.
    fn cut_start(&mut self, life: &mut Life, disk: &mut Disk) {
        let cutter = disk.cutter().unwrap();
        let logged = life.site.log().len();
        let starting = life.site.spawn(&[]);
        sleep(self.chance.moment(self.start));
        let (at, _) = self.cut(cutter);
        // One that has come to listening has nothing to write.
        if starting.listening().is_err() {
            check_last_words(&life.site.log()[logged..]);
        }
        life.ended(at);
        disk.power_up();
    }

    fn start(&mut self, life: &mut Life) -> Broker {
        // Sometimes the check is what has to open it first; of what was hardly begun, nothing may be
        // there to check.
        if life.senders.count() > 0 && self.chance.one_in(3) {
            life.verify();
        }
        let (logged, spawned_at) = (life.site.log().len(), now());
        let broker = life.site.start(&[]);
        life.check_mark(&life.site.log()[logged..]);
        self.start = now().since(spawned_at);
        life.check(&broker, false);
        life.open(&broker);
        broker
    }

    fn cut_work(&mut self, life: &mut Life, disk: &mut Disk, broker: Broker) {
        let cutter = disk.cutter().unwrap();
        sleep(self.chance.moment(WORK));
        let logged = life.site.log().len();
        let (at, cut_at) = self.cut(cutter);
        if self.chance.one_in(4) {
            broker.kill();
        } else {
            // Somebody goes on sending.
            let code = broker.ended();
            let said = life.site.log().split_off(logged);
            assert_eq!(code, 3, "{said}");
            check_last_words(&said);
            self.moments.found_out += 1;
        }
        life.ended(at);
        let late = life.senders.acknowledged_from(0);
        let late = late.iter().find(|event| event.sent_at > cut_at);
        assert!(late.is_none(), "acknowledged without a disk: {late:?}");
        disk.power_up();
    }

    /// A store that lives through `cuts` cuts.
    fn live(&mut self, seed: u64, cuts: u64, mut disk: Disk) -> Sum {
        let site = Site::with_data(disk.path().join("data"));
        let mut life = Life::new(seed, site, HABIT);
        let until = self.moments.cuts() + cuts;
        self.cut_start(&mut life, &mut disk);
        self.moments.making += 1;
        loop {
            if self.moments.cuts() < until && self.chance.one_in(3) {
                self.cut_start(&mut life, &mut disk);
                self.moments.starting += 1;
            }
            let broker = self.start(&mut life);
            if self.moments.cuts() >= until {
                return life.finish(broker);
            }
            self.cut_work(&mut life, &mut disk, broker);
            self.moments.working += 1;
        }
    }
}

/// It is the disk, and nothing is said to be damaged.
fn check_last_words(said: &str) {
    let last = said.lines().last().unwrap_or_default();
    // Parts of the database that are not given back are named in lines before it.
    let of_the_disk = [
        "Input/output error",
        "cannot be read from its disk",
        // What the kernel makes of a file system whose disk has gone.
        "Read-only file system",
    ];
    let clear = last.starts_with("error: ") && of_the_disk.iter().any(|words| last.contains(words));
    assert!(clear && !last.contains("damaged"), "{said}");
}

/// A disk to cut off, unless this machine has none; says what is missing.
fn disk() -> Option<Disk> {
    let missing = match Disk::new(DISK_BYTES) {
        Ok(disk) => return Some(disk),
        Err(missing) => missing,
    };
    let all = std::env::var("REDELIVER_TEST_ALL").as_deref() == Ok("1");
    let wanted = chance::asked("REDELIVER_POWER_CUTS").is_some();
    // Not every machine can give what else is needed.
    let wanted = wanted || (all && missing.starts_with("python3"));
    assert!(!wanted, "power cuts cannot be had here: {missing}");
    println!("skipped: power cuts need root, loop devices, mkfs.ext4 and python3; {missing}");
    None
}

#[test]
fn power_cuts_at_any_moment_lose_nothing_and_every_store_opens() {
    let Some(mut disk) = disk() else {
        return;
    };
    let seed = chance::seed();
    let cuts = chance::asked("REDELIVER_POWER_CUTS").unwrap_or(CUTS);
    println!("REDELIVER_SEED={seed} REDELIVER_POWER_CUTS={cuts}");
    let mut mains = Mains {
        chance: Chance::new(seed, "mains"),
        moments: Moments::default(),
        start: Duration::from_millis(100),
    };
    let (mut sum, began) = (Sum::default(), now());
    for store in 0.. {
        let left = cuts.saturating_sub(mains.moments.cuts());
        if left == 0 {
            break;
        }
        sum.join(&mains.live(seed + store, left.min(CUTS_PER_STORE), disk));
        disk = Disk::new(DISK_BYTES).unwrap();
    }
    println!("{} in {:?}: {sum}", mains.moments, now().since(began));
}
