//! One process: the product's own parts, put together as its composition root does.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::Service;
use hyper::{Request, StatusCode};
use hyper_util::service::TowerToHyperService;
use redeliver::clock::SharedClock;
use redeliver::config::Limits;
use redeliver::current::Current;
use redeliver::deliver::courier::Courier;
use redeliver::deliver::dispatcher::Dispatcher;
use redeliver::deliver::guard::AddressGuard;
use redeliver::deliver::transport::{Network as Seam, Transport};
use redeliver::inbound::body::Bodies;
use redeliver::inbound::{self, Ingest};
use redeliver::store::{
    EndpointCommand, Log, Options, ReplayRequest, Retention, Store, StoreError,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::disk::{Plugged, SimDisk};
use super::faults::{self, Faulty};
use super::ledger::{Posted, Safety};
use super::network::{Network, Outside};
use super::retention::GROUP_EVENTS;
use super::world::{End, Scenario};

/// Attempts at once, few enough to be short of places at times.
pub const IN_FLIGHT: usize = 6;

/// So many groups of events may go before settlements.
const PUT_OFF_MAX: u32 = 16;

/// How long a drain waits, on the machine's time, which passes at once here.
const DRAIN: Duration = Duration::from_secs(1);

pub struct Life {
    pub disk: Arc<SimDisk>,
    pub log: Arc<Log<Plugged>>,
    /// The log, behind the fault if there is one.
    pub store: Arc<dyn Store>,
    pub dispatcher: Arc<Dispatcher>,
    ingest: TowerToHyperService<axum::Router>,
    stop: watch::Sender<bool>,
    running: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
    /// How often a group of events has gone before the settlements.
    put_off: AtomicU32,
}

impl Life {
    pub fn start(
        disk: Arc<SimDisk>,
        beside: Option<&Path>,
        outside: &Arc<Outside>,
        clock: SharedClock,
        scenario: Scenario,
        crashes: u32,
        retention: &Retention,
    ) -> Result<Self, End> {
        let options = Options {
            in_flight_max: IN_FLIGHT,
            // Small, so that groups fill up.
            group_max_events: GROUP_EVENTS,
            retention: faults::retention(scenario.fault, retention),
            waiting_max_per_endpoint: 5,
            // Often, so that crashes come soon after them, and with attempts under way.
            snapshot_max_records: 10,
            ..Options::default()
        };
        let entropy = [scenario.seed << 32 | 7, 2, 3];
        let plugged = Plugged(disk.clone());
        let opened = match beside {
            Some(dir) => Log::over_in(dir, plugged, clock.clone(), options, entropy),
            None => Log::over(plugged, clock.clone(), options, entropy),
        };
        let log = match opened {
            Ok(log) => Arc::new(log),
            Err(error) => return Err(crashed(&disk, format!("the store does not open: {error}"))),
        };
        let store: Arc<dyn Store> = match scenario.fault {
            Some(fault) => Arc::new(Faulty {
                store: log.clone(),
                fault,
                disk: disk.clone(),
                crashes,
                clock: clock.clone(),
                retention: retention.clone(),
                hidden: Mutex::default(),
                handed_out: Mutex::default(),
            }),
            None => log.clone(),
        };
        let guard = AddressGuard {
            allow: Vec::new(),
            allow_loopback: true,
        };
        let network = Arc::new(Network(outside.clone()));
        let transport = Transport::over(guard, Seam::simulated(network.clone(), network)).unwrap();
        let policies = Arc::new(Current::new(faults::policies(scenario.fault)));
        let courier = Arc::new(Courier::new(transport, clock.clone(), policies));
        let dispatcher = Dispatcher::new(store.clone(), courier, clock, IN_FLIGHT, scenario.seed);
        let dispatcher = Arc::new(dispatcher);
        let (stop, stopping) = watch::channel(false);
        let bodies = Bodies::new(&Limits::default());
        let ingest = Ingest::new(store.clone(), bodies, stopping.clone());
        let running = tokio::spawn(dispatcher.clone().run(stopping, DRAIN));
        Ok(Self {
            disk,
            log,
            store,
            dispatcher,
            ingest: TowerToHyperService::new(inbound::router(ingest)),
            stop,
            running: Mutex::new(Some(running)),
            put_off: AtomicU32::new(0),
        })
    }

    /// What an error comes to: a crash if the disk had one, else a broken promise.
    pub fn end(&self, rule: String) -> End {
        crashed(&self.disk, rule)
    }

    /// Writes the next group; says how safe that is, and whether it is all that there was.
    pub fn commit(&self) -> Result<(Safety, bool), End> {
        // Of a sync that came before nobody knows what had ended by then.
        self.disk.take_synced();
        let done = self.log.commit();
        done.map_err(|error| self.end(format!("a commit failed: {error}")))?;
        let safety = match self.disk.take_synced() {
            true => Safety::Synced,
            false => Safety::Written,
        };
        let saved = self.log.depth().unsaved == 0;
        let put_off = match saved {
            true => self.put_off.swap(0, Ordering::Relaxed),
            false => self.put_off.fetch_add(1, Ordering::Relaxed),
        };
        if put_off > PUT_OFF_MAX {
            return Err(self.end(format!("settlements were put off {put_off} times")));
        }
        Ok((safety, saved))
    }

    /// Why nothing is delivered any more, if so.
    pub async fn failed(&self) -> Option<String> {
        let running = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.take_if(|running| running.is_finished())
        }?;
        Some(format!("the dispatcher has ended: {:?}", running.await))
    }

    pub fn replay(&self, request: ReplayRequest) -> Result<(), End> {
        let replayed = self.store.replay(request);
        replayed.map_err(|error| self.end(format!("a replay failed: {error}")))?;
        // It has looked for what has ended, and so had everything written.
        self.put_off.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Writes everything.
    pub fn save(&self) -> Result<(), End> {
        let saved = self.store.save();
        saved.map_err(|error| self.end(format!("a save failed: {error}")))?;
        self.put_off.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Gives a command and has it committed; gives the endpoint's number.
    pub async fn command(
        &self,
        command: EndpointCommand,
        commit: impl FnOnce() -> Result<(), End>,
    ) -> Result<u32, End> {
        let ticket = self.store.endpoint(command);
        let ticket = ticket.map_err(|error| self.end(format!("a command failed: {error}")))?;
        commit()?;
        match ticket.await {
            Ok(Ok(endpoint)) => Ok(endpoint.number),
            answer => Err(self.end(format!("a command was not taken: {answer:?}"))),
        }
    }

    /// Sends an event as a client does, and notes what is answered.
    pub fn post(&self, n: u64, posted: &Posted, outside: &Arc<Outside>) {
        let body = format!(r#"{{"type":"{}","data":{}}}"#, posted.kind, posted.data);
        let mut request = Request::post("/v1/events").header("content-type", "application/json");
        if posted.keyed {
            request = request.header("idempotency-key", format!("key-{n}"));
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let (answer, outside) = (self.ingest.call(request), outside.clone());
        let disk = self.disk.clone();
        tokio::spawn(async move {
            let Ok(response) = answer.await;
            let status = response.status();
            let Ok(body) = response.into_body().collect().await else {
                return;
            };
            note_answer(n, status, &body.to_bytes(), &disk, &outside);
        });
    }

    /// Stops in good order, and says what the next process finds.
    pub async fn drain(&self, outside: &Outside) -> Result<(), End> {
        outside.ledger().draining = true;
        self.stop.send_replace(true);
        let running = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.take()
        };
        if let Some(running) = running
            && !matches!(running.await, Ok(Ok(())))
        {
            return Err(self.end("the dispatcher did not end in good order".to_owned()));
        }
        let closed = self.log.close();
        closed.map_err(|error| self.end(format!("the store does not close: {error}")))?;
        // Whoever was waiting is answered before the process ends.
        tokio::time::sleep(Duration::from_millis(1)).await;
        outside.ledger().committed(Safety::Written, true);
        Err(End::Crash(self.disk.left_by(true, 0), Safety::Written))
    }
}

fn crashed(disk: &SimDisk, rule: String) -> End {
    match disk.take_left() {
        Some((left, least)) => End::Crash(left, least),
        None => End::Broken(rule),
    }
}

fn note_answer(n: u64, status: StatusCode, body: &[u8], disk: &SimDisk, outside: &Outside) {
    let mut ledger = outside.ledger();
    if status == StatusCode::SERVICE_UNAVAILABLE && (ledger.draining || disk.is_gone()) {
        ledger.note(format!("event {n} is refused"));
        return;
    }
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let (Some(id), Some(seq)) = (answer["id"].as_str(), answer["seq"].as_u64()) else {
        ledger.broken(format!("event {n} was answered {status}: {answer}"));
        return;
    };
    let duplicate = answer["duplicate"].as_bool().unwrap_or(false);
    ledger.acknowledge(n, id, seq, duplicate);
}
