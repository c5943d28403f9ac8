//! Looking through the whole file for frames.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::super::disk::{
    Location, RECORD_HEAD, VOLUME_HEAD, is_whole_record, volume_path, volume_salt, volumes_of,
};
use super::base;
use super::chain::{Candidates, Piece, Trust};
use super::frames::{self, Content};
use super::source::{self, JOURNAL_AT, Sources};
use crate::id::{MAX_SEQ, Seq};
use crate::store::files::blocks;
use crate::store::files::segments::{self, Survey};
use crate::store::log::meta::Meta;
use crate::store::record::codec;

/// A part of a body: where it lies, the frame's length, the part's own.
pub type Part = (u64, usize, u32);

/// A part as it was found: its CRC, whether it is in a message of the database, where it lies.
type FoundPart = (u32, bool, Part);

/// Everything that looks like a frame of ours.
#[derive(Default)]
pub struct Found {
    pub meta: Vec<Meta>,
    pub events: Candidates,
    pub transitions: Candidates,
    pub parts: BTreeMap<(Seq, u32), Vec<Part>>,
    pub bases: base::Parts,
    /// Of `meta`, and of parts: whether they were found in a message.
    metas: Vec<(Meta, bool)>,
    /// By CRC, to know a copy.
    copies: BTreeMap<(Seq, u32), Vec<FoundPart>>,
}

impl Found {
    fn take(
        &mut self,
        at: u64,
        len: usize,
        frame: &codec::Frame<'_>,
        content: Content,
        trust: Trust,
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
            trust,
        };
        let last = first.saturating_add(u64::from(count));
        let is_plausible = first > 0 && count > 0 && last <= MAX_SEQ;
        match content {
            Content::Events(inline_bytes, bodies) if is_plausible => {
                piece.count = u64::from(count);
                (piece.inline_bytes, piece.bodies) = (inline_bytes, bodies);
                self.events.add(first, piece);
            }
            Content::Transitions(_) if is_plausible => self.transitions.add(first, piece),
            Content::Part(bytes) => {
                let copy = (frame.crc, trust.is_in_a_message, (at, len, bytes));
                match self.copies.entry((first, count)) {
                    Entry::Vacant(place) => drop(place.insert(vec![copy])),
                    Entry::Occupied(mut copies) => {
                        let copies = copies.get_mut();
                        match copies.iter_mut().find(|(crc, ..)| *crc == frame.crc) {
                            Some((_, is_in, _)) => *is_in |= trust.is_in_a_message,
                            None => copies.push(copy),
                        }
                    }
                }
            }
            // Of whatever looks like one but is none the parts do not follow one another.
            Content::BasePart if trust.is_in_a_message => {
                self.bases.insert((first, count), (at, len));
            }
            Content::Meta(meta) => match self.metas.iter_mut().find(|(other, _)| *other == meta) {
                Some((_, is_in)) => *is_in |= trust.is_in_a_message,
                None => self.metas.push((meta, trust.is_in_a_message)),
            },
            Content::Events(..) | Content::Transitions(_) | Content::BasePart => {}
        }
    }

    /// Where several differ, those that are in a message of the database go before those that are
    /// not: a body may hold whatever its sender likes, and shows it when its own frame is damaged.
    fn believe(&mut self) {
        let any = self.metas.iter().any(|(_, is_in)| *is_in);
        let metas = std::mem::take(&mut self.metas).into_iter();
        let metas = metas.filter(|(_, is_in)| *is_in || !any);
        self.meta = metas.map(|(meta, _)| meta).collect();
        for (key, copies) in std::mem::take(&mut self.copies) {
            let any = copies.iter().any(|(_, is_in, _)| *is_in);
            let copies = copies.into_iter().filter(|(_, is_in, _)| *is_in || !any);
            self.parts
                .insert(key, copies.map(|(.., part)| part).collect());
        }
        self.events.prefer_what_is_in_a_message();
        self.transitions.prefer_what_is_in_a_message();
    }
}

/// More than any frame has.
pub(super) const OVERLAP: usize = 1 << 20;

/// Reads every byte of the database's file and of the volumes in `dir`, and the records of the
/// journal.
pub fn scan(dir: &Path, sources: &Sources, survey: &Survey) -> io::Result<Found> {
    let Sources { file, journal, .. } = sources;
    let mut found = Found::default();
    for number in volumes_of(dir)? {
        scan_volume(dir, number, &mut found)?;
    }
    let len = file.metadata()?.len();
    let mut from = 0;
    for begin in (0..len).step_by(segments::SEGMENT_BYTES) {
        let bytes = segments::read(file, begin, segments::SEGMENT_BYTES + OVERLAP)?;
        let messages = segments::messages(&bytes);
        let end = bytes.len().min(segments::SEGMENT_BYTES);
        // A frame may have gone over into this segment, if its blocks have moved.
        let skipped = end.min(from);
        let rest = bytes.get(skipped..).unwrap_or_default();
        let reached = frames::for_each(rest, end - skipped, |place, len, frame, content| {
            let place = skipped + place;
            let at = begin + place as u64;
            let before = messages.partition_point(|message| message.start < place);
            let message = before.checked_sub(1).and_then(|last| messages.get(last));
            let trust = Trust {
                is_before_the_last_batch: survey.is_before_the_last_batch(at),
                is_in_a_message: message.is_some_and(|message| place + len <= message.end),
            };
            found.take(at, len, &frame, content, trust);
        });
        from = (skipped + reached).saturating_sub(segments::SEGMENT_BYTES);
    }
    frames::for_each(journal, journal.len(), |at, len, frame, content| {
        // Each entry of it was checked as a whole, and written behind those before it.
        let trust = Trust {
            is_before_the_last_batch: true,
            is_in_a_message: true,
        };
        found.take(JOURNAL_AT + at as u64, len, &frame, content, trust);
    });
    found.believe();
    Ok(found)
}

/// What lies in a volume was synced before, in the journal.
fn scan_volume(dir: &Path, number: u32, found: &mut Found) -> io::Result<()> {
    let file = File::open(volume_path(dir, number))?;
    let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX)];
    let (read, _) = blocks::fill(&mut bytes, 0, |to, at| file.read_at(to, at))?;
    bytes.truncate(read);
    let salt = volume_salt(&bytes);
    let rest = bytes.get(VOLUME_HEAD..).unwrap_or_default();
    frames::for_each(rest, rest.len(), |place, len, frame, content| {
        let Ok(at) = u32::try_from(VOLUME_HEAD + place) else {
            return;
        };
        let location = Location {
            volume: number,
            at,
            len: len as u32,
        };
        let begin = (at as usize).saturating_sub(RECORD_HEAD);
        let record = bytes.get(begin..at as usize + len);
        let is_whole = salt
            .zip(record)
            .is_some_and(|(salt, record)| is_whole_record(record, salt, location));
        // What else looks like a frame may be a sender's.
        let trust = Trust {
            is_before_the_last_batch: is_whole,
            is_in_a_message: is_whole,
        };
        found.take(source::at(location), len, &frame, content, trust);
    });
    Ok(())
}
