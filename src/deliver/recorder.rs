//! What was sent, byte for byte, and the headers that came back: for tests, in memory only.
//!
//! Credentials are left out: `authorization`, and the headers that the endpoint was given.
//! Signatures are kept as they were sent, since they are what a test looks at.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::confidence::{MASK, masked};
use super::transport::{Answer, Request, SendError};
use crate::endpoint::EndpointSettings;
use crate::id::Seq;

/// Bytes that are kept, unless it is said.
pub const DEFAULT_BYTES: usize = 64 << 20;

/// What a record takes beside its texts, about.
const OVERHEAD: usize = 256;

/// Which attempt: of which endpoint, by its number, at which event.
pub type Key = (u32, Seq, u32);

/// The attempts of late, up to so many bytes; the oldest go first.
#[derive(Debug)]
pub struct Recorder {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<Key, (u64, Arc<Record>)>,
    /// Oldest first; one whose number is not the record's has been replaced.
    order: VecDeque<(u64, Key)>,
    next: u64,
    bytes: usize,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was sent.
    pub request: Sent,
    /// The answer's headers, names in lower case; none if there was no answer.
    pub answer: Option<Vec<(String, String)>>,
}

/// A request as it went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// Where to.
    pub url: String,
    /// The headers in their order, with those that frame the message; credentials as `…`.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it was sent.
    pub body: Bytes,
}

impl Sent {
    pub(super) fn of(request: &Request, settings: &EndpointSettings) -> Result<Self, SendError> {
        let is_secret = |name: &HeaderName| {
            let mut own = settings.headers.iter();
            *name == AUTHORIZATION || own.any(|(own, _)| own.eq_ignore_ascii_case(name.as_str()))
        };
        let shown = |(name, value): &(HeaderName, HeaderValue)| {
            let text = match is_secret(name) {
                true => MASK.to_owned(),
                false => text(value),
            };
            (name.to_string(), text)
        };
        Ok(Self {
            method: request.method.to_string(),
            url: request.url.to_string(),
            headers: request.head()?.iter().map(shown).collect(),
            body: request.body.clone(),
        })
    }
}

impl Record {
    /// A receiver may say back what it was told in confidence.
    pub(super) fn of(request: Sent, answer: Option<&Answer>, settings: &EndpointSettings) -> Self {
        let headers = |headers: &HeaderMap| {
            let headers = headers.iter();
            let shown =
                headers.map(|(n, value)| (n.to_string(), masked(text(value), false, settings)));
            shown.collect()
        };
        Self {
            request,
            answer: answer.map(|answer| headers(&answer.headers)),
        }
    }

    fn bytes(&self) -> usize {
        let lines = self.request.headers.iter();
        let lines = lines.chain(self.answer.iter().flatten());
        let lines: usize = lines.map(|(name, value)| name.len() + value.len()).sum();
        OVERHEAD + self.request.url.len() + self.request.body.len() + lines
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

impl Recorder {
    /// Keeps up to `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            kept: Mutex::default(),
        }
    }

    /// Keeps a record, in place of an older one of the same attempt: after a drain it is repeated
    /// under its own number.
    pub fn keep(&self, key: Key, record: Record) {
        let bytes = record.bytes();
        // A body that was sent is a slice of a frame of many events, and would keep all of it.
        let record = Record {
            request: Sent {
                body: Bytes::copy_from_slice(&record.request.body),
                ..record.request
            },
            ..record
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, old)) = kept.records.remove(&key) {
            kept.bytes -= old.bytes();
        }
        kept.next += 1;
        let number = kept.next;
        kept.bytes += bytes;
        kept.records.insert(key, (number, Arc::new(record)));
        kept.order.push_back((number, key));
        while kept.bytes > self.bytes_max {
            let Some((number, key)) = kept.order.pop_front() else {
                break;
            };
            if kept.records.get(&key).is_some_and(|(of, _)| *of == number)
                && let Some((_, old)) = kept.records.remove(&key)
            {
                kept.bytes -= old.bytes();
            }
        }
        // Replaced ones are few, but must not add up for ever.
        if kept.order.len() > 2 * kept.records.len() + 1024 {
            let Kept { records, order, .. } = &mut *kept;
            order.retain(|(number, key)| records.get(key).is_some_and(|(of, _)| of == number));
        }
    }

    /// The record of an attempt, if it is still there.
    pub fn find(&self, key: Key) -> Option<Arc<Record>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.records.get(&key).map(|(_, record)| record.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(size: usize) -> Record {
        Record {
            request: Sent {
                method: "POST".into(),
                url: "http://h/".into(),
                headers: Vec::new(),
                body: vec![b'x'; size].into(),
            },
            answer: None,
        }
    }

    #[test]
    fn the_oldest_records_go_first_and_the_bound_is_kept() {
        let recorder = Recorder::new(10_000);
        for seq in 1..=1000 {
            recorder.keep((0, seq, 1), record(1000));
            let kept = recorder.kept.lock().unwrap();
            assert!(kept.bytes <= 10_000);
            let bytes: usize = kept.records.values().map(|(_, r)| r.bytes()).sum();
            assert_eq!(kept.bytes, bytes);
        }
        assert_eq!(recorder.find((0, 1, 1)), None);
        let left: Vec<u64> = (1..=1000)
            .filter(|seq| recorder.find((0, *seq, 1)).is_some())
            .collect();
        assert_eq!(left, Vec::from_iter(994..=1000));
        // One that is larger than all the room there is takes none.
        recorder.keep((0, 2000, 1), record(20_000));
        assert_eq!(recorder.kept.lock().unwrap().bytes, 0);
    }

    #[test]
    fn an_attempt_that_is_repeated_under_its_number_has_its_last_record() {
        let recorder = Recorder::new(100_000);
        for size in 0..5000 {
            recorder.keep((0, 1, 1), record(size));
        }
        let found = recorder.find((0, 1, 1)).unwrap();
        assert_eq!(found.request.body.len(), 4999);
        let kept = recorder.kept.lock().unwrap();
        assert!(kept.bytes == found.bytes() && kept.order.len() < 2000);
    }
}
