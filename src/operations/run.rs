//! Looks when something was noticed, and puts what follows into the log.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use super::disk::Disk;
use super::memory::Keeping;
use super::notice::Notice;
use super::plan::plan;
use super::told::Told;
use super::{LOOKING, Operations};
use crate::clock::{SharedClock, Timestamp};
use crate::inbound::Ingest;
use crate::store::kept::Kept;
use crate::store::{QueueView, Store};

/// The file in which what was told is kept.
pub const KEPT: &str = "operations.json";

/// How long it rests, in the machine's own time, when the log can be neither read nor written.
pub(super) const REST: Duration = Duration::from_secs(1);

/// How often the disk is looked at, in the machine's own time: it fills by that, whatever clock the
/// broker runs on, and others than the broker fill it too.
const LOOK_AT_DISK: Duration = Duration::from_secs(5);

/// Events that are put into the log at once, at most: a busy store has room for few before it has
/// room for many.
const AT_ONCE: usize = 64;

/// What it needs.
#[derive(Clone)]
pub struct Parts {
    /// The log, and how queues stand.
    pub store: Arc<dyn Store>,
    /// The way into the log.
    pub ingest: Ingest,
    /// The broker's clock.
    pub clock: SharedClock,
    /// Free disk space below which no event is taken.
    pub disk_reserve_bytes: u64,
    /// Where what was told is kept.
    pub kept: Kept,
    /// Turns true when it is time to end.
    pub stopping: watch::Receiver<bool>,
}

/// Tells until `stopping` turns true.
pub async fn run(operations: Arc<Operations>, mut parts: Parts) {
    let Some(mut told) = parts.remember().await else {
        return;
    };
    let mut keeping = Keeping::default();
    parts.tell_on(&operations, &mut told, &mut keeping).await;
    parts.keep(&told, &mut keeping).await;
}

/// It cannot be told now; the log says why.
struct Failed;

impl Operations {
    /// What is noticed from here on is looked at again.
    fn begin(&self) {
        self.noticed().wanted = false;
    }

    /// Everything up to `now` is told; the next look is at `look_at`, when an endpoint will have
    /// been failing for long enough, or when something is noticed.
    fn rest(&self, look_at: Option<Timestamp>, now: Timestamp) {
        let mut noticed = self.noticed();
        let failing = noticed.streaks.next_failing(&self.config, now);
        noticed.look_at = look_at.into_iter().chain(failing).min();
        if !noticed.wanted && noticed.unsettled.is_empty() {
            let never = Timestamp::from_millis(i64::MAX);
            noticed.slot.waits_until(noticed.look_at.unwrap_or(never));
        }
    }
}

impl Parts {
    /// Tells whatever there is to tell, until it is time to end.
    async fn tell_on(&mut self, operations: &Operations, told: &mut Told, keeping: &mut Keeping) {
        let mut look = operations.look.subscribe();
        loop {
            look.mark_unchanged();
            operations.begin();
            // What is due behind it, while this is being told, is looked at next.
            let now = self.clock.now();
            let look_at = match self.tell(operations, told, now).await {
                Ok(look_at) => look_at,
                Err(Failed) => {
                    if !self.rests(REST).await {
                        return;
                    }
                    continue;
                }
            };
            operations.rest(look_at, now);
            let mut stopping = self.stopping.clone();
            // Not begun anew by each attempt that ends.
            let mut disk = pin!(self.disk_is_news(told));
            loop {
                let again = operations.noticed().look_at;
                let again = again.map(|at| self.clock.sleep_until(at));
                let again = async {
                    match again {
                        Some(sleep) => sleep.await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    () = async { drop(stopping.wait_for(|stop| *stop).await) } => return,
                    _ = look.changed() => {
                        // It may only be due sooner.
                        if operations.noticed().wanted {
                            break;
                        }
                    }
                    () = again => break,
                    () = &mut disk => break,
                    () = keeping.is_due(told) => self.keep(told, keeping).await,
                }
            }
        }
    }

    /// Tells all that follows at `now`. When to look again.
    async fn tell(
        &self,
        operations: &Operations,
        told: &mut Told,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Failed> {
        let own_dead = operations.noticed().own_dead.clone();
        let queues = self.store.queues();
        let planned = {
            let mut noticed = operations.noticed();
            let noticed = &mut *noticed;
            noticed.slot.works_until(now.plus(LOOKING));
            let present = |number: u32| {
                let at = queues.binary_search_by_key(&number, |queue| queue.endpoint.number);
                at.is_ok()
            };
            noticed.streaks.retain(present);
            // What was told before the last start is known from here on.
            noticed.streaks.tell(failing(told, &queues));
            let own_dead = |number| noticed.own_dead.steady_since(&own_dead, number);
            let (config, streaks) = (&operations.config, &mut noticed.streaks);
            plan(config, &queues, streaks, told, own_dead, now)
        };
        let disk = self.disk_news(told).await;
        let disk = disk.map(|(kind, disk)| Notice::disk(kind, disk, now));
        let notices = disk.iter().chain(&planned.notices);
        let events: Vec<_> = notices.map(|it| it.event(now)).collect();
        for events in events.chunks(AT_ONCE) {
            if let Err(problem) = self.ingest.keep(events.to_vec()).await {
                tracing::warn!(%problem, "operational events are not in the log yet; trying again");
                return Err(Failed);
            }
            for event in events {
                told.take_new(event);
            }
        }
        let mut noticed = operations.noticed();
        noticed.streaks.tell(failing(told, &queues));
        let is_troubled = noticed.is_troubled();
        operations.is_troubled.store(is_troubled, Ordering::Release);
        Ok(planned.look_at)
    }

    /// Resolves when something about the disk is to be told.
    async fn disk_is_news(&self, told: &Told) {
        loop {
            tokio::time::sleep(LOOK_AT_DISK).await;
            if self.disk_news(told).await.is_some() {
                return;
            }
        }
    }

    /// What is to be told of the disk now, if anything is.
    async fn disk_news(&self, told: &Told) -> Option<(&'static str, Disk)> {
        let store = self.store.clone();
        let looking = tokio::task::spawn_blocking(move || store.figures().free_bytes);
        // One that cannot be looked at is not told about.
        let free_bytes = looking.await.ok().flatten()?;
        let disk = Disk {
            free_bytes,
            reserve_bytes: self.disk_reserve_bytes,
        };
        Some((disk.news(told.disk_is_low())?, disk))
    }

    /// Waits for so long of the machine's own time. Whether to go on.
    pub(super) async fn rests(&mut self, time: Duration) -> bool {
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stop| *stop) => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}

/// The numbers of those endpoints that were told to be failing.
fn failing(told: &Told, queues: &[QueueView]) -> Vec<u32> {
    let told = queues
        .iter()
        .filter(|queue| told.of(queue.endpoint.id).is_failing);
    told.map(|queue| queue.endpoint.number).collect()
}
