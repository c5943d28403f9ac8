//! What all relayed bodies have in common.

use std::sync::Arc;

use bytes::Bytes;
use hyper::HeaderMap;

use super::source::Intake;
use crate::event::Form;
use crate::inbound::checks::Checks;
use crate::inbound::media::{self, Media};
use crate::inbound::problem::Problem;
use crate::inbound::read::Read;
pub use crate::inbound::read::{EVENTS_MAX, too_many};
use crate::words::quoted;

/// The type of an event of which nobody says what it is.
pub const UNKNOWN: &str = "unknown";

/// An event whose body goes out as it came.
pub fn relayed(kind: Arc<str>, content_type: Option<String>, body: &Bytes) -> Read {
    Read {
        kind,
        subject: None,
        time: None,
        content_type,
        form: Form::Relayed,
        body: body.clone(),
        status: None,
        idempotency_key: None,
    }
}

impl From<Read> for Intake {
    fn from(read: Read) -> Self {
        Self::One(Box::new(read))
    }
}

/// `name` as an event's type. A name that no type can have is as good as none: the body still says
/// what it was, and a vendor's event must not be refused for its name (HOT-17).
pub fn kind(name: Option<&str>) -> Arc<str> {
    let sound = name.filter(|name| {
        let mut checks = Checks::default();
        checks.kind("/type", name);
        checks.done(Some(())).is_ok()
    });
    sound.unwrap_or(UNKNOWN).into()
}

/// The media type, which goes out again beside the body; none if the request does not say.
pub fn media(headers: &HeaderMap) -> Result<Option<Media<'_>>, Problem> {
    match Media::of(headers)? {
        Some(media) if !media.is_sound() => Err(Problem::unsupported(format!(
            "the Content-Type {} is not a media type such as \"text/plain\"",
            quoted(media.text)
        ))),
        media => Ok(media),
    }
}

/// As [`media()`], where vendors send JSON and nothing else (HOT-05).
pub fn json(headers: &HeaderMap) -> Result<String, Problem> {
    match media(headers)? {
        Some(media) if !media.is_json() => Err(Problem::unsupported(format!(
            "the Content-Type {} is not accepted here; send application/json",
            quoted(media.text)
        ))),
        Some(media) => Ok(media.text.to_owned()),
        None => Ok(media::JSON.to_owned()),
    }
}
