//! So many requests a minute: a fixed window, by the minute of the clock.

use super::{Code, Refusal};
use crate::clock::Timestamp;

const MINUTE_MS: i64 = 60 * 1000;

/// How many requests came in the present minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    minute: i64,
    used: u32,
}

/// What is told of the window with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many requests a minute may have.
    pub limit: u32,
    /// How many are left.
    pub remaining: u32,
    /// When the next minute begins, in seconds since the epoch.
    pub reset: i64,
}

impl Window {
    /// One more request at `now`, if there may be one, of `limit` a minute.
    pub fn take(&mut self, limit: u32, now: Timestamp) -> (Allowance, Result<(), Refusal>) {
        let minute = now.as_millis().div_euclid(MINUTE_MS);
        // Another one also where the clock was set back: nobody waits for it to come round.
        if minute != self.minute {
            *self = Self { minute, used: 0 };
        }
        let allowed = self.used < limit;
        self.used += u32::from(allowed);
        let end = Timestamp::from_millis((minute + 1) * MINUTE_MS);
        let allowance = Allowance {
            limit,
            remaining: limit - self.used,
            reset: end.as_seconds(),
        };
        let wait = u64::try_from(end.since(now).as_millis().div_ceil(1000)).unwrap_or(1);
        let result = if allowed {
            Ok(())
        } else {
            let unit = if wait == 1 { "second" } else { "seconds" };
            let message = format!(
                "Rate limit exceeded ({limit} requests/minute). Try again in {wait} {unit}"
            );
            Err(Refusal::new(Code::RateLimited, message).again_in(wait))
        };
        (allowance, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-02-07T12:00:00Z, and so many milliseconds.
    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_770_465_600_000 + millis)
    }

    #[test]
    fn a_26_beyond_the_limit_one_waits_whole_seconds_for_the_next_minute() {
        let mut window = Window::default();
        for remaining in (0..30).rev() {
            let (allowance, taken) = window.take(30, at(18_000));
            assert_eq!((allowance.remaining, taken), (remaining, Ok(())));
            assert_eq!(allowance.reset, 1_770_465_660);
        }
        let refusal = window.take(30, at(18_000)).1.unwrap_err();
        assert_eq!(
            refusal.message,
            "Rate limit exceeded (30 requests/minute). Try again in 42 seconds"
        );
        assert_eq!(refusal.retry_after, Some(42));
        for (now, wait) in [(at(18_001), 42), (at(59_000), 1), (at(59_999), 1)] {
            let refusal = window.take(30, now).1.unwrap_err();
            assert_eq!(refusal.retry_after, Some(wait));
        }
        assert_eq!(window.take(30, at(60_000)).1, Ok(()));
    }

    #[test]
    fn a_clock_that_was_set_back_shuts_nobody_out() {
        let mut window = Window::default();
        assert_eq!(window.take(1, at(0)).1, Ok(()));
        assert_eq!(window.take(1, at(-3_600_000)).1, Ok(()));
    }
}
