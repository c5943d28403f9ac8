//! Looking through the whole file for frames.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::super::disk::{
    LOCATION_BYTES, Location, RECORD_HEAD, VOLUME_HEAD, is_whole_record, volume_path, volume_salt,
    volumes_of,
};
use super::super::high_water::Mark;
use super::super::meta::Meta;
use super::super::record::key;
use super::super::segments::{self, Survey};
use super::super::{blocks, codec};
use super::base;
use super::chain::{Candidates, Piece, Trust};
use super::frames::{self, Content};
use super::source::{self, JOURNAL_AT, Sources};
use crate::id::{MAX_SEQ, Seq};

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
const OVERLAP: usize = 1 << 20;

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

/// Whether anything that the survey found to be cut off was synced, as far as `mark` and the log
/// itself tell. Without a mark nobody knows, so all of it counts; but not what `is_elsewhere`.
pub fn holds_promises(
    file: &File,
    survey: &Survey,
    mark: Option<Mark>,
    is_elsewhere: impl Fn(&[u8]) -> bool,
) -> io::Result<bool> {
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
                // What had expired by it, if it was the last one, is there still.
                Content::BasePart => (key::base(first, part), false),
                Content::Meta(_) => (key::META.to_vec(), mark.is_none()),
            };
            let was_synced = was_synced
                || (content.is_synced()
                    && survey.is_before_the_last_batch(range.start + at as u64));
            promised |= was_synced
                && is_first_copy(&bytes[..at], &key)
                && !is_elsewhere(&key)
                && !segments::is_of_another_use(&bytes, at, at + len, segment);
        });
        // A checkpoint is synced before the journal forgets what was in it.
        for (at, key) in locations(&bytes[..end]) {
            let number = key::number(key, 1).unwrap_or(0);
            let was_synced = mark.is_none_or(|mark| match key[0] {
                b't' => number < mark.next_frame,
                _ => number < mark.next_seq,
            });
            promised |= (was_synced || survey.is_before_the_last_batch(range.start + at as u64))
                && !is_elsewhere(key)
                && !segments::is_of_another_use(&bytes, at, at + LOCATION_BYTES, segment);
        }
    }
    Ok(promised)
}

/// Where in `bytes` the location of a record was first written, and the record's key: there the key
/// comes before it, and its length.
fn locations(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    const BEGIN: [u8; 2] = [LOCATION_BYTES as u8, 0];
    let begins = bytes.windows(2).enumerate();
    let begins = begins.filter(|(_, window)| *window == BEGIN);
    begins.filter_map(|(length_at, _)| {
        let at = length_at + 1;
        Location::decode(bytes.get(at..at + LOCATION_BYTES)?)?;
        let key = |len: usize| bytes.get(length_at.checked_sub(len)?..length_at);
        let is_of = |key: &&[u8], kinds: &[u8]| kinds.contains(&key[0]);
        let frame = key(9).filter(|key| is_of(key, b"et"));
        let key = frame.or_else(|| key(13).filter(|key| is_of(key, b"b")))?;
        Some((at, key))
    })
}

/// Whether a frame behind `before` is where it was first written: there its key comes before it,
/// and the length of the value. In a page that was rewritten, all keys come before all values.
fn is_first_copy(before: &[u8], key: &[u8]) -> bool {
    (1..=4).any(|len| before.len() >= len && before[..before.len() - len].ends_with(key))
}
