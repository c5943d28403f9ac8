//! Reads from the log what the alerts have told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Alerts;
use super::watch::Parts;
use crate::clock::Timestamp;
use crate::config::ALERTS_SOURCE;
use crate::event::Event;
use crate::id::Seq;
use crate::store::StoreError;

/// How many events are read at once at first, and at most.
const AT_ONCE: usize = 32;
const AT_ONCE_MAX: usize = 1024;

/// How many bytes of bodies are read at once, about: the number of events follows from it.
const BYTES_AT_ONCE: usize = 1 << 20;

/// How long reading rests after an error that may pass.
const REST: Duration = Duration::from_secs(1);

/// Reads the log up to where it ends now. Whether to go on: not, if it was stopped meanwhile.
pub(super) async fn remember(alerts: &Arc<Alerts>, parts: &Parts) -> bool {
    let mut stopping = parts.stopping.clone();
    let last = *parts.store.tail().borrow();
    let (mut next, mut at_once, mut received_at) = (1, AT_ONCE, None);
    while next <= last {
        if *stopping.borrow() {
            return false;
        }
        let (store, reader) = (parts.store.clone(), alerts.clone());
        let reading = move || {
            let events = store.read(next, at_once)?;
            Ok(reader.take(&events, last))
        };
        match tokio::task::spawn_blocking(reading).await {
            Ok(Ok(Some(read))) => {
                next = read.reached + 1;
                received_at = read.received_at.or(received_at);
                at_once = match read.bytes {
                    0..BYTES_AT_ONCE => at_once * 2,
                    _ => at_once / 2,
                };
                at_once = at_once.clamp(1, AT_ONCE_MAX);
            }
            // All that is left was given up for lost.
            Ok(Ok(None)) => break,
            Ok(Err(StoreError::Damaged { from, to, what })) => {
                tracing::warn!(from, to, %what, "an alert that was told in damaged events may be told again");
                next = next.max(to) + 1;
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

/// What was read.
struct Read {
    reached: Seq,
    bytes: usize,
    /// When the last event was received that is none of an alert.
    received_at: Option<Timestamp>,
}

impl Alerts {
    fn take(&self, events: &[Arc<Event>], last: Seq) -> Option<Read> {
        let mut read = Read {
            reached: events.last()?.seq,
            bytes: 0,
            received_at: None,
        };
        let each = self.each.iter();
        let by_name: HashMap<&str, _> = each.map(|each| (&*each.alert.name, each)).collect();
        for event in events.iter().filter(|event| event.seq <= last) {
            let content = &event.content;
            read.bytes += content.body.len();
            if &*content.source != ALERTS_SOURCE {
                read.received_at = Some(event.received_at);
                continue;
            }
            let name = content.subject.as_deref().unwrap_or_default();
            if let Some(watched) = by_name.get(name) {
                watched.state().memory.take(content, event.time());
            }
        }
        Some(read)
    }
}
