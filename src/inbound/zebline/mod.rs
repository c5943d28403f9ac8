//! `POST /v1/accounts/{license}/events`: Zebline's API, as its own clients call it.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | the order of the checks, and the event's way into the log |
//! | `account` | whose key it is, for which license and resource, and how often |
//! | [`document`], [`stored`] | an event, read and checked; as it lies in the log |
//! | `answer` | what its sender is told |
//! | [`types`] | which type each attribute has |

mod account;
mod answer;
pub mod document;
pub mod stored;
pub mod types;

pub use self::account::PREFIX;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use hyper::{HeaderMap, Request};
use tokio::sync::watch;

use self::account::{Account, Accounts};
use self::document::Document;
use self::stored::Stored;
use self::types::Types;
use super::problem::Problem;
use super::read::Read;
use super::tally::{Reason, Seen};
use super::{Ingest, media};
use crate::clock::SharedClock;
use crate::config::Source;
use crate::current::Current;
use crate::event::{Form, NewEvent};
use crate::id::{EventId, Seq};
use crate::secret::Tokens;
use crate::store::{Step, StoreError, Walk};
use crate::vendor::zebline::attributes::{Fault, judge};
use crate::vendor::zebline::track::TrackId;
use crate::vendor::zebline::{is_of_the_system, request_id};

/// How long a request waits after a start for the types of attributes, on the machine's own clock.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long reading rests after an error that may pass.
const REST: Duration = Duration::from_secs(1);

/// The API of every source of kind `zebline`.
pub struct Zebline {
    accounts: Accounts,
    ingest: Ingest,
    clock: SharedClock,
    types: Mutex<Types>,
    /// Whether the types are those of the whole log.
    is_read: watch::Sender<bool>,
    /// Requests that were accepted and led to no event.
    dropped: AtomicU32,
}

impl Zebline {
    /// The API of those of `sources` that are Zebline's.
    pub fn new(sources: &[Source], ingest: Ingest, clock: SharedClock) -> Self {
        let accounts = Accounts::of(sources);
        let is_read = watch::Sender::new(accounts.is_empty());
        Self {
            accounts,
            ingest,
            clock,
            types: Mutex::default(),
            is_read,
            dropped: AtomicU32::default(),
        }
    }

    /// Reads from the log which types attributes have; blocks. Until it is done, events are told to
    /// wait; what is damaged fixes no type.
    ///
    /// # Errors
    /// Those of the store that last.
    pub fn read_types(&self) -> Result<(), StoreError> {
        let last = *self.ingest.store.tail().borrow();
        let mut walk = Walk::from(1);
        while !*self.is_read.borrow() && !*self.ingest.draining.borrow() {
            match walk.step(&*self.ingest.store, last) {
                Ok(Step::Events(events)) => {
                    for event in events {
                        let source = &*event.content.source;
                        if self.accounts.have(source) {
                            self.observe(source, event.id, &event.content.body);
                        }
                    }
                }
                Ok(Step::Damaged { .. }) => {}
                Ok(Step::End) => break,
                Err(error @ StoreError::Stopped(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the log cannot be read for the types of attributes; trying again");
                    std::thread::sleep(REST);
                }
            }
        }
        self.is_read.send_replace(true);
        Ok(())
    }

    /// The types of attributes, as far as they are known.
    pub fn types(&self) -> MutexGuard<'_, Types> {
        self.types.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request below [`PREFIX`].
    pub async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
    {
        let path = request.uri().path().to_owned();
        match self.take(request).await {
            Ok((account, track_id)) => answer::queued(account.success_status(), track_id),
            Err(problem) => {
                // Told at the license in the path: whose keys are wrong should hear of it.
                if let Some(account) = self.accounts.at(&path) {
                    let (reason, now) = (Reason::of(problem.status), self.clock.now());
                    account.tally.refuse(reason, &problem.detail, now);
                }
                answer::worded(problem)
            }
        }
    }

    /// The tokens of each source, by its name.
    pub fn tokens(&self) -> impl Iterator<Item = (String, Arc<Current<Tokens>>)> {
        self.accounts.tokens()
    }

    /// Each source, and what has come in through it.
    pub fn sources(&self) -> impl Iterator<Item = Seen<'_>> {
        self.accounts.seen()
    }

    /// In the order of A-40: path, key, license and resource, rate, duplicate, body.
    async fn take<B>(&self, request: Request<B>) -> Result<(&Account, TrackId), Problem>
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
    {
        self.ingest.check_open()?;
        let (head, body) = request.into_parts();
        let account = self.accounts.of_request(&head)?;
        account.count(self.clock.now())?;
        let body = self.ingest.bodies.read(&head.headers, body).await?;
        let key = head.headers.get("x-request-id");
        let key = key.and_then(|key| key.to_str().ok()).and_then(request_id);
        let event = match self.read(account, &head.headers, &body, key.clone()).await {
            Ok(Some(event)) => event,
            Ok(None) => {
                if let Some(first) = self.first(account, key).await? {
                    return Ok((account, TrackId::of(first)));
                }
                let number = self.dropped.fetch_add(1, Ordering::Relaxed);
                let track_id = TrackId::of_none(self.clock.now(), number);
                return Ok((account, track_id));
            }
            Err(problem) => {
                // Looked for this late, because nearly every request is right and new: what comes
                // out is the same.
                let first = self.first(account, key).await?;
                account.tally.accept(0, u64::from(first.is_some()));
                let answered = first.map(|id| (account, TrackId::of(id)));
                return answered.ok_or_else(|| answer::invalid(problem));
            }
        };
        let body = event.body.clone();
        let kept = self.ingest.keep_of(&head.extensions, vec![event]);
        let appended = kept.await?;
        let Some(appended) = appended.first() else {
            return Err(Problem::internal("the store took no event"));
        };
        let duplicates = u64::from(appended.duplicate);
        account.tally.accept(1 - duplicates, duplicates);
        if !appended.duplicate {
            self.observe(&account.source, appended.id, &body);
        }
        Ok((account, TrackId::of(appended.id)))
    }

    /// The event, or none if it is one of the vendor's own, which are dropped.
    async fn read(
        &self,
        account: &Account,
        headers: &HeaderMap,
        body: &Bytes,
        idempotency_key: Option<String>,
    ) -> Result<Option<NewEvent>, Problem> {
        let settings = &account.settings;
        let is_json = media::Media::of(headers)?.is_some_and(|media| media.is(media::JSON));
        if !is_json {
            return Err(Problem::malformed("send application/json in UTF-8"));
        }
        media::check_unpacked(headers)?;
        let document = Document::read(body, settings.accept_unix_time)?;
        if is_of_the_system(&document.name, &settings.system_events) {
            if settings.strict {
                let detail = "eventName is the name of a system event; choose another";
                return Err(Problem::malformed(detail));
            }
            return Ok(None);
        }
        self.wait_for_types().await?;
        let faults = self.faults(account, &document);
        if settings.strict && !faults.is_empty() {
            let told = faults.iter().map(|(at, fault)| {
                let name = crate::words::quoted(&document.attributes[*at].0);
                format!("attribute {name}: {fault}")
            });
            return Err(Problem::malformed(told.collect::<Vec<_>>().join("; ")));
        }
        let read = Read {
            kind: (&*document.name).into(),
            subject: Some(document.visitor.to_string()),
            time: Some(document.time),
            content_type: None,
            form: Form::Data,
            body: match faults.is_empty() && !document.claims_drops() {
                true => body.clone(),
                false => document
                    .without(&faults)
                    .map_err(|error| Problem::internal(error.to_string()))?,
            },
            status: None,
            idempotency_key,
        };
        Ok(Some(self.ingest.event(&account.source, read)))
    }

    /// What is wrong with which attribute.
    fn faults(&self, account: &Account, document: &Document<'_>) -> Vec<(usize, Fault)> {
        let types = self.types();
        let known = |name: &str| types.of(&account.source, &document.name, name);
        let each = document.attributes.iter();
        let each = each.map(|(name, value)| (&**name, *value));
        let judged = judge(each, known, account.settings.strict).into_iter();
        let faults = judged.enumerate();
        faults
            .filter_map(|(at, judged)| Some((at, judged.err()?)))
            .collect()
    }

    fn observe(&self, source: &str, event: EventId, body: &[u8]) {
        if let Some(stored) = Stored::read(body) {
            let seq: Seq = event.seq();
            self.types().observe(source, seq, event.time(), &stored);
        }
    }

    /// The event of an earlier success of this request.
    async fn first(
        &self,
        account: &Account,
        key: Option<String>,
    ) -> Result<Option<EventId>, Problem> {
        let Some(key) = key else { return Ok(None) };
        let (store, source) = (self.ingest.store.clone(), account.source.clone());
        let found = tokio::task::spawn_blocking(move || store.find_by_key(&source, &key)).await;
        let found = found.map_err(|error| Problem::internal(error.to_string()))??;
        Ok(found.map(|first| first.id))
    }

    async fn wait_for_types(&self) -> Result<(), Problem> {
        let mut is_read = self.is_read.subscribe();
        match tokio::time::timeout(PATIENCE, is_read.wait_for(|is_read| *is_read)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Problem::unavailable(
                "the log is still being read for the types of attributes; send it again in a moment",
            )),
        }
    }
}
