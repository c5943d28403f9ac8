//! Too few file descriptors: for clients, for receivers, for anybody.

use std::fs;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::machine::{cpu_time, done, skip};
use crate::process::broker::{Broker, Site};
use crate::process::http::Client;
use crate::process::receiver::{Receiver, Reply};
use crate::process::{eventually, now};

const JSON: (&str, &str) = ("content-type", "application/json");

fn configure(site: &Site, good: &str, hanging: &str) {
    site.configure(&format!(
        r#"
[limits]
header_timeout = "10s"

[policy.few]
schedule = ["1s", "1s"]
give_up_after = 3
timeout = "30s"

[[endpoint]]
name = "good"
url = "{}"
policy = "few"
events = ["good"]

[[endpoint]]
name = "hanging"
url = "{}"
policy = "few"
events = ["hanging"]
concurrency = 100
"#,
        good, hanging
    ));
}

fn open_descriptors(broker: &Broker) -> usize {
    let dir = format!("/proc/{}/fd", broker.pid());
    fs::read_dir(dir).unwrap().count()
}

/// The processor's time that the broker takes while the test looks on.
fn busy(broker: &Broker, on_for: Duration) -> Duration {
    let (before, began) = (cpu_time(broker), now());
    eventually("time passes", || {
        (now().since(began) >= on_for).then_some(())
    });
    cpu_time(broker) - before
}

#[test]
fn idle_clients_and_hanging_receivers_share_what_descriptors_there_are_and_starve_nobody() {
    let good = Receiver::always(200);
    let hanging = Receiver::start(|_, _| Reply::Hang);
    let mut site = Site::new();
    site.launch_by(r#"ulimit -n 64 && exec "$@""#);
    configure(&site, &good.url(), &hanging.url());
    let broker = site.start(&["--drain", "1s"]);
    let log = site.log();
    assert!(log.contains("max_connections=16"), "{log}");
    let mut client = Client::new(broker.address);
    for kind in ["hanging"; 100].iter().chain(&["good"; 20]) {
        let event = json!({ "type": kind, "data": 1 }).to_string();
        let taken = client.send("POST", "/v1/events", &[JSON], event.as_bytes());
        assert_eq!(taken.unwrap().status, 202);
    }
    eventually("good events arrive beside hanging ones", || {
        (good.posts().len() == 20).then_some(())
    });
    eventually("hanging ones, too", || (hanging.held() >= 1).then_some(()));

    let idle: Vec<_> = (0..200)
        .map(|_| TcpStream::connect(broker.address).unwrap())
        .collect();
    let took = busy(&broker, Duration::from_secs(3));
    assert!(took < Duration::from_secs(2), "{took:?} of 3 s");
    assert!(open_descriptors(&broker) < 64);

    drop(idle);
    let began = now();
    broker.event("good", &json!(2));
    assert!(now().since(began) < Duration::from_secs(60));
    eventually("it is delivered", || {
        (good.posts().len() == 21).then_some(())
    });
    assert!(good.posts().iter().all(|seen| seen.attempt() == 1));
    assert!(!site.log().contains("cannot accept"), "{}", site.log());
    broker.stop();
}

/// Sets how many descriptors the running broker may have.
fn allow(broker: &Broker, descriptors: usize) -> bool {
    let pid = broker.pid().to_string();
    let limit = format!("--nofile={descriptors}:");
    done("prlimit", &["--pid", &pid, &limit])
}

#[test]
fn with_no_descriptor_left_nothing_spins_no_retry_is_burnt_and_all_goes_on_when_there_are_some() {
    run_out_of_descriptors("127.0.0.1");
}

#[test]
fn with_no_descriptor_left_to_look_a_name_up_with_no_retry_is_burnt_either() {
    run_out_of_descriptors("localhost");
}

/// With receivers at this host.
fn run_out_of_descriptors(host: &str) {
    let good = Receiver::start(|seen, _| match seen.attempt() {
        1 => Reply::Status(500),
        _ => Reply::Status(200),
    });
    let unused = Receiver::always(200);
    let site = Site::new();
    let url = |receiver: &Receiver| receiver.url().replace("127.0.0.1", host);
    configure(&site, &url(&good), &url(&unused));
    let broker = site.start(&[]);
    // A client that was there before goes on being served.
    let mut client = Client::new(broker.address);
    let mut post = |data: usize| {
        let event = json!({ "type": "good", "data": data }).to_string();
        let answer = client.send("POST", "/v1/events", &[JSON], event.as_bytes());
        let answer = answer.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let before = post(0);
    eventually("it has failed once", || {
        (good.posts().len() == 1).then_some(())
    });
    if !allow(&broker, 4) {
        return skip("prlimit (util-linux)");
    }
    let ids: Vec<String> = (1..=20).map(&mut post).collect();
    // The header time-out ends connections without requests; this one has them in time.
    let began = now();
    let cpu = cpu_time(&broker);
    let waiting = TcpStream::connect(broker.address).unwrap();
    for data in 21..=24 {
        eventually("a second passes", || {
            (now().since(began) >= Duration::from_secs(data - 20)).then_some(())
        });
        post(data as usize);
    }
    let took = cpu_time(&broker) - cpu;
    assert!(took < Duration::from_secs(2), "{took:?} of 4 s");
    for told in ["cannot accept connections", "attempts wait"] {
        eventually(told, || site.log().contains(told).then_some(()));
        assert_eq!(site.log().matches(told).count(), 1, "{}", site.log());
    }

    assert!(allow(&broker, 1024));
    drop(waiting);
    for id in ids.iter().chain([&before]) {
        let delivery = broker.delivery_once(id, "delivered");
        assert_eq!(delivery["attempt_count"], 2, "{delivery}");
    }
    broker.stop();
}
