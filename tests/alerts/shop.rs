//! A website whose visitors a test makes up, with alerts over it.

use redeliver::clock::Timestamp;
use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::Client;

pub const WEBSITE: &str = r#"
[[website]]
id = "ws_abc123"
tracking_code = "ZV_XXXXXXXXXXX"
domain = "example.com"
name = "Example Website"
sources = ["api"]
"#;

/// A broker with a website on a manual clock.
pub struct Shop {
    pub broker: Broker,
    pub site: Site,
}

impl Shop {
    /// With these tables besides the website.
    pub fn with(tables: &str) -> Self {
        let site = Site::new();
        site.configure(&format!("{tables}\n{WEBSITE}"));
        let broker = site.start(&["--clock", "manual"]);
        let shop = Self { broker, site };
        shop.checked();
        shop
    }

    /// With one alert of these lines, called `a`.
    pub fn alert(lines: &str) -> Self {
        Self::with(&table(lines))
    }

    /// Kills it, and starts it again on the same directory.
    pub fn killed(self) -> Self {
        let Self { broker, site } = self;
        broker.kill();
        let broker = site.start(&["--clock", "manual"]);
        let shop = Self { broker, site };
        shop.checked();
        shop
    }

    /// Kills it while it moves its clock, as soon as the log has more than `count` events of alerts.
    pub fn killed_while_it_tells(self, by: &str, count: usize) -> Self {
        let address = self.broker.address;
        let body = json!({ "by": by }).to_string();
        let moving = std::thread::spawn(move || {
            let json = [("content-type", "application/json")];
            // Its answer, if there is one, is of no interest.
            let _ = Client::new(address).send("POST", "/v1/clock/advance", &json, body.as_bytes());
        });
        eventually("an alert is told", || {
            let log = self.broker.list("/v1/events?limit=100&source=alerts");
            (log.len() > count).then_some(())
        });
        let shop = self.killed();
        moving.join().unwrap();
        shop
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::parse(self.broker.get("/v1/clock")["now"].as_str().unwrap()).unwrap()
    }

    /// Moves the clock, which is answered when the checks that are due by then are done.
    pub fn pass(&self, by: &str) {
        self.broker.advance(by);
    }

    /// Moves the clock to noon of the next day (UTC), checks included.
    pub fn next_noon(&self) {
        let day = 24 * 3600 * 1000;
        let passed = (self.now().as_millis() + day / 2).rem_euclid(day);
        self.pass(&format!("{}ms", day - passed));
    }

    pub fn alerts(&self) -> Vec<Value> {
        self.broker.get("/v1/alerts")["data"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// Waits until no alert has been due for longer than it takes to check it.
    #[track_caller]
    pub fn checked(&self) {
        let now = self.now();
        eventually("every alert was checked", || {
            self.alerts()
                .iter()
                .all(|alert| {
                    let every =
                        redeliver::duration::parse_duration(alert["every"].as_str().unwrap());
                    let checked = alert["last_checked_at"].as_str();
                    let checked = checked.map(|at| Timestamp::parse(at).unwrap());
                    checked.is_some_and(|at| at.plus(every.unwrap()) > now)
                })
                .then_some(())
        });
    }

    /// What the alerts have told: the types of their events and the events, the first one first.
    pub fn told(&self) -> Vec<Value> {
        let events = self.broker.list("/v1/events?limit=100&source=alerts");
        let mut events: Vec<Value> = events
            .iter()
            .map(|event| {
                let id = event["id"].as_str().unwrap();
                self.broker.get(&format!("/v1/events/{id}"))
            })
            .collect();
        events.sort_by_key(|event| event["seq"].as_u64());
        events
    }

    /// The types of the events of the alerts.
    pub fn kinds(&self) -> Vec<String> {
        let told = self.told();
        let kinds = told.iter().map(|event| event["type"].as_str().unwrap());
        kinds.map(str::to_owned).collect()
    }

    pub fn view(&self, who: &str, data: &Value) {
        let event = json!({ "type": "page_view", "subject": who, "data": data });
        self.broker.post("/v1/events", &event);
    }

    /// So many visitors who were never here before.
    pub fn visitors(&self, count: usize) {
        let before = self.broker.get("/v1/events?limit=1");
        let before = before["data"][0]["seq"].as_u64().unwrap_or_default();
        for number in 0..count {
            self.view(&format!("{before}-{number}"), &json!({ "page_url": "/" }));
        }
    }

    pub fn scored(&self, who: &str, score: f64) {
        self.view(who, &json!({ "page_url": "/", "value_score": score }));
    }
}

/// An alert of these lines, called `a`.
pub fn table(lines: &str) -> String {
    format!("[[alert]]\nname = \"a\"\nwebsite = \"ws_abc123\"\n{lines}\n")
}
