//! A server whose events expire by the clock.

use std::path::Path;

use serde_json::json;

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::Client;
use crate::process::receiver::Receiver;
use crate::process::source::Source;

#[test]
fn a_day_on_the_manual_clock_lets_a_delivered_event_expire_and_keeps_one_that_waits() {
    let site = Site::new();
    site.configure("[retention]\nmax_age = \"1h\"\n");
    let broker = site.start(&["--clock", "manual"]);
    let delivered = broker.event("order.paid", &json!({"order": 1}));
    let refusing = Receiver::always(500);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": refusing.url(), "policy": "esputnik"}),
    );
    let waiting = broker.event("order.paid", &json!({"order": 2}));
    broker.advance("24h");
    let gone = broker.send("GET", &format!("/v1/events/{delivered}"), &[], b"");
    assert_eq!(gone.status, 410);
    assert!(gone.text().contains("expired by retention"));
    broker.get(&format!("/v1/events/{waiting}"));
    assert_eq!(broker.delivery_of(&waiting)["status"], "waiting");
}

#[test]
fn who_goes_on_from_an_expired_position_or_replays_an_expired_time_is_told_so() {
    let site = Site::new();
    site.configure("[retention]\nmax_age = \"1h\"\n");
    let broker = site.start(&["--clock", "manual"]);
    let receiver = Receiver::always(200);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard"}),
    );
    for n in 0..3 {
        let id = broker.event("order.paid", &json!({ "n": n }));
        broker.delivery_once(&id, "delivered");
    }
    broker.advance("2h");
    let replayed = broker.post("/v1/endpoints/e/replay", &json!({"dry_run": true}));
    assert_eq!(
        (&replayed["replayed"], &replayed["expired"]),
        (&json!(0), &json!(3))
    );
    let url = format!("http://{}", broker.address);
    let ran = site.run(&["replay", "--endpoint", "e", "--server", &url]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("sending 0 deliveries to e again"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("3 events of that time had expired by retention"),
        "{}",
        ran.out
    );
    broker.event("order.paid", &json!({"n": 4}));
    for (path, headers) in [
        ("/v1/stream?from=2&deliveries=false", &[][..]),
        ("/v1/stream?deliveries=false", &[("last-event-id", "1")]),
    ] {
        let mut source = Source::open(broker.address, path, headers);
        let first = source.next().unwrap();
        assert_eq!((&*first.event, first.id), ("skipped", None));
        assert_eq!(first.data, json!({"from": 2, "to": 3, "events": 2}));
        assert_eq!(source.next().unwrap().id, Some(4));
    }
    // Who wants whatever there is misses nothing.
    let mut source = Source::open(broker.address, "/v1/stream?from=start", &[]);
    assert_eq!(source.next().unwrap().id, Some(4));
}

const MIB: u64 = 1 << 20;

/// What a directory's files take.
fn bytes_of(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap();
    let sizes = entries.map(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => bytes_of(&path),
            // It may have gone meanwhile.
            false => std::fs::metadata(&path).map_or(0, |file| file.len()),
        }
    });
    sizes.sum()
}

/// Events of nine tenths of a megabyte that nobody is to get, and a look of retention now and then;
/// gives their ids.
fn bulk(broker: &Broker, count: usize) -> Vec<String> {
    let mut client = Client::new(broker.address);
    let event = json!({ "type": "bulk", "data": "7".repeat(900_000) }).to_string();
    let headers = [("content-type", "application/json")];
    let put = |number: usize| {
        let answer = client.send("POST", "/v1/events", &headers, event.as_bytes());
        let answer = answer.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
        if number % 50 == 49 {
            broker.advance("2m");
        }
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    (0..count).map(put).collect()
}

#[test]
fn max_bytes_bounds_the_directory_and_what_waits_is_kept_whatever_it_is_made_of() {
    let site = Site::new();
    site.configure("[retention]\nmax_bytes = 134217728\nwaiting_max_age = \"48h\"\n");
    let broker = site.start(&["--clock", "manual"]);
    let receiver = Receiver::always(200);
    let endpoint = |name: &str, kind: &str| {
        broker.post(
            "/v1/endpoints",
            &json!({"name": name, "url": receiver.url(), "policy": "standard", "events": [kind]}),
        );
    };
    endpoint("e", "small");
    endpoint("p", "wait");
    broker.post("/v1/endpoints/p/pause", &json!({}));
    let delivered = broker.event("small", &json!(1));
    let its_delivery = broker.delivery_once(&delivered, "delivered")["id"].clone();
    let waiting = broker.event("wait", &json!(2));
    let ids = bulk(&broker, 400);
    let status = |path: &str| broker.send("GET", path, &[], b"");
    let its_delivery = its_delivery.as_str().unwrap();

    // What is gone: the oldest, and everything about it.
    for path in [
        format!("/v1/events/{delivered}"),
        format!("/v1/events/{delivered}/body"),
        format!("/v1/events/{delivered}/deliveries"),
        format!("/v1/deliveries/{its_delivery}"),
        format!("/v1/events/{}", ids[0]),
    ] {
        let gone = status(&path);
        assert_eq!(gone.status, 410, "{path}: {}", gone.text());
        assert!(gone.text().contains("expired by retention"), "{path}");
    }
    let never = delivered.replace(&delivered[4..8], "zzzz");
    assert_eq!(status(&format!("/v1/events/{never}")).status, 404);
    // What is there: the newest that fit, and what waits although it is the oldest.
    broker.get(&format!("/v1/events/{}", ids[399]));
    assert_eq!(broker.delivery_of(&waiting)["status"], "pending");
    let kept = broker.list("/v1/events?limit=1000").len();
    assert!((100..=150 + 50).contains(&kept), "{kept} events are kept");
    assert_eq!(broker.endpoint("e")["delivered"], 1);

    // 343 MiB came in. A file in which one event waits stays, those behind it go; on top come what the
    // last looks have not given back yet, and the database's own.
    let taken = bytes_of(&site.path("data"));
    assert!(taken < 336 * MIB, "{} MiB", taken / MIB);
    assert!(broker.kill());
    let broker = site.start(&["--clock", "manual"]);
    assert_eq!(broker.delivery_of(&waiting)["status"], "pending");
    let status = |path: &str| broker.send("GET", path, &[], b"").status;
    assert_eq!(status(&format!("/v1/events/{delivered}")), 410);
    broker.post("/v1/endpoints/p/resume", &json!({}));
    broker.delivery_once(&waiting, "delivered");
    bulk(&broker, 100);
    eventually("it goes as the others do", || {
        broker.advance("2m");
        (status(&format!("/v1/events/{waiting}")) == 410).then_some(())
    });
    let taken = bytes_of(&site.path("data"));
    assert!(taken < 336 * MIB, "{} MiB", taken / MIB);
    broker.stop();
    let ran = site.verify();
    assert!(ran.out.ends_with("the store is whole\n"), "{}", ran.out);
}

/// How many dead letters everything that counts them says there are.
fn dead_letters(broker: &Broker) -> Vec<u64> {
    let metrics = broker.send("GET", "/metrics", &[], b"").text();
    let gauge = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(name));
        let value = line.unwrap().rsplit(' ').next().unwrap();
        value.parse::<f64>().unwrap() as u64
    };
    let overview = broker.get("/v1/overview");
    let listed = broker.list("/v1/deliveries?status=dead&limit=100");
    let endpoints = u64::from(!listed.is_empty());
    assert_eq!(overview["totals"]["dead_letters"], endpoints);
    vec![
        listed.len() as u64,
        broker.endpoint("e")["dead"].as_u64().unwrap(),
        broker.get("/v1/status")["deliveries"]["dead"]
            .as_u64()
            .unwrap(),
        overview["totals"]["dead"].as_u64().unwrap(),
        gauge("redeliver_endpoint_dead_letters{"),
        gauge("redeliver_deliveries{status=\"dead\"}"),
    ]
}

#[test]
fn dead_letters_that_have_expired_are_counted_nowhere_and_the_next_one_is_news() {
    let site = Site::new();
    site.configure(
        "[operations]\n[retention]\nmax_age = \"1h\"\ndead_letters_max_age = \"2h\"\n\
         [policy.once]\nschedule = [\"1s\"]\ngive_up_after = 1\n",
    );
    let broker = site.start(&["--clock", "manual"]);
    let refusing = Receiver::always(500);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": refusing.url(), "policy": "once"}),
    );
    for n in 0..3 {
        let event = broker.event("order.paid", &json!({ "n": n }));
        broker.delivery_once(&event, "dead");
    }
    assert_eq!(dead_letters(&broker), [3; 6]);
    broker.advance("3h");
    assert_eq!(dead_letters(&broker), [0; 6]);
    assert!(broker.kill());
    let broker = site.start(&["--clock", "manual"]);
    assert_eq!(dead_letters(&broker), [0; 6]);
    let event = broker.event("order.paid", &json!({"n": 3}));
    broker.delivery_once(&event, "dead");
    assert_eq!(dead_letters(&broker), [1; 6]);
    broker.advance("3h");
    let event = broker.event("order.paid", &json!({"n": 4}));
    broker.delivery_once(&event, "dead");
    let told = eventually("the one that died since is told of", || {
        broker.list("/v1/events?type=delivery.dead&limit=10").pop()
    });
    let told = broker.get(&format!("/v1/events/{}", told["id"].as_str().unwrap()));
    let counts = [&told["data"]["count"], &told["data"]["dead_letters"]];
    assert_eq!(counts, [&json!(1), &json!(1)], "{told}");
}
