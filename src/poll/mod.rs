//! Zenovay's API, polled: each change becomes an event of its source.
//!
//! ```text
//!   schedule ──▶ request (deliver's guarded transport) ──▶ answer ──▶ memory: what is new
//!      ▲                                                                   │
//!      └── how the round ended, how long to wait ◀── inbound: on disk ◀────┘
//! ```
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | [`Poller`]: one task a source, one request at a time |
//! | `schedule` | what is asked when, retries, waits: pure |
//! | `memory`, `bounded` | what is known already, and so what is new: pure |
//! | `walk` | the list of visitors, page by page: pure |
//! | `request` | one request and its answer |
//! | `recall` | what is known, read back from the log at start |
//! | [`gauge`] | how it is getting on, for the administration |

mod bounded;
pub mod gauge;
mod memory;
mod recall;
mod request;
mod schedule;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use self::gauge::Gauge;
use self::memory::{Memory, New};
use self::request::{Asker, Reply};
use self::schedule::{Schedule, Step, Verdict};
use self::walk::{Page, Walk};
use crate::clock::SharedClock;
use crate::config::Poller as Settings;
use crate::deliver::agenda::{Agenda, Slot};
use crate::deliver::transport::Transport;
use crate::event::Form;
use crate::inbound::Ingest;
use crate::inbound::read::Read;
use crate::store::Store;
use crate::vendor::zenovay::pace::Came;
use crate::vendor::zenovay::polled;
use crate::vendor::zenovay::polling::Resource;

/// How long one answer may take, all in all.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a poller works with.
pub struct Tools {
    /// Sends its requests.
    pub transport: Transport,
    /// Takes its events.
    pub ingest: Ingest,
    /// Where it reads what it knew.
    pub store: Arc<dyn Store>,
    /// The broker's clock.
    pub clock: SharedClock,
    /// Where it says what it will do next.
    pub agenda: Agenda,
    /// Turns true when the server begins to stop.
    pub stopping: watch::Receiver<bool>,
}

/// Polls one source.
pub struct Poller {
    source: Arc<str>,
    asker: Asker,
    schedule: Schedule,
    memory: Memory,
    walk: Walk,
    gauge: Arc<Gauge>,
    tools: Tools,
    slot: Slot,
}

/// A round that brought nothing that can be used.
const NOTHING: Step = Step::Done(Came::Nothing, Duration::ZERO);

impl Poller {
    /// Polls what `config` says, as the source called `name`; not before it is [run](Self::run).
    pub fn new(name: &str, config: &Settings, tools: Tools) -> Self {
        let now = tools.clock.moment();
        let asker = Asker::new(config);
        let schedule = Schedule::new(
            asker.resources(),
            config.interval,
            config.adaptive,
            now.steady(),
        );
        Self {
            source: name.into(),
            asker,
            schedule,
            memory: Memory::default(),
            walk: Walk::default(),
            gauge: Arc::new(Gauge::new(name)),
            slot: tools.agenda.join(now.now),
            tools,
        }
    }

    /// What it asks for.
    pub fn resources(&self) -> impl Iterator<Item = Resource> {
        self.asker.resources()
    }

    /// How it is getting on.
    pub fn gauge(&self) -> Arc<Gauge> {
        self.gauge.clone()
    }

    /// Polls until the server stops.
    pub async fn run(mut self) {
        let mut stopping = self.tools.stopping.clone();
        let polling = async {
            if !self.recall().await {
                return;
            }
            while let Some(resource) = self.wait().await {
                self.poll(resource).await;
            }
        };
        // What is being put into the log when the server stops is there or is not: either way the
        // next start knows it from the log.
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => {}
            () = polling => {}
        }
    }

    /// Learns from the log what it knew before; false if the store has stopped.
    async fn recall(&mut self) -> bool {
        let (store, source) = (self.tools.store.clone(), self.source.clone());
        let (clock, stopping) = (self.tools.clock.clone(), self.tools.stopping.clone());
        let reading = tokio::task::spawn_blocking(move || {
            recall::recall(&*store, &source, clock.now(), &|| *stopping.borrow())
        });
        match reading.await {
            Ok(Ok(memory)) => self.memory = memory,
            // Then it is told anew rather than not at all.
            Ok(Err(error)) if error.is_damage() => {
                tracing::warn!(source = &*self.source, %error, "what was polled before cannot be read from the log; some of it may come again");
            }
            Ok(Err(error)) => {
                tracing::error!(source = &*self.source, %error, "the log cannot be read; the source is not polled");
                let now = self.tools.clock.now();
                self.gauge.failed("log", &error.to_string(), now);
                return false;
            }
            Err(panic) => {
                tracing::error!(source = &*self.source, %panic, "the source is not polled");
                return false;
            }
        }
        for resource in Resource::ALL {
            if self.memory.has(resource) {
                self.schedule.has_been_seen(resource);
            }
        }
        true
    }

    /// Waits for what is next.
    async fn wait(&self) -> Option<Resource> {
        let moment = self.tools.clock.moment();
        let (resource, due) = self.schedule.next()?;
        let wait = due.since(moment.steady());
        let shown = moment.now.plus(wait);
        let resting = self.schedule.resting(moment.steady());
        self.gauge
            .waits(shown, resting.map(Resource::name).collect());
        // Before it is told, upon which the clock may be moved.
        let sleep = self.tools.clock.sleep_until(shown);
        self.slot.waits_until(shown);
        sleep.await;
        Some(resource)
    }

    /// One request, and what follows from it.
    async fn poll(&mut self, resource: Resource) {
        let clock = self.tools.clock.clone();
        let began = clock.moment();
        self.schedule.begins(resource, began.steady());
        let given_up = began.now.plus(DEADLINE);
        let (offset, deadline) = (self.walk.offset(), clock.sleep_until(given_up));
        self.slot.asks_until(given_up);
        self.gauge.asks(began.now);
        let asking = self
            .asker
            .ask(&self.tools.transport, resource, offset, deadline);
        let (step, error) = match asking.await {
            Reply::Answer(body, fresh, trouble) => match self.take(resource, &body).await {
                Ok(Some(came)) => (Step::Done(came, fresh), None),
                Ok(None) => (Step::More(fresh), None),
                Err(error) => (NOTHING, Some(request::told(trouble, error))),
            },
            Reply::Limited(wait) => (Step::Limited(wait), None),
            Reply::Failed(error) => (NOTHING, Some(error)),
        };
        let ended = clock.moment();
        let verdict = self.schedule.ended(resource, step, ended.steady());
        if resource == Resource::Visitors && verdict != Verdict::GoesOn {
            self.walk = Walk::default();
        }
        let (source, what) = (&*self.source, resource.name());
        match verdict {
            Verdict::GoesOn => {}
            Verdict::Works { again } => {
                self.gauge.works(what);
                if again {
                    tracing::info!(source, what, "polling works again");
                }
            }
            Verdict::Fails { anew } => {
                let error = error.unwrap_or_else(|| "it was answered 429 again and again".into());
                self.gauge.failed(what, &error, ended.now);
                // Once: a server that is down for a night would fill the log.
                if anew {
                    tracing::warn!(source, what, error, "polling fails, and goes on");
                }
            }
        }
    }

    /// Puts what is new in an answer into the log; says whether anything was, or nothing if there
    /// is another page to be read first.
    async fn take(&mut self, resource: Resource, body: &Bytes) -> Result<Option<Came>, String> {
        request::check_json(body)?;
        let unusable = |error: polled::Unusable| error.to_string();
        let new = match resource {
            Resource::Live => self.memory.live(polled::live(body).map_err(unusable)?),
            Resource::Overview => self
                .memory
                .summary(polled::summary(body).map_err(unusable)?),
            Resource::ErrorGroups => self.memory.groups(&polled::groups(body).map_err(unusable)?),
            Resource::Visitors => {
                let visits = polled::visits(body).map_err(unusable)?;
                let page = self.walk.take(&visits, &self.memory);
                match page {
                    Page::More => return Ok(None),
                    Page::Last => {}
                    Page::TooMany => tracing::warn!(
                        source = &*self.source,
                        "there are more new visitors than are read in one round; the oldest are left out"
                    ),
                }
                return self.keep_walk().await.map(Some);
            }
        };
        let changed = !new.is_empty();
        self.keep(new).await?;
        Ok(Some(if changed { Came::Changed } else { Came::Same }))
    }

    /// The oldest page first: if one cannot be kept, the next round comes to it by way of those
    /// that are newer, and so not known either.
    async fn keep_walk(&mut self) -> Result<Came, String> {
        let mut came = Came::Same;
        while let Some(page) = self.walk.oldest() {
            came = Came::Changed;
            self.keep(page).await?;
        }
        Ok(came)
    }

    /// Puts events into the log, all or none, and remembers them once they are there.
    async fn keep(&mut self, new: Vec<New>) -> Result<(), String> {
        if new.is_empty() {
            return Ok(());
        }
        let events = new.iter().map(|new| {
            let read = Read {
                kind: new.kind.into(),
                subject: new.subject.clone(),
                time: new.time,
                content_type: None,
                form: Form::Data,
                body: new.data.clone(),
                status: None,
                idempotency_key: new.key.clone(),
            };
            self.tools.ingest.event(&self.source, read)
        });
        let kept = self.tools.ingest.keep(events.collect()).await;
        let kept = kept.map_err(|problem| format!("it cannot be kept: {}", problem.detail))?;
        let duplicates = kept.iter().filter(|appended| appended.duplicate).count();
        self.gauge.kept(kept.len() - duplicates, duplicates);
        for new in new {
            self.memory.remember(new.mark);
        }
        Ok(())
    }
}
