//! Zebline's events API (ZEB-01…37): what an event may hold, and what its sender is told.
//!
//! | file | what is in it |
//! |---|---|
//! | [`attributes`] | the types of attributes and their limits |
//! | [`time`] | `eventTime` in all of its forms |
//! | [`track`] | track ids |

pub mod attributes;
pub mod time;
pub mod track;

use std::fmt;

/// The longest name of an event, in characters: shorter than 50 (ZEB-06, A-30).
pub const NAME_MAX_CHARS: usize = 49;

/// The longest `userId` or `anonymousId`, in characters (ZEB-18, ZEB-19).
pub const VISITOR_MAX_CHARS: usize = 100;

/// What names of the vendor's own events start with.
pub const SYSTEM_PREFIX: &str = "we_";

/// Something that a license has (ZEB-34). Of these only events are described.
pub const RESOURCES: [&str; 4] = ["users", "events", "transaction", "survey/response"];

/// Why a request is refused, in the vendor's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400 (ZEB-33).
    Invalid,
    /// 401 (ZEB-35).
    Unauthorized,
    /// 404 (ZEB-36).
    NoSuchPath,
    /// 429.
    TooMany,
}

impl Refusal {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthorized => 401,
            Self::NoSuchPath => 404,
            Self::TooMany => 429,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "Invalid resource or parameters",
            Self::Unauthorized => "Invalid authentication or unauthorized access",
            Self::NoSuchPath => "Invalid URL",
            Self::TooMany => "Rate limit exceeded",
        })
    }
}

/// Whether an event of this name cannot be created through the API (ZEB-16, A-34): by its prefix,
/// or because it is `listed`.
pub fn is_of_the_system(name: &str, listed: &[String]) -> bool {
    name.starts_with(SYSTEM_PREFIX) || listed.iter().any(|system| system == name)
}

/// What makes a request known again by its `x-request-id` (ZEB-25, ZEB-26): the hexadecimal digits
/// in lower case. What is none makes nothing known again.
pub fn request_id(text: &str) -> Option<String> {
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    // As long as any idempotency key may be.
    (is_hex && text.len() <= 255).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_events_are_told_by_their_prefix_or_by_name() {
        let listed = ["session_started".to_owned()];
        for (name, of_the_system) in [
            ("we_open", true),
            ("session_started", true),
            ("Session_Started", false),
            ("open_we_", false),
        ] {
            assert_eq!(is_of_the_system(name, &listed), of_the_system, "{name}");
        }
    }

    #[test]
    fn a_request_id_is_hexadecimal_in_any_case_and_everything_else_is_none_a_37() {
        assert_eq!(request_id("00FFab"), Some("00ffab".to_owned()));
        for none in ["", "xyz", "00-ff", " 00", &"0".repeat(256)] {
            assert_eq!(request_id(none), None, "{none}");
        }
    }
}
