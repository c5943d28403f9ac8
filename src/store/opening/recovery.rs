//! Opening a store: the last snapshot, then what came after it, checked frame by frame.

use std::sync::atomic::Ordering;

use super::loss::{Gaps, Search, check, damaged_range};
use super::snapshot::KeptSnapshot;
use crate::id::{MAX_SEQ, Seq};
use crate::store::backend::Backend;
use crate::store::files::high_water::Mark;
use crate::store::log::Log;
use crate::store::projection::dedupe::Seen;
use crate::store::projection::seqset::SeqSet;
use crate::store::projection::state::State;
use crate::store::record::codec::{self, FrameError, Kind};
use crate::store::record::event_frame::EventFrame;
use crate::store::record::frames::Frames;
use crate::store::record::{Transition, key};
use crate::store::sealing::kept::{self, KeptFrame};
use crate::store::{Options, StoreError};

/// A frame of transitions and its CRC.
type CheckedFrame = (u32, KeptFrame);

impl<B: Backend> Log<B> {
    /// Brings the projections up to the end of the log, from `snapshot` if it is of this log. Where
    /// a `search` may follow, even what the operator gave up is an error.
    pub(in crate::store) fn recover(
        &self,
        snapshot: Option<KeptSnapshot>,
        mut mark: Mark,
        search: &Search,
    ) -> Result<(), StoreError> {
        let snapshot = self.take_base(snapshot, &mut mark)?;
        if let Some(snapshot) = snapshot {
            // It was written behind a sync, so it is a witness even where it does not fit.
            if snapshot.tag == self.meta.tag {
                mark.next_seq = mark.next_seq.max(snapshot.next_seq);
                mark.next_frame = mark.next_frame.max(snapshot.next_frame);
            }
            if self.fits(&snapshot)? {
                self.restore(snapshot);
            } else {
                tracing::warn!("the snapshot is not of this log; reading the whole log instead");
            }
        }
        let end_of_snapshot = self.writer().next_seq - 1;
        // What the operator gave up is not in the way of the rest.
        let mut unreadable = self.unreadable(1, end_of_snapshot, search)?;
        let missing = self.read_tail(mark)?;
        let behind = self.unreadable(end_of_snapshot + 1, Seq::MAX, search)?;
        for (from, to) in behind.iter_runs() {
            unreadable.insert_range(from, to);
        }
        if let Search::Ahead = search {
            let mut all = missing.clone();
            for (from, to) in unreadable.iter_runs() {
                all.insert_range(from, to);
            }
            check(&all, &SeqSet::default(), &Options::default())?;
        }
        self.refuse_or_accept(missing, &unreadable)?;
        self.shared().seals.check(&self.options.keys)?;
        self.forget_keys_of_the_lost();
        self.count_dead_letters()?;
        let now = self.clock.now();
        self.shared().state.forgive_a_clock_that_went_back(now);
        let read_again = self.writer().records_since_snapshot;
        self.read_again.store(read_again, Ordering::Relaxed);
        tracing::debug!(?mark, "the store is open");
        Ok(())
    }

    /// Whether the log reaches at least as far as the snapshot says, and is the same log.
    pub(in crate::store) fn fits(&self, snapshot: &KeptSnapshot) -> Result<bool, StoreError> {
        if snapshot.tag != self.meta.tag {
            return Ok(false);
        }
        let crc_of = |entry: Option<(Vec<u8>, Vec<u8>)>, kind| {
            entry.and_then(|(_, bytes)| codec::open(&bytes, kind).ok().map(|frame| frame.crc))
        };
        let ends_at = |seq: Seq| -> Result<bool, StoreError> {
            let last = self.backend.last(b"e", &key::events(seq))?;
            // A database that was put together anew has none of those that had expired.
            let is_first = last.is_none() && snapshot.events_crc == 0;
            Ok(seq == 0 || is_first || crc_of(last, Kind::Events) == Some(snapshot.events_crc))
        };
        let last = snapshot.next_seq - 1;
        let events = ends_at(last)? || ends_at(snapshot.state.before_the_lost(last))?;
        let transitions = snapshot.next_frame <= 1 || {
            let last = key::transitions(snapshot.next_frame - 1);
            let last = self.backend.last(b"t", &last)?;
            crc_of(last, Kind::Transitions) == Some(snapshot.transitions_crc)
        };
        Ok(events && transitions)
    }

    fn restore(&self, snapshot: KeptSnapshot) {
        let now = self.clock.now();
        let keys = &self.options.keys;
        let snapshot = {
            let mut shared = self.shared();
            snapshot.map(|kept| shared.seals.open(kept, keys))
        };
        let mut writer = self.writer();
        writer.next_seq = snapshot.next_seq;
        writer.next_frame = snapshot.next_frame;
        writer.events_crc = snapshot.events_crc;
        writer.transitions_crc = snapshot.transitions_crc;
        for (hash, seen) in snapshot.dedupe {
            writer.dedupe.restore(hash, seen);
        }
        self.tail.send_replace(snapshot.next_seq - 1);
        let mut shared = self.shared();
        let expired = std::mem::take(&mut shared.state.expired);
        shared.state = State::restore(self.options.waiting_max_per_endpoint, snapshot.state, now);
        shared.state.expired = expired;
    }

    /// Keys of events that were given up, which a snapshot or a frame with a damaged body knows
    /// still: a repeat must come in as an event, for the first one is never delivered.
    fn forget_keys_of_the_lost(&self) {
        let mut writer = self.writer();
        let shared = self.shared();
        let is_there = |seq| shared.state.lost_until(seq).is_none();
        writer.dedupe.retain(is_there);
    }

    /// Applies every frame behind the snapshot, in the order in which they were written. Gives the
    /// events that are not there.
    fn read_tail(&self, mark: Mark) -> Result<SeqSet, StoreError> {
        let next_seq = self.writer().next_seq;
        let mut gaps = Gaps {
            chain_is_broken: !self.ends_before(next_seq)?,
            ..Gaps::default()
        };
        let mut events = Frames::new(b"e", key::events(next_seq));
        let mut transitions = Frames::new(b"t", key::transitions(self.writer().next_frame));
        let mut next_event = events.next(&self.backend)?;
        let mut next_transition = self.checked(transitions.next(&self.backend)?)?;
        loop {
            let as_of = next_transition.as_ref().map(|(_, body)| body.as_of);
            let first = next_event
                .as_ref()
                .map(|(number, bytes)| codec::open(bytes, Kind::Events)?.first_at(*number));
            match (first, as_of) {
                (None, None) => break,
                // A damaged frame is left out; what comes behind it shows what is missing.
                (Some(Err(error)), _) => {
                    if let FrameError::Version(_) = error {
                        return Err(error.into_store_error("a frame of events"));
                    }
                    gaps.chain_is_broken = true;
                    gaps.damaged = next_event.as_ref().and_then(|e| damaged_range(e.0, &e.1));
                    next_event = events.next(&self.backend)?;
                }
                (Some(Ok(first)), as_of) if as_of.is_none_or(|as_of| first < as_of) => {
                    if let Some((_, bytes)) = &next_event {
                        self.apply_events(bytes, &mut gaps)?;
                    }
                    next_event = events.next(&self.backend)?;
                }
                (_, _) => {
                    if let Some((crc, body)) = next_transition {
                        self.apply_transitions(crc, body, &mut gaps)?;
                    }
                    next_transition = self.checked(transitions.next(&self.backend)?)?;
                }
            }
        }
        let mut writer = self.writer();
        if writer.next_frame < mark.next_frame {
            return Err(StoreError::Corrupt(format!(
                "frames of transitions {} to {} are missing",
                writer.next_frame,
                mark.next_frame - 1
            )));
        }
        // Nothing behind the last frame tells how far it went: its own word, or the mark.
        if let Some((first, last)) = gaps.damaged
            && first >= writer.next_seq
        {
            self.reach(&mut writer, last + 1, &mut gaps);
        }
        self.reach(&mut writer, mark.next_seq, &mut gaps);
        if writer.next_seq > MAX_SEQ {
            let what = "its records name events that no store can hold";
            return Err(StoreError::Corrupt(what.to_owned()));
        }
        for (from, to) in gaps.lost.iter_runs() {
            gaps.missing.remove_range(from, to);
        }
        Ok(gaps.missing)
    }

    fn apply_events(&self, bytes: &[u8], gaps: &mut Gaps) -> Result<(), StoreError> {
        let what = "a frame of events";
        let now = self.clock.now();
        let frame = codec::open(bytes, Kind::Events).map_err(|e| e.into_store_error(what))?;
        let events = EventFrame::read(frame).map_err(|e| e.into_store_error(what))?;
        let mut writer = self.writer();
        let (first, behind) = (frame.head.first, events.behind());
        self.reach(&mut writer, first, gaps);
        let follows = gaps.chain_is_broken || frame.head.previous == writer.events_crc;
        if first < writer.next_seq || !follows {
            return Err(StoreError::Corrupt(format!(
                "the frame of events at {first} does not follow the one before it"
            )));
        }
        gaps.chain_is_broken = false;
        gaps.damaged = None;
        let mut shared = self.shared();
        let mut next = first;
        for (seq, record) in events.into_records() {
            // Nothing behind a base is thinned: what says so has been lost.
            gaps.missing.insert_range(next, seq - 1);
            next = seq + 1;
            let event = record.into_event(seq, self.meta.tag, Default::default());
            if let Some(hash) = writer.dedupe.hash(&event.content) {
                let received_at = event.received_at;
                writer.dedupe.restore(hash, Seen { seq, received_at });
            }
            for endpoint in shared.state.route(&event.content) {
                shared.state.push(endpoint, seq, now);
            }
        }
        gaps.missing.insert_range(next, behind - 1);
        writer.next_seq = behind;
        writer.events_crc = frame.crc;
        writer.records_since_snapshot += behind - first;
        self.tail.send_replace(writer.next_seq - 1);
        Ok(())
    }

    fn checked(&self, next: Option<(Seq, Vec<u8>)>) -> Result<Option<CheckedFrame>, StoreError> {
        let Some((_, bytes)) = next else {
            return Ok(None);
        };
        let (next, previous) = {
            let writer = self.writer();
            (writer.next_frame, writer.transitions_crc)
        };
        let what = || format!("frame of transitions {next}");
        let frame = codec::open(&bytes, Kind::Transitions)
            .map_err(|error| error.into_store_error(&what()))?;
        if frame.head.first != next || frame.head.previous != previous {
            return Err(StoreError::Corrupt(format!("{} is not there", what())));
        }
        let body = kept::read(&frame).map_err(|error| error.into_store_error(&what()))?;
        Ok(Some((frame.crc, body)))
    }

    fn apply_transitions(
        &self,
        crc: u32,
        body: KeptFrame,
        gaps: &mut Gaps,
    ) -> Result<(), StoreError> {
        self.reach(&mut self.writer(), body.as_of, gaps);
        let count = body.transitions.len() as u64;
        for transition in body.transitions {
            match &transition {
                Transition::Attempt(record) => self.catch_up(record.endpoint, record.seq)?,
                Transition::Replay(replay) => {
                    let greatest = replay.deliveries.iter().map(|d| d.seq).max();
                    self.catch_up(replay.endpoint, greatest.unwrap_or(0))?;
                }
                Transition::Lost(from, to) => {
                    gaps.lost.insert_range(*from, *to);
                    self.reach(&mut self.writer(), to.saturating_add(1), gaps);
                }
                Transition::Endpoint(..) => {}
            }
            let now = self.clock.now();
            let mut shared = self.shared();
            let keys = &self.options.keys;
            let transition = transition.map(|kept| shared.seals.open(kept, keys));
            shared.state.apply(&transition, now);
        }
        let mut writer = self.writer();
        writer.next_frame += 1;
        writer.transitions_crc = crc;
        writer.records_since_snapshot += count;
        Ok(())
    }
}
