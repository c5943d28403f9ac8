//! Tasks and the real process, killed while they are under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::Client;
use crate::process::receiver::{Receiver, Reply};

/// More than two steps of a task.
const EVENTS: usize = 1_500;

/// A broker with as many dead letters, and a receiver that takes everything from then on.
fn with_dead_letters(site: &Site) -> (Broker, Receiver) {
    let works = Arc::new(AtomicBool::new(false));
    let asked = works.clone();
    let receiver = Receiver::start(move |_, _| match asked.load(Ordering::Relaxed) {
        true => Reply::Status(200),
        false => Reply::Status(500),
    });
    site.configure(&format!(
        "[policy.p]\nschedule = [\"1s\"]\ngive_up_after = 1\n\n\
         [[endpoint]]\nname = \"e\"\nurl = \"{}\"\npolicy = \"p\"\n",
        receiver.url()
    ));
    let broker = site.start(&[]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = Client::new(broker.address);
                for _ in 0..EVENTS / 4 {
                    let body = json!({"type": "t", "data": 1}).to_string();
                    let headers = [("content-type", "application/json")];
                    let sent = client.send("POST", "/v1/events", &headers, body.as_bytes());
                    assert_eq!(sent.unwrap().status, 202);
                }
            });
        }
    });
    eventually("every delivery is given up", || {
        (broker.endpoint("e")["dead"] == EVENTS).then_some(())
    });
    works.store(true, Ordering::Relaxed);
    (broker, receiver)
}

#[test]
fn a_replay_that_is_killed_again_and_again_puts_every_dead_letter_back_once() {
    let site = Site::new();
    let (mut broker, receiver) = with_dead_letters(&site);
    let asked = json!({"kind": "replay", "status": "dead"});
    let task = broker.post("/v1/tasks", &asked);
    let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
    // Each kill comes a little later in the work than the one before.
    for more in [0, 1, 5, 100, 400] {
        let before = receiver.posts().len();
        eventually("some more come", || {
            let came = receiver.posts().len() - before >= more;
            (came || broker.get(&path)["state"] == "done").then_some(())
        });
        assert!(broker.kill());
        broker = site.start(&[]);
    }
    let ended = eventually("the task ends", || {
        Some(broker.get(&path)).filter(|task| task["state"] != "running")
    });
    assert_eq!(
        (&ended["state"], &ended["matched"]),
        (&json!("done"), &json!(EVENTS))
    );
    assert_eq!(ended["done"], EVENTS, "{ended}");
    eventually("everything is delivered", || {
        (broker.endpoint("e")["delivered"] == EVENTS).then_some(())
    });
    let deliveries = broker.list("/v1/deliveries?limit=1000");
    assert_eq!(deliveries.len(), EVENTS);
    for delivery in deliveries {
        assert_eq!(delivery["attempt_count"], 2, "{delivery}");
    }
}

#[test]
fn a_task_goes_on_after_a_stop_in_good_order_and_one_that_was_cancelled_does_not() {
    let site = Site::new();
    let (broker, _receiver) = with_dead_letters(&site);
    // One that is paused takes what is put back, and delivers nothing.
    broker.post("/v1/endpoints/e/pause", &json!({}));
    let path = |task: &serde_json::Value| format!("/v1/tasks/{}", task["id"].as_str().unwrap());
    let counted = broker.post("/v1/tasks", &json!({"kind": "replay", "dry_run": true}));
    let counted = path(&counted);
    let cancelled = broker.post("/v1/tasks", &json!({"kind": "replay"}));
    let cancelled = path(&cancelled);
    let answer = broker.call("POST", &format!("{cancelled}/cancel"), &json!({}));
    // It may have been faster.
    let state = match answer.status {
        200 => "cancelled",
        409 => "done",
        other => panic!("{other}: {}", answer.text()),
    };
    let before = broker.get(&cancelled);
    assert_eq!(before["state"], state);
    broker.stop();
    let broker = site.start(&[]);
    assert_eq!(broker.get(&cancelled), before);
    let ended = eventually("the count ends", || {
        Some(broker.get(&counted)).filter(|task| task["state"] != "running")
    });
    assert_eq!(
        (&ended["state"], &ended["done"]),
        (&json!("done"), &json!(0))
    );
}

#[test]
fn a_discard_that_is_killed_again_and_again_gives_every_dead_letter_up_once() {
    let site = Site::new();
    let (mut broker, receiver) = with_dead_letters(&site);
    let before = receiver.posts().len();
    let asked = json!({"kind": "discard", "status": "dead"});
    let task = broker.post("/v1/tasks", &asked);
    let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
    for more in [0, 1, 600, 1_100] {
        eventually("some more are given up", || {
            let shown = broker.get(&path);
            let done = shown["done"].as_u64().unwrap();
            (done >= more || shown["state"] == "done").then_some(())
        });
        assert!(broker.kill());
        broker = site.start(&[]);
    }
    let ended = eventually("the task ends", || {
        Some(broker.get(&path)).filter(|task| task["state"] != "running")
    });
    for member in ["matched", "done", "total"] {
        assert_eq!(ended[member], EVENTS, "{ended}");
    }
    let endpoint = broker.endpoint("e");
    assert_eq!(
        (&endpoint["dead"], &endpoint["removed"]),
        (&json!(0), &json!(EVENTS))
    );
    let deliveries = broker.list("/v1/deliveries?limit=1000&status=removed");
    assert_eq!(deliveries.len(), EVENTS);
    for delivery in deliveries {
        assert_eq!(delivery["attempt_count"], 2, "{delivery}");
    }
    assert_eq!(receiver.posts().len(), before, "nothing is sent");
}
