//! Events that are missing: a start is refused, or the operator has given them up.

use crate::id::Seq;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::log::parts::Writer;
use crate::store::projection::seqset::SeqSet;
use crate::store::record::codec::{self, Kind};
use crate::store::record::{MAX_RECORD_BYTES, Transition, key};
use crate::store::{AcceptedLoss, Options, StoreError};

/// How many events are looked at in one go.
const EVENTS_PER_LOOK: usize = 256;

/// Whether what is missing may be found elsewhere than in the database.
#[derive(Debug)]
pub(in crate::store) enum Search {
    /// Nobody has looked there yet.
    Ahead,
    /// There is nowhere to look.
    Nowhere,
    /// Somebody has read every record: these events are missing, and all others are there.
    Done(SeqSet),
}

/// What is not there behind the snapshot.
#[derive(Debug, Default)]
pub(in crate::store) struct Gaps {
    /// Neither there nor given up.
    pub missing: SeqSet,
    /// Given up earlier: nobody is asked again.
    pub lost: SeqSet,
    /// The frame before the next one cannot be read.
    pub chain_is_broken: bool,
    /// The last damaged frame, if nothing good has come behind it.
    pub damaged: Option<(Seq, Seq)>,
}

/// The events of a damaged frame: the first by its key, the last as its head says, if that is no
/// nonsense.
pub(in crate::store) fn damaged_range(first: Seq, bytes: &[u8]) -> Option<(Seq, Seq)> {
    let plausible = |(named, count): &(u64, u32)| {
        *named == first && (1..=MAX_RECORD_BYTES).contains(&(*count as usize))
    };
    let count = codec::claims(bytes)
        .filter(plausible)
        .map_or(1, |(_, count)| count);
    Some((first, first.checked_add(u64::from(count))? - 1))
}

/// Refuses what is missing of the events, and of the frames of transitions, if the operator has not
/// given up all of it.
pub(in crate::store) fn check(
    events: &SeqSet,
    frames: &SeqSet,
    options: &Options,
) -> Result<(), StoreError> {
    let events = not_within(events, &options.accept_loss);
    let frames = not_within(frames, &options.accept_lost_transitions);
    let hull = |ranges: &[(u64, u64)]| Some((ranges.first()?.0, ranges.last()?.1));
    let told = |ranges: &[(u64, u64)]| {
        let ranges: Vec<String> = ranges.iter().map(|(f, t)| format!("{f}-{t}")).collect();
        format!("missing: {}", ranges.join(", "))
    };
    match (hull(&frames), hull(&events)) {
        (None, None) => Ok(()),
        (None, Some((from, to))) => Err(StoreError::Damaged {
            from,
            to,
            what: told(&events),
        }),
        (Some((from, to)), None) => Err(StoreError::Forgotten {
            from,
            to,
            events: None,
            what: told(&frames),
        }),
        (Some((from, to)), events_lost) => Err(StoreError::Forgotten {
            from,
            to,
            events: events_lost,
            what: format!("transitions {}; events {}", told(&frames), told(&events)),
        }),
    }
}

/// The ranges that do not lie in what was accepted.
fn not_within(missing: &SeqSet, accepted: &AcceptedLoss) -> Vec<(u64, u64)> {
    let accepted = |from, to| {
        let accepted = accepted.as_ref();
        accepted.is_some_and(|range| range.contains(&from) && range.contains(&to))
    };
    let ranges = missing.iter_runs();
    ranges.filter(|(from, to)| !accepted(*from, *to)).collect()
}

impl<B: Backend> Log<B> {
    /// Whether the last frame before `next_seq` goes up to it, so that the next one names its CRC.
    pub(in crate::store) fn ends_before(&self, next_seq: Seq) -> Result<bool, StoreError> {
        let last = self.backend.last(b"e", &key::events(next_seq - 1))?;
        let frame = last
            .as_ref()
            .map(|(_, bytes)| codec::open(bytes, Kind::Events));
        Ok(match frame {
            Some(Ok(frame)) => frame.head.first + u64::from(frame.head.count) == next_seq,
            Some(Err(_)) => false,
            None => next_seq == 1,
        })
    }

    /// The log once reached up to `next_seq`: what is not there of it is missing, and its numbers
    /// are never given again.
    pub(in crate::store) fn reach(&self, writer: &mut Writer, next_seq: Seq, gaps: &mut Gaps) {
        if next_seq > writer.next_seq {
            let (from, to) = (writer.next_seq, next_seq - 1);
            gaps.missing.insert_range(from, to);
            gaps.chain_is_broken = true;
            self.shared().state.step_over(from, to);
            writer.next_seq = next_seq;
            self.tail.send_replace(to);
        }
    }

    /// What cannot be read of the events `from` to `to` that the operator has given up. From here
    /// on it counts as lost; that is still to be recorded.
    pub(in crate::store) fn unreadable(
        &self,
        from: Seq,
        to: Seq,
        search: &Search,
    ) -> Result<SeqSet, StoreError> {
        let mut unreadable = SeqSet::default();
        if let Search::Done(missing) = search {
            let last = to.min(*self.tail.borrow());
            let within = missing.iter_runs().map(|(f, t)| (f.max(from), t.min(last)));
            for (from, to) in within.filter(|(from, to)| from <= to) {
                unreadable.insert_range(from, to);
                self.shared().state.step_over(from, to);
            }
            return Ok(unreadable);
        }
        let Some(accepted) = &self.options.accept_loss else {
            return Ok(unreadable);
        };
        let mut next = from.max(*accepted.start()).max(1);
        let end = to.min(*accepted.end()).min(*self.tail.borrow());
        while next <= end {
            let most = usize::try_from(end - next + 1).unwrap_or(EVENTS_PER_LOOK);
            match self.read_events(next, most.min(EVENTS_PER_LOOK)) {
                Ok(events) => match events.last() {
                    Some(last) => next = last.seq + 1,
                    None => break,
                },
                Err(StoreError::Damaged { from, to, .. }) if to >= next => {
                    let (from, last) = (from.max(next), to.min(end));
                    unreadable.insert_range(from, last);
                    self.shared().state.step_over(from, last);
                    next = to.saturating_add(1);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(unreadable)
    }

    /// Refuses to go on without the `missing` events, unless the operator gave them up; records
    /// those, and the `unreadable` ones, as lost.
    pub(in crate::store) fn refuse_or_accept(
        &self,
        missing: SeqSet,
        unreadable: &SeqSet,
    ) -> Result<(), StoreError> {
        let accept = self.options.accept_loss.as_ref();
        check(&missing, &SeqSet::default(), &self.options)?;
        let mut lost = missing;
        for (from, to) in unreadable.iter_runs() {
            lost.insert_range(from, to);
        }
        if let Some(range) = accept.filter(|_| lost.is_empty()) {
            let (from, to) = (range.start(), range.end());
            tracing::warn!(
                from,
                to,
                "--accept-loss has nothing to do: all of it is there, or was given up before"
            );
        }
        if let Some(high_water) = self.high_water.as_ref().filter(|_| !lost.is_empty()) {
            high_water.sync_next();
        }
        let mut shared = self.shared();
        let now = self.now(&mut shared);
        for (from, to) in lost.iter_runs() {
            tracing::warn!(from, to, "going on without these events, as told");
            self.record(&mut shared, now, Transition::Lost(from, to), true);
        }
        Ok(())
    }
}
