//! A broker with one source of each kind, and senders who sign as their vendors do.

use redeliver::clock::Timestamp;
use redeliver::endpoint::TextEncoding;
use redeliver::vendor::{basic_authorization, hotjar, standard};
use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::http::Answer;

pub const HOTJAR_KEY: &str = "hotjar-site-key";
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const JSON: (&str, &str) = ("content-type", "application/json");

const SOURCES: &str = r#"
[[source]]
name = "surveys"
kind = "hotjar"
key = "env:HOTJAR_KEY"

[[source]]
name = "old-surveys"
kind = "hotjar"
key = "env:HOTJAR_KEY"
signature_encoding = "base64"
max_age = "off"

[[source]]
name = "mails"
kind = "esputnik"
basic_auth = { user = "hook", password = "env:PASSWORD" }

[[source]]
name = "activities"
kind = "esputnik"
basic_auth = { user = "hook", password = "env:PASSWORD" }
split = true

[[source]]
name = "orders"
kind = "standard"
key = "env:SECRET"

[[source]]
name = "cloud"
kind = "cloudevents"
access_token = "env:TOKEN"

[[source]]
name = "anything"
kind = "raw"
access_token = "env:TOKEN"

[[source]]
name = "open"
kind = "raw"

[[source]]
name = "shop"
kind = "zebline"
license = "LICENSE"
access_token = "env:TOKEN"
"#;

/// A site whose every broker has the sources.
pub fn site() -> Site {
    configured("")
}

/// With `more` in the configuration.
pub fn configured(more: &str) -> Site {
    let mut site = Site::new();
    for (name, value) in [
        ("HOTJAR_KEY", HOTJAR_KEY),
        ("PASSWORD", "hook-password"),
        ("SECRET", SECRET),
        ("TOKEN", "source-token"),
    ] {
        site.set_env(name, value);
    }
    site.configure(&format!("{more}{SOURCES}"));
    site
}

/// What the broker's clock says, in whole seconds.
pub fn seconds(broker: &Broker) -> i64 {
    let now = broker.get("/v1/clock")["now"].clone();
    Timestamp::parse(now.as_str().unwrap())
        .unwrap()
        .as_seconds()
}

pub fn login() -> (&'static str, String) {
    (
        "authorization",
        basic_authorization("hook", "hook-password"),
    )
}

pub const TOKEN: (&str, &str) = ("authorization", "Bearer source-token");

/// A response to a survey, sent at `timestamp`.
pub fn response(id: u64, timestamp: i64) -> Vec<u8> {
    let data = json!({"id": id, "created_timestamp": 1_686_136_385, "answer": "ünïcode"});
    // As no serialiser of ours would write it.
    format!(r#"{{ "event":"survey_response", "version":1,"timestamp":{timestamp},"data":{data} }}"#)
        .into_bytes()
}

/// Sends what Hotjar signs with `key`.
#[track_caller]
pub fn hotjar_with(broker: &Broker, key: &str, body: &[u8]) -> Answer {
    let signature = hotjar::sign(key.as_bytes(), body, TextEncoding::Hex).unwrap();
    let headers = [JSON, ("com-hotjar-signature", &*signature)];
    broker.send("POST", "/in/surveys", &headers, body)
}

#[track_caller]
pub fn hotjar(broker: &Broker, body: &[u8]) -> Answer {
    hotjar_with(broker, HOTJAR_KEY, body)
}

/// Sends what Standard Webhooks signs.
#[track_caller]
pub fn order(broker: &Broker, id: &str, timestamp: i64, body: &[u8]) -> Answer {
    let signature = standard::sign(SECRET, id, timestamp, body).unwrap();
    let timestamp = timestamp.to_string();
    let headers = [
        JSON,
        ("webhook-id", id),
        ("webhook-timestamp", &*timestamp),
        ("webhook-signature", &*signature),
    ];
    broker.send("POST", "/in/orders", &headers, body)
}

/// Sends activities with the right login.
#[track_caller]
pub fn activities(broker: &Broker, source: &str, body: &[u8]) -> Answer {
    let (name, value) = login();
    let headers = [JSON, (name, &*value)];
    broker.send("POST", &format!("/in/{source}"), &headers, body)
}

/// The position of what was taken, and whether it was there already.
#[track_caller]
pub fn taken(answer: &Answer) -> (u64, bool) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    assert!(json["id"].as_str().unwrap().starts_with("evt_"));
    (json["seq"].as_u64().unwrap(), json["duplicate"] == true)
}

/// What `/v1/sources` shows of one.
#[track_caller]
pub fn source(broker: &Broker, name: &str) -> Value {
    let sources = broker.get("/v1/sources");
    let mut all = sources["data"].as_array().unwrap().iter();
    all.find(|source| source["name"] == name).unwrap().clone()
}

pub fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let mut all = answer.headers.iter();
    let found = all.find(|(given, _)| given == name);
    found.map_or("", |(_, value)| value)
}

/// What the log holds at `seq`.
#[track_caller]
pub fn event(broker: &Broker, seq: u64) -> Value {
    broker.get(&format!("/v1/events/{seq}"))
}

/// How many events the log holds.
#[track_caller]
pub fn count(broker: &Broker) -> usize {
    broker.list("/v1/events?limit=1000").len()
}
