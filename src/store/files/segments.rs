//! The database's own log, read only: what an opening would throw away.
//!
//! sled takes the first message that it cannot read for the end of its log and overwrites what is
//! behind it, messages that are whole included; a segment whose head it cannot read it takes for
//! free and overwrites as a whole. That is right after a crash, when what is behind was never
//! acknowledged, and ruin after damage. So the log is looked at before sled may have it.
//!
//! ```text
//!  segment:  CRC32 u32, ~lsn i64, ~stable lsn i64, then messages
//!  message:  CRC32 u32, kind u8, length, segment number, page (varints), then the body
//! ```

mod message;

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::blocks;
use message::{Behind, VALUE_BEHIND, behind, is_own, walk};

pub use message::{all as messages, is_of_another_use};

/// Pages above a quarter of a segment go to files that sled never syncs; with segments of this
/// size no record of ours comes near that.
pub const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

const SEGMENT_HEAD: usize = 20;

/// No message begins in the last bytes of a segment.
const MESSAGE_HEAD_MAX: usize = 32;

/// An all-zero block is skipped in one step.
const BLOCK: usize = 4096;
const ZEROS: [u8; BLOCK] = [0; BLOCK];

/// What an opening would throw away.
#[derive(Debug, Default)]
pub struct Survey {
    /// What a crash leaves behind the end of the log: where, in the file, records may begin that
    /// would be overwritten. Whether any of them was acknowledged, only they themselves tell.
    pub cut_off: Vec<Range<u64>>,
    /// Damage that no crash leaves, in words.
    pub damage: Option<String>,
    /// How many bytes the disk did not give back.
    pub unreadable_bytes: usize,
    /// Whether the last batch is not whole, so that sled takes nothing of it.
    pub last_batch_is_torn: bool,
    /// The position in the log at which the last batch begins.
    last_batch: u64,
    segments: Vec<Segment>,
}

impl Survey {
    /// The position in the log of the segment that this place of the file is in, if it is one that
    /// was looked at.
    pub fn segment_at(&self, at: u64) -> Option<u64> {
        let begin = at / SEGMENT_BYTES as u64 * SEGMENT_BYTES as u64;
        let mut segments = self.segments.iter();
        segments
            .find(|segment| segment.at == begin)
            .map(|segment| segment.lsn)
    }

    /// Whether what was first written at this place of the file came before the last batch. No
    /// batch is begun before the one before it was written, and synced, if it was to be.
    pub fn is_before_the_last_batch(&self, at: u64) -> bool {
        let position = self
            .segment_at(at)
            .map(|lsn| lsn + at % SEGMENT_BYTES as u64);
        position.is_none_or(|position| position < self.last_batch)
    }

    /// What there is behind `tear` in the segment `place`: where the log ends, or was damaged. A
    /// batch in there is the last one.
    fn look_behind(&mut self, file: &File, place: usize, tear: usize) -> io::Result<Behind> {
        let mut found = Behind::default();
        for (number, segment) in self.segments.iter().enumerate().skip(place).rev() {
            let (bytes, _) = read_segment(file, segment)?;
            let from = if number == place {
                tear + 1
            } else {
                SEGMENT_HEAD
            };
            let behind = behind(&bytes, from, segment.lsn);
            found.goes_on |= behind.goes_on;
            if let Some(at) = behind.last_batch {
                let mut batch = None;
                let end = walk(&bytes, segment.lsn, at, &mut batch);
                let end = end.map_or(u64::MAX, |end| segment.lsn + end as u64);
                self.last_batch = segment.lsn + at as u64;
                self.last_batch_is_torn = batch.is_some_and(|(_, last)| last >= end);
                found.last_batch = Some(at);
                break;
            }
        }
        Ok(found)
    }
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    at: u64,
    lsn: u64,
    stable_lsn: u64,
}

/// A batch: where it begins, and where its last message ends, at the earliest.
type Batch = (u64, u64);

/// Whether `bytes` are nothing but zeros.
pub fn are_zeros(bytes: &[u8]) -> bool {
    bytes
        .chunks(BLOCK)
        .all(|block| *block == ZEROS[..block.len()])
}

/// How far sled's own snapshot in `dir` knows the log. One that it was writing when the process
/// died, and one that is damaged, make a store unopenable, and all that they save is time: they are
/// deleted.
pub fn snapshot_lsn(dir: &Path) -> io::Result<u64> {
    let mut known = 0;
    for entry in fs::read_dir(dir)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let name = name.to_string_lossy();
        let Some(lsn) = name.strip_prefix("snap.") else {
            continue;
        };
        match u64::from_str_radix(lsn, 16) {
            Ok(lsn) if is_snapshot(&fs::read(&path)?) => known = known.max(lsn),
            _ => fs::remove_file(&path)?,
        }
    }
    Ok(known)
}

/// Twelve bytes are behind what it says: its length and its checksum.
fn is_snapshot(bytes: &[u8]) -> bool {
    let body = bytes.len().checked_sub(12).and_then(|len| bytes.get(..len));
    let crc = bytes.last_chunk().map(|crc| u32::from_le_bytes(*crc));
    body.is_some_and(|body| !body.is_empty() && crc == Some(crc32fast::hash(body)))
}

/// A record that has lost nothing but zeros at its end has lost no more than these.
const ZEROS_BEHIND: usize = 64;

/// Reads up to `len` bytes. Behind the end of a file come some zeros, as they do for good when sled
/// has opened it; in the place of blocks that the disk does not give back come zeros, too.
pub fn read(file: &File, at: u64, len: usize) -> io::Result<Vec<u8>> {
    read_and_count(file, at, len).map(|(bytes, _)| bytes)
}

/// What can be read, and how many bytes of it cannot.
fn read_and_count(file: &File, at: u64, len: usize) -> io::Result<(Vec<u8>, usize)> {
    let left = usize::try_from(file.metadata()?.len().saturating_sub(at)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; len.min(left.saturating_add(ZEROS_BEHIND))];
    let (_, unreadable) = blocks::fill(&mut bytes, at, |to, from| file.read_at(to, from))?;
    Ok((bytes, unreadable))
}

/// Looks at every segment that sled reads when it opens its log: those that reach beyond
/// `snapshot_lsn`, of which its own snapshot knows.
pub fn survey(file: &File, snapshot_lsn: u64) -> io::Result<Survey> {
    let mut survey = Survey::default();
    let mut segments = Vec::new();
    let len = file.metadata()?.len();
    for at in (0..len).step_by(SEGMENT_BYTES) {
        let mut head = [0; SEGMENT_HEAD];
        let whole = at + SEGMENT_HEAD as u64 <= len;
        if whole {
            let (bytes, unreadable) = read_and_count(file, at, SEGMENT_HEAD)?;
            survey.unreadable_bytes += unreadable;
            head.copy_from_slice(&bytes);
        }
        match segment(at, &head).filter(|_| whole) {
            Some(segment) => segments.push(segment),
            None if are_zeros(&read(file, at, SEGMENT_BYTES)?) => {}
            None => survey.damage = Some(format!("the head of the segment at byte {at}")),
        }
    }
    segments.sort_by_key(|segment| segment.lsn);
    segments.retain(|segment| segment.lsn + SEGMENT_BYTES as u64 > snapshot_lsn);
    let stable_lsn = segments.iter().map(|segment| segment.stable_lsn).max();
    let step = SEGMENT_BYTES as u64;
    // What comes before this is whole, whatever a crash has done to the end.
    let stable_lsn = stable_lsn.unwrap_or(0) / step * step;
    for pair in segments.windows(2) {
        // Further back, segments that were given free are missing by right.
        if pair[0].lsn >= stable_lsn && pair[0].lsn + step != pair[1].lsn {
            let at = pair[1].at;
            survey.damage = Some(format!("there is none before the segment at byte {at}"));
        }
    }
    survey.segments = segments;
    let (mut batch, last) = (None, survey.segments.len().saturating_sub(1));
    for (place, segment) in survey.segments.clone().iter().enumerate() {
        let (bytes, unreadable) = read_segment(file, segment)?;
        survey.unreadable_bytes += unreadable;
        let tear = walk(&bytes, segment.lsn, SEGMENT_HEAD, &mut batch);
        let end = segment.lsn + tear.unwrap_or(SEGMENT_BYTES) as u64;
        let torn = batch.filter(|(_, last)| *last >= end);
        let torn = torn.filter(|_| tear.is_some() || place == last);
        if tear.is_none() && place < last {
            continue;
        }
        let behind = match tear {
            Some(tear) => survey.look_behind(file, place, tear)?,
            None => Behind::default(),
        };
        if behind.last_batch.is_none() {
            (survey.last_batch, survey.last_batch_is_torn) = match (torn, batch) {
                (Some((first, _)), _) => (first, true),
                // What is behind the tear has lost the head of its batch.
                (None, _) if behind.goes_on => (end, true),
                (None, batch) => (batch.map_or(0, |(first, _)| first), false),
            };
        }
        if let Some(tear) = tear.filter(|_| place < last) {
            // A group may go over into the next segment, and a crash let that one come first.
            if segment.lsn < stable_lsn || behind.last_batch.is_some() {
                let at = segment.at + tear as u64;
                survey.damage = Some(format!("the message at byte {at}"));
                continue;
            }
        }
        let from = torn.map(|(first, _)| first);
        if let Some(from) = from.or((behind.goes_on || place < last).then_some(end)) {
            survey.cut_off = log_behind(&survey.segments, from);
        } else if let Some(tear) = tear.filter(|tear| is_own(&bytes, *tear, segment.lsn)) {
            // The last message may have lost less than its record.
            let at = segment.at + tear as u64;
            survey.cut_off.push(at..at + VALUE_BEHIND as u64);
        }
        break;
    }
    Ok(survey)
}

/// The bytes of a segment, and how many of them the disk did not give back. sled makes nothing up
/// behind the end of its file.
fn read_segment(file: &File, segment: &Segment) -> io::Result<(Vec<u8>, usize)> {
    let (mut bytes, unreadable) = read_and_count(file, segment.at, SEGMENT_BYTES)?;
    let left = file.metadata()?.len().saturating_sub(segment.at);
    bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
    Ok((bytes, unreadable))
}

/// Where in the file the log lies from position `from` on.
fn log_behind(segments: &[Segment], from: u64) -> Vec<Range<u64>> {
    let step = SEGMENT_BYTES as u64;
    let later = segments.iter().filter(|segment| segment.lsn + step > from);
    let range =
        |segment: &Segment| segment.at + from.saturating_sub(segment.lsn)..segment.at + step;
    later.map(range).collect()
}

fn segment(at: u64, head: &[u8; SEGMENT_HEAD]) -> Option<Segment> {
    let crc = u32::from_le_bytes(head[..4].try_into().ok()?);
    let lsn = i64::from_le_bytes(head[4..12].try_into().ok()?) ^ i64::MAX;
    let stable = i64::from_le_bytes(head[12..20].try_into().ok()?) ^ i64::MAX;
    let is_right = crc == !crc32fast::hash(&head[4..]);
    let lsn = u64::try_from(lsn).ok().filter(|_| is_right)?;
    // Before anything is stable, it is -1.
    let stable_lsn = u64::try_from(stable).unwrap_or(0);
    (lsn % SEGMENT_BYTES as u64 == 0).then_some(Segment {
        at,
        lsn,
        stable_lsn,
    })
}
