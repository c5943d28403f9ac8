//! One HTTP/1.1 connection, driven by whoever uses it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::answer::ANSWER_LIMIT;
use super::bell::Bell;
use super::error::{Broken, Phase, Problem, SendError, io_kind};
use super::tls_problem::tls_problem;
use super::wire::{Meter, Payload, Wire};

/// One HTTP/1.1 connection.
pub(super) struct Connection {
    sender: SendRequest<Payload>,
    /// Gone once the connection has ended.
    driver: Option<http1::Connection<TokioIo<Wire>, Payload>>,
    meter: Arc<Meter>,
    bell: Arc<Bell>,
}

impl Connection {
    /// Speaks HTTP/1.1 over `wire`, which tells `meter` what is read.
    pub(super) async fn open(wire: Wire, meter: Arc<Meter>) -> Result<Box<Self>, SendError> {
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(ANSWER_LIMIT)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| explain(&error, Phase::Send))?;
        Ok(Box::new(Self {
            sender,
            driver: Some(driver),
            meter,
            bell: Arc::default(),
        }))
    }

    /// Prepares for the next request, whose body is `payload`, and whose answer may have `limit`
    /// bytes.
    pub(super) fn begin(&self, payload: &mut Payload, limit: usize) {
        // What TLS has read to get here counts.
        let read = ANSWER_LIMIT.saturating_sub(self.meter.left.load(Ordering::Relaxed));
        let left = limit.saturating_sub(read);
        self.meter.left.store(left, Ordering::Relaxed);
        let empty = payload.rest.is_empty();
        self.meter.handed_over.store(empty, Ordering::Relaxed);
        payload.meter = Some(self.meter.clone());
    }

    /// Whether the whole request has been handed to the socket, but for what it buffers.
    pub(super) fn handed_over(&self) -> bool {
        self.meter.handed_over.load(Ordering::Relaxed) && !self.is_cut_short()
    }

    fn is_cut_short(&self) -> bool {
        self.meter.cut_short.load(Ordering::Relaxed)
    }

    /// Sends `message` and waits for the answer's head.
    pub(super) async fn exchange(
        &mut self,
        message: hyper::Request<Payload>,
    ) -> Result<Response<Incoming>, TrySendError<hyper::Request<Payload>>> {
        let answer = self.sender.try_send_request(message);
        self.drive(answer).await
    }

    /// Waits for `work` while moving the connection's bytes.
    pub(super) async fn drive<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        let bell = self.bell.clone();
        bell.listen(|cx| {
            self.poll_driver(cx);
            work.as_mut().poll(cx)
        })
        .await
    }

    /// Whether the connection is open and has nothing left to send or read; then it may be kept.
    pub(super) async fn is_idle(&mut self) -> bool {
        // Whatever arrives between two answers is an error, and must not be taken for the next.
        let bell = self.bell.clone();
        bell.listen(|cx| {
            self.poll_driver(cx);
            Poll::Ready(())
        })
        .await;
        let idle = self.driver.is_some() && self.sender.is_ready() && !self.is_cut_short();
        if idle {
            self.meter.left.store(ANSWER_LIMIT, Ordering::Relaxed);
        }
        idle
    }

    fn poll_driver(&mut self, cx: &mut Context<'_>) {
        // Its errors reach whoever waits for the answer. Dropping it closes the socket, and tells
        // whoever still waits.
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            self.driver = None;
        }
    }

    /// Why the exchange failed.
    pub(super) fn explain(&self, error: &hyper::Error) -> SendError {
        if self.meter.overrun.load(Ordering::Relaxed) {
            return SendError::Protocol {
                problem: Problem::HeadTooLarge,
            };
        }
        let during = if self.handed_over() {
            Phase::Answer
        } else {
            Phase::Send
        };
        explain(error, during)
    }
}

fn explain(error: &hyper::Error, during: Phase) -> SendError {
    let problem = if error.is_parse_too_large() {
        Problem::HeadTooLarge
    } else if error.is_parse_status() || error.is_parse_version_h2() {
        Problem::StatusLine
    } else if error.is_parse() {
        // The version has no question of its own.
        match error.to_string() {
            text if text.contains("version") => Problem::StatusLine,
            _ => Problem::Headers,
        }
    } else if let Some(problem) = tls_problem(error) {
        return SendError::Broken {
            during,
            how: Broken::Tls(problem),
        };
    } else if let Some(kind) = io_kind(error) {
        return SendError::Broken {
            during,
            how: Broken::Io(kind),
        };
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return SendError::Broken {
            during,
            how: Broken::Closed,
        };
    } else {
        Problem::Other
    };
    SendError::Protocol { problem }
}
