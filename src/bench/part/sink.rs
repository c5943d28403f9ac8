//! The receiver: answers 200 and counts what came, when, and in which order.
//!
//! `POST` to any path counts there; `GET /report` says what came; `POST /reset` forgets it.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HeaderValue;
use hyper::{Method, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::server::{Answer, listen, serve, status};
use crate::bench::spread::{Counted, Spread};
use crate::bench::stopwatch::now_ns;
use crate::bench::template::{NUMBER_MARK, SENT_NS_MARK, find};

/// What it has seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Requests that brought an event.
    pub received: u64,
    /// Those that brought it to their path for the first time.
    pub distinct: u64,
    /// Requests that came to a path after one whose event is later in the broker's log.
    pub inversions: u64,
    /// When the first came, on the machine's monotonic clock.
    pub first_ns: u64,
    /// When the last came that was not a repeat.
    pub last_ns: u64,
    /// From post to receipt.
    pub latency: Spread,
}

impl Report {
    /// Deliveries a second, from the first to the last.
    pub fn per_second(&self) -> f64 {
        self.distinct as f64 / ((self.last_ns - self.first_ns) as f64 / 1e9)
    }
}

#[derive(Default)]
struct Seen {
    report: Report,
    latency: Counted,
    paths: HashMap<String, Path>,
}

/// What came to one path.
#[derive(Default)]
struct Path {
    numbers: Vec<u64>,
    last: Vec<u8>,
    number_at: usize,
    sent_at: usize,
}

/// Serves for ever.
pub async fn run(address: SocketAddr) -> io::Result<()> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    serve(listen(address).await?, move |head, body| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match (&head.method, head.uri.path()) {
            (&Method::GET, "/report") => seen.told(),
            (&Method::POST, "/reset") => {
                *seen = Seen::default();
                status(StatusCode::OK)
            }
            (_, path) => {
                let id = head.headers.get("redeliver-event-id");
                seen.take(path, id.map_or(b"", HeaderValue::as_bytes), &body, now_ns());
                status(StatusCode::OK)
            }
        };
        std::future::ready(answer)
    })
    .await
}

impl Seen {
    fn told(&self) -> Answer {
        let report = Report {
            latency: self.latency.spread(),
            ..self.report.clone()
        };
        match serde_json::to_vec(&report) {
            Ok(json) => Response::new(Full::new(Bytes::from(json))),
            Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// Event ids sort as the log does.
    fn take(&mut self, path: &str, id: &[u8], body: &[u8], now: u64) {
        if !self.paths.contains_key(path) {
            self.paths.insert(path.to_owned(), Path::default());
        }
        let Some(path) = self.paths.get_mut(path) else {
            return;
        };
        let Some(number) = find(body, NUMBER_MARK, &mut path.number_at) else {
            return;
        };
        let report = &mut self.report;
        report.received += 1;
        report.inversions += u64::from(path.last.as_slice() > id);
        path.last.clear();
        path.last.extend_from_slice(id);
        if !path.is_new(number) {
            return;
        }
        report.distinct += 1;
        report.last_ns = now;
        if report.first_ns == 0 {
            report.first_ns = now;
        }
        if let Some(sent) = find(body, SENT_NS_MARK, &mut path.sent_at) {
            self.latency
                .add(Duration::from_nanos(now.saturating_sub(sent)));
        }
    }
}

impl Path {
    fn is_new(&mut self, number: u64) -> bool {
        // Far more than any run has: a stray number must not take the memory.
        let place = (number / 64) as usize % (1 << 22);
        if self.numbers.len() <= place {
            self.numbers.resize(place + 1, 0);
        }
        let bit = 1 << (number % 64);
        let is_new = self.numbers[place] & bit == 0;
        self.numbers[place] |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_and_inversions_are_counted_apart() {
        let mut seen = Seen::default();
        let mut template = crate::bench::plan::native();
        for (number, id, now) in [(1, b"a", 10), (3, b"c", 20), (2, b"b", 30), (3, b"c", 40)] {
            let request = template.fill(number, 5).to_vec();
            seen.take("/", id, &request, now);
        }
        seen.take("/", b"d", b"something else", 50);
        let report = &seen.report;
        assert_eq!(
            (report.received, report.distinct, report.inversions),
            (4, 3, 1)
        );
        assert_eq!((report.first_ns, report.last_ns), (10, 30));
    }
}
