//! Looking at the events of a set, frame by frame, and at no other frames.

use std::ops::ControlFlow;

use super::super::StoreError;
use super::super::backend::Backend;
use super::super::log::Log;
use super::super::record::key;
use crate::id::Seq;
use crate::store::projection::blockset::BlockSet;
use crate::store::record::codec::{self, Kind};
use crate::store::record::event_frame::EventFrame;
use crate::store::record::frames::Frames;

/// With more events than these in between, the frames that hold them are not read.
pub const FAR: Seq = 4_096;

/// How far it was looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// At everything.
    All,
    /// At what is below this event.
    Below(Seq),
    /// Not to the end, for the store is closing.
    Ending,
}

impl<B: Backend> Log<B> {
    /// Calls `each` with every event of `wanted` that is there, its source, and the bytes of its
    /// records, about; in order, until it has enough. What cannot be read is passed over.
    pub(super) fn each_event(
        &self,
        wanted: &BlockSet,
        mut each: impl FnMut(Seq, &str, u64) -> ControlFlow<()>,
    ) -> Result<Looked, StoreError> {
        self.each_frame(wanted, |_, frame| {
            for (seq, record) in frame.iter() {
                if !wanted.contains(seq) {
                    continue;
                }
                let bytes = record.encoded_len() as u64 + record.parts().1;
                if each(seq, record.source, bytes).is_break() {
                    return Ok(ControlFlow::Break(seq + 1));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Calls `each` with every frame that stands for an event of `wanted`, and its first number.
    pub(super) fn each_frame(
        &self,
        wanted: &BlockSet,
        mut each: impl FnMut(Seq, &EventFrame<'_>) -> Result<ControlFlow<Seq>, StoreError>,
    ) -> Result<Looked, StoreError> {
        let Some(mut next) = wanted.next_from(0) else {
            return Ok(Looked::All);
        };
        let mut frames = self.frames_from(next)?;
        while let Some((first, bytes)) = frames.next(&self.backend)? {
            if self.is_ending() {
                return Ok(Looked::Ending);
            }
            let frame = codec::open(&bytes, Kind::Events).and_then(EventFrame::read);
            let Ok(frame) = frame else {
                continue;
            };
            let behind = frame.behind();
            if behind <= next {
                continue;
            }
            if wanted.next_from(first).is_some_and(|seq| seq < behind)
                && let ControlFlow::Break(below) = each(first, &frame)?
            {
                return Ok(Looked::Below(below));
            }
            match wanted.next_from(behind) {
                None => break,
                Some(far) if far > behind + FAR => frames = self.frames_from(far)?,
                Some(_) => {}
            }
            next = behind;
        }
        Ok(Looked::All)
    }

    /// The frame that stands for `seq`, and those behind it.
    fn frames_from(&self, seq: Seq) -> Result<Frames, StoreError> {
        let found = self.backend.last(b"e", &key::events(seq))?;
        let from = found.map_or_else(|| key::events(seq), |(entry, _)| entry);
        Ok(Frames::new(b"e", from))
    }
}
