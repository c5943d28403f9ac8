//! Decoded frames, without what of them is gone, so that a backlog is read in frames and fresh events are not read at all.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::Event;
use crate::id::Seq;
use crate::store::projection::blockset::BlockSet;

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
        // Where nothing has gone, it is at its place.
        let place = usize::try_from(seq - first).ok()?;
        let events = &cached.events;
        let event = events.get(place).filter(|event| event.seq == seq);
        let event = event.or_else(|| {
            let found = events.binary_search_by_key(&seq, |event| event.seq);
            found.ok().and_then(|place| events.get(place))
        })?;
        cached.used = true;
        Some(event.clone())
    }

    /// Forgets the frames that hold anything which is `gone`.
    pub fn forget(&self, gone: &BlockSet) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner {
            frames,
            turns,
            bytes,
        } = &mut *inner;
        frames.retain(|_, cached| {
            let is_gone = cached.events.iter().any(|event| gone.contains(event.seq));
            *bytes -= if is_gone { cached.bytes } else { 0 };
            !is_gone
        });
        turns.retain(|first| frames.contains_key(first));
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
    fn a_frame_of_which_some_is_gone_is_found_by_what_is_left_and_forgotten_by_any_of_it() {
        let cache = Cache::new(1 << 20);
        let left = [3, 4, 9].map(|seq| frame(seq)[0].clone());
        cache.insert(Arc::new(left));
        cache.insert(frame(10));
        let there = || (1..=11).filter(|seq| cache.get(*seq).is_some());
        assert_eq!(there().collect::<Vec<_>>(), [3, 4, 9, 10]);
        let mut gone = BlockSet::default();
        gone.insert_range(5, 8);
        cache.forget(&gone);
        assert_eq!(there().count(), 4);
        gone.insert(9);
        cache.forget(&gone);
        assert_eq!(there().collect::<Vec<_>>(), [10]);
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
