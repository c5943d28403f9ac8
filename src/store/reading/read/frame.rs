//! One frame of events, with its bodies.

use std::sync::Arc;

use bytes::Bytes;

use crate::event::Event;
use crate::id::Seq;
use crate::store::StoreError;
use crate::store::backend::Backend;
use crate::store::log::Log;
use crate::store::record::codec::{self, Blob, FrameError, Kind};
use crate::store::record::event_frame::EventFrame;
use crate::store::record::{Body, key};

/// Room that is made for a body before its parts are seen: a damaged length may be any.
const BODY_BYTES_AT_FIRST: usize = 1 << 20;

/// Whether bodies are read that lie in records of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    Read,
    /// They are left out, so that nothing can be wrong with them.
    Leave,
}

/// The events that a frame holds, in order; a body may be damaged alone.
pub struct ReadFrame {
    pub events: Vec<(Seq, Result<Arc<Event>, StoreError>)>,
    /// The position behind the last one that it stands for.
    pub behind: Seq,
}

pub fn damaged(from: Seq, to: Seq, what: impl ToString) -> StoreError {
    StoreError::Damaged {
        from,
        to,
        what: what.to_string(),
    }
}

impl<B: Backend> Log<B> {
    /// The frame at `first`.
    pub(super) fn read_frame(
        &self,
        first: Seq,
        bytes: Bytes,
        bodies: Bodies,
    ) -> Result<ReadFrame, StoreError> {
        let frame = match codec::open(&bytes, Kind::Events) {
            Ok(frame) if frame.head.first == first => frame,
            Ok(_) => return Err(self.damaged_frame(first, FrameError::Place)?),
            Err(error @ FrameError::Version(_)) => {
                return Err(error.into_store_error("a frame of events"));
            }
            Err(error) => return Err(self.damaged_frame(first, error)?),
        };
        let frame = match EventFrame::read(frame) {
            Ok(frame) => frame,
            Err(error) => return Err(self.damaged_frame(first, error)?),
        };
        let behind = frame.behind();
        let mut events = Vec::with_capacity(frame.len());
        for (seq, record) in frame.into_records() {
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
            let event = body.map(|body| Arc::new(record.into_event(seq, self.meta.tag, body)));
            events.push((seq, event));
        }
        Ok(ReadFrame { events, behind })
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
}
