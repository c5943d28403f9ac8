//! Ids: sortable, prefixed, and self-describing.
//!
//! All three are ULID text (26 characters of Crockford's base 32) behind a prefix. The position
//! in the log is part of an event's and a delivery's id, so that a look-up needs no index: the
//! 48 bits of time are followed by 48 bits of sequence number and 32 bits that tell the store
//! (`evt_`) or the endpoint (`dlv_`) apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;

use crate::clock::Timestamp;

/// Position of an event in the log, from 1, without gaps.
pub type Seq = u64;

/// The greatest sequence number that an id can carry: 2^48 − 1.
pub const MAX_SEQ: Seq = (1 << 48) - 1;

const TIME_MASK: u128 = (1 << 48) - 1;

fn pack(at: Timestamp, middle: u64, low: u32) -> u128 {
    // Times before 1970 sort first instead of wrapping round.
    let time = u128::from(u64::try_from(at.as_millis()).unwrap_or(0)) & TIME_MASK;
    (time << 80) | (u128::from(middle & MAX_SEQ) << 32) | u128::from(low)
}

/// A text that is no id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not an id of the form {prefix}_ followed by 26 letters and digits", .text.escape_debug()
)]
pub struct InvalidId {
    /// What was given, cut to 64 characters.
    pub text: String,
    /// The prefix that was expected.
    pub prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What the text form starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The moment in the id, milliseconds of the broker's clock.
            pub fn time(self) -> Timestamp {
                // 48 bits always fit an i64.
                Timestamp::from_millis((self.0 >> 80) as i64)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, Ulid(self.0))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    // 26 digits hold 130 bits: what is above 128 would be dropped, and one id
                    // would have several names.
                    .filter(|ulid| ulid.as_bytes().first().is_some_and(|first| *first <= b'7'))
                    .and_then(|ulid| Ulid::from_string(ulid).ok())
                    .map(|ulid| Self(ulid.0))
                    .ok_or_else(|| InvalidId {
                        text: text.chars().take(64).collect(),
                        prefix: $prefix,
                    })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() {
                    s.collect_str(self)
                } else {
                    self.0.serialize(s)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    u128::deserialize(d).map(Self)
                }
            }
        }
    };
}

id!(
    /// Names an event: when it was received, where it stands in the log, which store holds it.
    EventId,
    "evt"
);
id!(
    /// Names the delivery of one event to one endpoint, over all its attempts and replays.
    DeliveryId,
    "dlv"
);
id!(
    /// Names an endpoint for ever; a removed endpoint's id is never given again.
    EndpointId,
    "ep"
);

id!(
    /// Names a task: a bulk operation that goes on over restarts.
    TaskId,
    "tsk"
);

impl EventId {
    /// The id of the event at `seq`, received at `at`, in the store tagged `store_tag`.
    pub fn new(at: Timestamp, seq: Seq, store_tag: u32) -> Self {
        Self(pack(at, seq, store_tag))
    }

    /// Where the event stands in the log.
    pub fn seq(self) -> Seq {
        (self.0 >> 32) as u64 & MAX_SEQ
    }

    /// All of it, as one number.
    pub fn bits(self) -> u128 {
        self.0
    }

    /// Which store holds it.
    pub fn store_tag(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }
}

impl DeliveryId {
    /// The id of the delivery of event `event` to the endpoint numbered `endpoint`.
    pub fn new(event: EventId, endpoint: u32) -> Self {
        Self(pack(event.time(), event.seq(), endpoint))
    }

    /// Where the delivered event stands in the log.
    pub fn seq(self) -> Seq {
        (self.0 >> 32) as u64 & MAX_SEQ
    }

    /// The number of the endpoint.
    pub fn endpoint(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }

    /// The id of this delivery's attempt `number` (from 1).
    pub fn attempt(self, number: u32) -> String {
        format!("att_{}_{number}", Ulid(self.0))
    }
}

impl EndpointId {
    /// The id of the endpoint numbered `number`, created at `at`, in the store tagged `store_tag`.
    pub fn new(at: Timestamp, number: u32, store_tag: u32) -> Self {
        Self(pack(at, u64::from(number), store_tag))
    }
}

impl TaskId {
    /// The id of the task numbered `number`, made at `at`, in the store tagged `store_tag`.
    pub fn new(at: Timestamp, number: u64, store_tag: u32) -> Self {
        Self(pack(at, number, store_tag))
    }

    /// Its number, from 1; a later task has a greater one.
    pub fn number(self) -> u64 {
        (self.0 >> 32) as u64 & MAX_SEQ
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_carries_its_position_and_sorts_by_time_then_position() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let id = EventId::new(at, 77, 9);
        assert_eq!((id.seq(), id.time()), (77, at));
        assert_eq!(id.to_string().parse::<EventId>(), Ok(id));
        let later = EventId::new(at, 78, 1);
        assert!(id < later && id.to_string() < later.to_string());
        let delivery = DeliveryId::new(id, 3);
        assert_eq!((delivery.seq(), delivery.endpoint()), (77, 3));
    }

    #[test]
    fn an_id_has_one_name_but_for_case() {
        let greatest = "evt_7ZZZZZZZZZZZZZZZZZZZZZZZZZ";
        let id: EventId = greatest.parse().unwrap();
        assert_eq!(id.to_string(), greatest);
        assert_eq!(greatest.to_lowercase().parse(), Ok(id));
        for too_great in [
            "evt_8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "evt_ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
        ] {
            assert!(too_great.parse::<EventId>().is_err(), "{too_great}");
        }
    }

    #[test]
    fn text_that_is_no_id_is_refused_with_the_form_that_was_expected() {
        let error = "dlv_01H".parse::<EventId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`dlv_01H` is not an id of the form evt_ followed by 26 letters and digits"
        );
    }
}
