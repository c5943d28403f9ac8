//! What a source has told before, read back from the log, the newest first.

use std::sync::Arc;
use std::time::Duration;

use super::memory::Memory;
use crate::clock::Timestamp;
use crate::event::Event;
use crate::id::Seq;
use crate::store::{Store, StoreError};

/// How far back is read: a visitor list covers a day, but a group of errors may rest for weeks.
const BACK: Duration = Duration::from_secs(30 * 24 * 3600);

/// The most events that are read, of whatever source: some seconds' work.
const EVENTS_MAX: u64 = 1_000_000;

/// How many events are read at once at first, and at most.
const AT_ONCE: u64 = 32;
const AT_ONCE_MAX: u64 = 1024;

/// How many bytes of bodies are read at once, about: the number of events follows from it.
const BYTES_AT_ONCE: usize = 1 << 20;

/// Reads what `source` has told, as it is in `store` at `now`, until `stops` says so.
pub(super) fn recall(
    store: &dyn Store,
    source: &str,
    now: Timestamp,
    stops: &dyn Fn() -> bool,
) -> Result<Memory, StoreError> {
    let mut memory = Memory::default();
    let newest = *store.tail().borrow();
    let last = newest.saturating_sub(EVENTS_MAX);
    let (mut end, mut at_once) = (newest, AT_ONCE);
    while end > last && !stops() {
        let from = end.saturating_sub(at_once).max(last) + 1;
        let events = match read(store, from, end) {
            Ok(events) => events,
            Err(StoreError::Damaged { .. }) if from < end => {
                // Only what is damaged is left out.
                at_once = 1;
                continue;
            }
            Err(StoreError::Damaged { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut bytes = 0;
        for event in events.iter().rev() {
            bytes += event.content.body.len();
            if *event.content.source == *source {
                memory.recall(event);
            }
        }
        if events
            .first()
            .is_some_and(|first| now.since(first.received_at) > BACK)
        {
            break;
        }
        at_once = match bytes {
            0..BYTES_AT_ONCE => at_once * 2,
            _ => at_once / 2,
        };
        at_once = at_once.clamp(1, AT_ONCE_MAX);
        end = from - 1;
    }
    Ok(memory)
}

/// The events from `from` to `end`, those left out that were given up for lost.
fn read(store: &dyn Store, from: Seq, end: Seq) -> Result<Vec<Arc<Event>>, StoreError> {
    let limit = usize::try_from(end - from + 1).unwrap_or(1);
    let mut events = store.read(from, limit)?;
    // Where some are lost, others follow in their place.
    events.retain(|event| event.seq <= end);
    Ok(events)
}
