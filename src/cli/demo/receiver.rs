//! A deliberately fragile receiver: it fails by a seeded script, and checks all that it gets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::clock::{SharedClock, Timestamp};
use crate::endpoint::TextEncoding;
use crate::id::{EventId, Seq};
use crate::vendor::{esputnik, hotjar};

/// Attempts that fail before one is taken: below Hotjar's seven, so that nothing is given up.
const FAILURES_MAX: u32 = 5;

/// What it fails with.
const FAILURES: [u16; 4] = [500, 502, 503, 429];

/// The demo's own bodies are far smaller.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// One request, and what became of it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// By the broker's clock.
    pub at: Timestamp,
    /// The endpoint: the last part of the path.
    pub endpoint: String,
    /// The event's id.
    pub event: String,
    /// The attempt's number.
    pub attempt: u32,
    /// What was answered.
    pub status: u16,
    /// Whether signature and age were right.
    pub verified: bool,
}

/// The receiver's side of the demo.
pub struct Receiver {
    clock: SharedClock,
    key: &'static str,
    seen: mpsc::UnboundedSender<Seen>,
    seed: u64,
}

impl Receiver {
    /// Listens on a free port of loopback. What is seen comes out of the channel: as many as the
    /// demo's events have attempts.
    pub async fn start(
        clock: SharedClock,
        key: &'static str,
        seed: u64,
    ) -> std::io::Result<(SocketAddr, mpsc::UnboundedReceiver<Seen>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (seen, seen_by) = mpsc::unbounded_channel();
        let receiver = Arc::new(Self {
            clock,
            key,
            seen,
            seed,
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = receiver.clone();
                let service = service_fn(move |request| receiver.clone().answer(request));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok((address, seen_by))
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, BODY_MAX_BYTES).collect().await;
        let status = match (head.method, body) {
            // eSputnik's check on save (ESP-07).
            (Method::GET, _) => 200,
            (_, Ok(body)) => self.take(head.uri.path(), &head.headers, &body.to_bytes()),
            (_, Err(_)) => 413,
        };
        let mut response = Response::new(Full::default());
        // Every status in this file is a valid one.
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        Ok(response)
    }

    fn take(&self, path: &str, headers: &HeaderMap, body: &[u8]) -> u16 {
        let at = self.clock.now();
        let endpoint = path.rsplit('/').next().unwrap_or_default().to_owned();
        let verified = self.verify(&endpoint, headers, body, at);
        let text = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let attempt = text("redeliver-attempt").parse().unwrap_or(0);
        let event = text("redeliver-event-id");
        let status = match event.parse::<EventId>() {
            Ok(event) if verified => self.status(event.seq(), attempt),
            _ => 401,
        };
        let seen = Seen {
            at,
            endpoint,
            event,
            attempt,
            status,
            verified,
        };
        // Nobody listens any more: the demo has ended.
        let _ = self.seen.send(seen);
        status
    }

    fn verify(&self, endpoint: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
        let hotjar = endpoint == super::HOTJAR;
        let name = if hotjar {
            hotjar::SIGNATURE_HEADER
        } else {
            esputnik::SIGNATURE_HEADER
        };
        let signature = headers.get(name).and_then(|value| value.to_str().ok());
        let signed = signature.is_some_and(|signature| {
            hotjar::verify(self.key.as_bytes(), body, signature, TextEncoding::Hex).is_ok()
        });
        // HOT-35: the signature first, then the age. eSputnik's activities have no send time.
        signed && (!hotjar || hotjar::check_age(body, now).is_ok())
    }

    /// A matter of the seed, the event and the attempt alone, so that a run can be repeated
    /// whatever the order in which independent requests arrive.
    fn status(&self, event: Seq, attempt: u32) -> u16 {
        let mut chance = StdRng::seed_from_u64(self.seed.rotate_left(32) ^ event);
        let failures = chance.random_range(0..=FAILURES_MAX);
        if attempt > failures {
            return 200;
        }
        let kind = (0..attempt).fold(0, |_, _| chance.random_range(0..FAILURES.len()));
        FAILURES[kind]
    }
}
