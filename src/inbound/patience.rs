//! Waiting for what a client sends, but not for ever.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// What `work` comes to within `limit` of the machine's own time, else none.
///
/// What is done at its second poll needs no timer: a body that came together with its head is
/// handed on between the two, and setting a timer for each would cost every request for the few
/// that are slow.
pub(super) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut is_second = false;
    let early = poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if is_second => Poll::Ready(None),
        Poll::Pending => {
            is_second = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    });
    match early.await {
        Some(done) => Some(done),
        None => tokio::time::timeout(limit, work).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn what_takes_no_time_or_less_than_the_limit_is_done_and_what_takes_longer_is_not() {
        let start = tokio::time::Instant::now();
        assert_eq!(within(LIMIT, async { 1 }).await, Some(1));
        assert_eq!(within(LIMIT, tokio::task::yield_now()).await, Some(()));
        assert_eq!(start.elapsed(), Duration::ZERO);
        let sleep = |part| within(LIMIT, tokio::time::sleep(LIMIT * part / 2));
        assert_eq!(sleep(1).await, Some(()));
        assert_eq!(sleep(3).await, None);
        assert_eq!(start.elapsed(), LIMIT * 3 / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_wakes_is_given_up_too() {
        assert_eq!(within(LIMIT, std::future::pending::<()>()).await, None);
    }
}
