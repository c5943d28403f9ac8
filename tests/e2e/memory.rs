//! How much memory a large backlog takes.

use std::time::Duration;

use crate::process::broker::{Broker, Site};
use crate::process::http::Client;
use crate::process::now;
use crate::process::receiver::nobody;

const EVENTS: usize = 100_000;
const CONNECTIONS: usize = 32;
const BOUND_MIB: f64 = 128.0;

/// How long a hundred thousand attempts may take; unoptimized they take some 20 s.
const PATIENCE: Duration = Duration::from_secs(120);

/// The most that the process ever had in memory.
fn peak_mib(broker: &Broker) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", broker.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB").parse::<f64>();
    kib.unwrap() / 1024.0
}

fn put_in(broker: &Broker) {
    let filler = "0123456789abcdef".repeat(64);
    let data = format!(r#"{{"type":"order.paid","data":"{}"}}"#, &filler[..1022]);
    let address = broker.address;
    let posters = (0..CONNECTIONS).map(|_| {
        let data = data.clone();
        std::thread::spawn(move || {
            let mut client = Client::new(address);
            let headers = [("content-type", "application/json")];
            for _ in 0..EVENTS / CONNECTIONS {
                let answer = client.send("POST", "/v1/events", &headers, data.as_bytes());
                assert_eq!(answer.unwrap().status, 202);
            }
        })
    });
    for poster in posters.collect::<Vec<_>>() {
        poster.join().unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_hundred_thousand_waiting_events_of_a_kibibyte_fit_into_128_mib() {
    let site = Site::new();
    site.configure(&format!(
        r#"
[policy.later]
schedule = ["1h"]

[policy.blocked]
order = "in-order"
backoff = {{ first = "1h", max = "1h" }}

[[endpoint]]
name = "each-failed-once"
url = "{url}"
policy = "later"
concurrency = 32

[[endpoint]]
name = "behind-a-head"
url = "{url}"
policy = "blocked"

[[endpoint]]
name = "paused"
url = "{url}"
policy = "blocked"
"#,
        url = nobody()
    ));
    let broker = site.start(&[]);
    broker.post("/v1/endpoints/paused/pause", &serde_json::json!({}));
    let began = now();
    put_in(&broker);
    println!(
        "{EVENTS} events in {:?}: {:.1} MiB",
        now().since(began),
        peak_mib(&broker)
    );
    for name in ["each-failed-once", "behind-a-head", "paused"] {
        assert_eq!(broker.endpoint(name)["backlog"], EVENTS, "{name}");
    }
    let last = &broker.get("/v1/events?limit=1")["data"][0]["id"];
    let last = format!(
        "/v1/events/{}/deliveries?status=waiting",
        last.as_str().unwrap()
    );
    let tried = now();
    while broker.get(&last)["data"].as_array().unwrap().is_empty() {
        assert!(now().since(tried) < PATIENCE, "not all have failed once");
        std::thread::sleep(Duration::from_millis(200));
    }
    println!(
        "each failed once after {:?}: {:.1} MiB",
        now().since(began),
        peak_mib(&broker)
    );
    let peak = peak_mib(&broker);
    assert!(peak < BOUND_MIB, "{peak:.1} MiB");
    broker.stop();
    let began = now();
    let broker = site.start(&[]);
    assert_eq!(broker.endpoint("each-failed-once")["backlog"], EVENTS);
    let peak = peak_mib(&broker);
    println!("started again in {:?}: {peak:.1} MiB", now().since(began));
    assert!(peak < BOUND_MIB, "{peak:.1} MiB");
    broker.stop();
}
