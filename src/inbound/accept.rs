//! From an event that was read to its place on disk, whichever way it came.

use std::sync::Arc;

use bytes::Bytes;
use hyper::http::Extensions;

use super::observer::{Brought, Named, Taken};
use super::problem::Problem;
use super::read::Read;
use super::{Ingest, media};
use crate::event::{Form, NewEvent};
use crate::store::Appended;

/// A slice of a connection's read buffer keeps all of it alive, and the store's bounds count the
/// body alone. Above this size the body is most of the buffer.
const COPIED_MAX: usize = 32 * 1024;

impl Ingest {
    /// Refuses while the server is shutting down.
    pub(super) fn check_open(&self) -> Result<(), Problem> {
        if *self.draining.borrow() {
            return Err(Problem::unavailable(
                "the server is shutting down; send it again in a moment",
            ));
        }
        Ok(())
    }

    /// What was read, as an event of `source`.
    pub fn event(&self, source: &Arc<str>, read: Read) -> NewEvent {
        NewEvent {
            source: source.clone(),
            kind: read.kind,
            subject: read.subject,
            time: read.time,
            content_type: match (read.content_type, read.form) {
                (Some(media), _) => media.into(),
                (None, Form::Data) => self.json.clone(),
                (None, Form::Relayed) => media::BINARY.into(),
            },
            form: read.form,
            body: compact(read.body),
            status: read.status,
            idempotency_key: read.idempotency_key,
        }
    }

    /// Puts events into the log that no request brings, all or none, and waits until they are on
    /// disk.
    pub async fn keep(&self, events: Vec<NewEvent>) -> Result<Vec<Appended>, Problem> {
        let Some(observer) = &self.observer else {
            return self.append(events).await;
        };
        let named = Named::of(&events);
        let appended = self.append(events).await?;
        observer.came(Taken::all(named, &appended));
        Ok(appended)
    }

    /// As [`keep`](Self::keep), for the request with these extensions.
    pub(super) async fn keep_of(
        &self,
        request: &Extensions,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Appended>, Problem> {
        let Some(brought) = request.get::<Brought>() else {
            return self.append(events).await;
        };
        let named = Named::of(&events);
        let appended = self.append(events).await?;
        brought.add(Taken::all(named, &appended));
        Ok(appended)
    }

    async fn append(&self, events: Vec<NewEvent>) -> Result<Vec<Appended>, Problem> {
        let ticket = self.store.append(events)?;
        let appended = ticket
            .await
            .map_err(|_| Problem::unavailable("the server is shutting down"))??;
        Ok(appended)
    }
}

fn compact(body: Bytes) -> Bytes {
    if body.len() <= COPIED_MAX {
        Bytes::copy_from_slice(&body)
    } else {
        body
    }
}
