//! One bounded step of a task.

mod under_way;

use std::collections::BTreeSet;

use super::files::FileError;
use super::statuses::Statuses;
use super::task::{Batch, Kind, Place, Request, Span, Task};
use crate::clock::Timestamp;
use crate::endpoint::EndpointState;
use crate::id::Seq;
use crate::store::{
    EndedQuery, EndpointView, FoundDelivery, Store, StoreError, Undelivered, UndeliveredQuery,
};

/// The bounds of a step.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// The most deliveries that it puts back or gives up.
    deliveries: usize,
    /// It puts nothing back to an endpoint that has so many waiting.
    backlog: u64,
    /// With so many to come back to, it first looks which of them have ended.
    under_way: usize,
}

/// Steps small enough that a cancellation is quick and the file short, large enough that the two
/// syncs of a step cost each delivery little. A backlog, for each delivery that is put back takes
/// memory until it has ended, and a log may hold millions. What is come back to is in the file, and a
/// receiver may take as fast as a task discards.
const BOUNDS: Bounds = Bounds {
    deliveries: 512,
    backlog: 100_000,
    under_way: 2_048,
};

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more to do.
    Goes,
    /// There is more to do, but not at this moment: the endpoint has as much waiting as it may, or
    /// all that is left are attempts under way.
    Rests,
    /// There is no more to do.
    Ended,
}

/// Why a step could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task could not be written down.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What a task with this request looks through, as things stand now.
pub(super) fn span(store: &dyn Store, request: &Request) -> Result<Span, StoreError> {
    let (first_endpoint, last_endpoint) = match &request.endpoint {
        // One that is not there is an empty span.
        Some(wanted) => store
            .find_endpoint(wanted)
            .map_or((1, 0), |endpoint| (endpoint.number, endpoint.number)),
        None => {
            let views = store.endpoints()?;
            let numbers = || views.iter().map(|view| view.endpoint.number);
            (numbers().min().unwrap_or(1), numbers().max().unwrap_or(0))
        }
    };
    let (from, until) = positions(store, request.since, request.until)?;
    let expired = store.expired_within(from, until);
    Ok(Span {
        first_endpoint,
        last_endpoint,
        from,
        until,
        expired: expired.map_or(0, |expired| expired.events),
    })
}

/// The first and the last event that were received from `since` on and before `until`. What has
/// expired counts as received right before what came behind it.
///
/// # Errors
/// Those of the store.
pub fn positions(
    store: &dyn Store,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<(Seq, Seq), StoreError> {
    let from = match since {
        Some(since) => store.position_at(since)?,
        None => 1,
    };
    let until = match until {
        Some(until) => store.position_at(until)? - 1,
        None => *store.tail().borrow(),
    };
    Ok((from, until))
}

/// Takes `task` one step further. `save` writes it down, and is called before anything is done.
pub(super) fn step(
    store: &dyn Store,
    task: &mut Task,
    save: impl Fn(&Task) -> Result<(), FileError>,
) -> Result<Step, StepError> {
    step_within(BOUNDS, store, task, save)
}

fn step_within(
    bounds: Bounds,
    store: &dyn Store,
    task: &mut Task,
    save: impl Fn(&Task) -> Result<(), FileError>,
) -> Result<Step, StepError> {
    if let Some(batch) = task.batch.take() {
        // From before a restart.
        task.done += match task.request.kind {
            // What has moved since was put back then.
            Kind::Replay => {
                store.put_back(batch.endpoint, &batch.deliveries)?;
                batch.deliveries.len() as u64
            }
            Kind::Discard => discard(store, task, &batch)?,
        };
    }
    if task.left() == 0 {
        return Ok(Step::Ended);
    }
    if task.place.endpoint > task.span.last_endpoint {
        return under_way::come_back(bounds, store, task, save);
    }
    if task.under_way.values().map(BTreeSet::len).sum::<usize>() >= bounds.under_way
        && under_way::come_back(bounds, store, task, &save)? == Step::Goes
    {
        return Ok(Step::Goes);
    }
    let view = store.endpoint_view(task.place.endpoint)?;
    let Some(view) = view.filter(is_present) else {
        to_next_endpoint(store, task)?;
        return Ok(outlook(task));
    };
    let adds = task.request.kind == Kind::Replay && !task.request.dry_run;
    if adds && view.backlog >= bounds.backlog {
        return Ok(Step::Rests);
    }
    let found = find(bounds, store, task)?;
    if found.items.is_empty() && found.next == Some(task.place.seq) {
        // The backlog is so long that the rest is still in the log alone.
        return Ok(Step::Rests);
    }
    let endpoint = task.place.endpoint;
    if !task.request.dry_run {
        task.come_back_to(endpoint, found.under_way);
    }
    match found.next {
        Some(seq) => task.place.seq = seq,
        None => to_next_endpoint(store, task)?,
    }
    take(store, task, endpoint, found.items, save)?;
    Ok(outlook(task))
}

/// Counts what was found, writes down that it is about to be put back or given up, and does it.
fn take(
    store: &dyn Store,
    task: &mut Task,
    endpoint: u32,
    deliveries: Vec<FoundDelivery>,
    save: impl Fn(&Task) -> Result<(), FileError>,
) -> Result<(), StepError> {
    task.matched += deliveries.len() as u64;
    if deliveries.is_empty() || task.request.dry_run {
        return Ok(());
    }
    task.batch = Some(Batch {
        endpoint,
        deliveries,
    });
    save(task)?;
    if let Some(batch) = task.batch.take() {
        task.done += match task.request.kind {
            Kind::Replay => store.put_back(batch.endpoint, &batch.deliveries)?,
            Kind::Discard => discard(store, task, &batch)?,
        };
    }
    Ok(())
}

/// Whether there is more to do.
fn outlook(task: &Task) -> Step {
    match task.place.endpoint > task.span.last_endpoint && task.under_way.is_empty() {
        true => Step::Ended,
        false => Step::Goes,
    }
}

/// What the task's kind looks for, from its place on.
fn find(bounds: Bounds, store: &dyn Store, task: &Task) -> Result<Undelivered, StoreError> {
    let Place { endpoint, seq } = task.place;
    match task.request.kind {
        Kind::Replay => {
            let status = task.request.status.as_ref();
            let found = store.find_ended(&EndedQuery {
                endpoint,
                from: seq,
                until: task.span.until,
                only_dead: status.is_some_and(Statuses::is_dead),
                kinds: task.request.filter(),
                limit: limit(bounds, task),
            })?;
            Ok(Undelivered {
                items: found.items,
                under_way: Vec::new(),
                next: found.next,
            })
        }
        Kind::Discard => store.find_undelivered(&undelivered(bounds, task, endpoint, seq)),
    }
}

/// What has not arrived at the endpoint, from there on.
fn undelivered(bounds: Bounds, task: &Task, endpoint: u32, from: Seq) -> UndeliveredQuery {
    let status = task.request.status.as_ref();
    UndeliveredQuery {
        endpoint,
        from,
        until: task.span.until,
        only: None,
        statuses: status.map_or(&[][..], Statuses::as_slice).to_vec(),
        kinds: task.request.filter(),
        limit: limit(bounds, task),
    }
}

fn limit(bounds: Bounds, task: &Task) -> usize {
    task.left().min(bounds.deliveries as u64) as usize
}

/// Gives the batch up; says how many. Where one has moved since it was found, an attempt was begun
/// for it, and the task comes back to it.
fn discard(store: &dyn Store, task: &mut Task, batch: &Batch) -> Result<u64, StoreError> {
    let reason = format!("not attempted: discarded by {}", task.id);
    let discarded = store.discard(batch.endpoint, &batch.deliveries, &reason)?;
    task.matched -= discarded.moved.len() as u64;
    task.come_back_to(batch.endpoint, discarded.moved);
    Ok(discarded.count)
}

fn is_present(view: &EndpointView) -> bool {
    view.endpoint.state != EndpointState::Removed
}

fn to_next_endpoint(store: &dyn Store, task: &mut Task) -> Result<(), StoreError> {
    let (here, last) = (task.place.endpoint, task.span.last_endpoint);
    let mut next = None;
    // One by one: to ask for all of them at each would be a hundred million views for ten thousand.
    for number in here.saturating_add(1)..=last {
        if store
            .endpoint_view(number)?
            .is_some_and(|view| is_present(&view))
        {
            next = Some(number);
            break;
        }
    }
    task.place = Place {
        endpoint: next.unwrap_or(last.saturating_add(1)),
        seq: task.span.from,
    };
    Ok(())
}

#[cfg(test)]
mod tests;
