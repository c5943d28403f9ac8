//! Reads from the log what the alerts have told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Alerts;
use super::parts::Parts;
use crate::clock::Timestamp;
use crate::config::ALERTS_SOURCE;
use crate::event::Event;
use crate::id::Seq;
use crate::store::{Step, StoreError, Walk};

/// How long reading rests after an error that may pass.
const REST: Duration = Duration::from_secs(1);

/// Reads the log up to where it ends now. Whether to go on: not, if it was stopped meanwhile.
pub(super) async fn remember(alerts: &Arc<Alerts>, parts: &Parts) -> bool {
    let mut stopping = parts.stopping.clone();
    let last = *parts.store.tail().borrow();
    let (mut walk, mut received_at) = (Walk::from(1), None);
    while walk.next() <= last {
        if *stopping.borrow() {
            return false;
        }
        let (store, reader, mut ahead) = (parts.store.clone(), alerts.clone(), walk.clone());
        let reading = move || {
            let received_at = match ahead.step(&*store, last)? {
                Step::Events(events) => reader.take(&events, last),
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

impl Alerts {
    /// Takes in what alerts have told; says when the last event was received that is none of theirs.
    fn take(&self, events: &[Arc<Event>], last: Seq) -> Option<Timestamp> {
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
            if let Some(watched) = by_name.get(name) {
                watched.state().memory.take(content, event.time());
            }
        }
        received_at
    }
}
