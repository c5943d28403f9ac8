//! What the records hold, and where each one lies.
//!
//! All records are in one sled tree, so that a commit group is one atomic batch. The first byte of
//! a key tells the kind; numbers in keys are big-endian, so that they sort.
//!
//! | key | value |
//! |---|---|
//! | `m` | meta: the store's tag, the secret of its duplicate index |
//! | `e` first sequence number (8) | frame of events |
//! | `b` sequence number (8), part (4) | part of a body that is too large for its frame |
//! | `t` frame number (8) | frame of transitions: attempts, endpoint changes, replays |
//! | `a` endpoint (4), sequence number (8), attempt (4) | number (8) of the frame that holds this attempt; for all but first-try successes |
//! | `s` endpoint (4), least sequence number (8) | greatest sequence number (8) and frame number (8): the first-try successes of one endpoint in one frame |
//! | `x` endpoint (4), sequence number (8) | empty: this delivery is a dead letter |
//! | `r` endpoint (4), sequence number (8), attempts (4) | number (8) of the frame that put this delivery, which was no dead letter, back behind so many attempts |
//! | `p` number (8), part (4) | part of a base |
//!
//! `a`, `s`, `x` and `r` are an index of `t`, written in the same batch.

pub mod codec;
pub mod event_frame;
pub mod frames;
pub mod key;

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::projection::queue::Then;
use crate::clock::Timestamp;
use crate::delivery::Attempt;
use crate::endpoint::Endpoint;
use crate::event::{Event, Form, NewEvent};
use crate::id::{EventId, Seq};
use codec::Blob;

/// The most bytes that a record's value has, but for endpoints with long certificates.
///
/// sled keeps up to 16 records in a page, and however small its cache, one page in each of 256
/// parts: 8 KiB bound that to 32 MiB, where records of 96 KiB took 850 MiB for a log of a
/// million events. It also keeps every page far below the 2 MiB (a quarter of a segment) above
/// which sled writes to files that it never syncs.
pub const MAX_RECORD_BYTES: usize = 8 * 1024;

/// Bodies above this size are split over records of their own.
pub const MAX_INLINE_BODY_BYTES: usize = 6 * 1024;

/// Where an event's body lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body<'a> {
    /// In the frame.
    #[serde(borrow)]
    Inline(Blob<'a>),
    /// In this many records of its own.
    Chunked {
        /// How many.
        parts: u32,
        /// Its size in all.
        bytes: u32,
    },
}

/// One event of a frame; its sequence number is the frame's first plus its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord<'a> {
    received_at: Timestamp,
    /// Where it came from.
    pub source: &'a str,
    kind: &'a str,
    subject: Option<&'a str>,
    time: Option<Timestamp>,
    content_type: &'a str,
    relayed: bool,
    status: Option<&'a str>,
    idempotency_key: Option<&'a str>,
    /// The body.
    #[serde(borrow)]
    pub body: Body<'a>,
}

impl<'a> EventRecord<'a> {
    /// The record of `event`.
    pub fn of(event: &'a Event) -> Self {
        let content = &event.content;
        let bytes = content.body.len();
        Self {
            received_at: event.received_at,
            source: &content.source,
            kind: &content.kind,
            subject: content.subject.as_deref(),
            time: content.time,
            content_type: &content.content_type,
            relayed: content.form == Form::Relayed,
            status: content.status.as_deref(),
            idempotency_key: content.idempotency_key.as_deref(),
            body: if bytes <= MAX_INLINE_BODY_BYTES {
                Body::Inline(Blob(&content.body))
            } else {
                Body::Chunked {
                    parts: bytes.div_ceil(MAX_INLINE_BODY_BYTES) as u32,
                    bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
                }
            },
        }
    }

    /// How many records of its own its body takes, and the bytes in them.
    pub fn parts(&self) -> (u32, u64) {
        match self.body {
            Body::Chunked { parts, bytes } => (parts, u64::from(bytes)),
            Body::Inline(_) => (0, 0),
        }
    }

    /// About how many bytes the record takes, without those parts.
    pub fn encoded_len(&self) -> usize {
        let text = self.source.len()
            + self.kind.len()
            + self.content_type.len()
            + self.subject.map_or(0, str::len)
            + self.status.map_or(0, str::len)
            + self.idempotency_key.map_or(0, str::len);
        let body = match self.body {
            Body::Inline(blob) => blob.0.len(),
            Body::Chunked { .. } => 10,
        };
        text + body + 48
    }

    /// The event at `seq`, its body given.
    pub fn into_event(self, seq: Seq, tag: u32, body: Bytes) -> Event {
        Event {
            id: EventId::new(self.received_at, seq, tag),
            seq,
            received_at: self.received_at,
            content: NewEvent {
                source: self.source.into(),
                kind: self.kind.into(),
                subject: self.subject.map(str::to_owned),
                time: self.time,
                content_type: self.content_type.into(),
                form: if self.relayed {
                    Form::Relayed
                } else {
                    Form::Data
                },
                body,
                status: self.status.map(Arc::from),
                idempotency_key: self.idempotency_key.map(str::to_owned),
            },
        }
    }
}

/// One step of a projection: what is not an event, but must be known after a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Transition<E = Endpoint> {
    /// An attempt ended.
    Attempt(Box<AttemptRecord>),
    /// An endpoint was made or changed, at the given moment.
    Endpoint(Timestamp, Box<E>),
    /// Deliveries were put back.
    Replay(Box<ReplayRecord>),
    /// The operator accepted that these events are lost, the last included.
    Lost(Seq, Seq),
}

impl<E> Transition<E> {
    /// The same with another form of its endpoint.
    pub fn map<F>(self, form: impl FnOnce(E) -> F) -> Transition<F> {
        match self {
            Self::Attempt(record) => Transition::Attempt(record),
            Self::Endpoint(at, endpoint) => Transition::Endpoint(at, Box::new(form(*endpoint))),
            Self::Replay(record) => Transition::Replay(record),
            Self::Lost(from, to) => Transition::Lost(from, to),
        }
    }

    /// Bytes of text that it holds: nearly all of its memory.
    pub fn text_len(&self) -> usize {
        match self {
            Self::Attempt(record) => {
                let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
                text(&record.attempt.error) + text(&record.attempt.response_excerpt)
            }
            Self::Endpoint(..) | Self::Replay(_) | Self::Lost(..) => 0,
        }
    }
}

/// An attempt and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// The endpoint's number.
    pub endpoint: u32,
    /// The event.
    pub seq: Seq,
    /// What was tried and what came back.
    pub attempt: Attempt,
    /// What follows.
    pub then: Then,
}

/// Deliveries that had ended are due again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayRecord {
    /// The endpoint's number.
    pub endpoint: u32,
    /// When they were put back, and so are due.
    pub at: Timestamp,
    /// Which ones.
    pub deliveries: Vec<Reopened>,
}

/// One delivery of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopened {
    /// The event.
    pub seq: Seq,
    /// How many attempts were made before.
    pub attempts: u32,
    /// Whether it was a dead letter.
    pub was_dead: bool,
}

/// The body of a frame of transitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransitionFrame<T> {
    /// The sequence number of the next event at the time: these transitions come before it and
    /// after every event below it.
    pub as_of: Seq,
    /// In the order in which they happened.
    pub transitions: T,
}
