//! Reads from the log what the alerts have told, and keeps beside it what may outlive that: the
//! condition that still holds a month later, and the numbers of keys that nobody may use again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Alerts;
use super::memory::{Condition, VISITOR};
use super::parts::Parts;
use crate::clock::Timestamp;
use crate::config::ALERTS_SOURCE;
use crate::event::Event;
use crate::id::Seq;
use crate::store::{Step, StoreError, Walk};

/// How long reading rests after an error that may pass.
const REST: Duration = Duration::from_secs(1);

/// What was told of each alert's condition, by its name.
pub(super) type Conditions = BTreeMap<String, Condition>;

/// Reads the log up to where it ends now. Whether to go on: not, if it was stopped meanwhile.
pub(super) async fn remember(alerts: &Arc<Alerts>, parts: &Parts) -> bool {
    let mut stopping = parts.stopping.clone();
    let last = *parts.store.tail().borrow();
    let kept = parts.kept.clone();
    let kept = tokio::task::spawn_blocking(move || kept.read::<Conditions>(last));
    let kept = alerts.resume(kept.await.ok().flatten());
    let kept = Arc::new(kept);
    let (mut walk, mut received_at) = (Walk::from(1), None);
    while walk.next() <= last {
        if *stopping.borrow() {
            return false;
        }
        let (store, reader, mut ahead) = (parts.store.clone(), alerts.clone(), walk.clone());
        let kept = kept.clone();
        let reading = move || {
            let received_at = match ahead.step(&*store, last)? {
                Step::Events(events) => reader.take(&events, last, &kept),
                Step::Damaged { from, to, what } => {
                    tracing::warn!(from, to, %what, "an alert that was told in damaged events may be told again");
                    None
                }
                Step::End => None,
            };
            Ok((ahead, received_at))
        };
        match tokio::task::spawn_blocking(reading).await {
            Ok(Ok((ahead, latest))) => {
                walk = ahead;
                received_at = latest.or(received_at);
            }
            Ok(Err(StoreError::Stopped(_))) => return false,
            Ok(Err(error)) => {
                tracing::error!(%error, "the log cannot be read for the alerts; trying again");
                tokio::select! {
                    () = tokio::time::sleep(REST) => {}
                    stopped = stopping.wait_for(|stop| *stop) => drop(stopped),
                }
            }
            Err(panic) => {
                tracing::error!(%panic, "the alerts are not checked");
                return false;
            }
        }
    }
    for watched in &alerts.each {
        watched.state().begin(watched.alert.rule, received_at);
    }
    true
}

/// Up to where in the log the conditions of some alerts are known by what was kept.
type Until = HashMap<String, Seq>;

/// Keeps what was told of conditions; whoever tells has to wait meanwhile.
pub(super) async fn keep(alerts: &Arc<Alerts>, parts: &Parts) {
    let until = *parts.store.tail().borrow();
    let (kept, conditions) = (parts.kept.clone(), alerts.conditions());
    let writing = tokio::task::spawn_blocking(move || kept.write(&conditions, until));
    match writing.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "what alerts have told cannot be kept: retention may have it told again");
        }
        Err(panic) => tracing::error!(%panic, "what alerts have told is not kept"),
    }
}

impl Alerts {
    /// Goes on from what was kept, up to its position of the log; says of which alerts that was.
    fn resume(&self, kept: Option<(Conditions, Seq)>) -> Until {
        let Some((mut conditions, until)) = kept else {
            return Until::new();
        };
        let mut known = Until::new();
        for watched in &self.each {
            let name = &watched.alert.name;
            if let Some(condition) = conditions.remove(name) {
                watched.state().memory.resume(condition);
                known.insert(name.clone(), until);
            }
        }
        *self.others.lock().unwrap_or_else(PoisonError::into_inner) = conditions;
        known
    }

    fn conditions(&self) -> Conditions {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let mut conditions = others.clone();
        let each = self.each.iter();
        conditions.extend(each.map(|watched| {
            let condition = watched.state().memory.condition().clone();
            (watched.alert.name.clone(), condition)
        }));
        conditions
    }

    /// Takes in what alerts have told; says when the last event was received that is none of theirs.
    fn take(&self, events: &[Arc<Event>], last: Seq, kept: &Until) -> Option<Timestamp> {
        let each = self.each.iter();
        let by_name: HashMap<&str, _> = each.map(|each| (&*each.alert.name, each)).collect();
        let mut received_at = None;
        for event in events.iter().filter(|event| event.seq <= last) {
            let content = &event.content;
            if &*content.source != ALERTS_SOURCE {
                received_at = Some(event.received_at);
                continue;
            }
            let name = content.subject.as_deref().unwrap_or_default();
            let is_known = kept.get(name).is_some_and(|until| event.seq <= *until);
            if is_known && &*content.kind != VISITOR {
                continue;
            }
            if let Some(watched) = by_name.get(name) {
                watched.state().memory.take(content, event.time());
            }
        }
        received_at
    }
}
