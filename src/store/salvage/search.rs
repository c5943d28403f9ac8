//! Looking through the whole file for frames.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use super::super::codec;
use super::super::high_water::Mark;
use super::super::record::{Meta, key};
use super::super::segments::{self, Survey};
use super::chain::{Candidates, Piece};
use super::frames::{self, Content};
use crate::id::Seq;

/// A part of a body: where it lies, the frame's length, the part's own.
pub type Part = (u64, usize, u32);

/// Everything that looks like a frame of ours.
#[derive(Default)]
pub struct Found {
    pub meta: Vec<Meta>,
    pub events: Candidates,
    pub transitions: Candidates,
    pub parts: BTreeMap<(Seq, u32), Vec<Part>>,
    /// The CRCs of `parts`, to know a copy.
    crcs: BTreeMap<(Seq, u32), u32>,
}

impl Found {
    fn take(
        &mut self,
        at: u64,
        len: usize,
        frame: &codec::Frame<'_>,
        content: Content,
        is_before_the_last_batch: bool,
    ) {
        let (first, count) = (frame.head.first, frame.head.count);
        let mut piece = Piece {
            at,
            len,
            crc: frame.crc,
            previous: frame.head.previous,
            count: 1,
            inline_bytes: 0,
            bodies: Vec::new(),
            is_before_the_last_batch,
        };
        match content {
            Content::Events(inline_bytes, bodies) if count > 0 && first > 0 => {
                piece.count = u64::from(count);
                (piece.inline_bytes, piece.bodies) = (inline_bytes, bodies);
                self.events.add(first, piece);
            }
            Content::Transitions(_) if first > 0 => self.transitions.add(first, piece),
            Content::Part(bytes) => {
                let key = (first, count);
                if self.crcs.insert(key, frame.crc) != Some(frame.crc) {
                    self.parts.entry(key).or_default().push((at, len, bytes));
                }
            }
            Content::Meta(meta) if !self.meta.contains(&meta) => self.meta.push(meta),
            Content::Events(..) | Content::Transitions(_) | Content::Meta(_) => {}
        }
    }
}

/// More than any frame has.
const OVERLAP: usize = 1 << 20;

/// Reads every byte of the file.
pub fn scan(file: &File, survey: &Survey) -> io::Result<Found> {
    let mut found = Found::default();
    let len = file.metadata()?.len();
    let mut at = 0;
    while at < len {
        let bytes = segments::read(file, at, segments::SEGMENT_BYTES + OVERLAP)?;
        let end = bytes.len().min(segments::SEGMENT_BYTES);
        let end = frames::for_each(&bytes, end, |place, len, frame, content| {
            let at = at + place as u64;
            let is_before = survey.is_before_the_last_batch(at);
            found.take(at, len, &frame, content, is_before);
        });
        at += end as u64;
    }
    Ok(found)
}

/// Whether anything that the survey found to be cut off was synced, as far as `mark` and the log
/// itself tell. Without a mark nobody knows, so all of it counts.
pub fn holds_promises(file: &File, survey: &Survey, mark: Option<Mark>) -> io::Result<bool> {
    let mut promised = false;
    for range in &survey.cut_off {
        let end = usize::try_from(range.end - range.start).unwrap_or(0);
        let bytes = segments::read(file, range.start, end + OVERLAP)?;
        let segment = survey.segment_at(range.start).unwrap_or(0);
        let end = end.min(bytes.len());
        frames::for_each(&bytes, end, |at, len, frame, content| {
            let (first, part) = (frame.head.first, frame.head.count);
            let before = |next: fn(Mark) -> u64| mark.is_none_or(|mark| first < next(mark));
            let (key, was_synced) = match &content {
                Content::Events(..) => (key::events(first), before(|mark| mark.next_seq)),
                Content::Part(_) => (key::chunk(first, part), before(|mark| mark.next_seq)),
                Content::Transitions(_) => {
                    (key::transitions(first), before(|mark| mark.next_frame))
                }
                Content::Meta(_) => (key::META.to_vec(), mark.is_none()),
            };
            let was_synced = was_synced
                || (content.is_synced()
                    && survey.is_before_the_last_batch(range.start + at as u64));
            promised |= was_synced
                && is_first_copy(&bytes[..at], &key)
                && !segments::is_of_another_use(&bytes, at, at + len, segment);
        });
    }
    Ok(promised)
}

/// Whether a frame behind `before` is where it was first written: there its key comes before it,
/// and the length of the value. In a page that was rewritten, all keys come before all values.
fn is_first_copy(before: &[u8], key: &[u8]) -> bool {
    (1..=4).any(|len| before.len() >= len && before[..before.len() - len].ends_with(key))
}
