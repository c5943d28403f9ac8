//! A receiver that records what it gets and answers as it is told.

#![allow(dead_code, reason = "each test crate uses its own part")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use redeliver::clock::{SharedClock, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
    /// By the broker's clock, where the test has it.
    pub at: Option<Timestamp>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Status(u16),
    /// Never answers.
    Hang,
    /// Answers 200 after a pause on the machine's clock.
    After(Duration),
}

type Script = dyn Fn(&Received, usize) -> Reply + Send + Sync;

/// A listening receiver.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    script: Arc<Script>,
    clock: Option<SharedClock>,
}

impl Receiver {
    /// Answers by `script`, which is given the request and how many came before it.
    pub async fn start(
        clock: Option<SharedClock>,
        script: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut receiver = Self::in_memory(0, clock, script);
        receiver.address = listener.local_addr().unwrap();
        let serving = receiver.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                serving.serve(stream);
            }
        });
        receiver
    }

    /// As [`start`](Self::start), reached by no listener: what comes to `port` is handed to it.
    pub fn in_memory(
        port: u16,
        clock: Option<SharedClock>,
        script: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self {
            address: ([127, 0, 0, 1], port).into(),
            received: Arc::default(),
            script: Arc::new(script),
            clock,
        }
    }

    /// Answers what comes over a connection.
    pub fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let receiver = self.clone();
        let service = service_fn(move |request| {
            let receiver = receiver.clone();
            answer(request, receiver.received, receiver.script, receiver.clock)
        });
        let server = hyper::server::conn::http1::Builder::new();
        tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
    }

    /// Answers every request with `status`.
    pub async fn always(clock: Option<SharedClock>, status: u16) -> Self {
        Self::start(clock, move |_, _| Reply::Status(status)).await
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Seconds between `start` and each request, by the broker's clock.
    pub fn offsets(&self, start: Timestamp) -> Vec<u64> {
        let received = self.received();
        let at = received.iter().map(|request| request.at.unwrap());
        at.map(|at| at.since(start).as_secs()).collect()
    }
}

async fn answer(
    request: Request<Incoming>,
    log: Arc<Mutex<Vec<Received>>>,
    script: Arc<Script>,
    clock: Option<SharedClock>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let at = clock.map(|clock| clock.now());
    let body = body.collect().await.unwrap().to_bytes();
    let received = Received {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body,
        at,
    };
    let reply = {
        let mut log = log.lock().unwrap();
        let reply = script(&received, log.len());
        log.push(received);
        reply
    };
    let status = match reply {
        Reply::Status(status) => status,
        Reply::Hang => std::future::pending().await,
        Reply::After(pause) => {
            tokio::time::sleep(pause).await;
            200
        }
    };
    let answer = Response::builder().status(status);
    Ok(answer.body(Full::new(Bytes::from_static(b"ok"))).unwrap())
}
