//! So many requests in each minute: how vendors bound their clients (ZEB-04, A-26, A-33).

use std::time::Duration;

use crate::clock::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);

/// What was used of one fixed minute, which begins with its first request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    began: Option<Timestamp>,
    used: u32,
}

impl Window {
    /// Takes one of `most` requests, or says in how many whole seconds there will be one again; at
    /// least one second.
    pub fn take(&mut self, most: u32, now: Timestamp) -> Result<(), u64> {
        let began = match self.began {
            // A clock that was set back begins a new minute too: nobody waits longer than one.
            Some(began) if began <= now && now.since(began) < MINUTE => began,
            _ => {
                self.used = 0;
                now
            }
        };
        self.began = Some(began);
        if self.used < most {
            self.used += 1;
            return Ok(());
        }
        let left = began.plus(MINUTE).since(now);
        Err((left.as_millis().div_ceil(1000) as u64).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_704_067_200_000 + ms)
    }

    #[test]
    fn the_request_after_the_last_is_told_when_the_minute_ends_zeb_04() {
        let mut window = Window::default();
        for n in 0..5000 {
            assert_eq!(window.take(5000, at(n)), Ok(()));
        }
        assert_eq!(window.take(5000, at(5000)), Err(55));
        assert_eq!(window.take(5000, at(5001)), Err(55));
        assert_eq!(window.take(5000, at(59_999)), Err(1));
        assert_eq!(window.take(5000, at(60_000)), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer_than_a_minute() {
        let mut window = Window::default();
        assert_eq!(window.take(1, at(0)), Ok(()));
        assert_eq!(window.take(1, at(1)), Err(60));
        assert_eq!(window.take(1, at(-3_600_000)), Ok(()));
    }
}
