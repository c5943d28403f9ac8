//! What must hold when all is over: the log and the record against what the world has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redeliver::delivery::{Attempt as Recorded, Status};
use redeliver::endpoint::EndpointState;
use redeliver::event::Event;
use redeliver::id::Seq;
use redeliver::store::{DeliveryQuery, DeliveryView, EndpointView, Store};

use super::contract::Verdict;
use super::ledger::{Attempt, Ledger, Watched, number_in};

pub type Broken = Result<(), String>;

pub fn ensure(holds: bool, rule: impl FnOnce() -> String) -> Broken {
    if holds { Ok(()) } else { Err(rule()) }
}

/// Nothing that was acknowledged is lost or changed. True at any time.
pub fn kept(ledger: &Ledger, store: &dyn Store) -> Broken {
    for (n, posted) in &ledger.posted {
        let Some((id, seq)) = &posted.acknowledged else {
            continue;
        };
        let found = store.event(*seq).map_err(|error| error.to_string())?;
        if ledger.gone.contains(seq) {
            ensure(found.is_none(), || {
                format!("event {n}, expired as {seq}, has come back")
            })?;
            continue;
        }
        if found.is_none() && ledger.may_be_gone.contains(seq) {
            continue;
        }
        let found = found.ok_or_else(|| format!("event {n}, acknowledged as {seq}, is lost"))?;
        let same = found.id.to_string() == *id && *found.content.body == *posted.data.as_bytes();
        ensure(same, || {
            format!("event {n} is not at {seq} as it was put in")
        })?;
    }
    Ok(())
}

/// What a pass has taken that a crash cut off; what had expired before it has not come back. Nothing
/// that was in the log has gone but for that.
pub fn expired(ledger: &mut Ledger, store: &dyn Store) -> Broken {
    if ledger.logged.is_empty() {
        return Ok(());
    }
    let log = store
        .read(1, usize::MAX)
        .map_err(|error| error.to_string())?;
    let there: BTreeSet<Seq> = log.iter().map(|event| event.seq).collect();
    let back = ledger.gone.intersection(&there).next();
    ensure(back.is_none(), || format!("event {back:?} has come back"))?;
    let absent = ledger.logged.keys().filter(|seq| !there.contains(seq));
    let absent: BTreeSet<Seq> = absent.copied().collect();
    let lost = absent
        .iter()
        .find(|seq| !ledger.gone.contains(seq) && !ledger.may_be_gone.contains(seq));
    ensure(lost.is_none(), || format!("event {lost:?} is lost"))?;
    ledger.gone = absent;
    ledger.bury();
    let query = DeliveryQuery {
        statuses: vec![Status::Pending, Status::Waiting, Status::Dead],
        ..DeliveryQuery::default()
    };
    for delivery in select(store, query)? {
        let key = (delivery.endpoint.number, delivery.event.seq);
        // What has been put back since counts its end.
        let has_ended =
            |number| delivery.status == Status::Dead || number <= delivery.attempt_count;
        ledger.settle_overdue(key, has_ended);
    }
    Ok(())
}

/// Every promise, once nothing is due and nothing is under way.
pub fn all_is_well(ledger: &Ledger, store: &dyn Store) -> Broken {
    kept(ledger, store)?;
    let log = store
        .read(1, usize::MAX)
        .map_err(|error| error.to_string())?;
    once_each(ledger, &log)?;
    let views = store.endpoints().map_err(|error| error.to_string())?;
    for view in &views {
        let number = view.endpoint.number;
        let watched = ledger.watched.get(&number);
        let watched = watched.ok_or_else(|| format!("nobody has made endpoint {number}"))?;
        let deliveries = list(store, number)?;
        within_bounds(ledger, view, watched)?;
        complete(ledger, view, watched, &log, &deliveries)?;
        all_put_back(ledger, view, watched)?;
        for delivery in &deliveries {
            let name = || format!("event {} to endpoint {number}", delivery.event.seq);
            ended(ledger, view, watched, delivery).map_err(|rule| format!("{}: {rule}", name()))?;
        }
        in_order(ledger, watched, view, &log)?;
    }
    Ok(())
}

/// Each event once, without a gap, and none that nobody has put in.
fn once_each(ledger: &Ledger, log: &[Arc<Event>]) -> Broken {
    let mut seen: BTreeSet<u64> = ledger.gone.iter().map(|seq| ledger.logged[seq].n).collect();
    let wanted = (1..).filter(|seq| !ledger.gone.contains(seq));
    for (event, seq) in log.iter().zip(wanted) {
        ensure(event.seq == seq, || {
            format!("a gap in the log before {}", event.seq)
        })?;
        let body = String::from_utf8_lossy(&event.content.body);
        let n = number_in(&body).ok_or("an event has no number")?;
        ensure(ledger.posted.contains_key(&n), || {
            format!("event {n} was never put in")
        })?;
        ensure(seen.insert(n), || format!("event {n} is there twice"))?;
    }
    for (n, posted) in &ledger.posted {
        let in_time = posted.acknowledged.is_some() || posted.sent_in != ledger.incarnation;
        ensure(in_time, || format!("event {n} was never answered"))?;
    }
    Ok(())
}

pub fn list(store: &dyn Store, number: u32) -> Result<Vec<DeliveryView>, String> {
    select(
        store,
        DeliveryQuery {
            endpoint: Some(number),
            ..DeliveryQuery::default()
        },
    )
}

/// Every delivery that is asked for.
pub fn select(store: &dyn Store, mut query: DeliveryQuery) -> Result<Vec<DeliveryView>, String> {
    query.limit = 1000;
    let mut items = Vec::new();
    loop {
        let page = store
            .deliveries(&query)
            .map_err(|error| error.to_string())?;
        items.extend(page.items);
        match page.next {
            Some(after) => query.after = Some(after),
            None => return Ok(items),
        }
    }
}

/// The endpoint gets what was acknowledged between its making and its removal.
fn within_bounds(ledger: &Ledger, view: &EndpointView, watched: &Watched) -> Broken {
    let endpoint = &view.endpoint;
    let removed = endpoint.state == EndpointState::Removed;
    let until = endpoint.until_seq.unwrap_or(Seq::MAX);
    ensure(removed || until == Seq::MAX, || {
        format!("endpoint {} is there and ends at {until}", endpoint.number)
    })?;
    let after = ledger.posted.range(watched.posted_before..);
    let after = after.filter_map(|(_, posted)| posted.acknowledged.as_ref());
    let first = after.map(|(_, seq)| *seq).min().unwrap_or(Seq::MAX);
    let last = watched.stop.map_or(0, |stop| stop.acknowledged);
    ensure(endpoint.from_seq <= first && last < until, || {
        format!(
            "endpoint {} is to get {first} to {last} and gets {} to {until}",
            endpoint.number, endpoint.from_seq
        )
    })
}

/// What the operator was told to be put back was sent again.
fn all_put_back(ledger: &Ledger, view: &EndpointView, watched: &Watched) -> Broken {
    let number = view.endpoint.number;
    if view.endpoint.state == EndpointState::Removed || watched.refused > 0 {
        return Ok(());
    }
    let all = ledger.deliveries.range((number, 0)..=(number, Seq::MAX));
    for ((_, seq), delivery) in all.filter(|((_, seq), _)| !ledger.gone.contains(seq)) {
        let sent = delivery.attempts.last().map_or(0, |last| last.number);
        let owed = delivery.owed.unwrap_or(0);
        ensure(sent >= owed || delivery.unclear, || {
            format!("event {seq} to endpoint {number} was put back and not sent again")
        })?;
    }
    Ok(())
}

/// A delivery for each event that the endpoint wants, and its counters add up.
fn complete(
    ledger: &Ledger,
    view: &EndpointView,
    watched: &Watched,
    log: &[Arc<Event>],
    deliveries: &[DeliveryView],
) -> Broken {
    let endpoint = &view.endpoint;
    let until = endpoint.until_seq.unwrap_or(Seq::MAX);
    let wanted: BTreeSet<Seq> = log
        .iter()
        .filter(|event| (endpoint.from_seq..until).contains(&event.seq))
        .filter(|event| watched.planned.wants(&event.content.kind))
        .map(|event| event.seq)
        .collect();
    let found: BTreeSet<Seq> = deliveries
        .iter()
        .map(|delivery| delivery.event.seq)
        .collect();
    let number = endpoint.number;
    // A replay brings an endpoint events from before its time, too.
    let extra = |seq: &Seq| watched.put_back && *seq < endpoint.from_seq;
    let rest: BTreeSet<Seq> = found.iter().copied().filter(|seq| !extra(seq)).collect();
    ensure(wanted == rest, || {
        format!("endpoint {number} should have deliveries of {wanted:?} and has {found:?}")
    })?;
    let count = |status| deliveries.iter().filter(|d| d.status == status).count() as u64;
    let ended = [view.ended.delivered, view.ended.dead, view.ended.removed];
    let listed = [Status::Delivered, Status::Dead, Status::Removed].map(count);
    let is_removed = endpoint.state == EndpointState::Removed;
    let gone = ledger.gone.iter().filter(|seq| {
        (endpoint.from_seq..until).contains(seq) && watched.planned.wants(&ledger.logged[seq].kind)
    });
    // Dead letters that have expired are counted no more.
    let dead_gone = ledger.dead_gone.range((number, 0)..=(number, Seq::MAX));
    let expired = gone.count() as u64 - dead_gone.count() as u64;
    let sum = |counts: &[u64; 3]| counts.iter().sum::<u64>();
    let counted = match ledger.records_until {
        None => ended == listed,
        // What else has expired is counted still. From before the endpoint's time nobody outside knows
        // how much that was; of a removed one only the sum.
        Some(_) if ended[1] != listed[1] => false,
        Some(_) if watched.put_back => sum(&ended) >= sum(&listed),
        Some(_) => {
            let mut pairs = ended.iter().zip(&listed);
            sum(&ended) == sum(&listed) + expired
                && (is_removed || pairs.all(|(ended, listed)| ended >= listed))
        }
    };
    // What was put back when its endpoint was removed is counted with it; the record shows the
    // earlier round.
    let same = counted || watched.put_back && is_removed;
    ensure(same && view.backlog == 0, || {
        format!(
            "endpoint {number} counts {ended:?}, backlog {}, and lists {listed:?}; {expired} have \
             expired",
            view.backlog
        )
    })
}

/// Exactly one end, and the one that the receiver's answers lead to.
pub fn ended(
    ledger: &Ledger,
    view: &EndpointView,
    watched: &Watched,
    delivery: &DeliveryView,
) -> Broken {
    let seen = ledger
        .deliveries
        .get(&(view.endpoint.number, delivery.event.seq));
    let last = seen.and_then(|seen| seen.attempts.last());
    let verdict = last.and_then(|last| last.ended).map(|(_, verdict)| verdict);
    // Attempts that met no receiver, in rounds that nobody outside can tell apart.
    let put_back = seen.is_some_and(|seen| seen.put_back);
    let unseen_rounds = watched.put_back && watched.refused > 0;
    // What a crash made forgotten may have been repeated without meeting a receiver.
    let forgotten = |last: &Attempt| watched.refused > 0 && !ledger.remembers(last);
    let unsure = unseen_rounds || last.is_some_and(|last| last.unsure || forgotten(last));
    let removed = view.endpoint.state == EndpointState::Removed;
    match delivery.status {
        // What was put back and then met the end of its endpoint stands as before.
        Status::Delivered if removed && put_back => {
            let ever = seen.is_some_and(|seen| seen.delivered_at.is_some());
            ensure(ever || unseen_rounds, || {
                "delivered, by no answer".to_owned()
            })?;
        }
        Status::Dead if removed && put_back => {}
        Status::Delivered => {
            ensure(verdict == Some(Verdict::Delivered), || {
                "delivered, by no answer".to_owned()
            })?;
        }
        Status::Dead => {
            ensure(verdict != Some(Verdict::Delivered) || unsure, || {
                "a dead letter, which was delivered".to_owned()
            })?;
            let max = watched.planned.vendor.attempts_max();
            let round = seen.map_or(1, |seen| seen.round);
            // What is known of it may have expired.
            let seen_last = last.filter(|last| ledger.may_be_off_record(last));
            let attempts = seen_last
                .map_or(0, |last| last.number)
                .max(delivery.attempt_count);
            let failures = (attempts + 1).saturating_sub(round);
            let unclear = unseen_rounds || seen.is_some_and(|seen| seen.unclear);
            let overdue = verdict == Some(Verdict::Overdue);
            // Connections were refused, which nobody has seen, and what is on record has expired.
            let received_at = Some(delivery.event.received_at);
            let untold = watched.refused > 0
                && delivery.attempt_count == 0
                && received_at < ledger.records_until;
            ensure(
                max == Some(failures) || unclear || overdue || untold,
                || format!("dead after {failures} failures"),
            )?;
        }
        Status::Removed => ensure(removed, || "removed, and its endpoint is there".to_owned())?,
        status => return Err(format!("it is {} at the end", status.as_str())),
    }
    if verdict == Some(Verdict::Delivered) && !unsure && !removed {
        ensure(delivery.status == Status::Delivered, || {
            format!("{} although it was delivered", delivery.status.as_str())
        })?;
    }
    if verdict == Some(Verdict::Gone) && !unsure {
        ensure(removed, || {
            "its 410 has not removed the endpoint".to_owned()
        })?;
    }
    let known = last.map_or(0, |last| last.number);
    // A crash may have made the latest forgotten, and nothing have called for another.
    let attempts = seen.into_iter().flat_map(|seen| &seen.attempts);
    let sure = attempts.filter(|a| ledger.remembers(a) && !ledger.may_be_off_record(a));
    let sure = sure.map(|attempt| attempt.number).max().unwrap_or(0);
    let count = delivery.attempt_count;
    let unseen = watched.refused > 0;
    ensure(sure <= count && (count <= known || unseen), || {
        format!("{count} attempts on record, {known} seen, {sure} of them for sure")
    })?;
    recorded_in_time(watched, delivery, unseen_rounds || put_back)
}

/// By the record: numbers without a gap, none begun before it was due.
fn recorded_in_time(watched: &Watched, delivery: &DeliveryView, put_back: bool) -> Broken {
    let from = delivery.attempt_count - delivery.attempts.len() as u32;
    for (attempt, number) in delivery.attempts.iter().zip(from + 1..) {
        ensure(attempt.number == number, || {
            let numbers: Vec<u32> = delivery.attempts.iter().map(|a| a.number).collect();
            format!("attempts {numbers:?} are on record")
        })?;
    }
    let pairs = delivery
        .attempts
        .iter()
        .zip(delivery.attempts.iter().skip(1));
    // What has waited for too long has an attempt on record that was not made.
    let was_made = |attempt: &Recorded| {
        !attempt
            .error
            .as_deref()
            .is_some_and(|e| e.starts_with("not attempted"))
    };
    for (attempt, next) in pairs.filter(|(_, next)| !put_back && was_made(next)) {
        let due = attempt
            .ended_at
            .plus(watched.planned.vendor.delay(attempt.number));
        ensure(next.started_at >= due, || {
            format!("attempt {} is on record as early", next.number)
        })?;
    }
    Ok(())
}

/// Where the order counts, no event is tried before all that came earlier were delivered.
fn in_order(ledger: &Ledger, watched: &Watched, view: &EndpointView, log: &[Arc<Event>]) -> Broken {
    if !watched.planned.vendor.in_order() {
        return Ok(());
    }
    let number = view.endpoint.number;
    let mut delivered: BTreeMap<Seq, u64> = BTreeMap::new();
    for ((_, seq), delivery) in ledger.deliveries.range((number, 0)..=(number, Seq::MAX)) {
        let ended = [delivery.delivered_at, delivery.overdue_at];
        delivered.extend(ended.into_iter().flatten().min().map(|at| (*seq, at)));
    }
    for (seq, at) in &watched.arrivals {
        let earlier = log.iter().map(|event| event.seq);
        let earlier = earlier.filter(|earlier| *earlier >= view.endpoint.from_seq && earlier < seq);
        for earlier in earlier {
            let in_time = delivered
                .get(&earlier)
                .is_some_and(|delivered| delivered < at);
            ensure(in_time, || {
                format!(
                    "endpoint {number} was sent event {seq} before event {earlier} was delivered"
                )
            })?;
        }
    }
    Ok(())
}
