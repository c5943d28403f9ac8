//! A source: what speaks to it, and how its requests are read.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{HeaderMap, Method};

use super::access::Access;
use super::cloudevents;
use super::esputnik::Esputnik;
use super::hotjar::Hotjar;
use super::raw;
use super::refusal::Refusal;
use super::standard::Standard;
use crate::clock::Timestamp;
use crate::current::Current;
use crate::inbound::read::Read;
use crate::secret::Tokens;

/// A source that a configuration names.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, the last part of its path.
    pub name: String,
    /// What speaks to it.
    pub kind: Kind,
}

/// A source of the configuration that is not spoken to here.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// Its name.
    pub name: String,
    /// What to do instead.
    pub instead: &'static str,
}

/// What speaks to a source, with what is needed to believe it.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Hotjar.
    Hotjar(Hotjar),
    /// eSputnik.
    Esputnik(Esputnik),
    /// Standard Webhooks.
    Standard(Standard),
    /// CloudEvents.
    Cloudevents(Access),
    /// Anything.
    Raw(Access),
}

/// A request whose body has been read.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The source's name.
    pub source: &'a str,
    /// The query of its URL.
    pub query: Option<&'a str>,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a Bytes,
    /// When it came, by the broker's clock.
    pub now: Timestamp,
}

/// What a request brought.
#[derive(Debug)]
pub enum Intake {
    /// One event.
    One(Box<Read>),
    /// As many as there were in a list.
    List(Vec<Read>),
}

impl Kind {
    /// How it is written in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hotjar(_) => "hotjar",
            Self::Esputnik(_) => "esputnik",
            Self::Standard(_) => "standard",
            Self::Cloudevents(_) => "cloudevents",
            Self::Raw(_) => "raw",
        }
    }

    /// The methods it takes, as an `Allow` header has them.
    pub fn methods(&self) -> &'static str {
        match self {
            // The check on save (ESP-07, ESP-42).
            Self::Esputnik(_) => "GET, HEAD, POST",
            _ => "POST",
        }
    }

    /// Whether it takes `method`.
    pub fn takes(&self, method: &Method) -> bool {
        self.methods().split(", ").any(|one| one == method.as_str())
    }

    /// The tokens that open it, where it takes any.
    pub fn tokens(&self) -> Option<&Arc<Current<Tokens>>> {
        match self {
            Self::Cloudevents(access) | Self::Raw(access) => Some(&access.tokens),
            Self::Hotjar(_) | Self::Esputnik(_) | Self::Standard(_) => None,
        }
    }

    /// The keys of the configuration that would make senders authenticate; none if they have to.
    pub fn open_for_want_of(&self) -> Option<&'static str> {
        match self {
            Self::Esputnik(esputnik) => esputnik.access.is_open().then_some("basic_auth"),
            Self::Cloudevents(access) | Self::Raw(access) => {
                access.is_open().then_some("access_token or basic_auth")
            }
            Self::Hotjar(_) | Self::Standard(_) => None,
        }
    }

    /// Refuses what can be told by the headers alone, so that no stranger has a body read who shows
    /// no credentials or does not even claim to have signed it.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match self {
            Self::Hotjar(hotjar) => hotjar.signature(headers).map(drop),
            Self::Standard(_) => Standard::signature(headers).map(drop),
            Self::Esputnik(esputnik) => esputnik.access.check(headers),
            Self::Cloudevents(access) | Self::Raw(access) => access.check(headers),
        }
    }

    /// Reads a request that was [admitted](Self::admit).
    pub fn read(&self, given: &Given<'_>) -> Result<Intake, Refusal> {
        match self {
            Self::Hotjar(hotjar) => hotjar.read(given),
            Self::Esputnik(esputnik) => Ok(esputnik.read(given)?),
            Self::Standard(standard) => standard.read(given),
            Self::Cloudevents(_) => Ok(cloudevents::read(given)?),
            Self::Raw(_) => Ok(raw::read(given)?),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    /// What a source of `kind` makes of a request that is not checked for its time.
    pub fn read(kind: &Kind, headers: &[(&str, &str)], body: &[u8]) -> Result<Intake, Refusal> {
        read_at(kind, headers, body, Timestamp::from_millis(0))
    }

    /// What it makes of a request that comes at `now`.
    pub fn read_at(
        kind: &Kind,
        headers: &[(&str, &str)],
        body: &[u8],
        now: Timestamp,
    ) -> Result<Intake, Refusal> {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        });
        let headers: HeaderMap = headers.collect();
        kind.admit(&headers)?;
        kind.read(&Given {
            source: "s",
            query: None,
            headers: &headers,
            body: &Bytes::copy_from_slice(body),
            now,
        })
    }

    /// The only event of an intake that is no list.
    #[track_caller]
    pub fn one(intake: Result<Intake, Refusal>) -> Read {
        match intake.unwrap() {
            Intake::One(read) => *read,
            Intake::List(reads) => panic!("a list: {reads:?}"),
        }
    }

    /// The events of an intake that is a list.
    #[track_caller]
    pub fn list(intake: Result<Intake, Refusal>) -> Vec<Read> {
        match intake.unwrap() {
            Intake::One(read) => panic!("no list: {read:?}"),
            Intake::List(reads) => reads,
        }
    }

    /// The status and the reason of a refusal.
    #[track_caller]
    pub fn refused(intake: Result<Intake, Refusal>) -> (u16, &'static str) {
        let refusal = intake.unwrap_err();
        (refusal.problem.status.as_u16(), refusal.reason.name())
    }
}
