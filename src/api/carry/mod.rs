//! `GET /v1/export` and `POST /v1/import`: events carried from one store to another, line by line.

pub mod lines;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::mpsc;

use super::Shared;
use super::gate::auth::LetIn;
use super::request::params::Params;
use super::streaming::chunks::Chunks;
use crate::clock::Timestamp;
use crate::endpoint::{Filter, FilterOn};
use crate::event::Event;
use crate::inbound::media::Media;
use crate::inbound::observer::{Named, Taken};
use crate::inbound::problem::Problem;
use crate::store::{Step, Walk};

const MEDIA_TYPE: &str = "application/x-ndjson";

/// Pieces that wait for a reader.
const PIECES_MAX: usize = 4;

/// Lines of one request: each is answered for.
const LINES_MAX: usize = 1_000;

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// From when on, by the time of receipt.
    pub since: Option<Timestamp>,
    /// Until before when.
    pub until: Option<Timestamp>,
    /// Of which types.
    pub kinds: Option<Filter>,
    /// Of which source.
    pub source: Option<String>,
}

impl Wanted {
    /// Patterns with commas between them, as a filter.
    pub fn kinds(patterns: &str) -> Filter {
        Filter {
            on: FilterOn::Kind,
            patterns: patterns.split(',').map(str::to_owned).collect(),
        }
    }

    /// Whether this event is.
    pub fn selects(&self, event: &Event) -> bool {
        let content = &event.content;
        self.since.is_none_or(|since| event.received_at >= since)
            && self.until.is_none_or(|until| event.received_at < until)
            && self
                .source
                .as_deref()
                .is_none_or(|it| *it == *content.source)
            && self.kinds.as_ref().is_none_or(|it| it.matches(content))
    }
}

/// `GET /v1/export?since=…&until=…&type=…&source=…`: a line an event, oldest first.
pub(super) async fn export(
    State(admin): State<Shared>,
    Extension(let_in): Extension<LetIn>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let known = ["since", "until", "type", "source"];
    let mut params = Params::read(query.as_deref(), &known);
    let kinds = params.types();
    let wanted = Wanted {
        since: params.time("since"),
        until: params.time("until"),
        kinds,
        source: params.text("source").map(str::to_owned),
    };
    params.check()?;
    let place = admin.streams.open_private().ok_or_else(|| {
        Problem::unavailable("too many streams are open; close one, or raise limits.streams_max")
    })?;
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let over = admin.over(let_in);
    let last = *admin.store.tail().borrow();
    tokio::spawn(async move {
        let _place = place;
        let sent = async {
            let mut walk = Walk::from(1);
            let mut text = format!("{}\n", lines::HEADER);
            loop {
                if !text.is_empty() && sender.send(Ok(Bytes::from(text))).await.is_err() {
                    return;
                }
                let (mut next, wanted) = (walk.clone(), wanted.clone());
                let read = admin.ask(move |store| {
                    let step = next.step(store, last)?;
                    Ok((next, step, wanted))
                });
                let step = match read.await {
                    Ok((next, step, wanted)) => {
                        walk = next;
                        piece(&step, &wanted, last)
                    }
                    Err(problem) => Err(problem.detail),
                };
                match step {
                    Ok(Some(piece)) => text = piece,
                    Ok(None) => return,
                    Err(what) => {
                        tracing::error!(what, "an export came to nothing");
                        // An answer that breaks off is not taken for a whole one.
                        let _ = sender.send(Err(std::io::Error::other(what))).await;
                        return;
                    }
                }
            }
        };
        tokio::select! {
            () = sent => {}
            over = over => {
                let _ = sender.try_send(Err(std::io::Error::other(over.words())));
            }
        }
    });
    let body = Body::new(Chunks(receiver));
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], body).into_response())
}

/// The lines of a step; none at the end; an error where something cannot be read.
pub fn piece(step: &Step, wanted: &Wanted, last: u64) -> Result<Option<String>, String> {
    match step {
        Step::End => Ok(None),
        Step::Damaged { from, to, what } => {
            Err(format!("events {from} to {to} cannot be read ({what})"))
        }
        Step::Events(events) => {
            let events = events
                .iter()
                .filter(|it| it.seq <= last && wanted.selects(it));
            Ok(Some(events.map(|it| lines::write(it) + "\n").collect()))
        }
    }
}

/// What became of imported lines.
#[derive(Serialize, JsonSchema)]
pub(super) struct Imported {
    /// New events.
    imported: u64,
    /// Those that were there already.
    duplicates: u64,
    /// Operational events that were not taken: they tell of another store's endpoints.
    left_out: u64,
}

/// `POST /v1/import`: some lines of an export, all or none. Operational events with
/// `operational=true` only.
pub(super) async fn import(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<Imported>, Problem> {
    let mut params = Params::read(query.as_deref(), &["operational"]);
    let choices = [("true", true), ("false", false)];
    let is_operational_wanted = params.choice("operational", &choices).unwrap_or(false);
    params.check()?;
    let (head, body) = request.into_parts();
    let media = Media::of(&head.headers)?;
    if !media.is_some_and(|media| media.is(MEDIA_TYPE)) {
        return Err(Problem::unsupported(format!(
            "send Content-Type: {MEDIA_TYPE}"
        )));
    }
    let body = admin.bodies.of_lines().read(&head.headers, body).await?;
    let text = std::str::from_utf8(&body).map_err(|_| Problem::malformed("it is not UTF-8"))?;
    let (mut events, mut left_out) = (Vec::new(), 0);
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty()) {
        if line.starts_with("{\"redeliver_export\"") {
            continue;
        }
        if events.len() + left_out as usize == LINES_MAX {
            let detail = format!("there are more than {LINES_MAX} lines; send fewer at once");
            return Err(Problem::malformed(detail));
        }
        let read = lines::read(line);
        let event = read.map_err(|problem| problem.with_member("line", number.into()))?;
        match event.is_operational() && !is_operational_wanted {
            true => left_out += 1,
            false => events.push(event),
        }
    }
    let named = admin.observer.as_ref().map(|_| Named::of(&events));
    let ticket = admin.store.append(events)?;
    let stopping = |_| Problem::unavailable("the server is shutting down");
    let kept = ticket.await.map_err(stopping)??;
    if let (Some(observer), Some(named)) = (&admin.observer, named) {
        observer.came(Taken::all(named, &kept));
    }
    let duplicates = kept.iter().filter(|it| it.duplicate).count() as u64;
    Ok(Json(Imported {
        imported: kept.len() as u64 - duplicates,
        duplicates,
        left_out,
    }))
}
