//! What must hold at every request, and whenever nothing more can happen at a moment.

use std::time::Duration;

use redeliver::clock::Timestamp;

use super::contract::Verdict;
use super::ledger::{Arrival, Delivery, Ledger, Safety, Watched, number_in};
use super::plan::Planned;

impl Ledger {
    /// Whether this request may come now.
    pub fn admit(&mut self, index: usize, arrival: &Arrival, now: Timestamp) -> Result<(), String> {
        let (endpoint, seq) = (arrival.delivery.endpoint(), arrival.delivery.seq());
        let watched = self.watched.get(&endpoint).ok_or("nobody has made it")?;
        let planned = watched.planned;
        if planned.index != index {
            return Err(format!("it came to {index}"));
        }
        if watched.open >= planned.concurrency {
            return Err(format!("{} are under way already", watched.open));
        }
        if watched.stop.is_some_and(|stop| stop.turn < self.turn) {
            return Err("nothing may be sent there any more".to_owned());
        }
        if self.gone.contains(&seq) {
            return Err("its event has expired".to_owned());
        }
        self.known(arrival, &planned)?;
        let delivery = self.deliveries.entry((endpoint, seq)).or_default();
        delivery.begin_anew(arrival.number, self.records_until, watched);
        delivery.next(arrival.number, self.incarnation, watched, now)
    }

    /// Whether the body is what a client has put in, under this event's id.
    fn known(&self, arrival: &Arrival, planned: &Planned) -> Result<(), String> {
        let n = number_in(&arrival.body).ok_or("its body has no number")?;
        let posted = self.posted.get(&n).ok_or("nobody has put its event in")?;
        if !arrival.body.contains(&posted.data) {
            return Err(format!("its body is not what was put in: {}", arrival.body));
        }
        if !planned.wants(posted.kind) {
            return Err("its type is not wanted there".to_owned());
        }
        match &posted.acknowledged {
            Some((id, seq)) if (id, *seq) != (&arrival.event, arrival.delivery.seq()) => {
                Err(format!("it was answered as {id}, {seq}"))
            }
            _ => Ok(()),
        }
    }

    /// Everything that could happen at this moment has happened.
    pub fn idle(&mut self, now: Timestamp, places: u32) {
        self.turn += 1;
        self.moments = self.moments.split_off(&now.plus(Duration::from_millis(1)));
        let overdue = self.deliveries.iter().find_map(|(key, delivery)| {
            let timeout = self.watched.get(&key.0)?.planned.vendor.timeout();
            let attempt = delivery.attempts.last()?;
            (attempt.open && now >= attempt.arrived.plus(timeout)).then_some(*key)
        });
        if let Some(key) = overdue {
            self.broken(format!("{key:?} is under way beyond its deadline"));
        }
        let taken: u32 = self.watched.values().map(|watched| watched.open).sum();
        if taken < places
            && let Some((key, due)) = self.deliveries.iter().find_map(|(key, delivery)| {
                let due = self.due(key.0, delivery)?;
                (due <= now).then_some((*key, due))
            })
        {
            self.broken(format!("{key:?} is late: it was due by {due}"));
        }
    }

    /// When the next attempt of `delivery` must have been made at the latest, where there is room
    /// for one and everything about it can be told from outside.
    fn due(&self, endpoint: u32, delivery: &Delivery) -> Option<Timestamp> {
        let watched = self.watched.get(&endpoint)?;
        let in_doubt = watched.interrupted || watched.put_back || watched.refused > 0;
        let last = delivery.attempts.last()?;
        let (ended, verdict) = last.ended?;
        if in_doubt || watched.open > 0 || last.unsure || !self.remembers(last) {
            return None;
        }
        let vendor = watched.planned.vendor;
        let given_up = vendor.attempts_max().is_some_and(|max| last.number >= max);
        if verdict != Verdict::Failed || given_up {
            return None;
        }
        let delay = vendor.delay(last.number);
        Some(ended.plus(delay + vendor.spread(delay)))
    }
}

impl Delivery {
    /// Put back when nothing was known of its attempts any more, it counts them from the first one
    /// again; from the second, where it is known that it was delivered.
    pub(super) fn begin_anew(
        &mut self,
        number: u32,
        records_until: Option<Timestamp>,
        watched: &Watched,
    ) {
        let Some(last) = self.attempts.last() else {
            return;
        };
        let was_delivered = matches!(last.ended, Some((_, Verdict::Delivered)));
        let may_be_first = number == 1 || number == 2 && was_delivered || watched.refused > 0;
        let is_forgotten = !last.open && last.may_be_off_record(records_until);
        // Where nobody outside can tell, it may have ended and been put back.
        let was_put_back = self.put_back || self.unclear;
        if was_put_back && may_be_first && number <= last.number && is_forgotten {
            self.first = number;
            self.attempts.clear();
            self.at_once.clear();
            self.owed = None;
        }
    }

    /// Whether attempt `number` may be made now. Forgets attempts that a crash made forgotten.
    fn next(
        &mut self,
        number: u32,
        incarnation: u32,
        watched: &Watched,
        now: Timestamp,
    ) -> Result<(), String> {
        if self.attempts.last().is_some_and(|last| last.open) {
            return Err("the one before it is under way".to_owned());
        }
        while let Some(last) = self.attempts.last().filter(|last| last.number >= number) {
            if last.incarnation == incarnation {
                return Err(format!("attempt {} was made in this life", last.number));
            }
            if last.safety == Safety::Synced {
                return Err(format!("attempt {} was settled for good", last.number));
            }
            self.attempts.pop();
        }
        let Some(last) = self.attempts.last() else {
            if watched.put_back {
                self.round = number;
            }
            let unseen = number > self.first && watched.refused == 0;
            return if unseen {
                Err("it is not the first".to_owned())
            } else {
                Ok(())
            };
        };
        if number > last.number + 1 && watched.refused == 0 {
            return Err(format!("the one before it was attempt {}", last.number));
        }
        let at_once = self.at_once.range(last.number + 1..=number).next();
        if at_once.is_some() {
            // Those in between met no receiver, and may have come before the new round.
            self.round = number;
        }
        if self.unclear || at_once.is_some() {
            return Ok(());
        }
        // A crash may have made it forgotten, and its repetition have met no receiver.
        let forgotten = last.incarnation != incarnation && last.safety != Safety::Synced;
        if forgotten && watched.refused > 0 {
            return Ok(());
        }
        let Some((ended, verdict)) = last.ended else {
            return Err(format!(
                "attempt {} was cut off and not repeated",
                last.number
            ));
        };
        if verdict == Verdict::Delivered && !last.unsure {
            return Err(format!("it was delivered by attempt {}", last.number));
        }
        if verdict == Verdict::Overdue {
            return Err("it had waited for too long, and was given up".to_owned());
        }
        let failures = last.number.saturating_sub(self.round) + 1;
        let max = watched.planned.vendor.attempts_max();
        let rounds_are_known = !watched.put_back || watched.refused == 0;
        if max.is_some_and(|max| failures >= max) && rounds_are_known {
            return Err(format!("it had been given up after {failures} failures"));
        }
        let waits = (failures..).take((number - last.number) as usize);
        let wait: Duration = waits
            .map(|failures| watched.planned.vendor.delay(failures))
            .sum();
        match now < ended.plus(wait) {
            true => Err(format!(
                "it is early: the one before ended at {ended}, {wait:?} ago at least"
            )),
            false => Ok(()),
        }
    }
}
