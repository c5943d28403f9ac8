//! Who may have a connection: a bounded number, and those that only wait give way.
//!
//! A connection from which no request has come, or none since its last answer, costs its client
//! nothing. Where all places are taken, the one that has waited the longest is closed for the next
//! client, so that nobody keeps others out by doing nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

/// How long nobody is asked to give way who has just come or just been answered: his next request
/// may be on its way already.
const GRACE: Duration = Duration::from_secs(1);

/// All places.
pub(super) struct Seats {
    free: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

/// Connections without a request, the one that has waited the longest first.
#[derive(Default)]
struct Waiting {
    next: u64,
    each: BTreeMap<u64, Waiter>,
}

struct Waiter {
    /// From when on it has to give way.
    until: Instant,
    away: Arc<Notify>,
}

/// The place of one connection, which gives it back when it is dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    turn: Mutex<Turn>,
    away: Arc<Notify>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It has no request; this is its number among those that wait.
    Waiting(u64),
    /// A request is being answered.
    Asking,
    /// The answer is made, but perhaps not yet written.
    Answered,
}

impl Seats {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))),
            waiting: Mutex::default(),
        })
    }

    /// A place, as soon as there is one.
    pub(super) async fn take(self: &Arc<Self>) -> Arc<Seat> {
        // The semaphore is closed by nobody.
        let permit = match self.free.clone().try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => {
                tokio::select! {
                    permit = self.free.clone().acquire_owned() => permit.ok(),
                    () = self.send_one_away() => self.free.clone().acquire_owned().await.ok(),
                }
            }
        };
        let away = Arc::new(Notify::new());
        let number = self.wait(away.clone());
        Arc::new(Seat {
            seats: self.clone(),
            turn: Mutex::new(Turn::Waiting(number)),
            away,
            _permit: permit,
        })
    }

    /// Returns when the one that has waited the longest has been told to go.
    async fn send_one_away(&self) {
        loop {
            let first = self.lock().each.first_key_value().map(|(_, w)| w.until);
            match first {
                // Nobody who begins to wait meanwhile has to go before this is over.
                None => sleep(GRACE).await,
                Some(until) => {
                    sleep_until(until).await;
                    let mut waiting = self.lock();
                    // A request may have come, and another be the first now.
                    if let Some(first) = waiting.each.first_entry()
                        && first.get().until <= until
                    {
                        first.remove().away.notify_one();
                        return;
                    }
                }
            }
        }
    }

    fn wait(&self, away: Arc<Notify>) -> u64 {
        let until = sleep(GRACE).deadline();
        let mut waiting = self.lock();
        let number = waiting.next;
        waiting.next += 1;
        waiting.each.insert(number, Waiter { until, away });
        number
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// A request has come, and nobody sends it away now; false if that has already happened.
    pub(super) fn asks(&self) -> bool {
        let mut turn = self.turn();
        let late = matches!(*turn, Turn::Waiting(number)
            if self.seats.lock().each.remove(&number).is_none());
        if !late {
            *turn = Turn::Asking;
        }
        !late
    }

    /// Whether there is no request that is being answered.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(*self.turn(), Turn::Waiting(_))
    }

    /// The whole answer is made.
    pub(super) fn is_answered(&self) {
        *self.turn() = Turn::Answered;
    }

    /// All that was made is written.
    pub(super) fn is_written(&self) {
        let mut turn = self.turn();
        if *turn == Turn::Answered {
            *turn = Turn::Waiting(self.seats.wait(self.away.clone()));
        }
    }

    /// Returns when the connection has to give way to another.
    pub(super) async fn must_go(&self) {
        self.away.notified().await;
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Turn::Waiting(number) = *self.turn() {
            self.seats.lock().each.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the seat is told to go before anything else happens.
    async fn goes(seat: &Seat) -> bool {
        tokio::select! {
            biased;
            () = seat.must_go() => true,
            () = std::future::ready(()) => false,
        }
    }

    async fn answer(seat: &Seat) {
        assert!(seat.asks());
        seat.is_answered();
        seat.is_written();
        tokio::time::advance(Duration::from_millis(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_waited_the_longest_gives_way_and_who_is_being_answered_never() {
        let seats = Seats::new(3);
        let (asking, first, second) = (seats.take().await, seats.take().await, seats.take().await);
        assert!(asking.asks());
        answer(&first).await;
        let next = tokio::spawn({
            let seats = seats.clone();
            async move { seats.take().await }
        });
        tokio::time::sleep(GRACE - Duration::from_millis(10)).await;
        assert!(!goes(&second).await, "it has just come");
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(goes(&second).await);
        assert!(!second.asks(), "it is too late");
        assert!(!goes(&first).await && !goes(&asking).await);
        drop(second);
        let _next = next.await.unwrap();
        assert!(first.asks() && !goes(&asking).await);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_only_waits_the_next_one_waits_for_an_end() {
        let seats = Seats::new(1);
        let only = seats.take().await;
        assert!(only.asks());
        let next = tokio::spawn({
            let seats = seats.clone();
            async move { seats.take().await }
        });
        tokio::time::sleep(100 * GRACE).await;
        assert!(!next.is_finished() && !goes(&only).await);
        drop(only);
        next.await.unwrap();
        assert!(seats.lock().each.is_empty(), "nothing is left of them");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_all_written_is_not_cut_off() {
        let seats = Seats::new(1);
        let only = seats.take().await;
        assert!(only.asks());
        // A part of it was written before the rest was made.
        only.is_written();
        only.is_answered();
        assert!(seats.lock().each.is_empty());
        only.is_written();
        assert_eq!(seats.lock().each.len(), 1);
    }
}
