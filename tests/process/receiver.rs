//! A receiver that records what it gets, and when, and answers as it is told.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redeliver::clock::Timestamp;
use serde_json::Value;

use super::{eventually, http, now};

/// A request, and how it was answered.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub arrived: Timestamp,
    /// When, just before the answer was written; none as long as there is none.
    pub answered: Option<(u16, Timestamp)>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The number that the sender gives this attempt.
    pub fn attempt(&self) -> u32 {
        self.header("redeliver-attempt").parse().unwrap()
    }
}

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Status(u16),
    /// As a status, after a pause.
    After(Duration, u16),
    /// Never, until the sender gives up.
    Hang,
}

type Script = dyn Fn(&Seen, usize) -> Reply + Send + Sync;

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    held: usize,
    connections: usize,
}

/// A listening receiver; it listens until the test's process ends.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// Answers by `script`, which is given the request and how many came before it.
    pub fn start(script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let (shared, script): (_, Arc<Script>) = (state.clone(), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, script) = (shared.clone(), script.clone());
                lock(&state).connections += 1;
                std::thread::spawn(move || {
                    serve(stream, &state, &*script);
                    lock(&state).connections -= 1;
                });
            }
        });
        Self { address, state }
    }

    /// Answers a GET with 200, and every other request with `status`.
    pub fn always(status: u16) -> Self {
        Self::start(move |seen, _| match seen.method.as_str() {
            "GET" => Reply::Status(200),
            _ => Reply::Status(status),
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Every request but those of the check on save.
    pub fn posts(&self) -> Vec<Seen> {
        let state = lock(&self.state);
        let posts = state.seen.iter().filter(|seen| seen.method == "POST");
        posts.cloned().collect()
    }

    pub fn gets(&self) -> Vec<Seen> {
        let state = lock(&self.state);
        let gets = state.seen.iter().filter(|seen| seen.method == "GET");
        gets.cloned().collect()
    }

    /// Now that the only sender is dead: waits until all that it had sent is seen, and every
    /// connection of it closed.
    #[track_caller]
    pub fn settle(&self) {
        // Connections are taken in turn: when this one is served, those before it have been taken.
        let probe = http::Client::new(self.address).send("GET", "/settle", &[], b"");
        assert!(probe.is_ok(), "{probe:?}");
        eventually("the dead sender's connections are closed", || {
            (lock(&self.state).connections == 0).then_some(())
        });
    }

    /// How many requests are being held right now.
    pub fn held(&self) -> usize {
        lock(&self.state).held
    }
}

/// A URL at which nobody listens. No free port of the kernel's choice: that may become the near end
/// of the very connection that is to be refused.
pub fn nobody() -> String {
    "http://127.0.0.1:1/hook".to_owned()
}

fn serve(stream: TcpStream, state: &Mutex<State>, script: &Script) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    // A sender that was killed leaves half a request, or nobody to answer to.
    while let Ok((line, headers)) = http::head(&mut stream) {
        let arrived = now();
        let mut body = vec![0; http::length(&headers)];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        let mut words = line.split(' ').map(str::to_owned);
        let seen = Seen {
            method: words.next().unwrap(),
            path: words.next().unwrap(),
            headers,
            body,
            arrived,
            answered: None,
        };
        let number = {
            let mut state = lock(state);
            state.seen.push(seen.clone());
            state.held += 1;
            state.seen.len() - 1
        };
        // Outside of the lock: a script may wait for what the test does when it has seen the request.
        let status = match script(&seen, number) {
            Reply::Status(status) => Some(status),
            Reply::After(pause, status) => {
                std::thread::sleep(pause);
                Some(status)
            }
            Reply::Hang => {
                let _ = stream.read(&mut [0]);
                None
            }
        };
        {
            let mut state = lock(state);
            state.seen[number].answered = status.map(|status| (status, now()));
            state.held -= 1;
        }
        let Some(status) = status else { return };
        let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n\r\nok");
        if stream.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
