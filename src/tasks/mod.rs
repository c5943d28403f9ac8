//! Bulk operations that go on over restarts: what an operator asks for once and looks at later.
//!
//! | file | what is in it |
//! |---|---|
//! | [`task`], `statuses` | a task, and what it is asked to do: values |
//! | `step` | one bounded step of a task over the store; in `step/under_way.rs`, coming back to what an attempt was under way for |
//! | `files` | tasks as files, each there whole or not at all |
//! | `mod.rs` | [`Tasks`]: every task, and the loop that gives each its turn |
//!
//! A step first writes down what it is about to put back or give up, and after how many attempts each
//! delivery was found; the store takes only those that still stand so. After a crash the same is asked
//! again, so that nothing is put back twice and nothing left out. What an attempt is under way for is
//! written down as well, and come back to when the rest is done.

mod files;
mod statuses;
mod step;
pub mod task;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::clock::SharedClock;
use crate::id::TaskId;
use crate::store::{Store, StoreError};

pub use self::files::FileError;
use self::files::Files;
pub use self::statuses::{Statuses, StatusesError};
pub use self::step::positions;
use self::step::{Step, StepError};
pub use self::task::{Kind, Request, State, Task};

#[cfg(test)]
mod tests;

/// Tasks that may run at once: each has its turn after one step of every other.
const RUNNING_MAX: usize = 16;

/// Tasks that have ended are kept so many, the newest.
const ENDED_MAX: usize = 100;

/// How long a task rests, by the machine's own clock, when its file cannot be written, when an
/// endpoint has as much waiting as it may, or while an attempt is under way that it cannot undo.
const REST: Duration = Duration::from_millis(500);

/// A task that rests is looked at again behind so many steps of others, which go on meanwhile.
const STEPS_PER_REST: u64 = 64;

/// Why a task could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// There is none with this id.
    #[error("there is no task {0}")]
    Unknown(TaskId),
    /// It has ended already.
    #[error("task {0} has ended already: it is {state}", state = .1.as_str())]
    Ended(TaskId, State),
    /// As many run as may.
    #[error("{RUNNING_MAX} tasks are running already; wait for one to end, or cancel one")]
    TooMany,
    /// The same idempotency key was given with another request.
    #[error("the Idempotency-Key was used for task {0}, which was asked for something else")]
    OtherRequest(TaskId),
    /// It could not be written down.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every task.
pub struct Tasks {
    store: Arc<dyn Store>,
    clock: SharedClock,
    files: Files,
    /// Tells the ids of this store's tasks from another's.
    tag: u32,
    all: Mutex<BTreeMap<u64, Arc<Entry>>>,
    /// Rung when there is a new one.
    made: Notify,
}

/// One task. Whoever changes it holds its turn; what is shown is never waited for.
struct Entry {
    turn: Mutex<()>,
    shown: Mutex<Task>,
}

impl Entry {
    fn new(task: Task) -> Arc<Self> {
        Arc::new(Self {
            turn: Mutex::new(()),
            shown: Mutex::new(task),
        })
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn task(&self) -> Task {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Task> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tasks {
    /// The tasks written down in `dir`, which go on once [`run`](Self::run) does; without one they
    /// are kept in memory. A file that cannot be read is warned about and left where it is.
    pub fn open(
        dir: Option<PathBuf>,
        store: Arc<dyn Store>,
        clock: SharedClock,
        tag: u32,
    ) -> Result<Self, FileError> {
        let files = Files::new(dir);
        let all = files.read()?;
        let all = all.into_iter();
        let all = all.map(|task| (task.id.number(), Entry::new(task)));
        Ok(Self {
            store,
            clock,
            tag,
            all: Mutex::new(all.collect()),
            files,
            made: Notify::new(),
        })
    }

    /// Every task that is kept, newest first.
    pub fn list(&self) -> Vec<Task> {
        let all = self.all();
        all.values().rev().map(|entry| entry.task()).collect()
    }

    /// The task with this id.
    pub fn get(&self, id: TaskId) -> Result<Task, TaskError> {
        Ok(self.entry(id)?.task())
    }

    /// Makes a task, which is on disk when this returns. With a `key` that made one before, gives
    /// that one. May wait for the disk.
    pub fn create(&self, request: Request, key: Option<String>) -> Result<Task, TaskError> {
        let span = step::span(&*self.store, &request)?;
        let mut all = self.all();
        if let Some(key) = &key {
            let before = all.values().map(|entry| entry.task());
            let mut before = before.filter(|task| task.key.as_ref() == Some(key));
            if let Some(task) = before.next() {
                return match task.request == request {
                    true => Ok(task),
                    false => Err(TaskError::OtherRequest(task.id)),
                };
            }
        }
        let running = all.values().filter(|entry| entry.lock().is_running());
        if running.count() >= RUNNING_MAX {
            return Err(TaskError::TooMany);
        }
        let number = all.keys().next_back().map_or(1, |last| last + 1);
        let now = self.clock.now();
        let task = Task::new(TaskId::new(now, number, self.tag), request, span, now, key);
        self.files.write(&task)?;
        all.insert(number, Entry::new(task.clone()));
        self.forget_some(&mut all);
        drop(all);
        self.made.notify_one();
        Ok(task)
    }

    /// Ends a task after the step that it is at; what it has done stays done. May wait for that
    /// step, and for the disk.
    pub fn cancel(&self, id: TaskId) -> Result<Task, TaskError> {
        let entry = self.entry(id)?;
        let _turn = entry.turn();
        let mut task = entry.task();
        if !task.is_running() {
            return Err(TaskError::Ended(id, task.state));
        }
        task.end(State::Cancelled, None, self.clock.now());
        self.files.write(&task)?;
        *entry.lock() = task.clone();
        Ok(task)
    }

    /// Works on every task in turn until `stopping` turns true, or the store has stopped. One that has
    /// to rest keeps no other one waiting.
    pub async fn run(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let (mut last, mut steps, mut resting) = (0, 0, BTreeSet::new());
        loop {
            if *stopping.borrow() {
                return;
            }
            let Some((number, entry)) = self.next_behind(last, &resting) else {
                tokio::select! {
                    () = self.made.notified() => {}
                    () = tokio::time::sleep(REST), if !resting.is_empty() => {}
                    _ = stopping.wait_for(|stop| *stop) => return,
                }
                resting.clear();
                continue;
            };
            last = number;
            let tasks = self.clone();
            match tokio::task::spawn_blocking(move || tasks.work(&entry)).await {
                Ok(Ok(Step::Goes | Step::Ended)) => {}
                Ok(Ok(Step::Rests)) => drop(resting.insert(number)),
                Ok(Err(StepError::Store(_))) => return,
                Ok(Err(StepError::File(error))) => {
                    tracing::error!(%error, "a task cannot go on; trying again");
                    resting.insert(number);
                }
                Err(panic) => {
                    tracing::error!(%panic, "the tasks have stopped");
                    return;
                }
            }
            steps += 1;
            if steps % STEPS_PER_REST == 0 {
                resting.clear();
            }
        }
    }

    /// One step of one task.
    fn work(&self, entry: &Entry) -> Result<Step, StepError> {
        let _turn = entry.turn();
        let mut task = entry.task();
        if !task.is_running() {
            return Ok(Step::Ended);
        }
        let save = |task: &Task| {
            self.files.write(task)?;
            *entry.lock() = task.clone();
            Ok(())
        };
        let stepped = step::step(&*self.store, &mut task, save);
        match stepped {
            Err(StepError::Store(error)) if !matches!(error, StoreError::Stopped(_)) => {
                // What it was about to do is asked for again by nobody: it has not been done.
                task.end(State::Failed, Some(error.to_string()), self.clock.now());
            }
            Ok(Step::Ended) => task.end(State::Done, None, self.clock.now()),
            Ok(step) => {
                *entry.lock() = task;
                return Ok(step);
            }
            Err(error) => return Err(error),
        }
        self.files.write(&task)?;
        *entry.lock() = task;
        Ok(Step::Ended)
    }

    /// The running task whose turn it is after the one numbered `last`; none of those that rest.
    fn next_behind(&self, last: u64, resting: &BTreeSet<u64>) -> Option<(u64, Arc<Entry>)> {
        let all = self.all();
        let mut turns = all.range(last + 1..).chain(all.range(..=last));
        let next =
            turns.find(|(number, entry)| !resting.contains(number) && entry.lock().is_running());
        next.map(|(number, entry)| (*number, entry.clone()))
    }

    /// Forgets the oldest that have ended, where there are too many; the newest task is always kept,
    /// for its number must not be given again.
    fn forget_some(&self, all: &mut BTreeMap<u64, Arc<Entry>>) {
        let ended = |(_, entry): &(&u64, &Arc<Entry>)| !entry.lock().is_running();
        let numbers: Vec<u64> = all
            .iter()
            .filter(ended)
            .map(|(number, _)| *number)
            .collect();
        let surplus = numbers.len().saturating_sub(ENDED_MAX);
        for number in numbers.into_iter().take(surplus) {
            if let Some(entry) = all.remove(&number) {
                self.files.remove(entry.lock().id);
            }
        }
    }

    fn entry(&self, id: TaskId) -> Result<Arc<Entry>, TaskError> {
        let all = self.all();
        let entry = all.get(&id.number()).filter(|entry| entry.lock().id == id);
        entry.cloned().ok_or(TaskError::Unknown(id))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Entry>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
