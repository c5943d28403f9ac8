//! A broker on a manual clock with a receiver.

use serde_json::json;

use crate::process::broker::{Broker, Site};
use crate::process::receiver::{Receiver, Reply};

/// A receiver that answers 500 to everything of the type `bad`, and 200 to the rest.
pub fn picky() -> Receiver {
    Receiver::start(
        |seen, _| match seen.method == "POST" && seen.json()["type"] == "bad" {
            true => Reply::Status(500),
            false => Reply::Status(200),
        },
    )
}

/// A broker on a manual clock.
pub fn broker(config: &str) -> (Site, Broker) {
    let site = Site::new();
    if !config.is_empty() {
        site.configure(config);
    }
    let broker = site.start(&["--clock", "manual"]);
    (site, broker)
}

/// Makes an endpoint that gets the event types of `events`.
pub fn endpoint(broker: &Broker, name: &str, url: &str, events: &[&str]) {
    broker.post(
        "/v1/endpoints",
        &json!({ "name": name, "url": url, "policy": "standard", "events": events }),
    );
}
