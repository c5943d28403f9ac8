//! How much memory a large backlog for dead receivers takes. A hundred thousand events, or as many
//! as `REDELIVER_EVENTS` says.

use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::machine::{MemoryGroup, peak_mib};
use crate::process::broker::{Broker, Site};
use crate::process::http::Client;
use crate::process::now;
use crate::process::receiver::nobody;

const EVENTS: usize = 100_000;
/// As many share one sync.
const CONNECTIONS: usize = 256;

/// What the default limits promise for any backlog, and what a small machine has.
const BOUND_MIB: u64 = 128;
const BOUND_OF_A_MILLION_MIB: u64 = 256;

/// How many of an endpoint's deliveries wait for a retry in memory (`waiting_max_per_endpoint`).
const WAITING_MAX: usize = 100_000;

/// How long a hundred thousand attempts may take; unoptimized they take some 20 s.
const PATIENCE: Duration = Duration::from_secs(600);

fn events() -> usize {
    let given = std::env::var("REDELIVER_EVENTS").ok();
    given.map_or(EVENTS, |count| count.parse().unwrap())
}

fn bound_mib() -> u64 {
    match events() {
        0..=EVENTS => BOUND_MIB,
        _ => BOUND_OF_A_MILLION_MIB,
    }
}

/// Puts events of 500 bytes in; gives the last of those that wait for a retry.
fn put_in(broker: &Broker, count: usize) -> String {
    let data = format!(r#"{{"type":"order.paid","data":"{}"}}"#, "7".repeat(498));
    let left = AtomicUsize::new(count);
    let last = Mutex::new(String::new());
    let one_less = |left: usize| left.checked_sub(1);
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut client = Client::new(broker.address);
                let headers = [("content-type", "application/json")];
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                    .is_ok()
                {
                    let answer = client.send("POST", "/v1/events", &headers, data.as_bytes());
                    let answer = answer.unwrap();
                    assert_eq!(answer.status, 202, "{}", answer.text());
                    let taken = answer.json();
                    if taken["seq"] == count.min(WAITING_MAX) {
                        *last.lock().unwrap() = taken["id"].as_str().unwrap().to_owned();
                    }
                }
            });
        }
    });
    last.into_inner().unwrap()
}

/// The broker in as little memory as it may have. Without control groups it is measured instead.
struct Small {
    site: Site,
    // Behind the site, so that its processes are gone when the group goes.
    _group: Option<MemoryGroup>,
}

impl Small {
    fn new(refusing: &str, hanging: &str) -> Self {
        let mut site = Site::new();
        let group = MemoryGroup::of_mib(bound_mib());
        match &group {
            Some(group) => site.launch_by(&group.script()),
            None => println!("no memory control group here: the peak is measured, not enforced"),
        }
        site.configure(&format!(
            r#"
[policy.later]
schedule = ["1h"]

[policy.blocked]
timeout = "5s"
order = "in-order"
backoff = {{ first = "1h", max = "1h" }}

[[endpoint]]
name = "refusing"
url = "{refusing}"
policy = "later"
concurrency = 32

[[endpoint]]
name = "refusing-in-order"
url = "{refusing}"
policy = "blocked"

[[endpoint]]
name = "hanging"
url = "{hanging}"
policy = "later"
concurrency = 32

[[endpoint]]
name = "hanging-in-order"
url = "{hanging}"
policy = "blocked"
"#
        ));
        Self {
            site,
            _group: group,
        }
    }

    fn start(&self) -> Broker {
        let began = now();
        let broker = self.site.start(&["--drain", "1s"]);
        report("started", began, &broker);
        broker
    }
}

fn report(what: &str, began: redeliver::clock::Timestamp, broker: &Broker) {
    let peak = peak_mib(broker);
    let took = now().since(began);
    println!("{what} after {took:.1?}: {peak:.1} MiB at most");
    assert!(peak < bound_mib() as f64, "{peak:.1} MiB");
}

/// It answers, it takes events, and has `count` waiting for each endpoint.
#[track_caller]
fn is_alive(broker: &Broker, count: usize) {
    broker.post("/v1/events", &json!({ "type": "one.more", "data": 1 }));
    for endpoint in broker.list("/v1/endpoints?limit=10") {
        assert_eq!(endpoint["backlog"], count + 1, "{endpoint}");
    }
}

/// How many items a list has, page by page.
fn listed(broker: &Broker, path: &str) -> usize {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let page = broker.get(&format!("/v1/{path}&limit=1000{cursor}"));
        count += page["data"].as_array().unwrap().len();
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return count,
        }
    }
}

#[test]
fn a_backlog_for_dead_receivers_fits_into_its_bound_and_is_there_after_a_kill() {
    // It takes no connection: the first ones wait in the listen queue, the others for a place.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging = format!("http://{}/hook", listener.local_addr().unwrap());
    let small = Small::new(&nobody(), &hanging);
    let broker = small.start();
    let began = now();
    let count = events();
    let last = put_in(&broker, count);
    report(&format!("{count} events taken"), began, &broker);
    is_alive(&broker, count);

    let waiting = format!("/v1/events/{last}/deliveries?status=waiting&limit=10");
    let tried = now();
    while broker.list(&waiting).is_empty() {
        assert!(now().since(tried) < PATIENCE, "not all have failed once");
        std::thread::sleep(Duration::from_millis(200));
    }
    report("as many attempts as wait in memory", began, &broker);
    assert_eq!(
        listed(
            &broker,
            "deliveries?endpoint=hanging-in-order&status=waiting"
        ),
        1
    );
    is_alive(&broker, count + 1);
    broker.kill();

    let broker = small.start();
    is_alive(&broker, count + 2);
    broker.stop();
    let broker = small.start();
    is_alive(&broker, count + 3);
    report("killed, stopped, and in use again", began, &broker);

    // What was read once must not stay in memory.
    assert_eq!(listed(&broker, "events?"), count + 4);
    report("every event listed", began, &broker);
}
