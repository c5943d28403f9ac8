//! One message of the database's log, and the way from each to the next.

use std::ops::Range;

use super::{BLOCK, Batch, MESSAGE_HEAD_MAX, SEGMENT_BYTES, SEGMENT_HEAD, Segment, ZEROS, segment};

const CAP: u8 = 2;
const BATCH: u8 = 3;
const KIND_MAX: u8 = 11;

/// The value of a message begins no further behind it: before it are the heads and the key.
pub const VALUE_BEHIND: usize = 64;

/// Goes from message to message as sled does. Says where the first one would begin that is none,
/// if it comes before the end of the segment.
pub fn walk(bytes: &[u8], lsn: u64, from: usize, batch: &mut Option<Batch>) -> Option<usize> {
    let mut at = from.max(SEGMENT_HEAD);
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

/// What is left of a segment behind a tear.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// Whether there is a message of the same segment.
    pub goes_on: bool,
    /// Where the last batch begins.
    pub last_batch: Option<usize>,
}

/// Looks for messages of the same segment behind `from`, wherever they begin.
pub fn behind(bytes: &[u8], from: usize, lsn: u64) -> Behind {
    let (mut at, mut found) = (from, Behind::default());
    while at + MESSAGE_HEAD_MAX < bytes.len() {
        match bytes.get(at..at + BLOCK) {
            Some(block) if block == ZEROS => at += BLOCK,
            _ => match message(bytes, at, lsn) {
                Some(message) => {
                    found.goes_on = true;
                    if message.kind == BATCH {
                        found.last_batch = Some(at);
                    }
                    at += message.len;
                }
                None => at += 1,
            },
        }
    }
    found
}

/// Where the whole messages of the segment that begins with `bytes` lie, in order; none if nothing
/// says which segment it is.
pub fn all(bytes: &[u8]) -> Vec<Range<usize>> {
    let head = bytes.first_chunk().and_then(|head| segment(0, head));
    let Some(Segment { lsn, .. }) = head else {
        return Vec::new();
    };
    let bytes = &bytes[..bytes.len().min(SEGMENT_BYTES)];
    let (mut at, mut found) = (SEGMENT_HEAD, Vec::new());
    while at + MESSAGE_HEAD_MAX < bytes.len() {
        match bytes.get(at..at + BLOCK) {
            Some(block) if block == ZEROS => at += BLOCK,
            _ => match message(bytes, at, lsn) {
                Some(message) => {
                    found.push(at..at + message.len);
                    at += message.len;
                }
                None => at += 1,
            },
        }
    }
    found
}

/// Whether the value at `at`, which ends at `end`, is in a whole message of another segment than
/// the one at `lsn`: sled does not clear a segment that it uses again.
pub fn is_of_another_use(bytes: &[u8], at: usize, end: usize, lsn: u64) -> bool {
    let is_of_another = |start: usize| {
        let head = Head::at(bytes, start).filter(|head| head.body.end == end);
        let head = head.filter(|head| head.segment != lsn / SEGMENT_BYTES as u64);
        head.is_some_and(|head| head.message(bytes, start).is_some())
    };
    (at.saturating_sub(VALUE_BEHIND)..at).any(is_of_another)
}

/// Whether the head of a message says that it is of this segment: what an earlier use of the segment
/// has left does not.
pub fn is_own(bytes: &[u8], at: usize, lsn: u64) -> bool {
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
    let head = Head::at(bytes, at)?;
    let is_own = head.segment == lsn / SEGMENT_BYTES as u64;
    is_own.then(|| head.message(bytes, at)).flatten()
}

/// What the head of a message says.
struct Head {
    kind: u8,
    segment: u64,
    body: Range<usize>,
}

impl Head {
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let kind = *bytes.get(at + 4)?;
        // Kind 0 stands for damage, so that zeros are no message.
        if kind == 0 || kind > KIND_MAX {
            return None;
        }
        let mut end = at + 5;
        let len = usize::try_from(varint(bytes, &mut end)?).ok()?;
        let segment = varint(bytes, &mut end)?;
        varint(bytes, &mut end)?;
        let body = end..end.checked_add(len)?;
        Some(Self {
            kind,
            segment,
            body,
        })
    }

    /// The message, if it is whole.
    fn message(&self, bytes: &[u8], at: usize) -> Option<Message> {
        let body = bytes.get(self.body.clone())?;
        let crc = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(body);
        hasher.update(bytes.get(at + 4..self.body.start)?);
        let found = hasher.finalize();
        let batch_end = body.first_chunk().map(|last| u64::from_le_bytes(*last));
        (crc == !found).then_some(Message {
            kind: self.kind,
            len: self.body.end - at,
            batch_end,
        })
    }
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
