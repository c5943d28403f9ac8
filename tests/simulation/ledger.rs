//! What the world outside has seen, and the rules that it must never see broken.
//!
//! Nothing here asks the product what it thinks: requests, answers, crashes and the clock are all
//! there is to judge by.

use std::collections::{BTreeMap, BTreeSet};

use redeliver::clock::Timestamp;
use redeliver::id::{DeliveryId, Seq};

use super::contract::Verdict;
use super::plan::{Planned, Reply};
use super::retention::Pass;

/// How safe something is that happened between two crashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// In the memory of the process.
    #[default]
    Told,
    /// Survives a kill.
    Written,
    /// Survives a power cut.
    Synced,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub number: u32,
    pub arrived: Timestamp,
    /// When and how it ended; none if a crash cut it off, or as long as it lasts.
    pub ended: Option<(Timestamp, Verdict)>,
    pub open: bool,
    pub incarnation: u32,
    pub safety: Safety,
    /// The clock jumped over its end: nobody can tell who was first, the answer or the deadline.
    pub unsure: bool,
}

/// One event on its way to one endpoint.
#[derive(Debug)]
pub struct Delivery {
    pub attempts: Vec<Attempt>,
    /// The number of the first of those of which something is known.
    pub first: u32,
    /// The number with which the present round of failures began.
    pub round: u32,
    /// The attempts that may leave at once, because the operator has put it back before them.
    pub at_once: BTreeSet<u32>,
    /// The operator was told that it is put back: an attempt of at least this number must come.
    pub owed: Option<u32>,
    /// Whether the operator ever did.
    pub put_back: bool,
    /// Nobody outside can tell whether it was put back, so it is not judged by its rounds.
    pub unclear: bool,
    /// The place, in the order of all requests, of its first success.
    pub delivered_at: Option<u64>,
    /// Likewise, when it had waited for too long for the first time.
    pub overdue_at: Option<u64>,
}

/// Why nothing may be sent to an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    pub turn: u64,
    safety: Safety,
    /// The greatest position that was acknowledged by then.
    pub acknowledged: Seq,
}

/// An endpoint from outside.
#[derive(Debug)]
pub struct Watched {
    pub planned: Planned,
    pub open: u32,
    /// How many events had been put in when it was made, at most.
    pub posted_before: u64,
    /// Connections that the network refused: attempts that no receiver has seen.
    pub refused: u32,
    pub stop: Option<Stop>,
    /// Whether it was ever paused, by whomever, so that nobody outside knows when it went on.
    pub interrupted: bool,
    /// Whether deliveries were ever put back, or began their schedule again.
    pub put_back: bool,
    /// Every request: its event, and its place in the order of all requests.
    pub arrivals: Vec<(Seq, u64)>,
}

/// An event that a client has put in.
#[derive(Clone, Debug)]
pub struct Posted {
    pub kind: &'static str,
    pub data: String,
    pub keyed: bool,
    pub at: Timestamp,
    /// The id and position that were answered.
    pub acknowledged: Option<(String, Seq)>,
    /// How often it was sent, and the life in which it was sent last.
    pub sent: u32,
    pub sent_in: u32,
    /// Answers that call it new, and a duplicate.
    pub new: u32,
    pub duplicates: u32,
}

/// An event of the log, as far as it matters once it has expired.
#[derive(Clone, Debug)]
pub struct Logged {
    /// The number that its client gave it.
    pub n: u64,
    pub kind: String,
}

/// Everything that was seen.
#[derive(Default)]
pub struct Ledger {
    pub posted: BTreeMap<u64, Posted>,
    pub watched: BTreeMap<u32, Watched>,
    pub deliveries: BTreeMap<(u32, Seq), Delivery>,
    /// What a pass was begun with: every event that was ever in the log by then.
    pub logged: BTreeMap<Seq, Logged>,
    /// Of these, what has expired; and what a pass may have taken that a crash cut off.
    pub gone: BTreeSet<Seq>,
    pub may_be_gone: BTreeSet<Seq>,
    /// The dead letters that the last pass was begun with, until it is known which of them have gone.
    dead_before: BTreeSet<(u32, Seq)>,
    /// Dead letters that have expired with their events: they are counted no more.
    pub dead_gone: BTreeSet<(u32, Seq)>,
    /// The life in which the last pass came to its end.
    pub passed_in: Option<u32>,
    /// Attempts that ended before this may not be on record any more.
    pub records_until: Option<Timestamp>,
    /// When receivers are going to do something.
    pub moments: BTreeSet<Timestamp>,
    pub trace: Vec<String>,
    pub violation: Option<String>,
    /// Connections are being closed in good order: an attempt that ends now is none.
    pub draining: bool,
    pub incarnation: u32,
    pub turn: u64,
    order: u64,
}

/// A request as its receiver reads it.
pub struct Arrival {
    pub delivery: DeliveryId,
    pub event: String,
    pub number: u32,
    pub body: String,
}

impl Ledger {
    pub fn note(&mut self, text: String) {
        self.trace.push(text);
    }

    pub fn broken(&mut self, rule: String) {
        self.note(format!("!! {rule}"));
        self.violation.get_or_insert(rule);
    }

    pub fn watch(&mut self, number: u32, planned: Planned) {
        let posted_before = self.posted.len() as u64;
        self.watched.entry(number).or_insert(Watched {
            planned,
            open: 0,
            posted_before,
            refused: 0,
            stop: None,
            interrupted: false,
            put_back: false,
            arrivals: Vec::new(),
        });
    }

    /// A client has been told that its event is on disk.
    pub fn acknowledge(&mut self, n: u64, id: &str, seq: Seq, duplicate: bool) {
        self.note(format!(
            "event {n} is acknowledged as {seq}, {id}, duplicate: {duplicate}"
        ));
        let Some(posted) = self.posted.get_mut(&n) else {
            return;
        };
        let known = (id.to_owned(), seq);
        let before = posted.acknowledged.get_or_insert(known.clone()).clone();
        match duplicate {
            true => posted.duplicates += 1,
            false => posted.new += 1,
        }
        let (new, sent) = (posted.new, posted.sent);
        if before != known {
            self.broken(format!(
                "event {n} was answered as {before:?} and then as {known:?}"
            ));
        }
        if new > 1 || duplicate && sent < 2 {
            self.broken(format!(
                "event {n}, sent {sent} times, was called new {new} times"
            ));
        }
    }

    /// A request has come in. Gives what is to be done with it, unless it breaks a rule.
    pub fn arrive(&mut self, index: usize, arrival: &Arrival, now: Timestamp) -> Option<Reply> {
        let (endpoint, seq) = (arrival.delivery.endpoint(), arrival.delivery.seq());
        let number = arrival.number;
        let name = format!("attempt {number} of event {seq} to endpoint {endpoint}");
        self.note(format!("{now} {name}"));
        if let Err(rule) = self.admit(index, arrival, now) {
            self.broken(format!("{name}: {rule}"));
            return None;
        }
        self.order += 1;
        let (order, incarnation) = (self.order, self.incarnation);
        let watched = self.watched.get_mut(&endpoint)?;
        watched.open += 1;
        watched.arrivals.push((seq, order));
        let reply = watched.planned.reply(seq, number);
        let delivery = self.deliveries.get_mut(&(endpoint, seq))?;
        delivery.attempts.push(Attempt {
            number,
            arrived: now,
            ended: None,
            open: true,
            incarnation,
            safety: Safety::Told,
            unsure: false,
        });
        Some(reply)
    }

    /// A request has been answered, or its connection has ended.
    pub fn end(&mut self, delivery: DeliveryId, number: u32, status: Option<u16>, now: Timestamp) {
        let key = (delivery.endpoint(), delivery.seq());
        let (order, stop) = (self.order, self.stop_now(Safety::Told));
        let (Some(watched), Some(delivery)) =
            (self.watched.get_mut(&key.0), self.deliveries.get_mut(&key))
        else {
            return;
        };
        let Some(attempt) = delivery.attempts.last_mut() else {
            return;
        };
        if !attempt.open || attempt.number != number {
            return;
        }
        attempt.open = false;
        watched.open -= 1;
        if self.draining {
            return;
        }
        let verdict = watched.planned.vendor.verdict(status);
        attempt.ended = Some((now, verdict));
        let late = now >= attempt.arrived.plus(watched.planned.vendor.timeout());
        attempt.unsure |= status.is_some() && late;
        match verdict {
            Verdict::Delivered => {
                delivery.delivered_at.get_or_insert(order);
            }
            Verdict::Gone | Verdict::Paused => {
                watched.interrupted = true;
                if !attempt.unsure {
                    watched.stop.get_or_insert(stop);
                }
            }
            Verdict::Failed | Verdict::Overdue => {}
        }
        self.note(format!(
            "{now} event {} to endpoint {}: {status:?}",
            key.1, key.0
        ));
    }

    fn stop_now(&self, safety: Safety) -> Stop {
        let positions = self.posted.values().filter_map(|p| p.acknowledged.as_ref());
        Stop {
            turn: self.turn,
            safety,
            acknowledged: positions.map(|(_, seq)| *seq).max().unwrap_or(0),
        }
    }

    /// Whether a connection may end at this moment without an answer.
    pub fn given_up(&mut self, delivery: DeliveryId, number: u32, now: Timestamp) {
        let key = (delivery.endpoint(), delivery.seq());
        let attempt = self.deliveries.get(&key).and_then(|d| d.attempts.last());
        let timeout = self.watched.get(&key.0).map(|w| w.planned.vendor.timeout());
        if let (Some(attempt), Some(timeout), false) = (attempt, timeout, self.draining)
            && now < attempt.arrived.plus(timeout)
        {
            self.broken(format!("{key:?} was given up before its deadline"));
        }
        self.end(delivery, number, None, now);
    }

    /// Whether no crash can have made `attempt` forgotten.
    pub fn remembers(&self, attempt: &Attempt) -> bool {
        attempt.incarnation == self.incarnation || attempt.safety == Safety::Synced
    }

    /// The clock is about to pass over moments at which something happens.
    pub fn jump(&mut self) {
        for delivery in self.deliveries.values_mut() {
            for attempt in delivery.attempts.iter_mut().filter(|attempt| attempt.open) {
                attempt.unsure = true;
            }
        }
    }

    /// What has ended is in the log now; if some of it is not `saved` yet, then what was in there
    /// before is as safe as this now.
    pub fn committed(&mut self, safety: Safety, saved: bool) {
        // An attempt of an earlier life may have been forgotten: nothing makes it safe any more.
        let present = self.incarnation;
        let attempts = self.deliveries.values_mut().flat_map(|d| &mut d.attempts);
        for attempt in attempts.filter(|a| a.ended.is_some() && a.incarnation == present) {
            if saved || attempt.safety >= Safety::Written {
                attempt.safety = attempt.safety.max(safety);
            }
        }
        // A stop is synced with the group that it is in, whatever else is in it.
        for stop in self.watched.values_mut().filter_map(|w| w.stop.as_mut()) {
            stop.safety = Safety::Synced;
        }
    }

    /// The process is gone, and whatever was less safe than `least` may be forgotten.
    pub fn crash(&mut self, least: Safety) {
        let ended = self.incarnation;
        self.incarnation += 1;
        self.draining = false;
        self.moments.clear();
        for attempt in self.deliveries.values_mut().flat_map(|d| &mut d.attempts) {
            attempt.open = false;
            // Of an earlier life, what was not safe by its end never will be.
            if attempt.incarnation == ended && attempt.safety >= least {
                attempt.safety = Safety::Synced;
            } else if attempt.safety < Safety::Synced {
                attempt.safety = Safety::Told;
            }
        }
        for watched in self.watched.values_mut() {
            watched.open = 0;
            match &mut watched.stop {
                Some(stop) if stop.safety >= least => stop.safety = Safety::Synced,
                stop => *stop = None,
            }
        }
    }

    /// Whoever pauses it or lets it go on, nobody outside knows when that takes hold.
    pub fn interrupt(&mut self, endpoint: u32) {
        if let Some(watched) = self.watched.get_mut(&endpoint) {
            watched.interrupted = true;
        }
    }

    /// The operator was told that nothing is sent there any more.
    pub fn stopped(&mut self, endpoint: u32) {
        let stop = self.stop_now(Safety::Synced);
        if let Some(watched) = self.watched.get_mut(&endpoint) {
            watched.stop = Some(stop);
        }
    }

    /// The operator asks for an endpoint to go on (A-13: in order, its head goes at once).
    pub fn resumed(&mut self, endpoint: u32) {
        let Some(watched) = self.watched.get_mut(&endpoint) else {
            return;
        };
        watched.stop = None;
        if watched.planned.vendor.in_order() {
            watched.put_back = true;
            for (_, delivery) in self.deliveries_of(endpoint) {
                delivery.start_over();
            }
        }
    }

    fn deliveries_of(
        &mut self,
        endpoint: u32,
    ) -> impl Iterator<Item = (&(u32, Seq), &mut Delivery)> {
        self.deliveries
            .range_mut((endpoint, 0)..=(endpoint, Seq::MAX))
    }

    /// The operator has put back what had ended, or a crash came between.
    pub fn replayed(&mut self, endpoint: u32, only_dead: bool, crashed: bool) {
        let Some(watched) = self.watched.get_mut(&endpoint) else {
            return;
        };
        watched.put_back = true;
        let present = self.incarnation;
        let (max, refused) = (watched.planned.vendor.attempts_max(), watched.refused);
        let gone = self.gone.clone();
        let there = self.deliveries_of(endpoint);
        for (_, delivery) in there.filter(|((_, seq), _)| !gone.contains(seq)) {
            let Some(last) = delivery.attempts.last() else {
                delivery.unclear = true;
                continue;
            };
            let overdue = last.is_overdue();
            let failures = last.number.saturating_sub(delivery.round) + 1;
            let delivered = matches!(last.ended, Some((_, Verdict::Delivered)));
            let dead = overdue || !delivered && max.is_some_and(|max| failures >= max);
            let remembered = last.incarnation == present || last.safety == Safety::Synced;
            delivery.unclear |= crashed || last.unsure || last.ended.is_none() || refused > 0;
            if dead || delivered && !only_dead {
                let owed = remembered && !last.open && !delivery.unclear;
                delivery.start_over();
                delivery.owed = owed.then_some(delivery.round);
            }
        }
    }
}

/// What retention has to do with it.
impl Ledger {
    /// A pass begins: what is due by it has ended by the time that its end is told, or may have, if a
    /// crash comes first.
    pub fn pass(&mut self, pass: &Pass<'_>) {
        self.note(format!("{} a pass: {:?}", pass.now, pass.retention));
        for (seq, event) in &pass.before.events {
            let body = String::from_utf8_lossy(&event.content.body);
            let logged = number_in(&body).map(|n| Logged {
                n,
                kind: event.content.kind.to_string(),
            });
            self.logged.extend(logged.map(|logged| (*seq, logged)));
        }
        self.may_be_gone = pass.may_go();
        self.dead_before = pass.dead();
        let until = pass.records_until();
        self.records_until = self.records_until.max(Some(until));
        let (incarnation, order) = (self.incarnation, self.order);
        for key in pass.overdue() {
            let count = pass.before.keeping[&key].attempt_count;
            let delivery = self.deliveries.entry(key).or_default();
            delivery.forget_behind(count, incarnation);
            if let Some(watched) = self.watched.get(&key.0) {
                delivery.begin_anew(count + 1, self.records_until, watched);
            }
            let is_missing = delivery.attempts.last().is_some_and(|it| it.number > count);
            delivery.overdue_at.get_or_insert(order);
            delivery.attempts.push(Attempt {
                number: count + 1,
                arrived: pass.now,
                ended: Some((pass.now, Verdict::Overdue)),
                open: false,
                incarnation,
                safety: Safety::Told,
                unsure: false,
            });
            if is_missing {
                self.broken(format!(
                    "{key:?} waits, and counts no more than {count} attempts"
                ));
            }
        }
    }

    /// A pass has come to its end, and these have expired for good.
    pub fn passed(&mut self, gone: BTreeSet<Seq>) {
        self.note(format!("a pass: {gone:?} have expired"));
        self.gone.extend(gone);
        self.bury();
        let present = self.incarnation;
        self.passed_in = Some(present);
        let attempts = self.deliveries.values_mut().flat_map(|d| &mut d.attempts);
        for attempt in attempts.filter(|a| a.incarnation == present && a.is_overdue()) {
            attempt.safety = attempt.safety.max(Safety::Written);
        }
    }

    /// What has gone of what a pass might take is known.
    pub fn bury(&mut self) {
        self.may_be_gone.clear();
        let dead = std::mem::take(&mut self.dead_before).into_iter();
        let gone = dead.filter(|(_, seq)| self.gone.contains(seq));
        self.dead_gone.extend(gone);
    }

    /// A crash may have made a pass forgotten that ended a delivery by such an attempt: the next start
    /// tells whether it `has_ended`.
    pub fn settle_overdue(&mut self, key: (u32, Seq), has_ended: impl Fn(u32) -> bool) {
        let Some(delivery) = self.deliveries.get_mut(&key) else {
            return;
        };
        let is_unsettled = |last: &&mut Attempt| last.is_overdue() && last.safety < Safety::Synced;
        let Some(last) = delivery.attempts.last_mut().filter(is_unsettled) else {
            return;
        };
        match has_ended(last.number) {
            true => last.safety = Safety::Synced,
            false => drop(delivery.attempts.pop()),
        }
    }

    /// Whether what is on record of `attempt` may have expired.
    pub fn may_be_off_record(&self, attempt: &Attempt) -> bool {
        attempt.may_be_off_record(self.records_until)
    }
}

impl Attempt {
    fn is_overdue(&self) -> bool {
        matches!(self.ended, Some((_, Verdict::Overdue)))
    }

    pub fn may_be_off_record(&self, until: Option<Timestamp>) -> bool {
        let ended = self.ended.map_or(self.arrived, |(at, _)| at);
        until.is_some_and(|until| ended < until)
    }
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            attempts: Vec::new(),
            first: 1,
            round: 1,
            at_once: BTreeSet::new(),
            owed: None,
            put_back: false,
            unclear: false,
            delivered_at: None,
            overdue_at: None,
        }
    }
}

impl Delivery {
    /// It waits behind so many attempts: crashes made the rest forgotten.
    fn forget_behind(&mut self, count: u32, incarnation: u32) {
        let is_forgotten = |last: &Attempt| {
            let is_sure = last.incarnation == incarnation || last.safety == Safety::Synced;
            last.number > count && !is_sure
        };
        while self.attempts.last().is_some_and(is_forgotten) {
            self.attempts.pop();
        }
    }

    /// It may leave at once, and its failures are counted from the start.
    fn start_over(&mut self) {
        let Some(last) = self.attempts.last() else {
            return;
        };
        self.put_back = true;
        self.round = if last.open {
            last.number
        } else {
            last.number + 1
        };
        if !last.open {
            self.at_once.insert(self.round);
        }
    }
}

/// The number that a client has put into its event.
pub fn number_in(body: &str) -> Option<u64> {
    let (_, rest) = body.split_once("\"n\":")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
