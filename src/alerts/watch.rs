//! Looks at every alert's website at its times, and tells what is found.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::memory::VISITOR;
use super::notice::Notice;
use super::parts::Parts;
use super::state::settled_until;
use super::{Alerts, Watched, remember};
use crate::analytics::Analytics;
use crate::clock::Timestamp;
use crate::deliver::agenda::Slot;
use crate::id::Seq;

/// Watches until `stopping` turns true. Each alert is on the agenda, and due, from this call on: an
/// advance that comes before the first look is answered behind it.
pub fn watch(alerts: Arc<Alerts>, parts: Parts) -> impl Future<Output = ()> {
    let now = parts.clock.now();
    let each = alerts.each.iter();
    let slots: Vec<Slot> = each.map(|_| parts.agenda.join(now)).collect();
    watch_all(alerts, parts, slots)
}

async fn watch_all(alerts: Arc<Alerts>, parts: Parts, slots: Vec<Slot>) {
    if !remember::remember(&alerts, &parts).await {
        return;
    }
    let mut tasks = JoinSet::new();
    for (number, slot) in slots.into_iter().enumerate() {
        let (alerts, parts) = (alerts.clone(), parts.clone());
        tasks.spawn(async move { parts.watch_one(alerts, number, slot).await });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(panic) = ended {
            tracing::error!(%panic, "an alert is not checked any more");
        }
    }
}

impl Parts {
    async fn watch_one(mut self, alerts: Arc<Alerts>, number: usize, slot: Slot) {
        let watched = &alerts.each[number];
        let every = watched.alert.every;
        loop {
            // Before the log is caught up with: what comes later belongs to the next look.
            let (moment, tail) = (self.clock.moment(), *self.store.tail().borrow());
            slot.works_until(moment.now.plus(every));
            if !self.caught_up(tail).await {
                return;
            }
            let settled = self.check(&alerts, number, moment.now, &slot).await;
            // By the time that passes evenly; a clock that has jumped makes up for one check.
            let mut due = moment.steady().plus(every);
            // No other clock passes a month at once, and none of them is never set.
            if let Some(until) = settled.filter(|_| self.clock.manual().is_some()) {
                let Some(next) = self.rest(watched, (moment.now, tail), until, &slot).await else {
                    return;
                };
                due = next;
            }
            if !self.reaches(due, &slot).await {
                return;
            }
        }
    }

    /// Waits until everything up to `wanted` is counted. Whether to go on.
    async fn caught_up(&mut self, wanted: Seq) -> bool {
        let mut reached = self.analytics.reached();
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stop| *stop) => false,
            there = reached.wait_for(|seq| *seq >= wanted) => there.is_ok(),
        }
    }

    /// Leaves out, after a look at `now` with the log ending at `tail`, those looks before `until`
    /// that would find the same; until something comes into the log. Says when the next look is due,
    /// unless it is time to end.
    async fn rest(
        &mut self,
        watched: &Watched,
        (now, tail): (Timestamp, Seq),
        until: Timestamp,
        slot: &Slot,
    ) -> Option<Timestamp> {
        let every = watched.alert.every;
        let first = look_from(until, now, every);
        let mut log = self.store.tail();
        // Before it is told, upon which the clock may be moved.
        let sleep = self.clock.sleep_until(first);
        watched.state().rests = true;
        slot.rests_until(first, tail);
        let due = tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stop| *stop) => return None,
            more = log.wait_for(|end| *end > tail) => {
                more.ok()?;
                look_from(self.clock.now().moved(1), now, every)
            }
            () = sleep => first,
        };
        let last = due.moved(-millis(every));
        watched.state().checked(last.max(now));
        Some(due)
    }

    /// Waits until the time that passes evenly is `due`. Whether to go on.
    async fn reaches(&mut self, due: Timestamp, slot: &Slot) -> bool {
        loop {
            let moment = self.clock.moment();
            if moment.steady() >= due {
                return true;
            }
            let shown = due.moved(moment.stepped_ms);
            // Before it is told, upon which the clock may be moved.
            let sleep = self.clock.sleep_until(shown);
            slot.waits_until(shown);
            tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stop| *stop) => return false,
                () = sleep => {}
            }
        }
    }

    /// One check. What cannot be told is told before the next one looks. Says until when the next
    /// ones would find the same if nothing came, unless something is still to be told.
    async fn check(
        &self,
        alerts: &Arc<Alerts>,
        number: usize,
        now: Timestamp,
        slot: &Slot,
    ) -> Option<Timestamp> {
        let watched = &alerts.each[number];
        loop {
            if !self.tell(alerts, watched, now, slot).await {
                return None;
            }
            let (looking, analytics) = (alerts.clone(), self.analytics.clone());
            let look = move || looking.each[number].look(&analytics, now);
            let looked = tokio::task::spawn_blocking(look).await;
            let (again, settled) = looked.unwrap_or_else(|error| {
                let alert = &*watched.alert.name;
                tracing::error!(%error, alert, "a check of the alert ended in a panic");
                (false, now)
            });
            if !self.tell(alerts, watched, now, slot).await {
                return None;
            }
            if !again {
                watched.state().checked(now);
                return Some(settled);
            }
        }
    }

    /// Puts the outbox into the log. Whether it is empty.
    async fn tell(
        &self,
        alerts: &Arc<Alerts>,
        watched: &Watched,
        now: Timestamp,
        slot: &Slot,
    ) -> bool {
        loop {
            let first = watched.state().outbox.front().cloned();
            let Some(event) = first else {
                return true;
            };
            // A piece of work each: many take longer than anybody is patient with one.
            slot.works_until(now.plus(watched.alert.every));
            let is_condition = &*event.kind != VISITOR;
            let _turn = alerts.turn.lock().await;
            // One by one: a busy store has room for one long before it has room for many.
            if let Err(problem) = self.ingest.keep(vec![event]).await {
                let alert = &*watched.alert.name;
                tracing::warn!(%problem, alert, "the alert is not in the log yet; trying again at its next check");
                return false;
            }
            watched.state().told();
            if is_condition {
                remember::keep(alerts, self).await;
            }
        }
    }
}

/// The first look from `from` on, after one at `now`, when they are `every` apart.
fn look_from(from: Timestamp, now: Timestamp, every: Duration) -> Timestamp {
    let every_ms = millis(every).max(1);
    let wait_ms = from.as_millis().saturating_sub(now.as_millis()).max(1);
    let looks = wait_ms / every_ms + i64::from(wait_ms % every_ms > 0);
    now.moved(looks.saturating_mul(every_ms))
}

/// The last look up to `now`, after one at `at`, when they are `every` apart.
pub(super) fn last_look(now: Timestamp, at: Timestamp, every: Duration) -> Timestamp {
    look_from(now.moved(1), at, every).moved(-millis(every))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Watched {
    /// Whether to look again at once, and until when the next looks would find the same.
    fn look(&self, analytics: &Analytics, now: Timestamp) -> (bool, Timestamp) {
        let notice = Notice {
            alert: &self.alert,
            website: &self.website,
            now,
        };
        let site = analytics.site(self.number);
        let again = self.state().look(&notice, &site);
        (again, settled_until(self.alert.rule, &site, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_are_left_out_leave_the_others_where_they_were() {
        let at = Timestamp::from_millis;
        let look = |from| look_from(at(from), at(100), Duration::from_millis(60));
        assert_eq!([look(0), look(100), look(101), look(160)], [at(160); 4]);
        assert_eq!([look(161), look(220)], [at(220); 2]);
        assert_eq!(look(i64::MAX), at(i64::MAX));
    }
}
