//! Decoded frames, so that a backlog is read in frames and fresh events are not read at all.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::Event;
use crate::id::Seq;

/// Frames by their first event, evicted in the order in which they came, but for those that were
/// used since their turn last came.
#[derive(Debug)]
pub struct Cache {
    max_bytes: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    frames: BTreeMap<Seq, Cached>,
    turns: VecDeque<Seq>,
    bytes: usize,
}

#[derive(Debug)]
struct Cached {
    events: Arc<[Arc<Event>]>,
    bytes: usize,
    used: bool,
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
        let (first, cached) = inner.frames.range_mut(..=seq).next_back()?;
        let event = cached.events.get(usize::try_from(seq - first).ok()?)?;
        cached.used = true;
        Some(event.clone())
    }

    /// Forgets the frames that hold an event between `from` and `to`.
    pub fn forget(&self, from: Seq, to: Seq) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let before = inner.frames.range(..from).next_back();
        let reaches = |cached: &Cached| cached.events.last().is_some_and(|last| last.seq >= from);
        let first = before.filter(|(_, cached)| reaches(cached));
        let begin = first.map_or(from, |(first, _)| *first);
        let firsts: Vec<Seq> = inner.frames.range(begin..=to).map(|(f, _)| *f).collect();
        for first in &firsts {
            let gone = inner.frames.remove(first);
            inner.bytes -= gone.map_or(0, |gone| gone.bytes);
        }
        if !firsts.is_empty() {
            let Inner { frames, turns, .. } = &mut *inner;
            turns.retain(|first| frames.contains_key(first));
        }
    }

    /// Keeps a frame, in place of those that were not used lately.
    pub fn insert(&self, events: Arc<[Arc<Event>]>) {
        let Some(first) = events.first().map(|event| event.seq) else {
            return;
        };
        // Each event costs more than its body; the bound is on memory, not on payload.
        let bytes = events.iter().map(|e| e.content.body.len() + 400).sum();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = Cached {
            events,
            bytes,
            used: false,
        };
        inner.bytes += bytes;
        match inner.frames.insert(first, cached) {
            Some(old) => inner.bytes -= old.bytes,
            None => inner.turns.push_back(first),
        }
        while inner.bytes > self.max_bytes && inner.frames.len() > 1 {
            let Some(oldest) = inner.turns.pop_front() else {
                break;
            };
            let cached = inner.frames.get_mut(&oldest);
            if cached.is_some_and(|cached| std::mem::take(&mut cached.used)) {
                inner.turns.push_back(oldest);
            } else {
                let evicted = inner.frames.remove(&oldest);
                inner.bytes -= evicted.map_or(0, |evicted| evicted.bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Form, NewEvent};
    use crate::id::EventId;

    fn frame(seq: Seq) -> Arc<[Arc<Event>]> {
        let at = crate::clock::Timestamp::from_millis(0);
        let content = NewEvent {
            source: "api".into(),
            kind: "t".into(),
            subject: None,
            time: None,
            content_type: "application/json".into(),
            form: Form::Data,
            body: vec![b'7'; 600].into(),
            status: None,
            idempotency_key: None,
        };
        let id = EventId::new(at, seq, 0);
        Arc::new([Arc::new(Event {
            id,
            seq,
            received_at: at,
            content,
        })])
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes_in_its_turn() {
        let cache = Cache::new(3_000);
        for seq in 1..=3 {
            cache.insert(frame(seq));
        }
        assert!(cache.get(1).is_some());
        cache.insert(frame(4));
        cache.insert(frame(5));
        let kept: Vec<_> = (1..=5).filter(|seq| cache.get(*seq).is_some()).collect();
        assert_eq!(kept, [1, 4, 5]);
    }

    #[test]
    fn a_frame_that_is_kept_twice_counts_once() {
        let cache = Cache::new(2_000);
        for _ in 0..5 {
            cache.insert(frame(1));
        }
        cache.insert(frame(2));
        assert!(cache.get(1).is_some() && cache.get(2).is_some());
    }
}
