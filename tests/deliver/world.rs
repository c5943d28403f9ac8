//! A broker without its HTTP side: store, committer, dispatcher, manual clock.

use std::sync::Arc;
use std::time::Duration;

use redeliver::clock::{ManualClock, SharedClock, Timestamp};
use redeliver::current::Current;
use redeliver::deliver::advance::{Advance, Advanced};
use redeliver::deliver::courier::Courier;
use redeliver::deliver::dispatcher::Dispatcher;
use redeliver::deliver::guard::AddressGuard;
use redeliver::deliver::transport::{Network, Transport};
use redeliver::endpoint::draft::build;
use redeliver::endpoint::json::Members;
use redeliver::endpoint::{EndpointDraft, EndpointState};
use redeliver::event::{Form, NewEvent};
use redeliver::store::memory::Memory;
use redeliver::store::{EndpointCommand, Log, Options, Store, StoreError, Ticket, committer};
use redeliver::vendor;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::Receiver;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// How long a drain waits.
const DRAIN: Duration = Duration::from_secs(3);

/// How long of real time a hanging receiver is waited for at each step of the clock.
const PATIENCE: Duration = Duration::from_secs(3);

pub struct World {
    pub clock: Arc<ManualClock>,
    pub log: Arc<Log<Memory>>,
    advance: Advance,
    patience: Duration,
    /// Writes what is put in; where there is none, whoever puts it in does.
    committer: Option<std::thread::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    running: JoinHandle<Result<(), StoreError>>,
}

impl World {
    /// Over the machine's network.
    pub async fn start() -> Self {
        Self::over(Network::system(), PATIENCE, true)
    }

    /// Over `network`, with no thread but the test's, so that paused time stands still while
    /// anything is done.
    pub async fn in_memory(network: Network, patience: Duration) -> Self {
        Self::over(network, patience, false)
    }

    fn over(network: Network, patience: Duration, commits: bool) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let shared: SharedClock = clock.clone();
        let log = Log::over(
            Memory::default(),
            shared.clone(),
            Options {
                in_flight_max: 64,
                ..Options::default()
            },
            [1, 2, 3],
        );
        let log = Arc::new(log.unwrap());
        let committer = commits.then(|| committer::spawn(log.clone()).unwrap());
        let guard = AddressGuard {
            allow: Vec::new(),
            allow_loopback: true,
        };
        let policies = Arc::new(Current::new(vendor::builtin_policies()));
        let transport = Transport::over(guard, network).unwrap();
        let courier = Arc::new(Courier::new(transport, shared.clone(), policies));
        let store: Arc<dyn Store> = log.clone();
        let dispatcher = Dispatcher::new(store.clone(), courier, shared.clone(), 64, 7);
        let agenda = dispatcher.agenda().clone();
        let (stop, stopping) = watch::channel(false);
        let running = tokio::spawn(Arc::new(dispatcher).run(stopping, DRAIN));
        Self {
            advance: Advance::new(store, agenda, shared),
            patience,
            committer,
            clock,
            log,
            stop,
            running,
        }
    }

    pub fn shared_clock(&self) -> Option<SharedClock> {
        Some(self.clock.clone())
    }

    /// The answer to something that is put in.
    async fn kept<T>(&self, ticket: Ticket<T>) -> T {
        if self.committer.is_none() {
            while self.log.commit().unwrap() {}
        }
        ticket.await.unwrap().unwrap()
    }

    pub async fn endpoint(&self, name: &str, policy: &str, receiver: &Receiver) -> u32 {
        self.endpoint_at(name, policy, &receiver.url()).await
    }

    pub async fn endpoint_at(&self, name: &str, policy: &str, url: &str) -> u32 {
        let key = match policy {
            "standard" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            _ => "secret",
        };
        let json = serde_json::json!({
            "name": name,
            "url": url,
            "policy": policy,
            "signing_key": key,
            "check": "off",
        });
        let members: Members = serde_json::from_str(&json.to_string()).unwrap();
        let draft = EndpointDraft::from_members(&members).unwrap();
        let settings = build(draft, &vendor::builtin_policies()).unwrap();
        let add = EndpointCommand::Add(Box::new(settings), EndpointState::Active);
        let ticket = self.log.endpoint(add).unwrap();
        self.kept(ticket).await.number
    }

    pub async fn set_state(&self, endpoint: u32, state: EndpointState) {
        let command = EndpointCommand::SetState(endpoint, state, None);
        let ticket = self.log.endpoint(command).unwrap();
        self.kept(ticket).await;
    }

    pub async fn send(&self, kind: &str, data: &str) {
        let event = NewEvent {
            source: "api".into(),
            kind: kind.into(),
            subject: None,
            time: None,
            content_type: "application/json".into(),
            form: Form::Data,
            body: data.as_bytes().to_vec().into(),
            status: vendor::esputnik::activity_status(data.as_bytes()).map(Into::into),
            idempotency_key: None,
        };
        let ticket = self.log.append(vec![event]).unwrap();
        self.kept(ticket).await;
    }

    pub async fn advance(&self, by: Duration) {
        self.advanced(by).await;
    }

    pub async fn advanced(&self, by: Duration) -> Advanced {
        self.advance.advance(by, self.patience).await.unwrap()
    }

    /// Waits, on the machine's clock and not for a schedule, until `condition` holds.
    pub async fn until(&self, condition: impl Fn() -> bool) {
        for _ in 0..6000 {
            if condition() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not come to that in a minute");
    }

    /// Drains.
    pub async fn stop(self) -> Arc<Log<Memory>> {
        self.stop.send(true).unwrap();
        self.running.await.unwrap().unwrap();
        self.log
    }
}
