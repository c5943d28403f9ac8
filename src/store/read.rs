//! Reading the log: events and frames of transitions.

use std::sync::Arc;

use bytes::Bytes;

use super::backend::Backend;
use super::codec::{self, Blob, Kind};
use super::log::Log;
use super::record::{Body, EventRecord, Transition, TransitionFrame, key};
use super::{Store, StoreError};
use crate::event::Event;
use crate::id::Seq;

/// How many frames are read at once.
const FRAMES_PER_READ: usize = 8;

fn damaged(from: Seq, to: Seq, what: impl ToString) -> StoreError {
    StoreError::Damaged {
        from,
        to,
        what: what.to_string(),
    }
}

impl<B: Backend> Log<B> {
    /// The event at `seq`.
    pub(super) fn read_event(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        if seq == 0 || seq > *self.tail().borrow() {
            return Ok(None);
        }
        if let Some(event) = self.cache.get(seq) {
            return Ok(Some(event));
        }
        if self.lost_until(seq).is_some() {
            return Ok(None);
        }
        let Some((_, bytes)) = self.backend.last(b"e", &key::events(seq))? else {
            return Err(damaged(seq, seq, "no frame holds it"));
        };
        let events = self.decode_events(bytes.into())?;
        let found = events.iter().find(|event| event.seq == seq).cloned();
        self.cache.insert(events);
        found
            .map(Some)
            .ok_or_else(|| damaged(seq, seq, "no frame holds it"))
    }

    /// The last event of the range that was given up for lost and holds `seq`.
    fn lost_until(&self, seq: Seq) -> Option<Seq> {
        self.shared().state.lost_until(seq)
    }

    /// Up to `limit` events from position `from` on, without those that were given up for lost.
    pub(super) fn read_events(
        &self,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let (mut events, mut next) = (Vec::new(), from.max(1));
        let last = *self.tail().borrow();
        while events.len() < limit && next <= last {
            if let Some(event) = self.cache.get(next) {
                events.push(event);
                next += 1;
            } else if let Some(end) = self.lost_until(next) {
                next = end + 1;
            } else {
                let read = self.read_frames(next, last, limit - events.len())?;
                next += read.len() as u64;
                events.extend(read);
            }
        }
        Ok(events)
    }

    /// Events from `next` on without a gap: at least one, at most `limit`, some frames' worth.
    fn read_frames(
        &self,
        next: Seq,
        last: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let mut events: Vec<Arc<Event>> = Vec::new();
        let found = self.backend.last(b"e", &key::events(next))?;
        let first = found.and_then(|(key, _)| key::number(&key, 1));
        let first = first.ok_or_else(|| damaged(next, next, "no frame holds it"))?;
        let frames = self
            .backend
            .scan(b"e", &key::events(first), FRAMES_PER_READ)?;
        for (_, bytes) in frames {
            let frame = match self.decode_events(bytes.into()) {
                Ok(frame) => frame,
                // It may be given up for lost; whoever asks for just these events will know.
                Err(_) if !events.is_empty() => break,
                Err(error) => return Err(error),
            };
            for event in frame.iter().filter(|e| e.seq >= next && e.seq <= last) {
                if event.seq != next + events.len() as u64 || events.len() == limit {
                    break;
                }
                events.push(event.clone());
            }
        }
        if events.is_empty() {
            return Err(damaged(next, next, "no frame holds it"));
        }
        Ok(events)
    }

    fn decode_events(&self, bytes: Bytes) -> Result<Arc<[Arc<Event>]>, StoreError> {
        let frame = codec::open(&bytes, Kind::Events)
            .map_err(|error| error.into_store_error("a frame of events"))?;
        let (first, count) = (frame.head.first, u64::from(frame.head.count));
        let last = first + count.max(1) - 1;
        let records: Vec<EventRecord<'_>> = frame
            .decode()
            .map_err(|error| damaged(first, last, error))?;
        records
            .into_iter()
            .zip(first..)
            .map(|(record, seq)| {
                let body = match record.body {
                    Body::Inline(Blob(body)) => bytes.slice_ref(body),
                    Body::Chunked { parts, bytes } => self.read_chunks(seq, parts, bytes)?,
                };
                Ok(Arc::new(record.into_event(seq, self.meta.tag, body)))
            })
            .collect()
    }

    fn read_chunks(&self, seq: Seq, parts: u32, len: u32) -> Result<Bytes, StoreError> {
        let mut body = Vec::with_capacity(len as usize);
        for part in 0..parts {
            let bytes = self.backend.get(&key::chunk(seq, part))?;
            let bytes = bytes.ok_or_else(|| damaged(seq, seq, "a part of its body is missing"))?;
            let frame = codec::open(&bytes, Kind::Chunk).map_err(|e| damaged(seq, seq, e))?;
            if frame.head.first != seq || frame.head.count != part {
                return Err(damaged(seq, seq, "a part of its body is another's"));
            }
            let blob: Blob<'_> = frame.decode().map_err(|e| damaged(seq, seq, e))?;
            body.extend_from_slice(blob.0);
        }
        if body.len() != len as usize {
            return Err(damaged(seq, seq, "its body has another length"));
        }
        Ok(body.into())
    }

    /// The frame of transitions numbered `number`.
    pub(super) fn transitions(&self, number: u64) -> Result<Vec<Transition>, StoreError> {
        let what = || format!("frame of transitions {number}");
        let bytes = self.backend.get(&key::transitions(number))?;
        let bytes = bytes.ok_or_else(|| StoreError::Corrupt(format!("{} is missing", what())))?;
        let frame = codec::open(&bytes, Kind::Transitions);
        frame
            .and_then(|frame| frame.decode::<TransitionFrame<Vec<Transition>>>())
            .map(|body| body.transitions)
            .map_err(|error| error.into_store_error(&what()))
    }
}
