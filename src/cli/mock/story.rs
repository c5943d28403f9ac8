//! What happens, line by line, and how it ended.

mod line;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use self::line::Line;
use super::job::Job;
use crate::app::{App, AppError};
use crate::cli::Failure;
use crate::cli::output;
use crate::clock::{SharedClock, Timestamp};
use crate::deliver::faults::Faults;
use crate::deliver::faults::log::KEPT_MAX;
use crate::deliver::outcomes::Ended;
use crate::delivery::Status;
use crate::duration::format_duration;
use crate::endpoint::EndpointState;
use crate::id::Seq;
use crate::mock::vendor::{RECEIVER, name};
use crate::store::{Appended, Store};
use crate::vendor::Profile;

/// Follows the deliveries to the mock's receiver.
pub(super) struct Story {
    json: bool,
    vendor: Profile,
    address: String,
    store: Arc<dyn Store>,
    faults: Option<Arc<Faults>>,
    clock: SharedClock,
    start: Timestamp,
    receiver: u32,
    /// What was sent and has not ended.
    open: BTreeSet<Seq>,
    /// How what has ended did.
    over: BTreeMap<Seq, Status>,
    attempts: u64,
    /// Why nothing goes to the receiver any more.
    stopped: Option<EndpointState>,
}

impl Story {
    pub(super) fn new(app: &App, json: bool, vendor: Profile) -> Result<Self, Failure> {
        let receiver = app.store().find_endpoint(RECEIVER).ok_or_else(|| {
            Failure::Check(
                "the receiver was removed by a 410 before; begin with other --data".to_owned(),
            )
        })?;
        Ok(Self {
            json,
            vendor,
            address: format!("http://{}", app.address()),
            store: app.store().clone(),
            faults: app.faults().cloned(),
            clock: app.clock().clone(),
            start: app.clock().now(),
            receiver: receiver.number,
            open: BTreeSet::new(),
            over: BTreeMap::new(),
            attempts: 0,
            stopped: None,
        })
    }

    /// The first lines: for programs, where it listens comes first.
    pub(super) fn begin(&self, job: &Job, seed: u64) -> Result<(), Failure> {
        let stays = job.running.stays();
        if self.json {
            return match stays {
                true => {
                    output::line(&json!({ "listening": self.address, "seed": seed }).to_string())
                }
                false => output::line(&json!({ "seed": seed }).to_string()),
            };
        }
        if stays {
            output::line(&format!("redeliver listening on {}", self.address))?;
        }
        output::line(&format!(
            "sending as {}, the clock {}; repeat with --seed {seed}",
            name(job.vendor),
            job.clock(),
        ))
    }

    /// These are in the log now.
    pub(super) fn sent(&mut self, appended: &[Appended]) {
        let fresh = appended.iter().map(|appended| appended.seq);
        self.open
            .extend(fresh.filter(|seq| !self.over.contains_key(seq)));
    }

    /// One attempt has ended, or so many were missed.
    pub(super) fn told(&mut self, told: Result<Arc<Ended>, u64>) -> Result<(), Failure> {
        match told {
            Ok(ended) => self.ended(&ended),
            Err(missed) => self.missed(missed),
        }
    }

    fn ended(&mut self, ended: &Ended) -> Result<(), Failure> {
        if ended.endpoint.number != self.receiver {
            return Ok(());
        }
        self.attempts += 1;
        let seq = ended.event.seq();
        match ended.status {
            Status::Delivered | Status::Dead | Status::Removed => {
                self.open.remove(&seq);
                self.over.insert(seq, ended.status);
            }
            // One that was put back has not ended after all.
            _ => {
                self.over.remove(&seq);
                self.open.insert(seq);
            }
        }
        if ended.attempt.status == Some(410) {
            self.look()?;
        }
        self.show(ended)
    }

    fn show(&self, ended: &Ended) -> Result<(), Failure> {
        let (attempt, seq) = (&ended.attempt, ended.event.seq());
        let event = match self.vendor {
            Profile::Esputnik => self.store.event(seq).map_err(AppError::from)?,
            _ => None,
        };
        let activity = event.and_then(|event| event.content.status.clone());
        let key = (ended.endpoint.number, seq, attempt.number);
        let faults = self.faults.as_ref().map(|faults| faults.log().of(key));
        let shown = Line {
            ended,
            activity: activity.as_deref(),
            faults,
            endpoint: self.stopped.unwrap_or(EndpointState::Active),
        };
        output::line(&match self.json {
            true => shown.json(),
            false => shown.text(),
        })
    }

    /// Some attempts were not told: how their deliveries stand is read from the store.
    fn missed(&mut self, attempts: u64) -> Result<(), Failure> {
        self.attempts += attempts;
        for seq in self.open.clone() {
            let view = self
                .store
                .delivery(self.receiver, seq)
                .map_err(AppError::from)?;
            let status = view.map(|view| view.status);
            if let Some(status @ (Status::Delivered | Status::Dead | Status::Removed)) = status {
                self.open.remove(&seq);
                self.over.insert(seq, status);
            }
        }
        output::note(&format!(
            "{attempts} attempts are not shown: more happened than can be printed"
        ));
        Ok(())
    }

    /// Looks whether the receiver still receives: a 410 removes it (HOT-28) or pauses it.
    pub(super) fn look(&mut self) -> Result<(), Failure> {
        let view = self
            .store
            .endpoint_view(self.receiver)
            .map_err(AppError::from)?;
        let state = view.map_or(EndpointState::Removed, |view| view.endpoint.state);
        self.stopped = Some(state).filter(|state| *state != EndpointState::Active);
        Ok(())
    }

    /// Whether the end of everything that was sent has been told.
    pub(super) fn is_told(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether nothing more will happen.
    pub(super) fn is_settled(&self) -> bool {
        self.is_told() || self.stopped.is_some()
    }

    fn count(&self, status: Status) -> usize {
        self.over.values().filter(|over| **over == status).count()
    }

    fn events(&self) -> usize {
        self.open.len() + self.over.len()
    }

    /// What is left of what was sent.
    pub(super) fn undelivered(&self) -> String {
        let (all, delivered) = (self.events(), self.count(Status::Delivered));
        let why = match self.stopped {
            Some(EndpointState::Removed) => ": a 410 removed the endpoint",
            Some(_) => ": a 410 paused the endpoint",
            None => "",
        };
        format!("{} of {all} events not delivered{why}", all - delivered)
    }

    /// How long it has taken.
    pub(super) fn took(&self) -> Duration {
        self.clock.now().since(self.start)
    }

    /// The last line; it all took so long.
    pub(super) fn summary(&self, took: Duration) -> Result<(), Failure> {
        let is_removed = self.stopped == Some(EndpointState::Removed);
        let (delivered, dead) = (self.count(Status::Delivered), self.count(Status::Dead));
        // Those that waited when the endpoint went were never attempted again.
        let gone = self.count(Status::Removed);
        let (removed, open) = match is_removed {
            true => (gone + self.open.len(), 0),
            false => (gone, self.open.len()),
        };
        let undone = self.undone();
        let (events, attempts) = (self.events(), self.attempts);
        if self.json {
            let summary = json!({
                "events": events,
                "delivered": delivered,
                "dead": dead,
                "removed": removed,
                "open": open,
                "attempts": attempts,
                "faults_not_done": undone.iter().map(|(count, _)| count).sum::<usize>(),
                "clock_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            });
            return output::line(&json!({ "summary": summary }).to_string());
        }
        for (count, what) in undone {
            output::line(&format!("faults not done: {count} {what}"))?;
        }
        let took = format_duration(Duration::from_secs(took.as_secs()));
        output::line(&format!(
            "events: {events} sent, {delivered} delivered, {dead} given up, {removed} removed, {open} open; \
             {attempts} {} in {took} of the mock's clock",
            if attempts == 1 { "attempt" } else { "attempts" },
        ))
    }

    /// The faults that were asked for and could not be done, and why not: each reason once.
    fn undone(&self) -> Vec<(usize, String)> {
        let entries = self.faults.as_ref().map(|faults| faults.log());
        let entries = entries.map(|log| log.before(None, KEPT_MAX));
        let mut counted = BTreeMap::new();
        for entry in entries.iter().flatten().filter(|entry| !entry.done) {
            let why = entry.detail.trim_start_matches("not done: ");
            let what = format!("{} ({why})", entry.fault);
            *counted.entry(what).or_default() += 1;
        }
        let counted = counted.into_iter();
        counted.map(|(what, count)| (count, what)).collect()
    }

    /// Whether everything was delivered.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        match self.count(Status::Delivered) == self.events() {
            true => Ok(()),
            false => Err(Failure::Check(self.undelivered())),
        }
    }
}
