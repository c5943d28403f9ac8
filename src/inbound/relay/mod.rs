//! `GET, POST /in/{source}`: requests of vendors and others, believed by what they sign or show,
//! kept byte for byte, and answered 200 once they are on disk.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | [`Relay`]: the sources, their tallies, and a request's way through them |
//! | [`source`] | what speaks to a source, and how its requests are read: pure, as all below |
//! | [`hotjar`], [`esputnik`], [`standard`], [`cloudevents`], [`raw`] | each kind by itself |
//! | [`access`] | credentials |
//! | [`body`] | what relayed bodies have in common |
//! | [`refusal`] | why a request is refused |

pub mod access;
pub mod body;
pub mod cloudevents;
pub mod esputnik;
pub mod hotjar;
pub mod raw;
pub mod refusal;
pub mod source;
pub mod standard;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hyper::Method;
use serde_json::json;

use self::refusal::Refusal;
use self::source::{Elsewhere, Given, Intake, Kind, Source};
use super::events::Accepted;
use super::problem::Problem;
use super::tally::{Seen, Tally};
use super::{Ingest, browser};
use crate::clock::SharedClock;
use crate::current::Current;
use crate::secret::Tokens;
use crate::words::quoted;

/// What every path of a source begins with.
pub const PREFIX: &str = "/in/";

/// The sources that are relayed, and what has come in through each.
pub struct Relay {
    sources: Vec<Entry>,
    elsewhere: Vec<Elsewhere>,
    clock: SharedClock,
    /// On loopback every page in a browser of the machine can speak to a source that asks for no
    /// credentials; elsewhere whoever opened such a source wanted strangers to.
    on_loopback: bool,
    unknown: AtomicU64,
}

struct Entry {
    name: Arc<str>,
    kind: Kind,
    tally: Tally,
}

impl Relay {
    /// Relays `sources`, with the time from `clock`.
    pub fn new(sources: Vec<Source>, clock: SharedClock, on_loopback: bool) -> Self {
        let entry = |source: Source| Entry {
            name: source.name.into(),
            kind: source.kind,
            tally: Tally::default(),
        };
        Self {
            sources: sources.into_iter().map(entry).collect(),
            elsewhere: Vec::new(),
            clock,
            on_loopback,
            unknown: AtomicU64::new(0),
        }
    }

    /// With sources that are not spoken to here, for a word to those who do.
    #[must_use]
    pub fn with_elsewhere(mut self, elsewhere: Vec<Elsewhere>) -> Self {
        self.elsewhere = elsewhere;
        self
    }

    /// Every source that is spoken to here, in the configuration's order.
    pub fn sources(&self) -> impl Iterator<Item = Seen<'_>> {
        self.sources.iter().map(|entry| Seen {
            name: &entry.name,
            kind: entry.kind.name(),
            path: format!("{PREFIX}{}", entry.name),
            counts: entry.tally.counts(),
        })
    }

    /// The tokens of each source that takes any, by its name.
    pub fn tokens(&self) -> impl Iterator<Item = (String, Arc<Current<Tokens>>)> {
        self.sources.iter().filter_map(|entry| {
            let tokens = entry.kind.tokens()?;
            Some((entry.name.to_string(), tokens.clone()))
        })
    }

    /// Requests to sources that are not there: somebody has a wrong address.
    pub fn unknown(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    fn find(&self, path: &str) -> Result<&Entry, Problem> {
        // Names are made of characters that stand for themselves in a path.
        let name = path.strip_prefix(PREFIX).unwrap_or_default();
        if let Some(entry) = self.sources.iter().find(|entry| *entry.name == *name) {
            return Ok(entry);
        }
        let elsewhere = self.elsewhere.iter().find(|source| source.name == name);
        let detail = match elsewhere {
            Some(Elsewhere { instead, .. }) => {
                format!("source {} is not spoken to here; {instead}", quoted(name))
            }
            None => format!("there is no source {}", quoted(name)),
        };
        self.unknown.fetch_add(1, Ordering::Relaxed);
        Err(Problem::not_found(detail))
    }
}

/// The handler, as a router wants it.
pub(super) async fn handle(State(ingest): State<Ingest>, request: Request) -> Response {
    let relay = ingest.relay.clone();
    let entry = match relay.find(request.uri().path()) {
        Ok(entry) => entry,
        Err(problem) => return problem.into_response(),
    };
    match take(&ingest, entry, request).await {
        Ok(response) => response,
        Err(Refusal { reason, problem }) => {
            let now = relay.clock.now();
            entry.tally.refuse(reason, &problem.detail, now);
            problem.into_response()
        }
    }
}

async fn take(ingest: &Ingest, entry: &Entry, request: Request) -> Result<Response, Refusal> {
    ingest.check_open()?;
    let relay = &ingest.relay;
    let (head, body) = request.into_parts();
    if !entry.kind.takes(&head.method) {
        let (name, methods) = (quoted(&entry.name), entry.kind.methods());
        let detail = format!("source {name} takes {methods}, not {}", head.method);
        return Err(Refusal::method(detail, methods));
    }
    if let Some(credentials) = entry.kind.open_for_want_of()
        && relay.on_loopback
    {
        browser::check(&head.headers, credentials).map_err(Refusal::foreign_page)?;
    }
    entry.kind.admit(&head.headers)?;
    if head.method != Method::POST {
        // That the address works is all that the check on save asks (ESP-07).
        return Ok(Json(json!({ "status": "ok" })).into_response());
    }
    crate::inbound::media::check_unpacked(&head.headers)?;
    let body = ingest.bodies.read(&head.headers, body).await?;
    let intake = entry.kind.read(&Given {
        source: &entry.name,
        query: head.uri.query(),
        headers: &head.headers,
        body: &body,
        now: relay.clock.now(),
    })?;
    // What is kept has been copied, or is most of it.
    drop(body);
    let (reads, is_list) = match intake {
        Intake::One(read) => (vec![*read], false),
        Intake::List(reads) => (reads, true),
    };
    let events = reads.into_iter();
    let events: Vec<_> = events.map(|read| ingest.event(&entry.name, read)).collect();
    let accepted: Vec<_> = match events.is_empty() {
        true => Vec::new(),
        false => ingest.keep_of(&head.extensions, events).await?,
    }
    .into_iter()
    .map(Accepted::from)
    .collect();
    let duplicates = accepted.iter().filter(|accepted| accepted.duplicate);
    let duplicates = duplicates.count() as u64;
    let new = accepted.len() as u64 - duplicates;
    entry.tally.accept(new, duplicates);
    match accepted.first() {
        Some(accepted) if !is_list => Ok(Json(accepted).into_response()),
        _ => Ok(Json(json!({ "events": accepted })).into_response()),
    }
}
