//! A server in this process, and a client that sends exactly what it is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::conform;
use redeliver::api::gate::request_id::RequestIds;
use redeliver::api::streaming::sse::Streams;
use redeliver::api::{Admin, Front};
use redeliver::clock::{Clock, ClockKind, ManualClock, Timestamp};
use redeliver::config::{Limits, Operations};
use redeliver::current::Current;
use redeliver::deliver::advance::Advance;
use redeliver::deliver::courier::Courier;
use redeliver::deliver::dispatcher::Dispatcher;
use redeliver::deliver::guard::AddressGuard;
use redeliver::deliver::outcomes::Outcomes;
use redeliver::deliver::transport::Transport;
use redeliver::delivery::Attempt;
use redeliver::inbound::Ingest;
use redeliver::inbound::body::Bodies;
use redeliver::inbound::relay::Relay;
use redeliver::inbound::relay::source::Source;
use redeliver::inbound::server::{ServerLimits, serve};
use redeliver::inbound::zebline::Zebline;
use redeliver::secret::{Secret, Tokens};
use redeliver::store::memory::Memory;
use redeliver::store::{Effect, Log, Options, Outcome, Settlement, Store, committer};
use redeliver::tasks::Tasks;
use redeliver::telemetry::Telemetry;
use redeliver::vendor::builtin_policies;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

pub const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// How the server differs from the default.
pub struct Setup {
    pub token: Option<&'static str>,
    pub limits: Limits,
    pub options: Options,
    pub guard: AddressGuard,
    pub committing: bool,
    pub delivering: bool,
    pub sources: Vec<Source>,
    pub on_loopback: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            token: None,
            limits: Limits {
                body_timeout: Duration::from_secs(60),
                header_timeout: Duration::from_secs(60),
                drain_timeout: Duration::from_millis(500),
                max_body_bytes: 64 * 1024,
                ..Limits::default()
            },
            options: Options::default(),
            guard: AddressGuard {
                allow_loopback: true,
                ..AddressGuard::default()
            },
            committing: true,
            delivering: false,
            sources: Vec::new(),
            on_loopback: true,
        }
    }
}

pub struct Api {
    pub telemetry: Arc<Telemetry>,
    pub address: SocketAddr,
    pub store: Arc<Log<Memory>>,
    pub clock: Arc<ManualClock>,
    pub draining: watch::Sender<bool>,
    pub shutdown: Option<oneshot::Sender<()>>,
    pub served: JoinHandle<()>,
    token: Option<&'static str>,
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.store.close();
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (given, value) = line.split_once(": ")?;
            given.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Checks that this is a problem with this status, and gives its detail.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let json = self.json();
        assert_eq!(json["status"], status);
        assert_eq!(json["type"], "about:blank");
        assert!(json["title"].is_string());
        json["detail"].as_str().expect("a detail").to_owned()
    }

    /// Checks that this is a 422, and gives the places that it names.
    #[track_caller]
    pub fn places(&self) -> Vec<String> {
        self.problem(422);
        let json = self.json();
        let errors = json["errors"].as_array().expect("errors").iter();
        errors
            .map(|error| {
                assert!(error["detail"].is_string());
                error["at"].as_str().expect("a place").to_owned()
            })
            .collect()
    }

    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }
}

impl Api {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let log = Log::over(
            Memory::default(),
            clock.clone(),
            setup.options,
            [0x1234_5678_9abc_def0, 2, 3],
        );
        let store = Arc::new(log.unwrap());
        let telemetry = Arc::new(Telemetry::new(clock.now(), 10));
        store.observe_by(telemetry.clone());
        if setup.committing {
            committer::spawn(store.clone()).unwrap();
        }
        let policies = Arc::new(Current::new(builtin_policies()));
        let courier = Arc::new(Courier::new(
            Transport::new(setup.guard).unwrap(),
            clock.clone(),
            policies.clone(),
        ));
        let (draining, drains) = watch::channel(false);
        let advance = setup.delivering.then(|| {
            let dispatcher = Dispatcher::new(store.clone(), courier.clone(), clock.clone(), 64, 7);
            let agenda = dispatcher.agenda().clone();
            let dispatcher = Arc::new(dispatcher.with_observer(telemetry.clone()));
            tokio::spawn(dispatcher.run(drains.clone(), Duration::from_secs(1)));
            Arc::new(Advance::new(store.clone(), agenda, clock.clone()))
        });
        let bodies = Bodies::new(&setup.limits);
        let ingest = Ingest::new(store.clone(), bodies.clone(), drains.clone())
            .with_relay(Relay::new(setup.sources, clock.clone(), setup.on_loopback));
        let server_limits = ServerLimits::from(&setup.limits);
        let zebline = Zebline::new(&[], ingest.clone(), clock.clone());
        let tasks = Tasks::open(None, store.clone(), clock.clone(), 7).unwrap();
        let tasks = Arc::new(tasks);
        if setup.committing {
            tokio::spawn(tasks.clone().run(drains.clone()));
        }
        let known = telemetry.clone();
        let admin = Admin {
            observer: None,
            document: Default::default(),
            tasks,
            pollers: Vec::new(),
            outcomes: Outcomes::default(),
            streams: Streams::new(&setup.limits),
            failing: Operations::default(),
            telemetry,
            limits: setup.limits.clone(),
            request_ids: RequestIds::new(7),
            zebline: Arc::new(zebline),
            alerts: Arc::default(),
            store: store.clone(),
            clock: clock.clone(),
            clock_kind: ClockKind::Manual,
            policies,
            in_file: Arc::default(),
            courier,
            advance,
            tokens: Arc::new(Current::new(Tokens::new(
                setup.token.map(Secret::new),
                Vec::new(),
            ))),
            sessions: None,
            bodies,
            draining: drains,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, stop) = oneshot::channel();
        let served = tokio::spawn(serve(
            listener,
            Front::new(admin, ingest),
            server_limits,
            stop,
        ));
        Self {
            telemetry: known,
            address,
            store,
            clock,
            draining,
            shutdown: Some(shutdown),
            served,
            token: setup.token,
        }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and reads until the server closes.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // A server may refuse and close before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(token) = self.token {
            head += &format!("Authorization: Bearer {token}\r\n");
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        let bytes = [head.as_bytes(), b"\r\n", body].concat();
        let answer = answer(&self.raw(&bytes).await);
        let media = answer.header("content-type");
        conform::check(method, path, answer.status, media, &answer.text);
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }

    pub async fn post(&self, path: &str, json: &str) -> Answer {
        self.json("POST", path, json).await
    }

    pub async fn json(&self, method: &str, path: &str, json: &str) -> Answer {
        let headers = [("Content-Type", "application/json")];
        self.send(method, path, &headers, json.as_bytes()).await
    }

    /// Makes an endpoint, and gives its object.
    pub async fn add(&self, json: &str) -> Value {
        self.post("/v1/endpoints", json).await.expect(201)
    }

    /// Puts an event in, and gives the answer.
    pub async fn event(&self, kind: &str) -> Value {
        let json = format!(r#"{{"type":"{kind}","data":{{"a":1}}}}"#);
        self.post("/v1/events", &json).await.expect(202)
    }

    /// Attempts everything that is due, each with this outcome.
    pub fn attempt(&self, status: u16, outcome: Outcome) {
        for claim in self.store.claim(100).unwrap() {
            let now = self.clock.now();
            let settlement = Settlement {
                attempt: Attempt {
                    number: claim.attempt,
                    started_at: now,
                    ended_at: now,
                    status: Some(status),
                    error: None,
                    response_excerpt: Some("said so".to_owned()),
                },
                outcome,
                effect: Effect::None,
            };
            let delivered = settlement.outcome == Outcome::Delivered;
            self.telemetry
                .activity
                .attempted(&claim.endpoint, delivered, now);
            self.store.settle(claim.token, settlement).unwrap();
        }
    }
}

pub fn answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
    Answer {
        status: status.unwrap_or_else(|| panic!("no answer: {text:?}")),
        head: head.to_owned(),
        text: body.to_owned(),
    }
}
