//! Keys of the one tree; `record.rs` has them in a table.

use crate::id::Seq;

/// The meta record.
pub const META: &[u8] = b"m";

/// A frame of events.
pub fn events(first: Seq) -> Vec<u8> {
    [&b"e"[..], &first.to_be_bytes()].concat()
}

/// A part of a large body.
pub fn chunk(seq: Seq, part: u32) -> Vec<u8> {
    [&b"b"[..], &seq.to_be_bytes(), &part.to_be_bytes()].concat()
}

/// A frame of transitions.
pub fn transitions(number: u64) -> Vec<u8> {
    [&b"t"[..], &number.to_be_bytes()].concat()
}

/// Where one attempt is recorded.
pub fn attempt(endpoint: u32, seq: Seq, number: u32) -> Vec<u8> {
    of_delivery(b"a", endpoint, seq, number)
}

/// Where a delivery, which was no dead letter, was put back behind so many attempts.
pub fn put_back(endpoint: u32, seq: Seq, attempts: u32) -> Vec<u8> {
    of_delivery(b"r", endpoint, seq, attempts)
}

fn of_delivery(kind: &[u8], endpoint: u32, seq: Seq, number: u32) -> Vec<u8> {
    [
        kind,
        &endpoint.to_be_bytes(),
        &seq.to_be_bytes(),
        &number.to_be_bytes(),
    ]
    .concat()
}

/// Where first-try successes from `least` on are recorded.
pub fn successes(endpoint: u32, least: Seq) -> Vec<u8> {
    [&b"s"[..], &endpoint.to_be_bytes(), &least.to_be_bytes()].concat()
}

/// A dead letter.
pub fn dead(endpoint: u32, seq: Seq) -> Vec<u8> {
    [&b"x"[..], &endpoint.to_be_bytes(), &seq.to_be_bytes()].concat()
}

/// A part of a base.
pub fn base(number: u64, part: u32) -> Vec<u8> {
    [&b"p"[..], &number.to_be_bytes(), &part.to_be_bytes()].concat()
}

/// The number in the eight bytes from `at` on.
pub fn number(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + 8)?;
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

/// The number in the four bytes from `at` on.
pub fn small_number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}
