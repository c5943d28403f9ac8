//! Good clients, who post all the time and are answered every time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crate::process::eventually;
use crate::process::http::Client;

const EVENT: &[u8] = br#"{"type":"good","data":{"n":1}}"#;

/// One who keeps a connection, and one who makes a new one for every event.
pub struct Good {
    stop: Arc<AtomicBool>,
    posted: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<()>>,
}

impl Good {
    pub fn start(address: SocketAddr) -> Self {
        let (stop, posted) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let clients = [true, false].map(|keeps| {
            let (stop, posted) = (stop.clone(), posted.clone());
            std::thread::spawn(move || {
                let mut client = Client::new(address);
                while !stop.load(Ordering::Relaxed) {
                    if !keeps {
                        client = Client::new(address);
                    }
                    let json = ("content-type", "application/json");
                    let answer = client.send("POST", "/v1/events", &[json], EVENT);
                    let answer = answer.unwrap_or_else(|error| panic!("not answered: {error}"));
                    assert_eq!(answer.status, 202, "{}", answer.text());
                    posted.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let good = Self {
            stop,
            posted,
            clients: clients.into(),
        };
        good.are_served();
        good
    }

    /// Returns once each has been answered again and again from now on.
    #[track_caller]
    pub fn are_served(&self) {
        let before = self.posted.load(Ordering::Relaxed);
        eventually("good clients are served", || {
            let stopped = self.clients.iter().any(JoinHandle::is_finished);
            assert!(!stopped, "a good client was not served");
            (self.posted.load(Ordering::Relaxed) >= before + 20).then_some(())
        });
    }

    /// How many events they have put in, each of which was taken.
    #[track_caller]
    pub fn stop(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            assert!(client.join().is_ok(), "a good client was not served");
        }
        self.posted.load(Ordering::Relaxed)
    }
}

impl Drop for Good {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
