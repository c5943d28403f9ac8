//! `POST /v1/trigger`: has a mock send samples.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use hyper::StatusCode;
use serde::Serialize;

use super::asked;
use super::sampler::Sampler;
use super::wish::{Unsendable, Wish};
use crate::api::request::input;
use crate::app::Ground;
use crate::clock::SharedClock;
use crate::event::NewEvent;
use crate::id::{EventId, Seq};
use crate::inbound::Ingest;
use crate::inbound::body::Bodies;
use crate::inbound::problem::Problem;
use crate::store::Appended;
use crate::vendor::Profile;

pub use asked::EVENTS_MAX;

/// Where.
pub const PATH: &str = "/v1/trigger";

/// What makes a mock send.
pub struct Trigger {
    sampler: Mutex<Sampler>,
    ingest: Ingest,
    bodies: Bodies,
    clock: SharedClock,
}

/// What is answered.
#[derive(Serialize)]
struct Triggered {
    events: Vec<Sent>,
}

#[derive(Serialize)]
struct Sent {
    id: EventId,
    seq: Seq,
}

impl Trigger {
    /// A trigger of `vendor`'s samples of this seed.
    pub fn new(vendor: Profile, seed: u64, ground: Ground) -> Arc<Self> {
        Arc::new(Self {
            sampler: Mutex::new(Sampler::new(vendor, seed)),
            ingest: ground.ingest,
            bodies: ground.bodies,
            clock: ground.clock,
        })
    }

    /// Its route.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().route(PATH, post(handle)).with_state(self)
    }

    /// Puts the events of `wish` into the log, all or none, and waits until they are there.
    ///
    /// # Errors
    /// 422 if something cannot be overridden; those of the log.
    pub async fn send(&self, wish: &Wish) -> Result<Vec<Appended>, Problem> {
        let events = {
            let mut sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
            sampler.all(wish, self.clock.now()).map_err(problem)?
        };
        self.keep(events).await
    }

    /// Puts just these events into the log, all or none, and waits until they are there.
    pub async fn keep(&self, events: Vec<NewEvent>) -> Result<Vec<Appended>, Problem> {
        self.ingest.keep(events).await
    }

    fn vendor(&self) -> Profile {
        let sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        sampler.vendor()
    }
}

fn problem(error: Unsendable) -> Problem {
    let at = match &error {
        Unsendable::Override { member, .. } => format!("/{member}"),
        Unsendable::Template(_) => "/payload".to_owned(),
    };
    Problem::field(at, error.to_string())
}

async fn handle(
    State(trigger): State<Arc<Trigger>>,
    request: Request,
) -> Result<Response, Problem> {
    let members = input::members(&trigger.bodies, request).await?;
    let wish = asked::read(trigger.vendor(), members)?;
    let appended = trigger.send(&wish).await?;
    let events = appended.into_iter();
    let events = events
        .map(|Appended { id, seq, .. }| Sent { id, seq })
        .collect();
    Ok((StatusCode::ACCEPTED, Json(Triggered { events })).into_response())
}
