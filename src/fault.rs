//! Faults on demand: what a receiver has to live through, done on purpose. Which attempt suffers
//! which is decided here, purely; doing it is the business of `deliver`.

mod plan;
mod rule;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};

pub use plan::{InvalidPlan, Occasion, Plan, RULES_MAX};
pub use rule::{Attempts, Events, InvalidRule, Rule, TIME_MAX};

use crate::words::{listed, nearest, quoted};

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The event is held until a later one has been attempted, for so long at most. Under a policy
    /// that sends in order it is not done (ESP-16, ESP-17).
    Reorder,
    /// It is so long until the request is sent.
    Delay,
    /// Of a type that nobody has heard of (HOT-17).
    UnknownType,
    /// With a timestamp that is so old, signed anew (HOT-35).
    Stale,
    /// With a timestamp that is so far ahead, signed anew.
    Future,
    /// Rightly signed, with a key that is not the endpoint's (HOT-34).
    OtherKey,
    /// With a digit of the signature changed (HOT-34).
    WrongSignature,
    /// `Content-Length` says the whole body, and the connection is closed behind half of it.
    TruncatedBody,
    /// The connection is closed behind the request, before the answer is read.
    Cut,
    /// The body takes so long to come, in ten parts.
    SlowBody,
    /// The same request twice at once, over two connections (HOT-18, HOT-19).
    ConcurrentDuplicate,
    /// The same request again, once the first is answered (HOT-18, HOT-19).
    Duplicate,
}

impl Fault {
    /// All of them, in the order in which they are done.
    pub const ALL: [Self; 12] = [
        Self::Reorder,
        Self::Delay,
        Self::UnknownType,
        Self::Stale,
        Self::Future,
        Self::OtherKey,
        Self::WrongSignature,
        Self::TruncatedBody,
        Self::Cut,
        Self::SlowBody,
        Self::ConcurrentDuplicate,
        Self::Duplicate,
    ];

    /// Its name on the command line, in files and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reorder => "reorder",
            Self::Delay => "delay",
            Self::UnknownType => "unknown-type",
            Self::Stale => "stale",
            Self::Future => "future",
            Self::OtherKey => "other-key",
            Self::WrongSignature => "wrong-signature",
            Self::TruncatedBody => "truncated-body",
            Self::Cut => "cut",
            Self::SlowBody => "slow-body",
            Self::ConcurrentDuplicate => "concurrent-duplicate",
            Self::Duplicate => "duplicate",
        }
    }

    /// Its time, where it has one and nothing else is said. A timestamp is moved by more than any
    /// receiver allows (HOT-35: five minutes).
    pub fn default_time(self) -> Option<Duration> {
        match self {
            Self::Stale | Self::Future => Some(Duration::from_secs(600)),
            Self::Reorder => Some(Duration::from_secs(10)),
            Self::Delay | Self::SlowBody => Some(Duration::from_secs(2)),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A name that no fault has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault {0} is not known; {1}")]
pub struct UnknownFault(String, String);

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let found = Self::ALL.into_iter().find(|fault| fault.as_str() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.iter().map(|fault| fault.as_str());
            let mend = match nearest(text, names.clone()) {
                Some(near) => format!("did you mean {}?", quoted(near)),
                None => format!("use one of {}", listed(names)),
            };
            UnknownFault(quoted(text), mend)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_read_by_the_name_that_it_is_written_by() {
        for fault in Fault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        let error = "duplicat".parse::<Fault>().unwrap_err().to_string();
        assert_eq!(
            error,
            "fault \"duplicat\" is not known; did you mean \"duplicate\"?"
        );
    }
}
