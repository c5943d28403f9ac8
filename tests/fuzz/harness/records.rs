//! The records of a store as `docs/store-format.md` describes them, apart from the code that
//! writes them.

use arbitrary::Arbitrary;
use redeliver::store::codec::Kind;
use serde::{Deserialize, Serialize};

/// Bytes before a frame's body.
pub const HEAD: usize = 22;

/// Puts the CRC that belongs there into a frame.
pub fn seal(frame: &mut [u8]) {
    if frame.len() >= HEAD {
        let crc = checksum(frame);
        frame[2..6].copy_from_slice(&crc.to_le_bytes());
    }
}

/// Whether it is a frame of events that holds what is left of another one.
pub fn is_thinned(frame: &[u8]) -> bool {
    frame[..2] == [4, 1]
}

/// The CRC that the head should name.
pub fn checksum(frame: &[u8]) -> u32 {
    match is_thinned(frame) {
        true => crc32c::crc32c(&[&frame[..2], &frame[6..]].concat()),
        false => crc32c::crc32c(&frame[6..]),
    }
}

/// A frame around `body`, byte by byte.
pub fn frame(kind: Kind, previous: u32, first: u64, count: u32, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![1, kind as u8, 0, 0, 0, 0];
    frame.extend(previous.to_le_bytes());
    frame.extend(first.to_le_bytes());
    frame.extend(count.to_le_bytes());
    frame.extend(body);
    seal(&mut frame);
    frame
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
pub struct Event {
    pub received_at: i64,
    pub source: String,
    pub kind: String,
    pub subject: Option<String>,
    pub time: Option<i64>,
    pub content_type: String,
    pub relayed: bool,
    pub status: Option<String>,
    pub idempotency_key: Option<String>,
    pub body: Body,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
pub enum Body {
    Inline(Vec<u8>),
    Chunked { parts: u32, bytes: u32 },
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
pub struct Transitions {
    pub as_of: u64,
    pub transitions: Vec<Transition>,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made one at a time")]
pub enum Transition {
    Attempt(Attempt),
    Endpoint(i64, Endpoint),
    Replay(Replay),
    Lost(u64, u64),
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
pub struct Attempt {
    pub endpoint: u32,
    pub seq: u64,
    pub number: u32,
    pub started_at: i64,
    pub ended_at: i64,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub response_excerpt: Option<String>,
    pub then: Then,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
pub enum Then {
    Delivered,
    Waiting {
        failures: u32,
        attempts: u32,
        due: i64,
        delay: (u64, u32),
    },
    Dead,
    Removed,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
pub struct Replay {
    pub endpoint: u32,
    pub at: i64,
    pub deliveries: Vec<(u64, u32, bool)>,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
pub struct Endpoint {
    pub number: u32,
    pub id: u128,
    pub revision: u64,
    pub settings: Settings,
    pub state: Three,
    pub state_reason: Option<String>,
    pub created_at: i64,
    pub from_seq: u64,
    pub until_seq: Option<u64>,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
pub struct Settings {
    pub name: String,
    pub url: String,
    pub policy: String,
    pub order: Two,
    pub filter_on: Two,
    pub patterns: Vec<String>,
    pub concurrency: u32,
    pub timeout: Option<(u64, u32)>,
    pub basic_auth: Option<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub signing_key: Option<String>,
    pub key_encoding: Three,
    pub signature_encoding: Three,
    pub timestamp_mode: Two,
    pub allow_http: bool,
    pub drop_while_inactive: bool,
    pub ca_pem: Option<String>,
    pub check: Four,
    pub origin: Two,
}

#[derive(Arbitrary, Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
pub enum Two {
    A,
    B,
}

#[derive(Arbitrary, Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
pub enum Three {
    A,
    B,
    C,
}

#[derive(Arbitrary, Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
pub enum Four {
    A,
    B,
    C,
    D,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize, PartialEq)]
pub struct Meta {
    pub tag: u32,
    pub dedupe_secret: [u64; 2],
    pub created_at: i64,
}
