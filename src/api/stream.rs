//! `GET /v1/stream`: the log as it grows, and how attempts end, as server-sent events.
//!
//! Each event of the log carries its position as its id, so that a client that was cut off goes on
//! behind the last one it had: from the log, however long it was away. The ends of attempts have no
//! id; they are told while they happen, and can be looked up for ever. Whoever comes back is told
//! that he may have missed some.

mod told;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::Shared;
use super::answer::objects::Event;
use super::gate::auth::LetIn;
use super::request::params::Params;
use super::streaming::sse::{self, Frames, Gone};
use crate::clock::Timestamp;
use crate::deliver::outcomes::Ended;
use crate::endpoint::Filter;
use crate::event;
use crate::id::Seq;
use crate::inbound::problem::Problem;
use crate::store::{Skipped, Step, Walk};

use self::told::frame;
pub(super) use self::told::{Damaged, Missed, Told};

/// What a client that comes back had last.
const LAST_EVENT_ID: &str = "last-event-id";

/// Something is sent at least this often, by the machine's own clock: what lies between a client
/// and a server likes to cut off connections on which nothing happens, most after a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What is read and sent at once, about, or one event: a reader who does not read keeps a few of
/// these from the others.
const BYTES_AT_ONCE: usize = 16 * 1024;

/// How long reading rests after an error that may pass.
const REST: Duration = Duration::from_secs(1);

/// One client, and how far it has been told the log.
struct Follower {
    admin: Shared,
    kinds: Option<Filter>,
    walk: Walk,
    /// The last event that it had, if it comes back.
    had: Option<Seq>,
    /// From when on it may not know how attempts ended.
    told_at: Option<Timestamp>,
    /// What has expired of what it asked for.
    skipped: Option<Skipped>,
}

/// `GET /v1/stream?types=…&from=…`: from the end of the log on, unless `from` or `Last-Event-ID`
/// says otherwise.
pub(super) async fn stream(
    State(admin): State<Shared>,
    Extension(let_in): Extension<LetIn>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut params = Params::read(query.as_deref(), &["types", "from", "deliveries"]);
    let kinds = params.types();
    let deliveries = params.choice("deliveries", &[("true", true), ("false", false)]);
    let behind = *admin.store.tail().borrow() + 1;
    let from = match params.text("from") {
        None | Some("now") => Some(behind),
        Some("start") => Some(1),
        Some(position) => position.parse().ok().filter(|position| *position > 0),
    };
    if from.is_none() {
        params.add(
            "from",
            "from is neither now, start nor a position in the log from 1 on",
        );
    }
    // Who asks for whatever is there misses nothing.
    let wants_all = params.text("from") == Some("start");
    params.check()?;
    let had = match headers.get(LAST_EVENT_ID) {
        Some(last) => Some(position(last).ok_or_else(|| {
            Problem::malformed(
                "Last-Event-ID is no position that this stream has given; leave it out",
            )
        })?),
        None => None,
    };
    let next = match had {
        Some(had) => had.saturating_add(1),
        None => from.unwrap_or(behind),
    };
    let place = admin.streams.open_private().ok_or_else(|| {
        Problem::unavailable("too many streams are open; close one, or raise limits.streams_max")
    })?;
    let outcomes = deliveries.unwrap_or(true).then(|| admin.outcomes.watch());
    let tail = admin.store.tail();
    let over = admin.over(let_in);
    let skipped = match wants_all && had.is_none() {
        true => None,
        false => admin.store.expired_within(next, behind),
    };
    let follower = Follower {
        admin,
        kinds,
        had,
        told_at: None,
        skipped,
        // What is not there yet is waited for; a position from another store is none.
        walk: Walk::in_small_pieces(next.min(behind), BYTES_AT_ONCE),
    };
    Ok(sse::stream(async { _ = over.await }, |frames| async move {
        let _place = place;
        // The reader has left, or the store has stopped.
        let _ = follower.run(&frames, tail, outcomes).await;
    }))
}

impl Follower {
    async fn run(
        mut self,
        frames: &Frames,
        mut tail: watch::Receiver<Seq>,
        mut outcomes: Option<broadcast::Receiver<Arc<Ended>>>,
    ) -> Result<(), Gone> {
        // So that a client sees that it is connected, and, cut off before the first event, comes
        // back to where it was.
        let had = self.walk.next() - 1;
        frames.send_text(format!(": here\nid: {had}\n\n")).await?;
        if let Some(Skipped { from, to, events }) = self.skipped {
            let told = json!({ "from": from, "to": to, "events": events });
            frames.send_text(frame("skipped", None, &told)).await?;
        }
        if outcomes.is_some() {
            self.tell_of_absence(frames).await?;
        }
        loop {
            let last = *tail.borrow_and_update();
            self.catch_up(frames, last).await?;
            tokio::select! {
                biased;
                // First: where events come without end, the ends of attempts have their turn too.
                ended = next_of(&mut outcomes) => {
                    // An attempt is told behind its event.
                    let last = *tail.borrow_and_update();
                    self.catch_up(frames, last).await?;
                    self.tell(frames, ended).await?;
                }
                changed = tail.changed() => changed.map_err(|_| Gone)?,
                () = tokio::time::sleep(HEARTBEAT) => {
                    frames.send_text(": still here\n\n".to_owned()).await?;
                }
            }
        }
    }

    /// Sends the log up to `last`.
    async fn catch_up(&mut self, frames: &Frames, last: Seq) -> Result<(), Gone> {
        while self.walk.next() <= last {
            let (mut walk, kinds) = (self.walk.clone(), self.kinds.clone());
            let read = self.admin.ask(move |store| {
                let step = walk.step(store, last)?;
                Ok((walk, text(&step, kinds.as_ref())))
            });
            let Ok((walk, text)) = read.await else {
                // What may pass; where it lasts, the server ends.
                tokio::time::sleep(REST).await;
                continue;
            };
            self.walk = walk;
            if !text.is_empty() {
                frames.send_text(text).await?;
            }
        }
        Ok(())
    }

    /// Ends of attempts are told live only: whoever comes back has missed those that fell into the
    /// cut, and nobody knows how many. All of them came behind the last event that it had.
    async fn tell_of_absence(&mut self, frames: &Frames) -> Result<(), Gone> {
        let now = self.admin.clock.now();
        let Some(had) = self.had else {
            self.told_at = Some(now);
            return Ok(());
        };
        // Where it cannot be read, or has expired, the moment is not known.
        let event = self.admin.ask(move |store| store.event(had)).await;
        let since = event.ok().flatten().map(|event| event.received_at);
        self.told_at = Some(now);
        let deliveries = None;
        let missed = Missed { deliveries, since };
        frames.send_text(frame("missed", None, &missed)).await
    }

    async fn tell(&mut self, frames: &Frames, ended: Result<Arc<Ended>, u64>) -> Result<(), Gone> {
        let frame = match ended {
            Ok(ended) => {
                self.told_at = Some(ended.attempt.ended_at);
                let is_wanted = |kinds: &Filter| kinds.selects(Some(&ended.kind));
                if !self.kinds.as_ref().is_none_or(is_wanted) {
                    return Ok(());
                }
                frame("delivery", None, &Told::of(&ended))
            }
            Err(missed) => {
                let (deliveries, since) = (Some(missed), self.told_at);
                frame("missed", None, &Missed { deliveries, since })
            }
        };
        frames.send_text(frame).await
    }
}

/// The next end of an attempt, or how many were missed; never where none are wanted.
async fn next_of(
    outcomes: &mut Option<broadcast::Receiver<Arc<Ended>>>,
) -> Result<Arc<Ended>, u64> {
    if let Some(receiver) = outcomes {
        match receiver.recv().await {
            Ok(ended) => return Ok(ended),
            Err(RecvError::Lagged(missed)) => return Err(missed),
            // Nothing is delivered any more.
            Err(RecvError::Closed) => *outcomes = None,
        }
    }
    std::future::pending().await
}

fn position(header: &HeaderValue) -> Option<Seq> {
    header.to_str().ok()?.parse().ok()
}

/// The frames of those events that are of these types.
fn text(step: &Step, kinds: Option<&Filter>) -> String {
    match step {
        Step::Events(events) => {
            let is_wanted = |event: &&Arc<event::Event>| {
                kinds.is_none_or(|kinds| kinds.selects(Some(&event.content.kind)))
            };
            let wanted = events.iter().filter(is_wanted);
            wanted
                .map(|event| frame("event", Some(event.seq), &Event::of(event)))
                .collect()
        }
        // With an id, so that a reader who comes back does not meet them again.
        Step::Damaged { from, to, .. } => {
            let (from, to) = (*from, *to);
            frame("damaged", Some(to), &Damaged { from, to })
        }
        Step::End => String::new(),
    }
}
