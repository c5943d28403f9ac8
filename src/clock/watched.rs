//! The machine's wall clock under watch: when somebody sets it, that is told from time passing.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Clock, Moment, RealClock, Sleep, Timestamp, monotonic, wall};

/// Differences below this are time passing unevenly, as a time daemon that slews makes it.
const STEP_MIN_MS: u64 = 1_000;

/// Two clocks cannot be read at once. Farther apart than this, they are read again.
const READING_MAX: Duration = Duration::from_millis(10);
const READING_TRIES: usize = 3;

/// What the machine's two clocks show at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: Timestamp,
    /// Since some fixed moment; it never jumps, and stands still while the machine is suspended.
    monotonic: Duration,
}

/// By how much the wall clock has been set, as far as it was looked at. Pure.
#[derive(Debug)]
struct Steps {
    /// Wall less monotonic time when a step was last noticed.
    offset_ms: i64,
    stepped_ms: i64,
}

impl Reading {
    fn offset_ms(self) -> i64 {
        let monotonic_ms = i64::try_from(self.monotonic.as_millis()).unwrap_or(i64::MAX);
        self.wall.moved(-monotonic_ms).as_millis()
    }
}

impl Steps {
    fn from(first: Reading) -> Self {
        Self {
            offset_ms: first.offset_ms(),
            stepped_ms: 0,
        }
    }

    fn look(&mut self, reading: Reading) -> Moment {
        let offset_ms = reading.offset_ms();
        let by_ms = offset_ms.saturating_sub(self.offset_ms);
        if by_ms.unsigned_abs() >= STEP_MIN_MS {
            self.offset_ms = offset_ms;
            self.stepped_ms = self.stepped_ms.saturating_add(by_ms);
        }
        Moment {
            now: reading.wall,
            stepped_ms: self.stepped_ms,
        }
    }
}

/// The machine's wall clock, which tells by how much it was set since it was made.
///
/// Its sleeps last as long as they should by monotonic time. A machine that was suspended looks
/// like one whose clock was set forward: what waits goes on waiting for what is left of its delay.
#[derive(Debug)]
pub struct WatchedClock {
    steps: Mutex<Steps>,
    start: std::time::Instant,
}

impl Default for WatchedClock {
    fn default() -> Self {
        let start = monotonic();
        Self {
            steps: Mutex::new(Steps::from(read(start))),
            start,
        }
    }
}

fn read(start: std::time::Instant) -> Reading {
    let mut tries_left = READING_TRIES;
    loop {
        let before = monotonic();
        let wall = wall();
        tries_left -= 1;
        // A reading that is still torn shows a step, and the next one the same step back.
        if before.elapsed() < READING_MAX || tries_left == 0 {
            let monotonic = before.duration_since(start);
            return Reading { wall, monotonic };
        }
    }
}

impl Clock for WatchedClock {
    fn now(&self) -> Timestamp {
        wall()
    }

    fn moment(&self) -> Moment {
        // Read under the lock, so that what was read first is looked at first.
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.look(read(self.start))
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        RealClock.sleep_until(deadline)
    }

    fn sleep(&self, time: Duration) -> Sleep {
        RealClock.sleep(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR_MS: i64 = 365 * 86_400_000;

    /// `passed_ms` after the first reading, by a wall clock that was set by `set_ms` in between.
    fn reading(passed_ms: u64, set_ms: i64) -> Reading {
        let wall = Timestamp::from_millis(1_700_000_000_000);
        let monotonic = Duration::from_millis(passed_ms);
        Reading {
            wall: wall.plus(monotonic).moved(set_ms),
            monotonic,
        }
    }

    #[test]
    fn time_that_passes_is_no_step_however_long_it_was_not_looked_at() {
        let mut steps = Steps::from(reading(0, 0));
        for passed_ms in [0, 1, 1_000, 86_400_000, 40 * 86_400_000] {
            assert_eq!(steps.look(reading(passed_ms, 0)).stepped_ms, 0);
        }
    }

    #[test]
    fn a_clock_that_is_set_is_found_out_in_both_directions_and_summed_up() {
        let mut steps = Steps::from(reading(0, 0));
        for set_ms in [YEAR_MS, -YEAR_MS, -600_000, 0] {
            for passed_ms in [10, 50_000] {
                let moment = steps.look(reading(passed_ms, set_ms));
                assert_eq!(moment.stepped_ms, set_ms);
                assert_eq!(moment.now, reading(passed_ms, set_ms).wall);
                assert_eq!(moment.steady(), reading(passed_ms, 0).wall);
            }
        }
    }

    #[test]
    fn what_a_daemon_slews_is_no_step_until_it_comes_to_a_second() {
        let mut steps = Steps::from(reading(0, 0));
        for set_ms in [400, 999, -999, 800] {
            assert_eq!(steps.look(reading(100, set_ms)).stepped_ms, 0);
        }
        assert_eq!(steps.look(reading(100, 1_000)).stepped_ms, 1_000);
        assert_eq!(steps.look(reading(100, 1_900)).stepped_ms, 1_000);
    }

    #[test]
    fn the_machines_own_clock_is_not_set_by_being_watched() {
        let clock = WatchedClock::default();
        for _ in 0..10_000 {
            assert_eq!(clock.moment().stepped_ms, 0);
        }
    }
}
