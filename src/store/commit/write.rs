//! From a group of events and transitions to one atomic batch of records. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::event::Event;
use crate::id::Seq;
use crate::store::StoreError;
use crate::store::backend::Change;
use crate::store::files::high_water::Mark;
use crate::store::log::parts::Writer;
use crate::store::projection::queue::Then;
use crate::store::record::codec::{self, Blob, FrameError, Head, Kind};
use crate::store::record::{
    AttemptRecord, Body, EventRecord, MAX_INLINE_BODY_BYTES, MAX_RECORD_BYTES, Reopened,
    Transition, key,
};
use crate::store::sealing::kept;
use crate::store::sealing::keyring::Keyring;

/// A group, ready to be written.
#[derive(Debug)]
pub struct Group {
    /// The batch.
    pub changes: Vec<Change>,
    /// The events as they lie in frames.
    pub frames: Vec<Arc<[Arc<Event>]>>,
    /// How far the log reaches when the batch is on disk.
    pub mark: Mark,
    /// Where the next group goes on.
    pub next: Next,
}

/// Where a group leaves the chains of frames.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    seq: Seq,
    frame: u64,
    events_crc: u32,
    transitions_crc: u32,
}

impl Writer {
    /// The group that led to `next` is on disk.
    pub fn advance(&mut self, next: &Next, records: usize) {
        self.next_seq = next.seq;
        self.next_frame = next.frame;
        self.events_crc = next.events_crc;
        self.transitions_crc = next.transitions_crc;
        self.records_since_snapshot += records as u64;
    }
}

fn unencodable(error: FrameError) -> StoreError {
    StoreError::Stopped(format!("a record cannot be written: {error}"))
}

impl Group {
    /// Lays the transitions and, after them, the events out in frames.
    pub fn encode(
        writer: &Writer,
        transitions: &[Transition],
        events: &[Arc<Event>],
    ) -> Result<Self, StoreError> {
        let mut group = Self {
            changes: Vec::new(),
            frames: Vec::new(),
            mark: Mark::default(),
            next: Next {
                seq: writer.next_seq,
                frame: writer.next_frame,
                events_crc: writer.events_crc,
                transitions_crc: writer.transitions_crc,
            },
        };
        for part in split(transitions, transition_len) {
            group
                .put_transitions(part, &writer.keys)
                .map_err(unencodable)?;
        }
        for part in split(events, |event| EventRecord::of(event).encoded_len()) {
            group.put_events(part).map_err(unencodable)?;
        }
        group.mark = Mark {
            next_seq: group.next.seq,
            next_frame: group.next.frame,
        };
        Ok(group)
    }

    /// About how many bytes it writes.
    pub fn bytes(&self) -> u64 {
        let len = |change: &Change| match change {
            Change::Put(key, value) => key.len() + value.len(),
            Change::Delete(key) => key.len(),
        };
        self.changes.iter().map(len).sum::<usize>() as u64
    }

    fn put_events(&mut self, events: &[Arc<Event>]) -> Result<(), FrameError> {
        let Some(first) = events.first().map(|event| event.seq) else {
            return Ok(());
        };
        let records: Vec<EventRecord<'_>> = events.iter().map(|e| EventRecord::of(e)).collect();
        let head = Head {
            kind: Kind::Events,
            previous: self.next.events_crc,
            first,
            count: events.len() as u32,
        };
        let (bytes, crc) = codec::encode(head, &records)?;
        self.changes.push(Change::Put(key::events(first), bytes));
        for (event, record) in events.iter().zip(&records) {
            if matches!(record.body, Body::Chunked { .. }) {
                self.put_chunks(event)?;
            }
        }
        self.next.events_crc = crc;
        self.next.seq = first + events.len() as u64;
        self.frames.push(events.into());
        Ok(())
    }

    fn put_chunks(&mut self, event: &Event) -> Result<(), FrameError> {
        for (part, bytes) in event.content.body.chunks(MAX_INLINE_BODY_BYTES).enumerate() {
            let head = Head {
                kind: Kind::Chunk,
                previous: 0,
                first: event.seq,
                count: part as u32,
            };
            let (bytes, _) = codec::encode(head, &Blob(bytes))?;
            let key = key::chunk(event.seq, part as u32);
            self.changes.push(Change::Put(key, bytes));
        }
        Ok(())
    }

    fn put_transitions(
        &mut self,
        transitions: &[Transition],
        keys: &Keyring,
    ) -> Result<(), FrameError> {
        if transitions.is_empty() {
            return Ok(());
        }
        let number = self.next.frame;
        let head = Head {
            kind: Kind::Transitions,
            previous: self.next.transitions_crc,
            first: number,
            count: transitions.len() as u32,
        };
        let (bytes, crc) = kept::write(head, self.next.seq, transitions, keys)?;
        self.changes
            .push(Change::Put(key::transitions(number), bytes));
        self.changes.extend(index(number, transitions));
        self.next.transitions_crc = crc;
        self.next.frame += 1;
        Ok(())
    }
}

/// The index of a frame's transitions.
pub fn index<E>(frame: u64, transitions: &[Transition<E>]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut successes: BTreeMap<u32, BTreeSet<Seq>> = BTreeMap::new();
    for transition in transitions {
        match transition {
            Transition::Attempt(record) if is_first_try_success(record) => {
                successes
                    .entry(record.endpoint)
                    .or_default()
                    .insert(record.seq);
            }
            Transition::Attempt(record) => {
                let number = record.attempt.number;
                changes.push(Change::Put(
                    key::attempt(record.endpoint, record.seq, number),
                    frame.to_be_bytes().to_vec(),
                ));
                if record.then == Then::Dead {
                    let key = key::dead(record.endpoint, record.seq);
                    changes.push(Change::Put(key, Vec::new()));
                }
            }
            Transition::Replay(replay) => {
                let endpoint = replay.endpoint;
                for Reopened {
                    seq,
                    attempts,
                    was_dead,
                } in &replay.deliveries
                {
                    changes.extend(match (was_dead, attempts) {
                        (true, _) => Some(Change::Delete(key::dead(endpoint, *seq))),
                        (false, 0) => None,
                        (false, attempts) => Some(Change::Put(
                            key::put_back(endpoint, *seq, *attempts),
                            frame.to_be_bytes().to_vec(),
                        )),
                    });
                }
            }
            Transition::Endpoint(..) | Transition::Lost(..) => {}
        }
    }
    for (endpoint, seqs) in successes {
        for (least, greatest) in ranges(&seqs) {
            let value = [greatest.to_be_bytes(), frame.to_be_bytes()].concat();
            let key = key::successes(endpoint, least);
            changes.push(Change::Put(key, value));
        }
    }
    changes
}

/// How far an `s` key reaches at most: as many keys, and no more, can lie between a delivery and
/// the key that it is found by.
pub const SUCCESSES_SPAN: u64 = 64;

/// From least to greatest of each range that one key stands for.
fn ranges(seqs: &BTreeSet<Seq>) -> Vec<(Seq, Seq)> {
    let mut ranges: Vec<(Seq, Seq)> = Vec::new();
    for seq in seqs {
        match ranges.last_mut() {
            Some((least, greatest)) if seq - *least < SUCCESSES_SPAN => *greatest = *seq,
            _ => ranges.push((*seq, *seq)),
        }
    }
    ranges
}

/// Whether the attempt is found by the `s` keys.
pub fn is_first_try_success(record: &AttemptRecord) -> bool {
    record.attempt.number == 1 && record.then == Then::Delivered
}

fn transition_len(transition: &Transition) -> usize {
    match transition {
        Transition::Attempt(_) => 64 + transition.text_len(),
        Transition::Endpoint(_, endpoint) => {
            let settings = &endpoint.settings;
            let headers = settings.headers.iter().map(|(n, v)| n.len() + v.len() + 4);
            let patterns = settings.filter.patterns.iter().map(|p| p.len() + 2);
            512 + settings.url.len()
                + settings.ca_pem.as_ref().map_or(0, String::len)
                + headers.sum::<usize>()
                + patterns.sum::<usize>()
        }
        Transition::Replay(replay) => 32 + 16 * replay.deliveries.len(),
        Transition::Lost(..) => 24,
    }
}

/// Cuts `items` into runs that each fit a record.
fn split<T>(items: &[T], len: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, item) in items.iter().enumerate() {
        let len = len(item);
        if bytes + len > MAX_RECORD_BYTES && at > start {
            parts.push(&items[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += len;
    }
    parts.push(&items[start..]);
    parts
}
