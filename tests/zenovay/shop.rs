//! A website whose visitors a test makes up, and who reads about them.

use redeliver::clock::Timestamp;
use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::http::Answer;

pub const KEY: &str = "zv_of_the_shop";
pub const OTHER_KEY: &str = "zv_of_the_other";

const CONFIG: &str = r#"
[[website]]
id = "ws_abc123"
tracking_code = "ZV_XXXXXXXXXXX"
domain = "example.com"
name = "Example Website"
sources = ["api"]
api_keys = ["env:ZENOVAY_KEY"]

[[website]]
id = "ws_def456"
tracking_code = "ZV_YYYYYYYYYYY"
domain = "shop.example.com"
sources = ["quiet"]
api_keys = ["env:ZENOVAY_KEY", "env:ZENOVAY_OTHER_KEY"]

[[source]]
name = "quiet"
kind = "raw"
"#;

/// A broker with two websites on a manual clock.
pub struct Shop {
    pub broker: Broker,
    pub site: Site,
}

impl Shop {
    pub fn open() -> Self {
        Self::with("")
    }

    /// With more lines for the first website.
    pub fn with(lines: &str) -> Self {
        let mut site = Site::new();
        site.set_env("ZENOVAY_KEY", KEY);
        site.set_env("ZENOVAY_OTHER_KEY", OTHER_KEY);
        site.configure(&CONFIG.replacen("sources =", &format!("{lines}\nsources ="), 1));
        let broker = site.start(&["--clock", "manual", "--drain", "5m"]);
        Self { broker, site }
    }

    /// Stops it in good order, and opens it again on the same directory.
    pub fn reopen(self) -> Self {
        let Self { broker, site } = self;
        broker.stop();
        let broker = site.start(&["--clock", "manual", "--drain", "5m"]);
        Self { broker, site }
    }

    /// Moves the clock to the next midnight (UTC).
    pub fn midnight(&self) {
        let now = self.now().as_millis();
        let day = 24 * 3600 * 1000;
        self.broker
            .advance(&format!("{}ms", day - now.rem_euclid(day)));
    }

    /// Moves the clock to the next midnight (UTC) and `by` beyond it.
    pub fn next_day(&self, by: &str) {
        self.midnight();
        self.broker.advance(by);
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::parse(self.broker.get("/v1/clock")["now"].as_str().unwrap()).unwrap()
    }

    pub fn event(&self, kind: &str, who: Option<&str>, data: &Value) {
        let mut event = json!({ "type": kind, "data": data });
        if let Some(who) = who {
            event["subject"] = who.into();
        }
        self.broker.post("/v1/events", &event);
    }

    pub fn view(&self, who: &str, page: &str) {
        self.event("page_view", Some(who), &json!({ "page_url": page }));
    }

    /// A request with the shop's key.
    #[track_caller]
    pub fn ask(&self, path: &str) -> Answer {
        let path = format!("/api/external/v1{path}");
        self.broker.send("GET", &path, &[("x-api-key", KEY)], b"")
    }

    /// The data of an answer that is a success.
    #[track_caller]
    pub fn data(&self, path: &str) -> Value {
        let answer = self.ask(path);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut body = answer.json();
        assert_eq!(body["success"], true);
        assert_eq!(body["timestamp"].as_str().unwrap().len(), 24);
        body["data"].take()
    }

    /// The totals of a range: visits, different visitors, page views.
    #[track_caller]
    pub fn totals(&self, range: &str) -> (u64, u64, u64) {
        let data = self.data(&format!("/analytics/ws_abc123?range={range}"));
        let total = |name: &str| data["summary"][name].as_u64().unwrap();
        (
            total("total_visitors"),
            total("unique_visitors"),
            total("total_page_views"),
        )
    }

    #[track_caller]
    pub fn live(&self) -> u64 {
        let body = self.broker.get("/e/live/ZV_XXXXXXXXXXX");
        body["visitors"].as_u64().unwrap()
    }
}

/// A header of an answer.
pub fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(given, _)| given == name);
    found.map(|(_, value)| &**value)
}
