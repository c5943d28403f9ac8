//! What happens, line by line, and how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::sender::Job;
use crate::app::{App, AppError};
use crate::cli::Failure;
use crate::cli::output::{self, clean};
use crate::clock::{SharedClock, Timestamp};
use crate::deliver::outcomes::Ended;
use crate::delivery::Status;
use crate::duration::format_duration;
use crate::endpoint::EndpointState;
use crate::id::Seq;
use crate::mock::vendor::{RECEIVER, name};
use crate::store::{Appended, Store};

/// As much of an answer's body as a line shows.
const EXCERPT_CHARS: usize = 60;

/// Follows the deliveries to the mock's receiver.
pub(super) struct Story {
    json: bool,
    address: String,
    store: Arc<dyn Store>,
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
    pub(super) fn new(app: &App, json: bool) -> Result<Self, Failure> {
        let receiver = app.store().find_endpoint(RECEIVER).ok_or_else(|| {
            Failure::Check(
                "the receiver was removed by a 410 before; begin with other --data".to_owned(),
            )
        })?;
        Ok(Self {
            json,
            address: format!("http://{}", app.address()),
            store: app.store().clone(),
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
            "{} as a vendor of webhooks, its clock {}; repeat with --seed {seed}",
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

    /// One attempt has ended.
    pub(super) fn ended(&mut self, ended: &Ended) -> Result<(), Failure> {
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
        self.look()?;
        self.show(ended)
    }

    fn show(&self, ended: &Ended) -> Result<(), Failure> {
        let (attempt, seq) = (&ended.attempt, ended.event.seq());
        let event = self.store.event(seq).map_err(AppError::from)?;
        let activity = event.and_then(|event| event.content.status.clone());
        if self.json {
            return output::line(
                &json!({
                    "at": attempt.started_at,
                    "event": ended.event,
                    "seq": seq,
                    "delivery": ended.delivery,
                    "type": ended.kind,
                    "activity_status": activity,
                    "attempt": attempt.number,
                    "status": attempt.status,
                    "error": attempt.error,
                    "duration_ms": u64::try_from(attempt.duration().as_millis()).unwrap_or(u64::MAX),
                    "response_excerpt": attempt.response_excerpt,
                    "outcome": ended.status.as_str(),
                    "next_attempt_at": ended.next_attempt_at,
                    "endpoint_state": self.stopped.unwrap_or(EndpointState::Active),
                })
                .to_string(),
            );
        }
        let label = match &activity {
            Some(activity) => format!("{} {activity}", ended.kind),
            None => ended.kind.to_string(),
        };
        let excerpt = attempt
            .response_excerpt
            .as_deref()
            .filter(|_| ended.status != Status::Delivered);
        let excerpt = excerpt.map(|text| {
            let cut: String = clean(text).chars().take(EXCERPT_CHARS).collect();
            format!(" ({cut})")
        });
        let came = match (attempt.status, &attempt.error) {
            (Some(status), _) => format!("{status}{}", excerpt.unwrap_or_default()),
            (None, Some(error)) => clean(error),
            (None, None) => "no answer".to_owned(),
        };
        output::line(&format!(
            "{}  #{seq} {:24}  attempt {}  {came}  {}",
            time_of_day(attempt.started_at),
            clean(&label),
            attempt.number,
            self.next(ended),
        ))
    }

    fn next(&self, ended: &Ended) -> String {
        let after = match (ended.status, ended.next_attempt_at) {
            (Status::Delivered, _) => "delivered".to_owned(),
            (Status::Dead, _) => "given up".to_owned(),
            (Status::Removed, _) => "the endpoint is removed".to_owned(),
            (_, Some(next)) => {
                let seconds = next.since(ended.attempt.ended_at).as_secs();
                let after = format_duration(std::time::Duration::from_secs(seconds));
                format!("again after {after}, at {}", time_of_day(next))
            }
            (_, None) => "again".to_owned(),
        };
        match self.stopped {
            Some(EndpointState::Paused) => format!("{after}; the endpoint is paused"),
            _ => after,
        }
    }

    /// Some attempts were not told: how their deliveries stand is read from the store.
    pub(super) fn missed(&mut self, attempts: u64) -> Result<(), Failure> {
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

    /// Whether nothing more will happen.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_empty() || self.stopped.is_some()
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
        match self.stopped {
            Some(EndpointState::Removed) => {
                format!(
                    "{} of {all} events not delivered: a 410 removed the endpoint",
                    all - delivered
                )
            }
            Some(_) => {
                format!(
                    "{} of {all} events not delivered: a 410 paused the endpoint",
                    all - delivered
                )
            }
            None => format!("{} of {all} events not delivered", all - delivered),
        }
    }

    /// The last line.
    pub(super) fn summary(&self) -> Result<(), Failure> {
        let is_removed = self.stopped == Some(EndpointState::Removed);
        let (delivered, dead) = (self.count(Status::Delivered), self.count(Status::Dead));
        // Those that waited when the endpoint went were never attempted again.
        let gone = self.count(Status::Removed);
        let (removed, open) = match is_removed {
            true => (gone + self.open.len(), 0),
            false => (gone, self.open.len()),
        };
        let took = self.clock.now().since(self.start);
        let (events, attempts) = (self.events(), self.attempts);
        if self.json {
            let summary = json!({
                "events": events,
                "delivered": delivered,
                "dead": dead,
                "removed": removed,
                "open": open,
                "attempts": attempts,
                "clock_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            });
            return output::line(&json!({ "summary": summary }).to_string());
        }
        let took = format_duration(std::time::Duration::from_secs(took.as_secs()));
        output::line(&format!(
            "{events} events: {delivered} delivered, {dead} given up, {removed} removed, {open} open; \
             {attempts} attempts in {took} of the mock's clock",
        ))
    }

    /// Whether everything was delivered.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        match self.count(Status::Delivered) == self.events() {
            true => Ok(()),
            false => Err(Failure::Check(self.undelivered())),
        }
    }
}

/// `22:10:05.123` of the time's text form.
fn time_of_day(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..23).unwrap_or(&text).to_owned()
}
