//! Somebody who makes, changes and removes endpoints and puts deliveries back, all the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use serde_json::{Value, json};

use crate::cast;
use crate::chance::Chance;
use crate::link::{Link, Target};
use crate::process::http::Answer;
use crate::process::now;
use crate::process::receiver::Receiver;
use crate::registry::{Known, Looks, Registry, Restart, Retried};

/// Endpoints of the operator's at a time.
const PRESENT_MAX: usize = 3;

/// Between two requests, on average.
const PAUSE: Duration = Duration::from_millis(40);

/// What is asked of the broker next.
enum Task {
    Add,
    Change(usize, Change),
    Retry,
    Replay,
}

/// What an endpoint is told.
#[derive(Clone, Copy)]
enum Change {
    Pause,
    Resume,
    Concurrency(u64),
    Remove,
}

impl Change {
    fn request(self, id: &str) -> (&'static str, String, Value) {
        let path = format!("/v1/endpoints/{id}");
        match self {
            Self::Pause => ("POST", path + "/pause", Value::Null),
            Self::Resume => ("POST", path + "/resume", Value::Null),
            Self::Concurrency(many) => ("PATCH", path, json!({ "concurrency": many })),
            Self::Remove => ("DELETE", path, Value::Null),
        }
    }

    /// What it makes of an endpoint that is there.
    fn after(self, (state, many): (String, u64)) -> Looks {
        Some(match self {
            Self::Pause => ("paused".to_owned(), many),
            Self::Resume => ("active".to_owned(), many),
            Self::Concurrency(many) => (state, many),
            Self::Remove => ("removed".to_owned(), many),
        })
    }
}

/// A thread that is never content.
pub struct Operator {
    registry: Arc<Mutex<Registry>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Operator {
    pub fn start(seed: u64, receiver: &Arc<Receiver>, target: &Target) -> Self {
        let (registry, end): (Arc<Mutex<Registry>>, Arc<AtomicBool>) = Default::default();
        let mut desk = Desk {
            chance: Chance::new(seed, "operator"),
            link: Link::new(target.clone()),
            receiver: receiver.clone(),
            registry: registry.clone(),
            looked_at: 0,
        };
        let ended = end.clone();
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                desk.work();
                let pause = desk.chance.moment(2 * PAUSE);
                sleep(pause);
            }
        });
        Self {
            registry,
            end,
            thread: Some(thread),
        }
    }

    #[track_caller]
    pub fn check_alive(&self) {
        let ended = self.thread.as_ref().is_some_and(JoinHandle::is_finished);
        assert!(!ended, "the operator has panicked");
    }

    /// What was done; nothing more is.
    pub fn stop(&mut self) -> Registry {
        self.end.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.registry.lock().unwrap().clone()
    }
}

struct Desk {
    chance: Chance,
    link: Link,
    receiver: Arc<Receiver>,
    registry: Arc<Mutex<Registry>>,
    /// The process that all endpoints were looked at in.
    looked_at: u64,
}

impl Desk {
    fn work(&mut self) {
        let Some(turn) = self.link.turn() else {
            return;
        };
        if turn != self.looked_at && self.look() {
            self.looked_at = turn;
        }
        // What is in doubt is looked at before it is told anything else.
        if turn == self.looked_at {
            self.act();
        }
    }

    /// Whether every endpoint was seen.
    fn look(&mut self) -> bool {
        let shown = self.ask("GET", "/v1/endpoints?state=all&limit=1000", Value::Null);
        let Some(shown) = shown else {
            return false;
        };
        assert_eq!(shown.status, 200, "{}", shown.text());
        let shown = shown.json();
        assert_eq!(shown["next"], Value::Null, "one page is not enough");
        self.registry(|registry| registry.is_shown(shown["data"].as_array().unwrap()));
        true
    }

    /// None if nobody knows whether it was obeyed: also where the server says that it is ending.
    fn ask(&mut self, method: &str, path: &str, body: Value) -> Option<Answer> {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let answer = self.link.send(method, path, &body);
        answer.filter(|answer| answer.status < 500)
    }

    fn registry<T>(&self, change: impl FnOnce(&mut Registry) -> T) -> T {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut registry)
    }

    fn act(&mut self) {
        match self.choose() {
            Task::Add => self.add(),
            Task::Change(at, Change::Resume) => {
                let name = self.registry(|registry| registry.endpoints[at].name.clone());
                self.restart(&name, |desk| desk.change(at, Change::Resume));
            }
            Task::Change(at, change) => {
                self.change(at, change);
            }
            Task::Retry => self.retry(),
            Task::Replay => self.restart("free", |desk| {
                let body = json!({"status": "dead", "limit": 3});
                let path = "/v1/endpoints/free/replay";
                desk.ask("POST", path, body).is_some()
            }),
        }
    }

    fn choose(&mut self) -> Task {
        let present: Vec<(usize, bool)> = self.registry(|registry| {
            let endpoints = registry.endpoints.iter().enumerate();
            let present = endpoints.filter(|(_, known)| known.is_present());
            let paused = |known: &Known| {
                let surely = known.surely();
                matches!(surely, Some(Some((state, _))) if state == "paused")
            };
            present.map(|(at, known)| (at, paused(known))).collect()
        });
        if present.is_empty() || (present.len() < PRESENT_MAX && self.chance.one_in(3)) {
            return Task::Add;
        }
        let (at, paused) = *self.chance.one_of(&present);
        let change = match self.chance.within(0..10) {
            0..4 if paused => Change::Resume,
            0..2 => Change::Pause,
            // One that was paused by an answer looks active until it is looked at.
            2..4 => Change::Resume,
            4..6 => Change::Concurrency(self.concurrency(at)),
            6..7 => Change::Remove,
            7..9 => return Task::Retry,
            _ => return Task::Replay,
        };
        Task::Change(at, change)
    }

    /// An endpoint that one answer changes has one attempt under way, so that none goes on.
    fn concurrency(&mut self, at: usize) -> u64 {
        let policy = self.registry(|registry| registry.endpoints[at].policy);
        1 + self.chance.within(0..4) * u64::from(policy == "free")
    }

    fn add(&mut self) {
        let policy = *self.chance.one_of(&cast::MADE);
        let at = self.registry(|registry| {
            let name = format!("made-{}", registry.endpoints.len());
            registry.endpoints.push(Known::new(name, policy));
            registry.endpoints.len() - 1
        });
        let name = format!("made-{at}");
        let url = cast::url(&self.receiver, policy, &name);
        let body = json!({"name": name, "url": url, "policy": policy, "concurrency": 1});
        let looks = Some(("active".to_owned(), 1));
        let answer = self.ask("POST", "/v1/endpoints", body);
        let answered_at = now();
        self.registry(|registry| {
            let known = &mut registry.endpoints[at];
            match answer {
                Some(answer) => {
                    assert_eq!(answer.status, 201, "{}", answer.text());
                    known.made_by = Some(answered_at);
                    known.id = answer.json()["id"].as_str().map(str::to_owned);
                    known.became(looks);
                    registry.obeyed += 1;
                }
                None => known.may_have_become(looks),
            }
        });
        // What was lost with a living process would stay in doubt.
        self.look();
    }

    /// Whether there was an answer.
    fn change(&mut self, at: usize, change: Change) -> bool {
        let asked_at = now();
        let known = self.registry(|registry| {
            let known = &mut registry.endpoints[at];
            if let Change::Remove = change {
                known.whole_until.get_or_insert(asked_at);
            }
            known.clone()
        });
        let (Some(Some(before)), Some(id)) = (known.surely().cloned(), known.id) else {
            return true;
        };
        let after = change.after(before);
        let (method, path, body) = change.request(&id);
        let status = self.ask(method, &path, body).map(|answer| answer.status);
        self.registry(|registry| {
            let known = &mut registry.endpoints[at];
            match status {
                Some(200..300) => {
                    known.became(after);
                    registry.obeyed += 1;
                }
                // An answer of its receiver was faster: it is removed, or was just changed.
                Some(status) => assert_eq!(status, 409, "{method} {path}: {known:?}"),
                None => known.may_have_become(after),
            }
        });
        self.look();
        status.is_some()
    }

    /// Does what starts schedules of endpoint `name` anew, and says whether it was answered.
    fn restart(&mut self, name: &str, tell: impl FnOnce(&mut Self) -> bool) {
        let from = now();
        let answered = tell(self);
        let restart = Restart {
            endpoint: name.to_owned(),
            from,
            // Where the answer was lost, the process has ended by now.
            until: now(),
            lost: !answered,
        };
        self.registry(|registry| registry.restarts.push(restart));
    }

    /// Puts one delivery that had ended back.
    fn retry(&mut self) {
        let path = "/v1/deliveries?endpoint=free&status=dead,delivered&limit=10";
        let Some(ended) = self.ask("GET", path, Value::Null) else {
            return;
        };
        let ended = ended.json();
        let ended = ended["data"].as_array().unwrap();
        if ended.is_empty() {
            return;
        }
        let chosen = self.chance.one_of(ended);
        let delivery = chosen["id"].as_str().unwrap().to_owned();
        let attempts = chosen["attempt_count"].as_u64().unwrap();
        self.restart("free", |desk| {
            let path = format!("/v1/deliveries/{delivery}/retry");
            let answer = desk.ask("POST", &path, Value::Null);
            let status = answer.map(|answer| answer.status);
            match status {
                Some(202) => desk.registry(|registry| {
                    registry.obeyed += 1;
                    registry.retried.push(Retried { delivery, attempts });
                }),
                // Put back meanwhile, by itself or with others: it is queued again.
                Some(status) => assert_eq!(status, 409, "{path}"),
                None => {}
            }
            status.is_some()
        });
    }
}
