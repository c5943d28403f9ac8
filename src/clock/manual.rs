//! A clock that stands still until it is moved.

use tokio::sync::watch;

use super::{Clock, Sleep, Timestamp, wall};

/// A clock that moves only when told to.
///
/// It never moves backwards. Setting it wakes every sleeper whose deadline has come.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// A manual clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self {
            now: watch::Sender::new(start),
        }
    }

    /// A manual clock that stands at the machine's present time.
    pub fn starting_now() -> Self {
        Self::new(wall())
    }

    /// Moves the clock to `to`, unless it is there or later already.
    pub fn set(&self, to: Timestamp) {
        self.now.send_if_modified(|now| {
            let moved = to > *now;
            *now = (*now).max(to);
            moved
        });
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // A clock that is gone never reaches the deadline.
            if now.wait_for(|now| *now >= deadline).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }

    fn manual(&self) -> Option<&ManualClock> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_a_sleeper_exactly_at_its_deadline_and_never_goes_back() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        let sleep = tokio::spawn(clock.sleep_until(Timestamp::from_millis(30_000)));
        clock.set(Timestamp::from_millis(29_999));
        tokio::task::yield_now().await;
        assert!(!sleep.is_finished());
        clock.set(Timestamp::from_millis(30_000));
        sleep.await.unwrap();
        clock.set(Timestamp::from_millis(5));
        assert_eq!(clock.now(), Timestamp::from_millis(30_000));
    }
}
