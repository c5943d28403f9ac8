//! A full disk: up to the reserve, and to the last byte.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::machine::{Volume, lacks};
use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::Client;
use crate::process::receiver::{Receiver, Reply, nobody};

const MIB: u64 = 1 << 20;
const SIZE_MIB: u64 = 96;

/// A site whose data are on a disk of their own. The disk is dropped first, so the brokers, which
/// are dropped before it, must be gone.
struct OnVolume {
    volume: Volume,
    site: Site,
}

impl OnVolume {
    fn new(reserve_bytes: u64, url: &str) -> Option<Self> {
        Self::of(SIZE_MIB, reserve_bytes, url, "")
    }

    /// With `more` in its configuration.
    fn of(size_mib: u64, reserve_bytes: u64, url: &str, more: &str) -> Option<Self> {
        let site = Site::new();
        let Some(volume) = Volume::mount(site.path("disk"), size_mib) else {
            lacks("root, loop devices and mkfs.ext4");
            return None;
        };
        symlink("disk/data", site.path("data")).unwrap();
        std::fs::create_dir(site.path("disk/data")).unwrap();
        site.configure(&format!(
            r#"
[limits]
disk_reserve_bytes = {reserve_bytes}

[policy.often]
schedule = ["100ms"]
give_up_after = 100000

[[endpoint]]
name = "crm"
url = "{url}"
policy = "often"
{more}"#
        ));
        Some(Self { volume, site })
    }
}

fn large() -> Value {
    json!({ "type": "order.paid", "data": "7".repeat(900_000) })
}

/// Puts events in until one is refused; gives how many were taken, and the refusal.
fn until_refused(broker: &Broker, event: &Value) -> (u64, String) {
    for taken in 0.. {
        let answer = broker.call("POST", "/v1/events", event);
        if answer.status != 202 {
            return (taken, answer.problem(507));
        }
    }
    unreachable!()
}

fn attempts(broker: &Broker, event: &str) -> u64 {
    broker.delivery_of(event)["attempt_count"].as_u64().unwrap()
}

#[test]
fn a_disk_full_up_to_its_reserve_refuses_events_and_nothing_else_until_there_is_room() {
    let failing = Receiver::always(500);
    let Some(on) = OnVolume::new(32 * MIB, &failing.url()) else {
        return;
    };
    let (site, volume) = (&on.site, &on.volume);
    let broker = site.start(&[]);
    let first = broker.event("order.paid", &json!(1));

    // Filled by the events themselves, which go below the reserve by no more than a segment.
    let (taken, detail) = until_refused(&broker, &large());
    assert!(taken > 10, "{taken}");
    assert!(detail.contains("33554432 bytes"), "{detail}");
    let ready = |broker: &Broker| broker.send("GET", "/readyz", &[], b"").json()["status"].take();
    assert_eq!(ready(&broker), "disk_full");
    broker.get("/healthz");
    let free = volume.free_bytes();
    assert!((16 * MIB..=32 * MIB).contains(&free), "{free}");

    // The rest goes on: reads, attempts and what is recorded of them, endpoints.
    let before = attempts(&broker, &first);
    eventually("attempts go on", || {
        (attempts(&broker, &first) > before + 3).then_some(())
    });
    let kept = broker.list("/v1/events?limit=1000");
    assert_eq!(kept.len() as u64, taken + 1);
    let other = json!({ "name": "other", "url": nobody(), "policy": "often", "events": ["none"] });
    broker.post("/v1/endpoints", &other);
    until_refused(&broker, &json!({ "type": "small", "data": 1 }));

    // By somebody else, who then makes room: no restart is needed either way.
    volume.fill(12 * MIB);
    let before = attempts(&broker, &first);
    eventually("attempts still go on", || {
        (attempts(&broker, &first) > before + 3).then_some(())
    });
    volume.make_room();
    assert_eq!(ready(&broker), "disk_full", "its own events still fill it");
    assert_eq!(
        until_refused(&broker, &json!({ "type": "small", "data": 1 })).0,
        0
    );
    let before = attempts(&broker, &first);
    broker.stop();

    // With the disk as full, it starts, tells what it knows and goes on.
    let broker = site.start(&[]);
    assert!(attempts(&broker, &first) >= before);
    until_refused(&broker, &large());
    broker.stop();
}

#[test]
fn a_disk_that_has_room_again_takes_events_again_without_a_restart() {
    let Some(on) = OnVolume::new(32 * MIB, &nobody()) else {
        return;
    };
    let broker = on.site.start(&[]);
    broker.event("order.paid", &json!(1));
    on.volume.fill(16 * MIB);
    // The group after which it is noticed is the last one.
    let (taken, _) = until_refused(&broker, &json!({ "type": "small", "data": 1 }));
    assert!(taken <= 1, "{taken}");
    on.volume.make_room();
    for _ in 0..10 {
        broker.event("order.paid", &json!(1));
    }
    on.volume.fill(16 * MIB);
    assert!(until_refused(&broker, &large()).0 <= 1);
    on.volume.make_room();
    broker.stop();
    let log = on.site.log();
    assert_eq!(log.matches("the disk is full up to its reserve").count(), 2);
    assert!(log.contains("the disk has room again"));
}

#[test]
fn a_disk_that_is_full_of_what_has_expired_has_room_again_although_nobody_sends_anything() {
    let healthy = Receiver::always(200);
    let retention = "\n[retention]\nmax_age = \"1m\"\n";
    // Room for a whole file of records, and half of another.
    let Some(on) = OnVolume::of(160, 32 * MIB, &healthy.url(), retention) else {
        return;
    };
    let broker = on.site.start(&["--clock", "manual"]);
    let (taken, _) = until_refused(&broker, &large());
    assert!(taken > 70, "{taken}");
    eventually("all of it is delivered", || {
        (broker.endpoint("crm")["backlog"] == 0).then_some(())
    });
    let full = on.volume.free_bytes();

    // What lets it expire, and says so, is all that is written.
    broker.advance("2m");
    let store = broker.get("/v1/status")["store"].take();
    assert_eq!(store["events"], 0, "{store}");
    let live = store["live_bytes"].as_u64().unwrap();
    assert!(live < MIB, "{store}");
    let free = on.volume.free_bytes();
    assert!(free > full + 48 * MIB, "{full} and then {free}");
    let ready = broker.send("GET", "/readyz", &[], b"");
    assert_eq!(ready.status, 200, "{}", ready.text());
    broker.post("/v1/events", &large());
    broker.stop();
    assert!(on.site.log().contains("the disk has room again"));
}

/// Puts events in until the server is gone; gives the ids of those that were acknowledged. Where
/// the reserve is kept for other things, it is those that use it up: a change of an endpoint.
fn until_gone(broker: &Broker) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut client = Client::new(broker.address);
    let event = large().to_string();
    let headers = [("content-type", "application/json")];
    // Of the endpoint in the file only the file says how it is.
    let spare = json!({ "name": "spare", "url": nobody(), "policy": "standard" }).to_string();
    let made = client.send("POST", "/v1/endpoints", &headers, spare.as_bytes());
    assert!([201, 409].contains(&made.unwrap().status));
    for number in 0.. {
        match client.send("POST", "/v1/events", &headers, event.as_bytes()) {
            Ok(answer) if answer.status == 202 => {
                acknowledged.push(answer.json()["id"].as_str().unwrap().to_owned());
            }
            Ok(answer) => assert!([503, 507].contains(&answer.status), "{}", answer.text()),
            Err(_) => break,
        }
        let value = format!("{number} {}", "7".repeat(4_000));
        let headers_of_spare: BTreeMap<String, &str> = (0..30)
            .map(|name| (format!("x-{name}"), value.as_str()))
            .collect();
        let change = json!({ "headers": headers_of_spare }).to_string();
        let changed = client.send("PATCH", "/v1/endpoints/spare", &headers, change.as_bytes());
        match changed {
            Ok(answer) => assert!([200, 503].contains(&answer.status), "{}", answer.text()),
            Err(_) => break,
        }
    }
    acknowledged
}

#[test]
fn a_disk_full_to_the_last_byte_ends_the_process_and_loses_nothing_that_was_acknowledged() {
    let failing = Receiver::start(|_, _| Reply::Status(500));
    let Some(on) = OnVolume::new(MIB, &failing.url()) else {
        return;
    };
    let (site, volume) = (&on.site, &on.volume);
    let mut acknowledged = Vec::new();
    for round in 0..2 {
        let broker = site.start(&[]);
        let posted = std::thread::scope(|scope| {
            let posting = scope.spawn(|| until_gone(&broker));
            eventually("events and attempts come in", || {
                (failing.posts().len() > 20 * (round + 1)).then_some(())
            });
            volume.fill(0);
            posting.join().unwrap()
        });
        acknowledged.extend(posted);
        let ended = broker.ended();
        assert_eq!(ended, 3);
        let log = site.log();
        let line = log
            .lines()
            .rfind(|line| line.starts_with("error: "))
            .unwrap();
        assert!(line.contains("No space left on device"), "{line}");

        // And does not start, or not for long, nor harm anything, as long as that is so: the journal
        // gives back some room when the database has taken it in.
        let ran = site.start_in_vain(&[]);
        assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("No space left on device"), "{}", ran.err);
        assert!(!ran.err.contains("damaged"), "{}", ran.err);

        volume.make_room();
        let broker = site.start(&[]);
        let kept = broker.list("/v1/events?limit=1000");
        let kept: Vec<&str> = kept
            .iter()
            .map(|event| event["id"].as_str().unwrap())
            .collect();
        for id in &acknowledged {
            assert!(kept.contains(&id.as_str()), "{id} was acknowledged");
        }
        broker.event("order.paid", &json!(1));
        broker.stop();
    }
    let verified = site.run(&["store", "verify", "--data", "data"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn a_new_database_for_which_there_is_no_room_says_how_much_it_takes() {
    let Some(on) = OnVolume::new(MIB, &nobody()) else {
        return;
    };
    let (site, volume) = (&on.site, &on.volume);
    let broker = site.start(&[]);
    let events: Vec<String> = (0..10)
        .map(|_| {
            broker.post("/v1/events", &large())["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    broker.stop();
    site.let_be_damaged();
    std::fs::write(site.path("data/conf"), b"no configuration").unwrap();
    // Not enough for the records, and enough for them but for nothing else.
    for free_mib in [8, 10] {
        volume.fill(free_mib * MIB);
        let ran = site.start_in_vain(&[]);
        assert_eq!(ran.code, 3, "{free_mib}: {}", ran.err);
        let line = ran.err.lines().rfind(|line| line.starts_with("error: "));
        let line = line.unwrap();
        assert!(line.contains("there is no room for"), "{free_mib}: {line}");
        if free_mib == 8 {
            let taken = line.split(" bytes").next().unwrap().rsplit(' ').next();
            let taken: u64 = taken.unwrap().parse().unwrap();
            assert!((9_000_000..9_300_000).contains(&taken), "{line}");
        }
        assert!(!site.path("data/rebuilding").exists(), "{free_mib}");
        volume.make_room();
    }
    let broker = site.start(&[]);
    for event in &events {
        broker.get(&format!("/v1/events/{event}"));
    }
    broker.stop();
}
