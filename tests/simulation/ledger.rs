//! What the world outside has seen, and the rules that it must never see broken.
//!
//! Nothing here asks the product what it thinks: requests, answers, crashes and the clock are all
//! there is to judge by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use redeliver::clock::Timestamp;
use redeliver::id::{DeliveryId, Seq};

use super::plan::{Planned, Reply};
use super::rules::Verdict;

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
    incarnation: u32,
    safety: Safety,
    /// The clock jumped over its end: nobody can tell who was first, the answer or the deadline.
    pub unsure: bool,
}

/// One event on its way to one endpoint.
#[derive(Debug)]
pub struct Delivery {
    pub attempts: Vec<Attempt>,
    /// The number with which the present round of failures began.
    pub round: u32,
    /// The attempts that may leave at once, because the operator has put it back before them.
    at_once: BTreeSet<u32>,
    /// Whether the operator ever did.
    pub put_back: bool,
    /// Nobody outside can tell whether it was put back, so it is not judged by its rounds.
    pub unclear: bool,
    /// The place, in the order of all requests, of its first success.
    pub delivered_at: Option<u64>,
}

/// Why nothing may be sent to an endpoint.
#[derive(Clone, Copy, Debug)]
struct Stop {
    turn: u64,
    safety: Safety,
}

/// An endpoint from outside.
#[derive(Debug)]
pub struct Watched {
    pub planned: Planned,
    open: u32,
    /// Connections that the network refused: attempts that no receiver has seen.
    pub refused: u32,
    stop: Option<Stop>,
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
}

/// Everything that was seen.
#[derive(Default)]
pub struct Ledger {
    pub posted: BTreeMap<u64, Posted>,
    pub watched: BTreeMap<u32, Watched>,
    pub deliveries: BTreeMap<(u32, Seq), Delivery>,
    /// When receivers are going to do something.
    pub moments: BTreeSet<Timestamp>,
    pub trace: Vec<String>,
    pub violation: Option<String>,
    /// Connections are being closed in good order: an attempt that ends now is none.
    pub draining: bool,
    incarnation: u32,
    turn: u64,
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
        self.watched.entry(number).or_insert(Watched {
            planned,
            open: 0,
            refused: 0,
            stop: None,
            put_back: false,
            arrivals: Vec::new(),
        });
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

    fn admit(&mut self, index: usize, arrival: &Arrival, now: Timestamp) -> Result<(), String> {
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
        self.known(arrival, &planned)?;
        let delivery = self.deliveries.entry((endpoint, seq)).or_insert(Delivery {
            attempts: Vec::new(),
            round: 1,
            at_once: BTreeSet::new(),
            put_back: false,
            unclear: false,
            delivered_at: None,
        });
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

    /// A request has been answered, or its connection has ended.
    pub fn end(&mut self, delivery: DeliveryId, number: u32, status: Option<u16>, now: Timestamp) {
        let key = (delivery.endpoint(), delivery.seq());
        let (order, turn) = (self.order, self.turn);
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
            Verdict::Gone | Verdict::Paused if !attempt.unsure => {
                let safety = Safety::Told;
                watched.stop.get_or_insert(Stop { turn, safety });
            }
            _ => {}
        }
        self.note(format!(
            "{now} event {} to endpoint {}: {status:?}",
            key.1, key.0
        ));
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

    /// Everything that could happen at this moment has happened.
    pub fn idle(&mut self, now: Timestamp) {
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
    }

    /// The clock is about to pass over moments at which something happens.
    pub fn jump(&mut self) {
        for delivery in self.deliveries.values_mut() {
            for attempt in delivery.attempts.iter_mut().filter(|attempt| attempt.open) {
                attempt.unsure = true;
            }
        }
    }

    /// What has ended is in the log now.
    pub fn committed(&mut self, safety: Safety) {
        // An attempt of an earlier life may have been forgotten: nothing makes it safe any more.
        let present = self.incarnation;
        let attempts = self.deliveries.values_mut().flat_map(|d| &mut d.attempts);
        for attempt in attempts.filter(|a| a.ended.is_some() && a.incarnation == present) {
            attempt.safety = attempt.safety.max(safety);
        }
        for stop in self.watched.values_mut().filter_map(|w| w.stop.as_mut()) {
            stop.safety = stop.safety.max(safety);
        }
    }

    /// The process is gone, and whatever was less safe than `least` may be forgotten.
    pub fn crash(&mut self, least: Safety) {
        self.incarnation += 1;
        self.draining = false;
        self.moments.clear();
        for attempt in self.deliveries.values_mut().flat_map(|d| &mut d.attempts) {
            attempt.open = false;
            if attempt.safety >= least {
                attempt.safety = Safety::Synced;
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

    /// The operator was told that nothing is sent there any more.
    pub fn stopped(&mut self, endpoint: u32) {
        let (turn, safety) = (self.turn, Safety::Synced);
        if let Some(watched) = self.watched.get_mut(&endpoint) {
            watched.stop = Some(Stop { turn, safety });
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
        let (max, refused) = (watched.planned.vendor.attempts_max(), watched.refused);
        for (_, delivery) in self.deliveries_of(endpoint) {
            let Some(last) = delivery.attempts.last() else {
                delivery.unclear = true;
                continue;
            };
            let failures = last.number.saturating_sub(delivery.round) + 1;
            let delivered = matches!(last.ended, Some((_, Verdict::Delivered)));
            let dead = !delivered && max.is_some_and(|max| failures >= max);
            delivery.unclear |= crashed || last.unsure || last.ended.is_none() || refused > 0;
            if dead || delivered && !only_dead {
                delivery.start_over();
            }
        }
    }
}

impl Delivery {
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
            let unseen = number > 1 && watched.refused == 0;
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
        let failures = last.number.saturating_sub(self.round) + 1;
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

/// The number that a client has put into its event.
pub fn number_in(body: &str) -> Option<u64> {
    let (_, rest) = body.split_once("\"n\":")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
