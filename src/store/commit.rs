//! Group commit: what waits becomes one atomic batch, synced once, answered together.
//!
//! | file | what is in it |
//! |---|---|
//! | `intake.rs` | taking events in, or saying why not |
//! | `inbox.rs` | what waits to be written |
//! | `write.rs` | from a group of events and transitions to the records of one batch |
//! | `transitions.rs` | recording a transition: in memory at once, on disk with the next group |
//! | `answers.rs` | a group's requests, and who carries the answers to them |
//! | `committer.rs` | the thread that commits group after group |

pub mod answers;
pub mod committer;
pub mod inbox;
mod intake;
mod transitions;
pub mod write;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::backend::{Backend, Durability};
use super::files::high_water::Mark;
use super::log::Log;
use super::log::parts::{Reply, Writer};
use super::observer::Written;
use super::projection::dedupe::Seen;
use super::record::Transition;
use super::{Appended, StoreError};
use crate::clock::{Moment, Stopwatch};
use crate::event::Event;
use answers::Answers;
use inbox::Request;
use write::Group;

/// A snapshot is written after this many bytes, so that a start reads no more than that.
const BYTES_PER_SNAPSHOT: u64 = 256 << 20;

/// What a group holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saving {
    /// Events, and what attempts came to only now and then: it goes to the disk soon by itself.
    Events,
    /// All that there is.
    Everything,
}

/// What requests come to.
struct Numbered {
    events: Vec<Arc<Event>>,
    /// Of each request.
    answers: Vec<Vec<Appended>>,
    /// The sources of those that are no events of their own.
    duplicates: Vec<Arc<str>>,
}

impl<B: Backend> Log<B> {
    /// See [`Store::commit`](super::Store::commit).
    pub(super) fn commit_next(&self, saving: Saving) -> Result<bool, StoreError> {
        let mut writer = self.writer();
        let done = self.commit_group(&mut writer, saving).and_then(|did| {
            self.route_ahead(writer.next_seq)?;
            let wanted = std::mem::take(&mut self.shared().snapshot_wanted);
            if wanted
                || writer.records_since_snapshot >= self.options.snapshot_max_records
                || writer.bytes_since_snapshot >= BYTES_PER_SNAPSHOT
            {
                self.write_snapshot(&mut writer)?;
            }
            Ok(did)
        });
        if let Err(error) = &done {
            self.stop(error);
        }
        done
    }

    /// See [`Store::close`](super::Store::close).
    pub(super) fn write_everything(&self) -> Result<(), StoreError> {
        self.inbox.close();
        self.wait_for_maintenance();
        while self.commit_next(Saving::Everything)? {}
        self.write_snapshot(&mut self.writer())?;
        self.backend.checkpoint()?;
        if let Some(high_water) = &self.high_water {
            high_water.sync()?;
        }
        Ok(())
    }

    /// Looked at once a group, and at each request while it is full.
    pub(super) fn look_at_the_disk(&self) {
        let reserve = self.options.disk_reserve_bytes;
        let full = self.backend.free_bytes().is_some_and(|free| free < reserve);
        match (self.disk_is_full.swap(full, Ordering::AcqRel), full) {
            (false, true) => {
                tracing::warn!(
                    reserve,
                    "the disk is full up to its reserve: no event is taken"
                );
            }
            (true, false) => tracing::info!("the disk has room again: events are taken"),
            _ => {}
        }
    }

    /// Nothing is written any more; whoever waits is told why.
    pub(super) fn stop(&self, error: &StoreError) {
        self.stopped.send_if_modified(|stopped| {
            if stopped.is_some() {
                return false;
            }
            // Before anybody is told: the process may end of it.
            tracing::error!(%error, "the store has stopped");
            *stopped = Some(error.clone());
            true
        });
        self.inbox.close();
        for request in self.inbox.take(usize::MAX, usize::MAX) {
            let _ = request.reply.send(Err(error.clone()));
        }
        let replies = std::mem::take(&mut self.shared().replies);
        for Reply::Endpoint(reply, _) in replies {
            let _ = reply.send(Err(error.clone()));
        }
        self.wake();
    }

    /// Wakes the committer.
    pub(super) fn ring(&self) {
        self.inbox.ring(true);
    }

    fn commit_group(&self, writer: &mut Writer, saving: Saving) -> Result<bool, StoreError> {
        if let Some(error) = self.stopped.borrow().clone() {
            return Err(error);
        }
        let mut requests = self
            .inbox
            .take(self.options.group_max_events, self.options.group_max_bytes);
        let Numbered {
            events,
            answers,
            duplicates,
        } = self.number(writer, &mut requests, self.clock.moment());
        let mut deferred = false;
        let (transitions, replies, sync_wanted, targets) = {
            let mut shared = self.shared();
            self.committing.store(events.len(), Ordering::Release);
            // Routed before the write, under the endpoints as they stand between these
            // transitions and the next: a rebuild sees just this order.
            let targets: Vec<Vec<u32>> = events
                .iter()
                .map(|event| shared.state.route(&event.content))
                .collect();
            let transitions = if !events.is_empty() && saving == Saving::Events && shared.defer() {
                deferred = !shared.unsaved.is_empty();
                Vec::new()
            } else {
                shared.take_unsaved()
            };
            (
                transitions,
                std::mem::take(&mut shared.replies),
                std::mem::take(&mut shared.sync_wanted),
                targets,
            )
        };
        if deferred {
            self.inbox.ring(false);
        }
        if requests.is_empty() && transitions.is_empty() && !sync_wanted {
            return Ok(false);
        }
        let sync = !requests.is_empty() || sync_wanted;
        let durability = if sync {
            Durability::Disk
        } else {
            Durability::Process
        };
        let group = Group::encode(writer, &transitions, &events)?;
        writer.bytes_since_snapshot += group.bytes();
        let watch = Stopwatch::start();
        let written =
            self.backend
                .write(group.changes, durability)
                .and_then(|()| match durability {
                    Durability::Disk => self.mark(group.mark),
                    // A mark that is ahead of the disk would call a power cut a loss.
                    Durability::Process => Ok(()),
                });
        if let Err(error) = written {
            for request in requests {
                let _ = request.reply.send(Err(error.clone()));
            }
            for Reply::Endpoint(reply, _) in replies {
                let _ = reply.send(Err(error.clone()));
            }
            return Err(error);
        }
        let took = watch.elapsed();
        writer.advance(&group.next, events.len() + transitions.len());
        self.look_at_the_disk();
        for frame in group.frames {
            self.cache.insert(frame);
        }
        {
            // In one step and the tail first: what can be claimed can be read, and an endpoint that
            // is made now begins behind these events.
            let mut shared = self.shared();
            // Attempts have ended since this group began, and are due after more than `now`.
            let now = self.now(&mut shared);
            self.committing.store(0, Ordering::Release);
            if !events.is_empty() {
                self.tail.send_replace(writer.next_seq - 1);
            }
            for (event, targets) in events.iter().zip(targets) {
                for endpoint in targets {
                    shared.state.push(endpoint, event.seq, now);
                }
            }
        }
        self.wake();
        self.observed.tell(Written {
            events: &events,
            duplicates: &duplicates,
            remembered: writer.dedupe.len(),
            transitions: transitions.len(),
            endpoints_changed: transitions
                .iter()
                .any(|transition| matches!(transition, Transition::Endpoint(..))),
            synced: durability == Durability::Disk,
            took,
        });
        self.answering.carry(Answers {
            appended: requests.into_iter().zip(answers).collect(),
            changed: replies,
        });
        Ok(true)
    }

    /// Gives each event its place, or finds the one that it repeats.
    fn number(&self, writer: &mut Writer, requests: &mut [Request], moment: Moment) -> Numbered {
        let mut events: Vec<Arc<Event>> = Vec::new();
        let mut duplicates = Vec::new();
        let mut answers = Vec::with_capacity(requests.len());
        let mut in_group: HashMap<u128, Seen> = HashMap::new();
        for request in requests {
            let mut answer = Vec::with_capacity(request.events.len());
            for content in request.events.drain(..) {
                let hash = writer.dedupe.hash(&content);
                let seen = hash.and_then(|hash| {
                    let before = writer.dedupe.find(hash, moment);
                    before.or_else(|| in_group.get(&hash).copied())
                });
                let duplicate = seen.is_some();
                let seen = seen.unwrap_or(Seen {
                    seq: writer.next_seq + events.len() as u64,
                    received_at: moment.now,
                });
                let appended = seen.answered(self.meta.tag, duplicate);
                answer.push(appended);
                if duplicate {
                    duplicates.push(content.source);
                    continue;
                }
                in_group.extend(hash.map(|hash| (hash, seen)));
                events.push(Arc::new(Event {
                    id: appended.id,
                    seq: seen.seq,
                    received_at: moment.now,
                    content,
                }));
            }
            answers.push(answer);
        }
        let mut in_group: Vec<(u128, Seen)> = in_group.into_iter().collect();
        in_group.sort_unstable_by_key(|(_, seen)| seen.seq);
        // A failed write stops the store, so remembering before it is harmless.
        for (hash, seen) in in_group {
            writer.dedupe.insert(hash, seen, moment);
        }
        Numbered {
            events,
            answers,
            duplicates,
        }
    }

    /// Everything up to `mark` is on disk.
    pub(super) fn mark(&self, mark: Mark) -> Result<(), StoreError> {
        match &self.high_water {
            Some(high_water) => high_water.write(mark),
            None => Ok(()),
        }
    }
}
