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

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::blocks;

/// Pages above a quarter of a segment go to files that sled never syncs; with segments of this
/// size no record of ours comes near that.
pub const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

const SEGMENT_HEAD: usize = 20;

/// No message begins in the last bytes of a segment.
const MESSAGE_HEAD_MAX: usize = 32;

/// The record of a message begins no further behind it: before it are the heads and the key.
const RECORD_BEHIND: u64 = 64;

/// An all-zero block is skipped in one step.
const BLOCK: usize = 4096;
const ZEROS: [u8; BLOCK] = [0; BLOCK];

const CAP: u8 = 2;
const BATCH: u8 = 3;
const KIND_MAX: u8 = 11;

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
    let stable_lsn = stable_lsn.unwrap_or(0);
    let step = SEGMENT_BYTES as u64;
    for pair in segments.windows(2) {
        // Further back, segments that were given free are missing by right.
        if pair[0].lsn >= stable_lsn / step * step && pair[0].lsn + step != pair[1].lsn {
            let at = pair[1].at;
            survey.damage = Some(format!("there is none before the segment at byte {at}"));
        }
    }
    let (mut batch, last) = (None, segments.len().saturating_sub(1));
    for (place, segment) in segments.iter().enumerate() {
        let (mut bytes, unreadable) = read_and_count(file, segment.at, SEGMENT_BYTES)?;
        survey.unreadable_bytes += unreadable;
        // sled makes nothing up behind the end of its file.
        bytes.truncate(usize::try_from(len - segment.at).unwrap_or(usize::MAX));
        let tear = walk(&bytes, segment.lsn, &mut batch);
        if place < last {
            if let Some(tear) = tear {
                let at = segment.at + tear as u64;
                survey.damage = Some(format!("the message at byte {at}"));
            }
            continue;
        }
        let end = segment.lsn + tear.unwrap_or(SEGMENT_BYTES) as u64;
        let torn = batch.filter(|(_, last)| *last >= end);
        let goes_on = tear.is_some_and(|tear| goes_on_behind(&bytes, tear, segment.lsn));
        if let Some(from) = torn.map(|(first, _)| first).or(goes_on.then_some(end)) {
            survey.cut_off = behind(&segments, from);
        } else if let Some(tear) = tear.filter(|tear| is_own(&bytes, *tear, segment.lsn)) {
            // The last message may have lost less than its record.
            let at = segment.at + tear as u64;
            survey.cut_off.push(at..at + RECORD_BEHIND);
        }
    }
    Ok(survey)
}

/// Where in the file the log lies from position `from` on.
fn behind(segments: &[Segment], from: u64) -> Vec<Range<u64>> {
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

/// Goes from message to message as sled does. Says where the first one would begin that is none,
/// if it comes before the end of the segment.
fn walk(bytes: &[u8], lsn: u64, batch: &mut Option<Batch>) -> Option<usize> {
    let mut at = SEGMENT_HEAD;
    while at <= SEGMENT_BYTES - MESSAGE_HEAD_MAX {
        let message = match message(bytes, at, lsn) {
            Some(message) => message,
            None => return Some(at),
        };
        match message.kind {
            CAP => break,
            BATCH => *batch = message.batch_end.map(|last| (lsn + at as u64, last)),
            _ => {}
        }
        at += message.len;
    }
    None
}

/// Whether a message of the same segment follows somewhere behind the tear.
fn goes_on_behind(bytes: &[u8], tear: usize, lsn: u64) -> bool {
    let mut at = tear + 1;
    while at + MESSAGE_HEAD_MAX < bytes.len() {
        match bytes.get(at..at + BLOCK) {
            Some(block) if block == ZEROS => at += BLOCK,
            _ if message(bytes, at, lsn).is_some() => return true,
            _ => at += 1,
        }
    }
    false
}

/// Whether the head of a message says that it is of this segment: what an earlier use of the segment
/// has left does not.
fn is_own(bytes: &[u8], at: usize, lsn: u64) -> bool {
    let mut head = at + 5;
    let number = varint(bytes, &mut head).and_then(|_| varint(bytes, &mut head));
    number == Some(lsn / SEGMENT_BYTES as u64)
}

struct Message {
    kind: u8,
    /// Head and body.
    len: usize,
    /// Of the head of a batch: where its last message begins, or a place behind that.
    batch_end: Option<u64>,
}

/// The message at `at` of the segment, if it is whole and the segment's own.
fn message(bytes: &[u8], at: usize, lsn: u64) -> Option<Message> {
    let kind = *bytes.get(at + 4)?;
    // Kind 0 stands for damage, so that zeros are no message.
    if kind == 0 || kind > KIND_MAX {
        return None;
    }
    let mut head = at + 5;
    let len = usize::try_from(varint(bytes, &mut head)?).ok()?;
    let number = varint(bytes, &mut head)?;
    if number != lsn / SEGMENT_BYTES as u64 {
        return None;
    }
    varint(bytes, &mut head)?;
    let body = bytes.get(head..head.checked_add(len)?)?;
    let crc = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(body);
    hasher.update(bytes.get(at + 4..head)?);
    let found = hasher.finalize();
    let batch_end = body.first_chunk().map(|last| u64::from_le_bytes(*last));
    (crc == !found).then_some(Message {
        kind,
        len: head - at + len,
        batch_end,
    })
}

/// sled's numbers of one to nine bytes.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let first = *bytes.get(*at)?;
    let more = match first {
        0..=240 => 0,
        241..=248 => 1,
        249 => 2,
        250..=255 => usize::from(first) - 247,
    };
    let rest = bytes.get(*at + 1..*at + 1 + more)?;
    *at += 1 + more;
    Some(match (first, rest) {
        (0..=240, _) => u64::from(first),
        (241..=248, [low]) => 240 + 256 * u64::from(first - 241) + u64::from(*low),
        (249, [high, low]) => 2288 + 256 * u64::from(*high) + u64::from(*low),
        _ => {
            let mut number = [0; 8];
            number[..more].copy_from_slice(rest);
            u64::from_le_bytes(number)
        }
    })
}
