//! Reading the log: events and frames of transitions.

mod frame;
mod gone;

use std::sync::Arc;

use crate::event::Event;
use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::record::codec::{self, Kind};
use crate::store::record::{Transition, key};
use crate::store::sealing::kept::{self, KeptEndpoint};
use crate::store::{Store, StoreError};
use frame::{Bodies, ReadFrame, damaged};
use gone::Gone;

/// How many frames are read at once.
const FRAMES_PER_READ: usize = 8;

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
        let ReadFrame { events, behind } = self.read_frame(first, bytes.into(), Bodies::Read)?;
        if seq >= behind {
            return Err(self.hole(behind, seq)?);
        }
        let found = events.iter().find(|(at, _)| *at == seq);
        let found = found.map(|(_, event)| event.clone());
        let gone = self.gone_within(first, behind - 1);
        let left = events.into_iter().filter(|(seq, _)| !gone.holds(*seq));
        if let Ok(left) = left
            .map(|(_, event)| event)
            .collect::<Result<Arc<[_]>, _>>()
        {
            self.cache.insert(left);
            if self.gone_within(first, behind - 1) != gone {
                self.cache.forget(self.shared().state.expired.seqs());
            }
        }
        match found {
            _ if self.gone_until(seq).is_some() => Ok(None),
            Some(event) => event.map(Some),
            None => Err(damaged(seq, seq, "its frame does not hold it")),
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

    fn gone_within(&self, from: Seq, to: Seq) -> Gone {
        Gone(self.shared().state.gone_within(from, to))
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
                match self.read_frames(next, last, limit - events.len(), bodies) {
                    // They have expired meanwhile.
                    Err(StoreError::Damaged { .. }) if self.gone_until(next).is_some() => {}
                    read => {
                        let (read, behind) = read?;
                        next = behind;
                        events.extend(read);
                    }
                }
            }
        }
        Ok(events)
    }

    /// Events from `next` on, without those that are gone: some frames' worth, at most `limit`, and
    /// none behind `last`; and the position behind what was looked at.
    fn read_frames(
        &self,
        next: Seq,
        last: Seq,
        limit: usize,
        bodies: Bodies,
    ) -> Result<(Vec<Arc<Event>>, Seq), StoreError> {
        let mut events: Vec<Arc<Event>> = Vec::new();
        let found = self.backend.last(b"e", &key::events(next))?;
        let Some(first) = found.and_then(|(entry, _)| key::number(&entry, 1)) else {
            return Err(self.hole(1, next)?);
        };
        let frames = self
            .backend
            .scan(b"e", &key::events(first), FRAMES_PER_READ)?;
        let (mut wanted, mut behind_frames) = (next, first);
        'frames: for (entry, bytes) in frames {
            let first = key::number(&entry, 1).unwrap_or(wanted);
            let frame = match self.read_frame(first, bytes.into(), bodies) {
                Ok(frame) => frame,
                // It may be given up for lost; whoever asks for just these events will know.
                Err(error) if wanted == next && first <= next => return Err(error),
                Err(_) => break,
            };
            behind_frames = frame.behind;
            let gone = self.gone_within(wanted, frame.behind - 1);
            for (seq, event) in frame.events {
                if seq < wanted || gone.holds(seq) {
                    continue;
                }
                wanted = gone.behind(wanted);
                if seq != wanted || seq > last || events.len() == limit {
                    break 'frames;
                }
                match event {
                    Ok(event) => events.push(event),
                    Err(error) if wanted == next => return Err(error),
                    Err(_) => break 'frames,
                }
                wanted = seq + 1;
            }
            wanted = gone.behind(wanted);
            if wanted < frame.behind {
                break;
            }
        }
        match wanted > next {
            true => Ok((events, wanted)),
            false if behind_frames > next => Err(damaged(next, next, "its frame does not hold it")),
            false => Err(self.hole(behind_frames, next)?),
        }
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
