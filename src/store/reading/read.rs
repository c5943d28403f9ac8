//! Reading the log: events and frames of transitions.

use std::sync::Arc;

use bytes::Bytes;

use crate::event::Event;
use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::record::codec::{self, Blob, FrameError, Kind};
use crate::store::record::{Body, EventRecord, Transition, key};
use crate::store::sealing::kept::{self, KeptEndpoint};
use crate::store::{Store, StoreError};

/// Room that is made for a body before its parts are seen: a damaged length may be any.
const BODY_BYTES_AT_FIRST: usize = 1 << 20;

/// How many frames are read at once.
const FRAMES_PER_READ: usize = 8;

/// Whether bodies are read that lie in records of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bodies {
    Read,
    /// They are left out, so that nothing can be wrong with them.
    Leave,
}

fn damaged(from: Seq, to: Seq, what: impl ToString) -> StoreError {
    StoreError::Damaged {
        from,
        to,
        what: what.to_string(),
    }
}

impl<B: Backend> Log<B> {
    /// The event at `seq`.
    pub(in crate::store) fn read_event(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        if seq == 0 || seq > *self.tail().borrow() {
            return Ok(None);
        }
        if let Some(event) = self.cache.get(seq) {
            return Ok(Some(event));
        }
        if self.gone_until(seq).is_some() {
            return Ok(None);
        }
        match self.read_kept(seq) {
            // It has expired meanwhile.
            Err(StoreError::Damaged { .. }) if self.gone_until(seq).is_some() => Ok(None),
            read => read,
        }
    }

    fn read_kept(&self, seq: Seq) -> Result<Option<Arc<Event>>, StoreError> {
        let Some((entry, bytes)) = self.backend.last(b"e", &key::events(seq))? else {
            return Err(self.hole(1, seq)?);
        };
        let first = key::number(&entry, 1).unwrap_or(seq);
        let frame = self.read_frame(first, bytes.into(), Bodies::Read)?;
        let found = usize::try_from(seq - first).ok();
        let found = found.and_then(|at| frame.get(at)).cloned();
        let behind = first + frame.len() as u64;
        if let Ok(whole) = frame.into_iter().collect::<Result<Arc<[_]>, _>>() {
            self.cache.insert(whole);
            // What is in there is shown without another look; and some of it may expire meanwhile.
            let gone = self.shared().state.next_gone(first);
            if gone.is_some_and(|gone| gone < behind) {
                self.cache.forget(first, behind - 1);
            }
            if self.gone_until(seq).is_some() {
                return Ok(None);
            }
        }
        match found {
            Some(event) => event.map(Some),
            None => Err(self.hole(behind, seq)?),
        }
    }

    /// The error for events from `from` on, of which `seq` is one: no frame holds them.
    fn hole(&self, from: Seq, seq: Seq) -> Result<StoreError, StoreError> {
        let last = self.last_before_the_frame_behind(seq)?;
        Ok(damaged(from, last, "no frame holds them"))
    }

    /// The last event that can be in a frame which begins at `seq` or before it.
    fn last_before_the_frame_behind(&self, seq: Seq) -> Result<Seq, StoreError> {
        let behind = self
            .backend
            .scan(b"e", &key::events(seq.saturating_add(1)), 1)?;
        let behind = behind.first().and_then(|(entry, _)| key::number(entry, 1));
        Ok(behind.map_or_else(|| (*self.tail.borrow()).max(seq), |first| first - 1))
    }

    /// The last event of the range that was given up for lost, or has expired, and holds `seq`.
    pub(in crate::store) fn gone_until(&self, seq: Seq) -> Option<Seq> {
        self.shared().state.gone_until(seq)
    }

    /// Up to `limit` events from position `from` on, without those that were given up for lost or
    /// have expired.
    pub(in crate::store) fn read_events(
        &self,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.read_from(from, limit, Bodies::Read)
    }

    /// See [`Store::read_back`].
    pub(in crate::store) fn read_events_back(
        &self,
        until: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let (mut events, mut next) = (Vec::new(), until.min(*self.tail().borrow()));
        while events.len() < limit && next > 0 {
            let gone = self.shared().state.last_gone(next).unwrap_or(0);
            if gone == next {
                next = self.shared().state.before_the_gone(next);
                continue;
            }
            let most = (limit - events.len()) as Seq;
            let from = (next + 1).saturating_sub(most).max(gone + 1);
            let read = self.read_from(from, (next + 1 - from) as usize, Bodies::Read)?;
            // What expires meanwhile lets others come in its place.
            events.extend(read.into_iter().rev().filter(|event| event.seq <= next));
            next = from - 1;
        }
        Ok(events)
    }

    /// [`Log::read_events`] for those whom large bodies do not concern: they are empty.
    pub(in crate::store) fn read_without_bodies(
        &self,
        from: Seq,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.read_from(from, limit, Bodies::Leave)
    }

    fn read_from(
        &self,
        from: Seq,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let (mut events, mut next) = (Vec::new(), from.max(1));
        let last = *self.tail().borrow();
        while events.len() < limit && next <= last {
            if let Some(event) = self.cache.get(next) {
                events.push(event);
                next += 1;
            } else if let Some(end) = self.gone_until(next) {
                next = end + 1;
            } else {
                let until = self.shared().state.next_gone(next);
                let last = until.map_or(last, |gone| last.min(gone - 1));
                match self.read_frames(next, last, limit - events.len(), bodies) {
                    // They have expired meanwhile.
                    Err(StoreError::Damaged { .. }) if self.gone_until(next).is_some() => {}
                    read => {
                        let read = read?;
                        next += read.len() as u64;
                        events.extend(read);
                    }
                }
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
        bodies: Bodies,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let mut events: Vec<Arc<Event>> = Vec::new();
        let found = self.backend.last(b"e", &key::events(next))?;
        let Some(first) = found.and_then(|(entry, _)| key::number(&entry, 1)) else {
            return Err(self.hole(1, next)?);
        };
        let frames = self
            .backend
            .scan(b"e", &key::events(first), FRAMES_PER_READ)?;
        let mut behind = first;
        'frames: for (entry, bytes) in frames {
            let first = key::number(&entry, 1).unwrap_or(behind);
            let frame = match self.read_frame(first, bytes.into(), bodies) {
                Ok(frame) => frame,
                // It may be given up for lost; whoever asks for just these events will know.
                Err(_) if !events.is_empty() => break,
                Err(error) if first <= next => return Err(error),
                Err(_) => break,
            };
            for (event, seq) in frame.into_iter().zip(first..) {
                let wanted = next + events.len() as u64;
                if seq > wanted || seq > last || events.len() == limit {
                    break 'frames;
                }
                behind = seq + 1;
                match event {
                    _ if seq < wanted => {}
                    Ok(event) => events.push(event),
                    Err(_) if !events.is_empty() => break 'frames,
                    Err(error) => return Err(error),
                }
            }
        }
        if events.is_empty() {
            return Err(self.hole(behind, next)?);
        }
        Ok(events)
    }

    /// The events of the frame at `first`, each by itself: a body may be damaged alone.
    fn read_frame(
        &self,
        first: Seq,
        bytes: Bytes,
        bodies: Bodies,
    ) -> Result<Vec<Result<Arc<Event>, StoreError>>, StoreError> {
        let frame = match codec::open(&bytes, Kind::Events) {
            Ok(frame) if frame.head.first == first => frame,
            Ok(_) => return Err(self.damaged_frame(first, FrameError::Place)?),
            Err(error @ FrameError::Version(_)) => {
                return Err(error.into_store_error("a frame of events"));
            }
            Err(error) => return Err(self.damaged_frame(first, error)?),
        };
        let records: Vec<EventRecord<'_>> = match frame.decode() {
            Ok(records) => records,
            Err(error) => return Err(self.damaged_frame(first, error)?),
        };
        let mut events = Vec::with_capacity(records.len());
        for (record, seq) in records.into_iter().zip(first..) {
            let body = match record.body {
                Body::Inline(Blob(body)) => Ok(bytes.slice_ref(body)),
                Body::Chunked { .. } if bodies == Bodies::Leave => Ok(Bytes::new()),
                Body::Chunked { parts, bytes } => match self.read_chunks(seq, parts, bytes) {
                    Err(error) if !matches!(error, StoreError::Damaged { .. }) => {
                        return Err(error);
                    }
                    body => body,
                },
            };
            events.push(body.map(|body| Arc::new(record.into_event(seq, self.meta.tag, body))));
        }
        Ok(events)
    }

    fn damaged_frame(&self, first: Seq, what: impl ToString) -> Result<StoreError, StoreError> {
        let last = self.last_before_the_frame_behind(first)?;
        Ok(damaged(first, last, what))
    }

    fn read_chunks(&self, seq: Seq, parts: u32, len: u32) -> Result<Bytes, StoreError> {
        let mut body = Vec::with_capacity((len as usize).min(BODY_BYTES_AT_FIRST));
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
    pub(in crate::store) fn transitions(
        &self,
        number: u64,
    ) -> Result<Vec<Transition<KeptEndpoint>>, StoreError> {
        let what = || format!("frame of transitions {number}");
        let bytes = self.backend.get(&key::transitions(number))?;
        if bytes.is_none() && number < self.shared().state.expired.frames_from {
            // It has expired since its number was read.
            return Ok(Vec::new());
        }
        let bytes = bytes.ok_or_else(|| StoreError::Corrupt(format!("{} is missing", what())))?;
        let frame = codec::open(&bytes, Kind::Transitions);
        frame
            .and_then(|frame| kept::read(&frame))
            .map(|body| body.transitions)
            .map_err(|error| error.into_store_error(&what()))
    }
}
