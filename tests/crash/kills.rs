//! `kill -9` of the real process at any moment: while it starts, works or stops.

use std::fmt;
use std::thread::sleep;
use std::time::Duration;

use crate::chance::{self, Chance};
use crate::life::{Life, Sum};
use crate::payload::Sizes;
use crate::process::broker::{Broker, Site};
use crate::process::now;
use crate::senders::Habit;

/// What is asked for in every run; `REDELIVER_KILLS` asks for another number.
const KILLS: u64 = 200;

/// The most kills that one store has to live through, so that a run of thousands costs no more a
/// kill than one of hundreds.
const KILLS_PER_STORE: u64 = 500;

/// Kills in a row within one recovery, at most.
const KILLS_PER_START: u64 = 3;

/// Starts between two looks at everything.
const STARTS_PER_CHECK: u64 = 50;

/// How long it works before it is killed, at most; and once in a while, so that it gets to the end
/// of what the kills have left.
const WORK: Duration = Duration::from_millis(150);
const LONG_WORK: Duration = Duration::from_millis(1200);

/// How long a stop may go on before it is killed, at most: most have ended by then.
const STOP: Duration = Duration::from_millis(60);

const HABIT: Habit = Habit {
    senders: 3,
    sizes: Sizes::Small,
    pause: Duration::from_millis(50),
};

/// When processes were killed.
#[derive(Debug, Default)]
struct Moments {
    starting: u64,
    /// Just after it had said where it listens.
    started: u64,
    working: u64,
    during_attempts: u64,
    stopping: u64,
    /// Stops that were faster than the kill.
    stopped: u64,
}

impl fmt::Display for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills ({} while it started and {} just after, {} at work, {} of them during \
             attempts, {} while it stopped, {} too late)",
            self.kills(),
            self.starting,
            self.started,
            self.working,
            self.during_attempts,
            self.stopping,
            self.stopped,
        )
    }
}

impl Moments {
    fn kills(&self) -> u64 {
        self.starting + self.started + self.working + self.stopping
    }
}

struct Killer {
    chance: Chance,
    moments: Moments,
    /// How long the last start took.
    start: Duration,
    starts: u64,
}

impl Killer {
    /// Kills up to `most` processes that are starting.
    fn kill_starts(&mut self, life: &mut Life, most: u64) {
        for _ in 0..most {
            let starting = life.site.spawn(&[]);
            // A little longer than it takes, so that the end of the start is hit, too.
            sleep(self.chance.moment(self.start.mul_f64(1.1)));
            let at = now();
            let started = starting.kill();
            life.ended(at);
            match started {
                true => self.moments.started += 1,
                false => self.moments.starting += 1,
            }
        }
    }

    fn start(&mut self, life: &mut Life) -> Broker {
        let spawned_at = now();
        let broker = life.site.start(&[]);
        self.start = now().since(spawned_at);
        self.starts += 1;
        life.check(&broker, self.starts.is_multiple_of(STARTS_PER_CHECK));
        life.open(&broker);
        broker
    }

    fn kill(&mut self, life: &mut Life, broker: Broker) {
        let most = if self.chance.one_in(6) {
            LONG_WORK
        } else {
            WORK
        };
        sleep(self.chance.moment(most));
        let held = life.receiver.held();
        let stops = self.chance.one_in(8);
        if stops {
            broker.signal("TERM");
            sleep(self.chance.moment(STOP));
        }
        let at = now();
        match (broker.kill(), stops) {
            (true, true) => self.moments.stopping += 1,
            (true, false) => {
                self.moments.working += 1;
                self.moments.during_attempts += u64::from(held > 0);
            }
            (false, _) => {
                assert!(stops, "it ended by itself: {}", life.site.log());
                self.moments.stopped += 1;
                return life.stopped();
            }
        }
        life.ended(at);
    }

    /// A store that lives through `kills` kills at least.
    fn live(&mut self, seed: u64, kills: u64) -> Sum {
        let mut life = Life::new(seed, Site::new(), HABIT);
        let until = self.moments.kills() + kills;
        loop {
            let left = until.saturating_sub(self.moments.kills());
            if self.chance.one_in(3) {
                let most = 1 + self.chance.within(0..KILLS_PER_START);
                self.kill_starts(&mut life, most.min(left));
            }
            let broker = self.start(&mut life);
            if self.moments.kills() >= until {
                return life.finish(broker);
            }
            self.kill(&mut life, broker);
        }
    }
}

#[test]
fn kills_at_any_moment_lose_nothing_keep_the_order_and_make_no_attempt_early() {
    let seed = chance::seed();
    let kills = chance::asked("REDELIVER_KILLS").unwrap_or(KILLS);
    println!("REDELIVER_SEED={seed} REDELIVER_KILLS={kills}");
    let mut killer = Killer {
        chance: Chance::new(seed, "killer"),
        moments: Moments::default(),
        start: Duration::from_millis(100),
        starts: 0,
    };
    let (mut sum, began) = (Sum::default(), now());
    let mut stores = 0;
    while killer.moments.kills() < kills {
        let left = kills - killer.moments.kills();
        sum.join(&killer.live(seed + stores, left.min(KILLS_PER_STORE)));
        stores += 1;
    }
    println!("{} in {:?}: {sum}", killer.moments, now().since(began));
    // What had been settled for longer than a busy machine takes to write it is not repeated.
    let longest = sum.repeats.longest;
    assert!(longest < Duration::from_secs(5), "{longest:?}");
}
