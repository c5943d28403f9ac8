//! A waker between a connection and its task: it wakes the task, but not while the task is polling.
//!
//! hyper tells whoever waits for an answer by waking him, which here is the task that has just read
//! it. The runtime takes that for a wish to be polled again, puts the task into its queue and wakes
//! another thread to look there: half of the time of a delivery, for nothing.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Polls in one go, before others get their turn: what keeps ringing may ring because its share of
/// the thread is used up.
const POLLS_MAX: usize = 4;

/// Rung by a connection, heard by the task that polls it.
#[derive(Default)]
pub(super) struct Bell {
    task: Mutex<Option<Waker>>,
    is_polling: AtomicBool,
    has_rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // This before that, and the other way round in `listen`: one of the two sees the other.
        self.has_rung.store(true, Ordering::SeqCst);
        if !self.is_polling.load(Ordering::SeqCst) {
            let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(task) = &*task {
                task.wake_by_ref();
            }
        }
    }
}

impl Bell {
    /// Polls `work` until it is ready, and again whenever the bell has rung.
    pub(super) async fn listen<T>(
        self: &Arc<Self>,
        mut work: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> T {
        let waker = Waker::from(self.clone());
        poll_fn(|task| self.poll(&waker, task, &mut work)).await
    }

    fn poll<T>(
        &self,
        waker: &Waker,
        task: &mut Context<'_>,
        work: &mut impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.is_heard_by(task.waker());
        for _ in 0..POLLS_MAX {
            self.is_polling.store(true, Ordering::SeqCst);
            // Not a store: of a ring that it takes back it must have seen what came before.
            self.has_rung.swap(false, Ordering::SeqCst);
            let polled = work(&mut Context::from_waker(waker));
            self.is_polling.store(false, Ordering::SeqCst);
            if polled.is_ready() || !self.has_rung.load(Ordering::SeqCst) {
                return polled;
            }
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_heard_by(&self, waker: &Waker) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *task {
            Some(task) => task.clone_from(waker),
            None => *task = Some(waker.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Polls once something that rings at each of its first polls; how often it was polled, how
    /// often the task was woken, and the bell as it kept it.
    fn polled(rings: usize, ready_at: usize) -> (usize, usize, bool) {
        let (bell, task) = (Arc::new(Bell::default()), Arc::new(Task::default()));
        let mut polls = 0;
        let is_ready = {
            let listening = bell.listen(|context| {
                polls += 1;
                if polls <= rings {
                    context.waker().wake_by_ref();
                }
                match polls >= ready_at {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            });
            let waker = Waker::from(task.clone());
            let polled = pin!(listening).poll(&mut Context::from_waker(&waker));
            polled.is_ready()
        };
        (polls, task.0.load(Ordering::SeqCst), is_ready)
    }

    #[test]
    fn what_rings_while_it_is_polled_is_polled_again_and_wakes_nobody() {
        assert_eq!(polled(0, usize::MAX), (1, 0, false));
        assert_eq!(polled(2, usize::MAX), (3, 0, false));
        assert_eq!(polled(1, 2), (2, 0, true));
        assert_eq!(polled(1, 1), (1, 0, true));
    }

    #[test]
    fn what_rings_without_end_gives_others_their_turn_and_comes_back() {
        assert_eq!(polled(usize::MAX, usize::MAX), (POLLS_MAX, 1, false));
    }

    #[test]
    fn what_rings_between_two_polls_wakes_the_task_that_polled_last() {
        let bell = Arc::new(Bell::default());
        let tasks = [(); 2].map(|()| Arc::new(Task::default()));
        for task in &tasks {
            let waker = Waker::from(task.clone());
            let listening = bell.listen(|_| Poll::<()>::Pending);
            let polled = pin!(listening).poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
        }
        Waker::from(bell).wake();
        let woken = tasks.map(|task| task.0.load(Ordering::SeqCst));
        assert_eq!(woken, [0, 1]);
    }

    #[tokio::test]
    async fn no_ring_from_another_thread_is_lost() {
        let bell = Arc::new(Bell::default());
        let rung = Arc::new(AtomicUsize::new(0));
        for number in 1..=10_000 {
            let (ringer, count) = (bell.clone(), rung.clone());
            let ringing = tokio::task::spawn_blocking(move || {
                count.store(number, Ordering::SeqCst);
                Waker::from(ringer).wake();
            });
            bell.listen(|_| match rung.load(Ordering::SeqCst) == number {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
            ringing.await.unwrap();
        }
    }
}
