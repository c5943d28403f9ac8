//! The one gate to time: nothing else in the crate asks what time it is.
//!
//! Every component takes a [`Clock`] as an argument, so that hours of retry schedule run in
//! milliseconds under [`ManualClock`] and a seeded simulation repeats exactly.

mod daily;
mod kind;
mod manual;
mod stopwatch;
mod watched;

pub use daily::{Daily, InvalidDaily};
pub use kind::{ClockKind, InvalidClock};
pub use manual::ManualClock;
pub use stopwatch::Stopwatch;
pub use watched::WatchedClock;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in milliseconds since the Unix epoch, UTC.
///
/// Text form (JSON, logs): RFC 3339 UTC with milliseconds. Binary form: the integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch; negative before 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down: what vendors put into payloads.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment moved later by `duration`, saturating.
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment moved by `by_ms`, later if it is positive, saturating.
    pub const fn moved(self, by_ms: i64) -> Self {
        Self(self.0.saturating_add(by_ms))
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The moment `seconds` after the Unix epoch, if RFC 3339 can write it.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        let ms = seconds.checked_mul(1000)?;
        (YEAR_0_MS..=LAST_MS).contains(&ms).then_some(Self(ms))
    }

    /// Reads an RFC 3339 time with an offset or `Z`; fractions below a millisecond are dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_millisecond()))
            .ok()
            // Every other one has a text form that nobody could read again.
            .filter(|time| (YEAR_0_MS..=LAST_MS).contains(&time.0))
            .ok_or_else(|| InvalidTime(text.chars().take(64).collect()))
    }
}

/// The first millisecond that RFC 3339 has digits for: 0000-01-01T00:00:00Z.
const YEAR_0_MS: i64 = -62_167_219_200_000;
/// The last one that jiff can write: 9999-12-30T22:00:00Z.
const LAST_MS: i64 = 253_402_207_200_000;

/// A text that is no RFC 3339 time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{}` is not an RFC 3339 time such as 2026-01-31T09:30:00Z", .0.escape_debug())]
pub struct InvalidTime(pub String);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            // Years beyond jiff's range (9999) can only come from a corrupt or absurd clock.
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.collect_str(self)
        } else {
            s.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
            Self::parse(&text).map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(d).map(Self)
        }
    }
}

/// A sleep that borrows nothing.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// One look at a clock that may be set while it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What it shows.
    pub now: Timestamp,
    /// By how much it has been set since it was made, forward being positive.
    pub stepped_ms: i64,
}

impl Moment {
    /// What the clock would show had nobody set it: the only time that passes evenly.
    pub fn steady(self) -> Timestamp {
        self.now.moved(self.stepped_ms.saturating_neg())
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// The present moment, and by how much the clock was set on its way to it.
    fn moment(&self) -> Moment {
        Moment {
            now: self.now(),
            stepped_ms: 0,
        }
    }

    /// Resolves when as much time has passed as there is now until `deadline`, whatever the clock
    /// is set to meanwhile.
    fn sleep_until(&self, deadline: Timestamp) -> Sleep;

    /// Resolves when `time` has passed.
    fn sleep(&self, time: Duration) -> Sleep {
        self.sleep_until(self.now().plus(time))
    }

    /// The manual clock behind this one, if it is one: only a manual clock can be advanced.
    fn manual(&self) -> Option<&ManualClock> {
        None
    }
}

/// A shared clock.
pub type SharedClock = Arc<dyn Clock>;

fn wall() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this file is the gate to time")]
    let now = SystemTime::now();
    let millis = match now.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    };
    Timestamp(millis)
}

fn monotonic() -> Instant {
    // The machine's, but in a test that has paused the runtime's time.
    tokio::time::Instant::now().into_std()
}

/// The machine's wall clock, for one look at the time; over many, see [`WatchedClock`].
#[derive(Debug, Default, Clone, Copy)]
pub struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        wall()
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        self.sleep(deadline.since(wall()))
    }

    fn sleep(&self, time: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(time))
    }
}

/// A clock that starts at the wall clock's time and runs `factor` times as fast.
#[derive(Debug, Clone, Copy)]
pub struct ScaledClock {
    start: Timestamp,
    started: Instant,
    factor: f64,
}

impl ScaledClock {
    /// A clock `factor` times as fast as the machine's, from a millionth to a million.
    pub fn new(factor: f64) -> Result<Self, InvalidFactor> {
        if !(1e-6..=1e6).contains(&factor) {
            return Err(InvalidFactor(factor));
        }
        Ok(Self {
            start: wall(),
            started: monotonic(),
            factor,
        })
    }
}

/// A scale that no clock can run at.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq)]
#[error(
    "a clock cannot run {0} times as fast; give a factor from 0.000001 to 1000000, such as 60x"
)]
pub struct InvalidFactor(pub f64);

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        self.start.plus(self.started.elapsed().mul_f64(self.factor))
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        let wait = deadline.since(self.now()).as_secs_f64() / self.factor;
        let wait = Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX);
        Box::pin(tokio::time::sleep(wait))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    #[test]
    fn a_timestamp_prints_and_reads_rfc_3339_utc_with_milliseconds() {
        let t = Timestamp::from_millis(1_686_136_385_193);
        assert_eq!(t.to_string(), "2023-06-07T11:13:05.193Z");
        assert_eq!(Timestamp::parse("2023-06-07T13:13:05.193076+02:00"), Ok(t));
        assert_eq!(
            Timestamp::parse("2023-06-07T11:13:05")
                .unwrap_err()
                .to_string(),
            "`2023-06-07T11:13:05` is not an RFC 3339 time such as 2026-01-31T09:30:00Z"
        );
    }

    #[test]
    fn a_time_that_is_read_can_be_written_and_read_again() {
        for text in ["0000-01-01T00:00:00.000Z", "9999-12-30T22:00:00.000Z"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
        for text in ["-000001-12-31T23:59:59.999Z", "9999-12-30T22:00:00.001Z"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_scaled_clock_refuses_a_factor_that_no_clock_can_run_at() {
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e7, 1e-7, 1e-30] {
            assert!(ScaledClock::new(factor).is_err(), "{factor}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_on_the_slowest_clock_that_lasts_longer_than_can_be_told_does_not_panic() {
        let clock = ScaledClock::new(1e-6).unwrap();
        let mut sleep = clock.sleep_until(Timestamp::from_millis(i64::MAX));
        let still = std::future::poll_fn(|context| Poll::Ready(sleep.as_mut().poll(context)));
        assert!(still.await.is_pending());
    }
}
