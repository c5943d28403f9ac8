//! What waits to be written, bounded, and the committer's bell.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::event::NewEvent;
use crate::store::{Appended, StoreError};

/// How long a settlement may lie in memory for company before it is written, on the machine's own
/// clock. A crash within that time repeats the attempt; but each writing costs the disk two round
/// trips, which a receiver that catches up would have to wait out.
const SETTLEMENT_LAG: Duration = Duration::from_millis(10);

/// One call of `append`.
#[derive(Debug)]
pub struct Request {
    /// The events, which go into the log together.
    pub events: Vec<NewEvent>,
    /// Who asked.
    pub reply: oneshot::Sender<Result<Vec<Appended>, StoreError>>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It is in the queue.
    Yes,
    /// There is no room: ask again shortly.
    Full,
    /// Nothing comes in any more.
    Closed,
}

/// The queue of requests.
#[derive(Debug, Default)]
pub struct Inbox {
    inner: Mutex<Inner>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    requests: VecDeque<Request>,
    events: usize,
    bytes: usize,
    /// Something else is to be written: at once, or after the lag.
    urgent: bool,
    lazy: bool,
    closed: bool,
    /// The committer waits for the bell. While it works, ringing would cost a system call for
    /// nothing.
    listening: bool,
}

impl Inbox {
    /// Takes a request in, unless the queue holds `max_events` or `max_bytes` already.
    pub fn push(&self, request: Request, max_events: usize, max_bytes: usize) -> Pushed {
        let bytes: usize = request.events.iter().map(size).sum();
        let mut inner = self.lock();
        let full =
            inner.events + request.events.len() > max_events || inner.bytes + bytes > max_bytes;
        if inner.closed {
            return Pushed::Closed;
        }
        if full && inner.events > 0 {
            return Pushed::Full;
        }
        inner.events += request.events.len();
        inner.bytes += bytes;
        inner.requests.push_back(request);
        let listening = inner.listening;
        drop(inner);
        if listening {
            self.bell.notify_one();
        }
        Pushed::Yes
    }

    /// Takes out what fits into one group; at least one request, if there is any.
    pub fn take(&self, max_events: usize, max_bytes: usize) -> Vec<Request> {
        let mut inner = self.lock();
        inner.urgent = false;
        inner.lazy = false;
        let (mut taken, mut events, mut bytes) = (Vec::new(), 0, 0);
        while let Some(request) = inner.requests.front() {
            let size: usize = request.events.iter().map(size).sum();
            let fits = events + request.events.len() <= max_events && bytes + size <= max_bytes;
            if !fits && !taken.is_empty() {
                break;
            }
            events += request.events.len();
            bytes += size;
            taken.extend(inner.requests.pop_front());
        }
        inner.events -= events;
        inner.bytes -= bytes;
        taken
    }

    /// There is something else to write: soon, or with the next group.
    pub fn ring(&self, urgent: bool) {
        let mut inner = self.lock();
        let rung = inner.urgent || (inner.lazy && !urgent);
        inner.urgent |= urgent;
        inner.lazy = true;
        let listening = inner.listening;
        drop(inner);
        if listening && !rung {
            self.bell.notify_one();
        }
    }

    /// Nothing more comes in; the committer ends when all is written.
    pub fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_all();
    }

    /// Whether nothing more comes in.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Blocks until there is something to write; false when there never will be.
    pub fn wait(&self) -> bool {
        let mut inner = self.lock();
        loop {
            if inner.urgent || !inner.requests.is_empty() || (inner.lazy && inner.closed) {
                return true;
            }
            if inner.closed {
                return false;
            }
            inner.listening = true;
            if inner.lazy {
                let waited = self.bell.wait_timeout(inner, SETTLEMENT_LAG);
                let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                inner = guard;
                inner.listening = false;
                if timeout.timed_out() {
                    return true;
                }
            } else {
                inner = self
                    .bell
                    .wait(inner)
                    .unwrap_or_else(PoisonError::into_inner);
                inner.listening = false;
            }
        }
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.lock().events
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics halfway through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(event: &NewEvent) -> usize {
    event.body.len() + 256
}
