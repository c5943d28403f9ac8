//! What stays of an animal when it is gone: nothing.

use std::time::Duration;

use serde_json::json;

use crate::animal::Animal;
use crate::holdings::{descriptors, peak_mib};
use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::Client;
use crate::process::receiver::{Receiver, Reply};
use crate::{
    certificates, early, floods, garbage, handshakes, lengths, redirects, resets, silence,
};

/// Visits to each animal; more with `REDELIVER_ZOO_ROUNDS`.
const ROUNDS: usize = 100;
/// Endpoints of each animal, so that those who take all the time there is take it side by side.
const ENDPOINTS: usize = 4;
/// Idle connections to the good receiver, and whatever else comes and goes.
const SLACK: usize = 8;
/// What the whole broker is promised to stay within.
const MEMORY_MAX_MIB: u64 = 128;

/// Every visit is a first attempt, and the last one.
const CONFIG: &str = r#"
[policy.once]
schedule = ["1s"]
give_up_after = 1
"#;

fn rounds() -> usize {
    let given = std::env::var("REDELIVER_ZOO_ROUNDS").ok();
    given.map_or(ROUNDS, |text| text.parse().unwrap())
}

fn endpoint(broker: &Broker, name: &str, animal: &Animal) {
    let mut endpoint = json!({
        "name": name,
        "url": animal.url,
        "policy": "once",
        "timeout": "150ms",
        "events": [name],
    });
    if let Some(pem) = &animal.ca_pem {
        endpoint["ca_pem"] = json!(pem);
    }
    broker.post("/v1/endpoints", &endpoint);
}

/// Waits until every endpoint's queue is empty: who has failed once has failed for good.
fn until_idle(broker: &Broker) {
    eventually("every visit has ended", || {
        // Hundreds of endpoints are not asked for again and again without a breath.
        std::thread::sleep(Duration::from_millis(50));
        let endpoints = broker.list("/v1/endpoints?limit=100");
        endpoints
            .iter()
            .all(|endpoint| endpoint["backlog"] == 0)
            .then_some(())
    });
}

/// Has each animal visited so many times, and looks at what the broker holds afterwards.
fn come_and_go(animals: &[Animal], rounds: usize) {
    let site = Site::new();
    site.configure(CONFIG);
    let broker = site.start(&[]);
    let good = Receiver::start(|_, _| Reply::Status(200));
    let url = good.url();
    broker.post(
        "/v1/endpoints",
        &json!({"name": "good", "url": url, "policy": "standard", "events": ["warm"]}),
    );
    let warm = broker.event("warm", &json!(1));
    broker.delivery_once(&warm, "delivered");
    let before = descriptors(broker.pid());
    let mut client = Client::new(broker.address);
    for animal in animals {
        for number in 0..ENDPOINTS {
            endpoint(&broker, &format!("{}.{number}", animal.name), animal);
        }
    }
    let json = [("content-type", "application/json")];
    for round in 0..rounds {
        for animal in animals {
            let name = format!("{}.{}", animal.name, round % ENDPOINTS);
            let event = json!({"type": name, "data": round}).to_string();
            let taken = client.send("POST", "/v1/events", &json, event.as_bytes());
            assert_eq!(taken.unwrap().status, 202);
        }
        if round % 5 == 4 {
            until_idle(&broker);
        }
    }
    until_idle(&broker);
    drop(client);
    // Kept connections are closed after some seconds without use.
    eventually("its descriptors are closed", || {
        (descriptors(broker.pid()) <= before + SLACK).then_some(())
    });
    let peak = peak_mib(broker.pid());
    assert!(peak < MEMORY_MAX_MIB, "{peak} MiB");
    broker.stop();
}

#[test]
fn a_hundred_visits_to_each_animal_leave_no_descriptor_open() {
    let animals = [
        silence::animals(),
        resets::animals(),
        floods::animals(),
        lengths::animals(),
        garbage::animals(),
        early::animals(),
    ];
    let mut animals: Vec<Animal> = animals.into_iter().flatten().collect();
    // One status is to this as good as another.
    animals.extend(redirects::animals().into_iter().take(1));
    come_and_go(&animals, rounds());
}

#[test]
fn a_hundred_visits_to_each_animal_behind_tls_leave_no_descriptor_open() {
    let animals = [
        certificates::bad_certificates(),
        handshakes::bad_handshakes(),
    ];
    let animals: Vec<Animal> = animals.into_iter().flatten().collect();
    come_and_go(&animals, rounds());
}
