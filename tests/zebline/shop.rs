//! A shop that sends its events.

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::http::Answer;

pub const EVENTS: &str = "/v1/accounts/LICENSE/events";

const SOURCE: &str = "[[source]]\nname = \"shop\"\nkind = \"zebline\"\nlicense = \"LICENSE\"\n\
                      access_token = \"env:TOKEN\"\n";

/// A site with one source, with these keys besides.
pub fn site(options: &str) -> Site {
    let mut site = Site::new();
    site.set_env("TOKEN", "hunter2");
    site.configure(&format!("{SOURCE}{options}\n"));
    site
}

/// A broker on such a site, which is kept with it.
pub fn open(options: &str) -> (Site, Broker) {
    let site = site(options);
    let broker = site.start(&["--clock", "manual"]);
    (site, broker)
}

/// The vendor's own example, with this in place of some of it.
pub fn event(changes: Value) -> Value {
    let mut event = json!({
        "userId": "TX1",
        "eventName": "page_view",
        "eventTime": "2024-01-01T00:00:00.000000",
        "eventData": {"page_url": "https://example.com/home", "device": "mobile"},
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => event.as_object_mut().unwrap().remove(name),
            value => event
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    event
}

/// Posts to the events of the license, with the key and these headers besides.
pub fn post(broker: &Broker, headers: &[(&str, &str)], body: &Value) -> Answer {
    let key = ("authorization", "Bearer hunter2");
    let media = ("content-type", "application/json");
    let all = [&[key, media], headers].concat();
    broker.send("POST", EVENTS, &all, body.to_string().as_bytes())
}

/// The track id of an accepted request.
#[track_caller]
pub fn queued(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text());
    let response = &answer.json()["response"];
    assert_eq!(response["status"], "queued");
    response["trackID"].as_str().unwrap().to_owned()
}

/// The words of a refusal in the vendor's form.
#[track_caller]
pub fn refused(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    let media = answer
        .headers
        .iter()
        .find(|(name, _)| name == "content-type");
    assert_eq!(media.unwrap().1, "application/json");
    let response = &answer.json()["response"];
    assert_eq!(response["status"], "error");
    response["message"].as_str().unwrap().to_owned()
}

/// The data of each event in the log, the oldest first.
pub fn logged(broker: &Broker) -> Vec<Value> {
    let events = broker.list("/v1/events?order=asc&limit=1000");
    events
        .into_iter()
        .map(|event| event["data"].clone())
        .collect()
}
