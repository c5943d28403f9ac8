//! Clients that put events in, and what they were told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use redeliver::clock::Timestamp;

use crate::chance::Chance;
use crate::link::{Link, Target};
use crate::payload::{self, Sizes};
use crate::process::now;

/// An event as its sender knows it.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub key: String,
    pub id: String,
    pub seq: u64,
    /// When the request that was answered was sent, and when its answer was there.
    pub sent_at: Timestamp,
    pub told_at: Timestamp,
}

/// What one sender does.
#[derive(Clone, Copy)]
pub struct Habit {
    pub senders: u64,
    pub sizes: Sizes,
    pub pause: Duration,
}

/// Threads that put events in, over and over, each event until it is acknowledged.
pub struct Senders {
    acknowledged: Arc<Mutex<Vec<Acknowledged>>>,
    end: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Senders {
    pub fn start(seed: u64, habit: Habit, target: &Target) -> Self {
        let mut senders = Self {
            acknowledged: Arc::default(),
            end: Arc::default(),
            threads: Vec::new(),
        };
        for sender in 0..habit.senders {
            let name = format!("s{sender}");
            let mut chance = Chance::new(seed, &name);
            let mut link = Link::new(target.clone());
            let (acknowledged, end) = (senders.acknowledged.clone(), senders.end.clone());
            senders.threads.push(std::thread::spawn(move || {
                let mut number = 0;
                let mut key = habit.sizes.key(&name, number, &mut chance);
                while !end.load(Ordering::Relaxed) {
                    if link.turn().is_none() {
                        sleep(Duration::from_millis(1));
                        continue;
                    }
                    if let Some(taken) = send(&mut link, &key) {
                        acknowledged.lock().unwrap().push(taken);
                        number += 1;
                        key = habit.sizes.key(&name, number, &mut chance);
                    }
                    sleep(chance.moment(2 * habit.pause));
                }
            }));
        }
        senders
    }

    pub fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// From the `first`, counted from 0, on.
    pub fn acknowledged_from(&self, first: usize) -> Vec<Acknowledged> {
        self.acknowledged.lock().unwrap()[first..].to_vec()
    }

    #[track_caller]
    pub fn check_alive(&self) {
        let ended = self.threads.iter().any(JoinHandle::is_finished);
        assert!(!ended, "a sender has panicked");
    }

    pub fn stop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

/// None if the broker went away, or says that it is about to.
fn send(link: &mut Link, key: &str) -> Option<Acknowledged> {
    let body = payload::body(key);
    let sent_at = now();
    let answer = link.send("POST", "/v1/events", &body)?;
    let told_at = now();
    if answer.status >= 500 {
        return None;
    }
    assert_eq!(answer.status, 202, "{}", answer.text());
    let taken = answer.json();
    Some(Acknowledged {
        key: key.to_owned(),
        id: taken["id"].as_str().unwrap().to_owned(),
        seq: taken["seq"].as_u64().unwrap(),
        sent_at,
        told_at,
    })
}
