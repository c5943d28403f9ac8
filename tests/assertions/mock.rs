//! A broker in this process that leaves nothing, with faults.

use std::net::SocketAddr;

use redeliver::app::{App, Keep, Settings};
use redeliver::clock::ClockKind;
use redeliver::config::{Config, parse_faults};
use redeliver::fault::{Plan, Rule};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::process::http::{Answer, Client};

pub const KEY: &str = "k3y-of-the-site";

/// Spoken to as a test in any language speaks to it.
pub struct Mock {
    runtime: Runtime,
    app: Option<App>,
    address: SocketAddr,
}

impl Mock {
    /// With a manual clock, and these faults as they are written on the command line.
    pub fn start(seed: u64, faults: &[&str]) -> Self {
        let rules = faults.iter().map(|rule| rule.parse().unwrap()).collect();
        Self::with(ClockKind::Manual, seed, rules)
    }

    /// With the faults of a script.
    pub fn scripted(script: &str) -> Self {
        let rules = parse_faults(script, "faults.toml").unwrap();
        Self::with(ClockKind::Manual, 0, rules)
    }

    pub fn with(clock: ClockKind, seed: u64, rules: Vec<Rule>) -> Self {
        let runtime = Runtime::new().unwrap();
        let mut config = Config::default();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        let app = runtime.block_on(App::start(Settings {
            config,
            clock,
            keep: Keep::InMemory,
            record: Some(1 << 20),
            faults: Plan::new(seed, rules),
            ..Settings::default()
        }));
        let app = app.unwrap();
        Self {
            address: app.address(),
            app: Some(app),
            runtime,
        }
    }

    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let json = [("content-type", "application/json")];
        let sent = Client::new(self.address).send(method, path, &json, body);
        sent.unwrap()
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, b"");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.send("POST", path, body.to_string().as_bytes());
        assert!(answer.status < 300, "{path}: {}", answer.text());
        answer.json()
    }

    /// An endpoint of this policy at `url`.
    pub fn endpoint(&self, policy: &str, url: &str) {
        let key = match policy {
            "standard" => "whsec_aHVudGVyMg==",
            _ => KEY,
        };
        let made = json!({"name": policy, "url": url, "policy": policy, "signing_key": key,
            "check": "off"});
        self.post("/v1/endpoints", &made);
    }

    pub fn event(&self, kind: &str) -> String {
        let event = json!({"type": kind, "data": {"id": 1, "activityStatus": "READ"}});
        let taken = self.post("/v1/events", &event);
        taken["id"].as_str().unwrap().to_owned()
    }

    /// The delivery of the event, once it is as it should be.
    #[track_caller]
    pub fn delivery(&self, event: &str, status: &str) -> Value {
        let path = format!("/v1/wait?event={event}&status={status}&timeout=1m");
        self.get(&path)["data"][0].clone()
    }

    pub fn advance(&self, by: &str) {
        // A receiver that hangs is waited for as long as it may take: nothing here hangs.
        let advanced = json!({"by": by, "patience": "60s"});
        self.post("/v1/clock/advance", &advanced);
    }

    /// What was done, oldest first: which event, at which attempt, what, whether.
    pub fn faults(&self) -> Vec<(u64, u64, String, bool, String)> {
        let list = self.get("/v1/faults?limit=1000");
        assert!(list["next"].is_null());
        let mut all: Vec<_> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let text = |name: &str| entry[name].as_str().unwrap().to_owned();
                let event: redeliver::id::EventId = text("event_id").parse().unwrap();
                (
                    event.seq(),
                    entry["attempt"].as_u64().unwrap(),
                    text("fault"),
                    entry["done"].as_bool().unwrap(),
                    text("detail"),
                )
            })
            .collect();
        all.reverse();
        all
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        if let Some(app) = self.app.take()
            && !std::thread::panicking()
        {
            self.runtime.block_on(app.stop()).unwrap();
        }
    }
}
