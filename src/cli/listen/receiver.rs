//! The HTTP side: bounded in connections, header time, body size and body time.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::clock::SharedClock;
use crate::vendor::standard;

use super::check::{Checks, Verdict, text};
use super::report::Report;
use super::script::Reply;
use super::{Args, Output, print};

/// Ten times what a broker sends by default.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// A local sender needs milliseconds; this also ends idle connections.
const HEADER_TIME: Duration = Duration::from_secs(30);
/// For the whole body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Keeps the worst case of buffered bodies within what a laptop has.
const MAX_CONNECTIONS: usize = 128;
/// For answers that are under way when the end comes.
const DRAIN_TIME: Duration = Duration::from_secs(1);
/// A full file table must not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What came, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Requests other than GET.
    pub requests: u64,
    /// Those answered with 2xx.
    pub succeeded: u64,
    /// Those refused for their signature or credentials.
    pub refused: u64,
}

/// A receiver and its counters.
pub struct Receiver {
    args: Args,
    checks: Checks,
    clock: SharedClock,
    out: Output,
    scripted: AtomicU64,
    requests: AtomicU64,
    succeeded: AtomicU64,
    refused: AtomicU64,
    ended: watch::Sender<bool>,
}

impl Receiver {
    pub fn new(args: Args, checks: Checks, clock: SharedClock, out: Output) -> Arc<Self> {
        Arc::new(Self {
            args,
            checks,
            clock,
            out,
            scripted: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            succeeded: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            ended: watch::Sender::new(false),
        })
    }

    /// Serves until `stop` comes or the count is reached, lets answers under way finish.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Summary {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut ended = self.ended.subscribe();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = async {
                // The semaphore is never closed.
                let slot = slots.clone().acquire_owned().await.ok();
                (listener.accept().await, slot)
            };
            tokio::select! {
                () = &mut stop => break,
                () = over(&mut ended) => break,
                Some(_) = connections.join_next() => {}
                (accepted, slot) = accepted => match accepted {
                    Ok((stream, _)) => {
                        let receiver = self.clone();
                        connections.spawn(async move {
                            receiver.connection(stream).await;
                            drop(slot);
                        });
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        drop(listener);
        self.ended.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        // What is left then hangs by order of the script.
        let _ = tokio::time::timeout(DRAIN_TIME, drained).await;
        Summary {
            requests: self.requests.load(Ordering::Relaxed),
            succeeded: self.succeeded.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let mut ended = self.ended.subscribe();
        let service = service_fn(|request| {
            let receiver = self.clone();
            async move { Ok::<_, Infallible>(receiver.answer(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_headers(100)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // A connection that breaks is the sender's affair: what came whole has been printed.
        tokio::select! {
            _ = connection.as_mut() => {}
            () = over(&mut ended) => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let at = self.clock.now();
        let (head, body) = request.into_parts();
        let mut report = Report {
            at,
            method: head.method.to_string(),
            path: head.uri.to_string(),
            status: None,
            event_id: first(&head.headers, &["redeliver-event-id", standard::ID_HEADER]),
            attempt: first(&head.headers, &["redeliver-attempt"]),
            verdict: Verdict::Unchecked,
            size: 0,
            body: None,
        };
        let body = match read(body).await {
            Ok(body) => body,
            Err(status) => {
                report.status = Some(status.as_u16());
                self.print(&report);
                return plain(status);
            }
        };
        let counted = !matches!(head.method, Method::GET | Method::HEAD);
        if counted {
            report.verdict = self.checks.verdict(&head.headers, &body, at);
        }
        let reply = match (&report.verdict, counted) {
            (_, false) => Reply::Status(200),
            (Verdict::Wrong(_), true) => Reply::Status(401),
            _ => self
                .args
                .respond
                .reply(self.scripted.fetch_add(1, Ordering::Relaxed)),
        };
        if counted && !self.args.delay.is_zero() {
            let until = self.clock.now().plus(self.args.delay);
            self.clock.sleep_until(until).await;
        }
        report.status = match reply {
            Reply::Status(status) => Some(status),
            Reply::Hang => None,
        };
        report.size = body.len();
        report.body = (self.args.verbose).then(|| String::from_utf8_lossy(&body).into_owned());
        self.print(&report);
        if counted {
            self.count(&report);
        }
        match report
            .status
            .and_then(|status| StatusCode::from_u16(status).ok())
        {
            Some(status) => plain(status),
            None => std::future::pending().await,
        }
    }

    fn print(&self, report: &Report) {
        let text = match self.args.json {
            true => report.json(),
            false => report.line(),
        };
        print(&self.out, &text);
    }

    fn count(&self, report: &Report) {
        if matches!(report.status, Some(200..300)) {
            self.succeeded.fetch_add(1, Ordering::Relaxed);
        }
        if matches!(report.verdict, Verdict::Wrong(_)) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        let requests = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if self.args.count.is_some_and(|count| requests >= count) {
            self.ended.send_replace(true);
        }
    }
}

/// Returns once the receiver is to end; it lives longer than who asks.
async fn over(ended: &mut watch::Receiver<bool>) {
    let _ = ended.wait_for(|ended| *ended).await;
}

async fn read(body: Incoming) -> Result<Bytes, StatusCode> {
    // Known before a byte of it is read.
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(BODY_TIME, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn first(headers: &HeaderMap, names: &[&str]) -> String {
    let mut values = names.iter().map(|name| text(headers, name));
    values
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_owned()
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
