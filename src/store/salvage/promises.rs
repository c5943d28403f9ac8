//! Whether what an opening would cut off was promised to anybody.

use std::collections::HashSet;
use std::fs::File;
use std::io;

use super::super::disk::{LOCATION_BYTES, Location};
use super::super::record::key;
use super::frames::{self, Content};
use super::search::OVERLAP;
use crate::store::files::high_water::Mark;
use crate::store::files::segments::{self, Survey};

/// Whether anything that the survey found to be cut off was synced, as far as `mark` and the log
/// itself tell. Without a mark nobody knows, so all of it counts; but not what `is_elsewhere`.
pub fn holds_promises(
    file: &File,
    survey: &Survey,
    mark: Option<Mark>,
    is_elsewhere: impl Fn(&[u8]) -> bool,
) -> io::Result<bool> {
    let mut promised = false;
    // Of these a copy of a page may be all that was ever written.
    let mut doubtful = HashSet::new();
    for range in &survey.cut_off {
        let end = usize::try_from(range.end - range.start).unwrap_or(0);
        let bytes = segments::read(file, range.start, end + OVERLAP)?;
        let segment = survey.segment_at(range.start).unwrap_or(0);
        let end = end.min(bytes.len());
        frames::for_each(&bytes, end, |at, len, frame, content| {
            let (first, part) = (frame.head.first, frame.head.count);
            let before = |next: fn(Mark) -> u64| mark.is_none_or(|mark| first < next(mark));
            let key = key_of(&content, first, part);
            let was_synced = match &content {
                Content::Events(..) | Content::Part(_) => before(|mark| mark.next_seq),
                Content::Transitions(_) => before(|mark| mark.next_frame),
                // What had expired by it, if it was the last one, is there still.
                Content::BasePart => false,
                Content::Meta(_) => mark.is_none(),
            };
            let was_synced = was_synced
                || (content.is_synced()
                    && survey.is_before_the_last_batch(range.start + at as u64));
            if was_synced
                && !is_elsewhere(&key)
                && !segments::is_of_another_use(&bytes, at, at + len, segment)
            {
                promised |= is_first_copy(&bytes[..at], &key);
                doubtful.insert(key);
            }
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
    if !promised && !doubtful.is_empty() {
        forget_what_is_kept(file, survey, &mut doubtful)?;
        promised = !doubtful.is_empty();
    }
    Ok(promised)
}

/// Takes out of `keys` those whose records are in the part of the file that is not cut off.
fn forget_what_is_kept(
    file: &File,
    survey: &Survey,
    keys: &mut HashSet<Vec<u8>>,
) -> io::Result<()> {
    let len = file.metadata()?.len();
    for begin in (0..len).step_by(segments::SEGMENT_BYTES) {
        let bytes = segments::read(file, begin, segments::SEGMENT_BYTES + OVERLAP)?;
        let end = bytes.len().min(segments::SEGMENT_BYTES);
        frames::for_each(&bytes, end, |at, _, frame, content| {
            let is_cut_off = |at: u64| survey.cut_off.iter().any(|range| range.contains(&at));
            if !is_cut_off(begin + at as u64) {
                keys.remove(&key_of(&content, frame.head.first, frame.head.count));
            }
        });
    }
    Ok(())
}

/// Under which key the database has such a frame.
fn key_of(content: &Content, first: u64, part: u32) -> Vec<u8> {
    match content {
        Content::Events(..) => key::events(first),
        Content::Part(_) => key::chunk(first, part),
        Content::Transitions(_) => key::transitions(first),
        Content::BasePart => key::base(first, part),
        Content::Meta(_) => key::META.to_vec(),
    }
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
