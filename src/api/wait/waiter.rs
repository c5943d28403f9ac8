//! Deliveries of one kind, watched until there are enough of them.
//!
//! The store is looked through once, at the beginning. From then on the ends of attempts say what
//! has changed, so that it costs no more to wait beside a long log than beside a short one. What
//! is not told that way is looked for where it must be: in the queues, which are in memory, or at
//! the end of the log.
//!
//! No change is missed, as everything that tells of one is listened to before the first look.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::wanted::Wanted;
use crate::api::Admin;
use crate::deliver::outcomes::Ended;
use crate::delivery::Status;
use crate::id::Seq;
use crate::inbound::problem::Problem;
use crate::store::{DeliveryQuery, DeliveryView};

/// How long is rested behind a look for each part of a list that it read, of the machine's own time:
/// beside heavy traffic something changes thousands of times a second.
const REST: Duration = Duration::from_millis(20);

/// More than is asked for is shown as well, up to so many: who asks for one wants to know of two.
const SHOWN_MIN: usize = 100;

/// What a delivery becomes without the end of an attempt.
const QUEUED: [Status; 3] = [Status::Pending, Status::InFlight, Status::Waiting];

/// Where changes that no end of an attempt tells are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Due {
    /// Everywhere.
    all: bool,
    /// In the queues.
    queues: bool,
    /// Among the events behind those that were seen.
    tail: bool,
    /// Among the counts of endpoints: what a removed one had queued has ended, and what an operator
    /// discarded.
    endpoints: bool,
}

/// What a look has found.
#[derive(Debug, Default)]
struct Seen {
    pairs: Vec<(Seq, u32)>,
    /// How many parts of lists were read for it.
    parts: u32,
    everywhere: bool,
    /// Deliveries that were removed before it.
    removed: u64,
    /// Events up to here were there.
    last: Seq,
}

type Looking<'a> = Pin<Box<dyn Future<Output = Result<Seen, Problem>> + Send + 'a>>;

/// Waits for deliveries.
pub(super) struct Waiter<'a> {
    admin: &'a Admin,
    wanted: &'a Wanted,
    count: usize,
    found: BTreeSet<(Seq, u32)>,
    due: Due,
    seen: Seen,
    ends: Option<broadcast::Receiver<Arc<Ended>>>,
    untold: watch::Receiver<u64>,
    changed: watch::Receiver<u64>,
    tail: watch::Receiver<Seq>,
}

impl<'a> Waiter<'a> {
    /// Waits from now on for at least `count` that are wanted.
    pub(super) fn new(admin: &'a Admin, wanted: &'a Wanted, count: usize) -> Self {
        Self {
            admin,
            wanted,
            count,
            found: BTreeSet::new(),
            due: Due {
                all: true,
                ..Due::default()
            },
            seen: Seen::default(),
            ends: Some(admin.outcomes.watch()),
            untold: admin.outcomes.untold(),
            changed: admin.store.changed(),
            tail: admin.store.tail(),
        }
    }

    /// The deliveries, as soon as there are enough that are wanted at the same time; none if
    /// there are not by `deadline`. The first look is always taken.
    pub(super) async fn until(
        &mut self,
        deadline: impl Future<Output = ()>,
    ) -> Result<Option<Vec<DeliveryView>>, Problem> {
        let mut deadline = pin!(deadline);
        let mut looking: Option<Looking<'a>> = None;
        let mut resting: Option<Pin<Box<tokio::time::Sleep>>> = None;
        let mut has_looked = false;
        loop {
            if has_looked && self.found.len() >= self.count {
                let views = self.confirmed().await?;
                if views.len() >= self.count {
                    return Ok(Some(views));
                }
            }
            if looking.is_none() && resting.is_none() && self.due != Due::default() {
                looking = Some(self.look());
            }
            tokio::select! {
                biased;
                () = &mut deadline, if has_looked => return Ok(None),
                seen = next(&mut looking) => {
                    looking = None;
                    has_looked = true;
                    let seen = seen?;
                    resting = Some(Box::pin(tokio::time::sleep(REST * seen.parts.max(1))));
                    self.take(seen);
                }
                ended = heard(&mut self.ends) => self.hear(ended),
                Ok(()) = self.untold.changed() => self.due.all = true,
                Ok(()) = self.changed.changed() => self.note_change(),
                Ok(()) = self.tail.changed() => {
                    self.due.tail |= self.wanted.statuses.contains(&Status::Filtered);
                }
                () = next(&mut resting) => resting = None,
            }
        }
    }

    fn hear(&mut self, ended: Result<Arc<Ended>, u64>) {
        let Ok(ended) = ended else {
            self.due.all = true;
            return;
        };
        if self.wanted.concerns(&ended) {
            let pair = (ended.event.seq(), ended.endpoint.number);
            match self.wanted.takes(ended.status) {
                true => self.found.insert(pair),
                false => self.found.remove(&pair),
            };
        }
        // Everything else that it had has ended with it.
        self.due.all |= ended.status == Status::Removed && self.wanted.takes(Status::Removed);
    }

    fn note_change(&mut self) {
        self.due.queues |= QUEUED.into_iter().any(|status| self.wanted.takes(status));
        self.due.endpoints |= self.wanted.statuses.contains(&Status::Removed);
    }

    fn take(&mut self, seen: Seen) {
        self.due.all |= seen.removed != self.seen.removed && !seen.everywhere;
        self.found.extend(&seen.pairs);
        self.seen.removed = seen.removed;
        self.seen.last = self.seen.last.max(seen.last);
    }

    fn look(&mut self) -> Looking<'a> {
        let due = std::mem::take(&mut self.due);
        let (admin, wanted, known) = (self.admin, self.wanted, self.seen.last);
        let most = self.count.max(SHOWN_MIN);
        let counts_removed = wanted.statuses.contains(&Status::Removed);
        Box::pin(async move {
            let mut seen = Seen {
                last: *admin.store.tail().borrow(),
                ..Seen::default()
            };
            // Before the deliveries: what goes after this is found by another look.
            if counts_removed {
                let counts = admin
                    .store
                    .queues()
                    .into_iter()
                    .map(|queue| queue.ended.removed);
                seen.removed = counts.sum();
            }
            if due.all {
                seen.everywhere = true;
                seen.add(admin, wanted.query(), most).await?;
                return Ok(seen);
            }
            if due.queues {
                let mut query = wanted.query();
                query.statuses = QUEUED.into();
                query.statuses.retain(|status| wanted.takes(*status));
                seen.add(admin, query, most).await?;
            }
            if due.tail && wanted.seq.is_none() {
                let mut query = wanted.query();
                query.statuses = vec![Status::Filtered];
                query.seqs = Some(known + 1..=seen.last);
                seen.add(admin, query, most).await?;
            }
            Ok(seen)
        })
    }

    /// Those that are wanted as they are in the store now.
    async fn confirmed(&mut self) -> Result<Vec<DeliveryView>, Problem> {
        let pairs: Vec<_> = self.found.iter().rev().copied().collect();
        let read = self.admin.ask(move |store| {
            let views = pairs
                .iter()
                .map(|(seq, endpoint)| store.delivery(*endpoint, *seq));
            views.collect::<Result<Vec<_>, _>>()
        });
        let mut views: Vec<_> = read.await?.into_iter().flatten().collect();
        views.retain(|view| self.wanted.takes(view.status));
        let still = views
            .iter()
            .map(|view| (view.event.seq, view.endpoint.number));
        self.found = still.collect();
        Ok(views)
    }
}

impl Seen {
    /// Adds up to `most` of what the store has, newest event first.
    async fn add(
        &mut self,
        admin: &Admin,
        mut query: DeliveryQuery,
        most: usize,
    ) -> Result<(), Problem> {
        let mut left = most;
        loop {
            query.limit = left;
            // Part by part: for whoever leaves, the rest is not looked for.
            let part = query.clone();
            let part = admin.ask(move |store| store.deliveries(&part)).await?;
            left = left.saturating_sub(part.items.len());
            let found = part.items.iter();
            self.pairs
                .extend(found.map(|view| (view.event.seq, view.endpoint.number)));
            self.parts += 1;
            query.after = part.next;
            if query.after.is_none() || left == 0 {
                return Ok(());
            }
        }
    }
}

/// What `work` comes to; never where there is none.
async fn next<F: Future + Unpin>(work: &mut Option<F>) -> F::Output {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

/// The next end of an attempt, or how many were missed.
async fn heard(ends: &mut Option<broadcast::Receiver<Arc<Ended>>>) -> Result<Arc<Ended>, u64> {
    if let Some(receiver) = ends {
        match receiver.recv().await {
            Ok(ended) => return Ok(ended),
            Err(RecvError::Lagged(missed)) => return Err(missed),
            // Nothing is delivered any more.
            Err(RecvError::Closed) => *ends = None,
        }
    }
    std::future::pending().await
}
