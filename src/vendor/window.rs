//! So many requests in each minute: how vendors bound their clients (ZEB-04, A-26, A-33).

use std::time::Duration;

use crate::clock::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);

/// What was used of one fixed minute. It begins with its first request, so that one more than
/// allowed within a minute is one too many whatever the clock shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    began: Option<Timestamp>,
    used: u32,
}

/// What is told of the window with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many requests a minute may have.
    pub limit: u32,
    /// How many are left.
    pub remaining: u32,
    /// When this minute is over.
    pub reset: Timestamp,
    /// For one request too many, in how many whole seconds there will be room; at least one.
    pub wait: Option<u64>,
}

impl Window {
    /// One more request at `now`, if there may be one, of `limit` a minute.
    pub fn take(&mut self, limit: u32, now: Timestamp) -> Allowance {
        let began = match self.began {
            // A clock that was set back begins a new minute too: nobody waits longer than one.
            Some(began) if began <= now && now.since(began) < MINUTE => began,
            _ => {
                self.used = 0;
                now
            }
        };
        self.began = Some(began);
        let reset = began.plus(MINUTE);
        let is_too_many = self.used >= limit;
        self.used += u32::from(!is_too_many);
        let seconds = reset.since(now).as_millis().div_ceil(1000);
        Allowance {
            limit,
            remaining: limit.saturating_sub(self.used),
            reset,
            wait: is_too_many.then_some((seconds as u64).max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_704_067_200_000 + ms)
    }

    #[test]
    fn the_request_after_the_last_is_told_when_the_minute_ends_zeb_04_a_26() {
        let mut window = Window::default();
        for n in 0..5000 {
            let allowance = window.take(5000, at(n));
            assert_eq!((allowance.wait, allowance.reset), (None, at(60_000)));
            assert_eq!(i64::from(allowance.remaining), 4999 - n);
        }
        for (now, wait) in [(5000, 55), (5001, 55), (59_000, 1), (59_999, 1)] {
            let allowance = window.take(5000, at(now));
            assert_eq!((allowance.wait, allowance.remaining), (Some(wait), 0));
        }
        assert_eq!(window.take(5000, at(60_000)).wait, None);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer_than_a_minute() {
        let mut window = Window::default();
        assert_eq!(window.take(1, at(0)).wait, None);
        assert_eq!(window.take(1, at(1)).wait, Some(60));
        assert_eq!(window.take(1, at(-3_600_000)).wait, None);
    }
}
