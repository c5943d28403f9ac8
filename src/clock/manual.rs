//! A clock that stands still until it is moved.

use std::collections::BTreeMap;
use std::future::Future;
use std::mem::take;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::{Clock, Sleep, Timestamp, wall};

/// A clock that moves only when told to.
///
/// It never moves backwards. Setting it wakes every sleeper whose deadline has come, the earliest
/// first: a simulation on one thread repeats exactly.
#[derive(Clone, Debug)]
pub struct ManualClock {
    face: Arc<Mutex<Face>>,
}

#[derive(Debug)]
struct Face {
    now: Timestamp,
    /// By deadline, and by who came first.
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    /// Tells sleepers of one deadline apart.
    next: u64,
}

impl ManualClock {
    /// A manual clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self {
            face: Arc::new(Mutex::new(Face {
                now: start,
                sleepers: BTreeMap::new(),
                next: 0,
            })),
        }
    }

    /// A manual clock that stands at the machine's present time.
    pub fn starting_now() -> Self {
        Self::new(wall())
    }

    /// Moves the clock to `to`, unless it is there or later already.
    pub fn set(&self, to: Timestamp) {
        let woken = {
            let mut face = self.face();
            if to <= face.now {
                return;
            }
            face.now = to;
            let later = face.sleepers.split_off(&(to, u64::MAX));
            std::mem::replace(&mut face.sleepers, later)
        };
        // Outside of the lock: whoever wakes asks for the time.
        for waker in woken.into_values() {
            waker.wake();
        }
    }

    fn face(&self) -> MutexGuard<'_, Face> {
        // Nothing in here panics halfway through a change.
        self.face.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.face().now
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        Box::pin(Sleeper {
            clock: self.clone(),
            deadline,
            number: None,
        })
    }

    fn manual(&self) -> Option<&ManualClock> {
        Some(self)
    }
}

struct Sleeper {
    clock: ManualClock,
    deadline: Timestamp,
    number: Option<u64>,
}

impl Future for Sleeper {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self {
            clock,
            deadline,
            number,
        } = &mut *self;
        let mut face = clock.face();
        if face.now >= *deadline {
            return Poll::Ready(());
        }
        let next = face.next;
        let number = *number.get_or_insert(next);
        face.next += u64::from(number == next);
        face.sleepers
            .insert((*deadline, number), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        if let Some(number) = take(&mut self.number) {
            let sleeping = self.clock.face().sleepers.remove(&(self.deadline, number));
            // Outside of the lock, as it may be the last of its task.
            drop(sleeping);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_a_sleeper_exactly_at_its_deadline_and_never_goes_back() {
        let clock = ManualClock::new(Timestamp::from_millis(0));
        let sleep = tokio::spawn(clock.sleep_until(Timestamp::from_millis(30_000)));
        clock.set(Timestamp::from_millis(29_999));
        tokio::task::yield_now().await;
        assert!(!sleep.is_finished());
        clock.set(Timestamp::from_millis(30_000));
        sleep.await.unwrap();
        clock.set(Timestamp::from_millis(5));
        assert_eq!(clock.now(), Timestamp::from_millis(30_000));
    }

    #[tokio::test]
    async fn sleepers_wake_in_the_order_of_their_deadlines_and_those_who_left_not_at_all() {
        let clock = ManualClock::new(Timestamp::from_millis(0));
        let woken = Arc::new(Mutex::new(Vec::new()));
        let sleepers = [30, 10, 20, 10].map(|at| {
            let (clock, woken) = (clock.clone(), woken.clone());
            tokio::spawn(async move {
                clock.sleep_until(Timestamp::from_millis(at)).await;
                woken.lock().unwrap().push(at);
            })
        });
        // Begins to sleep after the others, and gives it up.
        let later = clock.sleep_until(Timestamp::from_millis(15));
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, later);
        assert!(given_up.await.is_err());
        clock.set(Timestamp::from_millis(40));
        for sleeper in sleepers {
            sleeper.await.unwrap();
        }
        assert_eq!(*woken.lock().unwrap(), [10, 10, 20, 30]);
        assert!(clock.face().sleepers.is_empty());
    }
}
