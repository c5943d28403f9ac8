//! Decoded frames, so that a backlog is read in frames and fresh events are not read at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::Event;
use crate::id::Seq;

/// Frames by their first event, the least recently used one evicted first.
#[derive(Debug)]
pub struct Cache {
    max_bytes: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    frames: BTreeMap<Seq, Cached>,
    bytes: usize,
    turn: u64,
}

#[derive(Debug)]
struct Cached {
    events: Arc<[Arc<Event>]>,
    bytes: usize,
    used: u64,
}

impl Cache {
    /// An empty cache of at most `max_bytes` of bodies.
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            inner: Mutex::default(),
        }
    }

    /// The event at `seq`, if its frame is here.
    pub fn get(&self, seq: Seq) -> Option<Arc<Event>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.turn += 1;
        let turn = inner.turn;
        let (first, cached) = inner.frames.range_mut(..=seq).next_back()?;
        let event = cached.events.get(usize::try_from(seq - first).ok()?)?;
        cached.used = turn;
        Some(event.clone())
    }

    /// Keeps a frame, in place of those used longest ago.
    pub fn insert(&self, events: Arc<[Arc<Event>]>) {
        let Some(first) = events.first().map(|event| event.seq) else {
            return;
        };
        // Each event costs more than its body; the bound is on memory, not on payload.
        let bytes = events.iter().map(|e| e.content.body.len() + 400).sum();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.turn += 1;
        let used = inner.turn;
        let cached = Cached {
            events,
            bytes,
            used,
        };
        inner.bytes += bytes;
        if let Some(old) = inner.frames.insert(first, cached) {
            inner.bytes -= old.bytes;
        }
        while inner.bytes > self.max_bytes && inner.frames.len() > 1 {
            let oldest = inner.frames.iter().min_by_key(|(_, cached)| cached.used);
            let Some(oldest) = oldest.map(|(first, _)| *first) else {
                break;
            };
            if let Some(evicted) = inner.frames.remove(&oldest) {
                inner.bytes -= evicted.bytes;
            }
        }
    }
}
