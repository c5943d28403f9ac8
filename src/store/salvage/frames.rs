//! Frames in bytes that nobody understands: each one shows itself by its head and its checksum.

use super::super::record::{Body, EventRecord, MAX_INLINE_BODY_BYTES, Transition};
use crate::store::log::meta::Meta;
use crate::store::maintain::base;
use crate::store::record::codec::{self, Blob, Frame, Kind};
use crate::store::sealing::kept::{self, KeptFrame};

/// A block of zeros holds nothing, and most of a young log is zeros.
const BLOCK: usize = 4096;
const ZEROS: [u8; BLOCK] = [0; BLOCK];

/// What a frame holds, as far as it is needed to tell what there is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Events: the bytes of the bodies in the frame, and of the others the place, the number of
    /// parts and the bytes.
    Events(u64, Vec<(u32, u32, u32)>),
    /// Transitions.
    Transitions(KeptFrame),
    /// A part of a body, with its length.
    Part(u32),
    /// A part of a base.
    BasePart,
    /// What the store is.
    Meta(Meta),
}

impl Content {
    /// Whether the group that this was written with was synced before the next one was begun.
    pub fn is_synced(&self) -> bool {
        match self {
            Self::Events(..) | Self::Part(_) | Self::BasePart => true,
            Self::Transitions(frame) => {
                let mut transitions = frame.transitions.iter();
                !transitions.all(|transition| matches!(transition, Transition::Attempt(_)))
            }
            Self::Meta(_) => false,
        }
    }
}

/// Calls `each` with every frame that begins in the first `end` of `bytes`, where that is, and how
/// long it is; gives the place behind the last one. What lies within a frame is the sender's, and
/// is not looked at.
pub fn for_each(
    bytes: &[u8],
    end: usize,
    mut each: impl FnMut(usize, usize, Frame<'_>, Content),
) -> usize {
    let mut at = 0;
    while at < end {
        if bytes
            .get(at..at + BLOCK)
            .is_some_and(|block| block == ZEROS)
        {
            at += BLOCK;
        } else if let Some((len, frame, content)) = frame(&bytes[at..]) {
            each(at, len, frame, content);
            at += len;
        } else {
            at += 1;
        }
    }
    at
}

fn frame(bytes: &[u8]) -> Option<(usize, Frame<'_>, Content)> {
    let kind = match bytes.first_chunk()? {
        [1..=codec::VERSION, 1] => Kind::Events,
        [1..=codec::VERSION, 2] => Kind::Transitions,
        [1..=codec::VERSION, 3] => Kind::Chunk,
        [1..=codec::VERSION, 5] => Kind::Meta,
        [1..=codec::VERSION, 9] => Kind::BasePart,
        _ => return None,
    };
    let (_, count) = codec::claims(bytes)?;
    let (content, len) = match kind {
        Kind::Events => {
            let (records, len) = codec::begins_with::<Vec<EventRecord<'_>>>(bytes)?;
            let (mut inline, mut others) = (0, Vec::new());
            for (place, record) in (0..).zip(&records) {
                match record.body {
                    Body::Inline(Blob(body)) => inline += body.len() as u64,
                    Body::Chunked { parts, bytes } => others.push((place, parts, bytes)),
                }
            }
            let is_whole = records.len() as u64 == u64::from(count);
            (is_whole.then_some(Content::Events(inline, others))?, len)
        }
        Kind::Transitions => {
            let (body, len) = kept::begins_with(bytes)?;
            let is_whole = body.transitions.len() as u64 == u64::from(count);
            (is_whole.then_some(Content::Transitions(body))?, len)
        }
        Kind::Chunk => {
            let (Blob(part), len) = codec::begins_with::<Blob<'_>>(bytes)?;
            let is_part = part.len() <= MAX_INLINE_BODY_BYTES;
            (is_part.then_some(Content::Part(part.len() as u32))?, len)
        }
        Kind::BasePart => {
            let (_, len) = codec::begins_with::<base::Part<'_>>(bytes)?;
            (Content::BasePart, len)
        }
        Kind::Meta | Kind::Snapshot | Kind::Journal | Kind::Base | Kind::Backup => {
            let (meta, len) = codec::begins_with::<Meta>(bytes)?;
            (Content::Meta(meta), len)
        }
    };
    let frame = codec::open(bytes.get(..len)?, kind).ok()?;
    Some((len, frame, content))
}
