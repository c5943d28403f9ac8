//! Track ids: what an accepted request is looked up by (ZEB-31).
//!
//! A track id is the event's own id in the form of a UUID, so that it needs no index, survives a
//! restart, and is the same for each repeat of a request. RFC 9562 leaves 122 bits of a
//! UUID of version 8 to whoever makes it: 48 are the time, 42 the position in the log, 32 tell
//! the store.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::id::{EventId, Seq};

/// How many bits are left for the position: 4.4 million million events.
const SEQ_BITS: u32 = 42;

const VERSION: u128 = 8;
const VARIANT: u128 = 0b10;

/// The name of one accepted request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackId(u128);

/// A text that is no track id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTrackId {
    /// No UUID at all.
    #[error("is no track id; one looks like 018cc251-f400-8000-8000-00017f3a9c21")]
    Form,
    /// A UUID that was given by somebody else.
    #[error("was never given to a request")]
    Foreign,
}

impl TrackId {
    /// The track id of an event in the log.
    pub fn of(event: EventId) -> Self {
        let low_bits = SEQ_BITS + 32;
        let time = u128::try_from(event.time().as_millis()).unwrap_or(0) & ((1 << 48) - 1);
        let seq = u128::from(event.seq()) & ((1 << SEQ_BITS) - 1);
        let low = (seq << 32) | u128::from(event.store_tag());
        let (high, low) = (low >> 62, low & ((1 << 62) - 1));
        debug_assert_eq!(low_bits, 12 + 62);
        Self((time << 80) | (VERSION << 76) | (high << 64) | (VARIANT << 62) | low)
    }

    /// The track id of the `number`th request that was accepted and led to no event.
    pub fn of_none(at: Timestamp, number: u32) -> Self {
        Self::of(EventId::new(at, 0, number))
    }

    /// The event, or none for a request that led to no event.
    pub fn event(self) -> Option<EventId> {
        let high = (self.0 >> 64) & 0xfff;
        let low = (high << 62) | (self.0 & ((1 << 62) - 1));
        let seq = (low >> 32) as Seq;
        // 48 bits always fit an i64.
        let time = Timestamp::from_millis((self.0 >> 80) as i64);
        (seq > 0).then(|| EventId::new(time, seq, (low & 0xffff_ffff) as u32))
    }
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
        f.write_str(&parts.join("-"))
    }
}

impl FromStr for TrackId {
    type Err = InvalidTrackId;

    fn from_str(text: &str) -> Result<Self, InvalidTrackId> {
        let dashes = [8, 13, 18, 23];
        let is_form = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| {
                if dashes.contains(&at) {
                    byte == b'-'
                } else {
                    byte.is_ascii_hexdigit()
                }
            });
        let number = is_form.then(|| text.replace('-', ""));
        let number = number.and_then(|digits| u128::from_str_radix(&digits, 16).ok());
        number.ok_or(InvalidTrackId::Form).and_then(|number| {
            let is_ours = (number >> 76) & 0xf == VERSION && (number >> 62) & 0b11 == VARIANT;
            is_ours
                .then_some(Self(number))
                .ok_or(InvalidTrackId::Foreign)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_id_is_a_uuid_of_version_8_that_leads_back_to_its_event() {
        for (seq, tag) in [(1, 0), (77, 0xdead_beef), ((1 << 42) - 1, u32::MAX)] {
            let event = EventId::new(Timestamp::from_millis(1_704_067_200_000), seq, tag);
            let track = TrackId::of(event);
            let text = track.to_string();
            assert_eq!((text.len(), text.as_bytes()[14]), (36, b'8'), "{text}");
            assert!(b"89ab".contains(&text.as_bytes()[19]), "{text}");
            assert_eq!(text.parse(), Ok(track));
            assert_eq!(text.to_uppercase().parse(), Ok(track));
            assert_eq!(track.event(), Some(event));
        }
    }

    #[test]
    fn a_request_that_led_to_no_event_has_a_track_id_of_its_own() {
        let at = Timestamp::from_millis(1_704_067_200_000);
        let [first, second] = [1, 2].map(|number| TrackId::of_none(at, number));
        assert_ne!(first, second);
        assert_eq!(first.event(), None);
    }

    #[test]
    fn what_is_no_track_id_is_refused() {
        let good = "018cc251-f400-8000-8000-00017f3a9c21";
        assert!(good.parse::<TrackId>().is_ok());
        for bad in [
            "",
            "018cc251f400800080000001 7f3a9c21",
            "018cc251-f400-8000-8000-00017f3a9c2",
            "018cc251-f400-8000-8000-00017f3a9c2g",
            "é18cc251-f400-8000-8000-00017f3a9c2",
        ] {
            assert_eq!(bad.parse::<TrackId>(), Err(InvalidTrackId::Form), "{bad}");
        }
        for foreign in [
            "018cc251-f400-4000-8000-00017f3a9c21",
            "018cc251-f400-8000-c000-00017f3a9c21",
        ] {
            let told = foreign.parse::<TrackId>();
            assert_eq!(told, Err(InvalidTrackId::Foreign), "{foreign}");
        }
    }
}
