//! What an operator does about deliveries that are stuck: behind an outage, behind one that its
//! receiver will never take, and with a replay of what was sent before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::receiver::{Receiver, Reply};

const CONFIG: &str = "[policy.queue]\norder = \"in-order\"\nbackoff = { first = \"1h\", factor = 2, max = \"4h\" }\n\n[operations]\n";

fn start(site: &Site) -> Broker {
    site.start(&["--clock", "manual"])
}

fn endpoint(broker: &Broker, name: &str, url: &str, policy: &str, events: &[&str]) {
    let body = json!({ "name": name, "url": url, "policy": policy, "events": events });
    broker.post("/v1/endpoints", &body);
}

/// A receiver that answers with the status that it is given meanwhile.
fn answering(status: u16) -> (Receiver, Arc<AtomicU16>) {
    let answer = Arc::new(AtomicU16::new(status));
    let given = answer.clone();
    let receiver = Receiver::start(move |_, _| Reply::Status(given.load(Ordering::Relaxed)));
    (receiver, answer)
}

fn give_up(broker: &Broker, delivery: &Value, body: &Value) -> crate::process::http::Answer {
    let id = delivery["id"].as_str().unwrap();
    broker.call("POST", &format!("/v1/deliveries/{id}/give-up"), body)
}

#[test]
fn behind_an_outage_all_that_waits_is_due_at_once_and_attempts_keep_their_numbers() {
    let site = Site::new();
    site.configure(CONFIG);
    let broker = start(&site);
    let (receiver, answer) = answering(503);
    endpoint(&broker, "crm", &receiver.url(), "standard", &["a"]);
    endpoint(&broker, "queue", &receiver.url(), "queue", &["b"]);
    let events: Vec<String> = (0..5).map(|n| broker.event("a", &json!(n))).collect();
    let queued: Vec<String> = (0..3).map(|n| broker.event("b", &json!(n))).collect();
    broker.advance("1m");
    assert_eq!(broker.delivery_of(&events[0])["status"], "waiting");
    let before = receiver.posts().len();
    answer.store(200, Ordering::Relaxed);
    let retry = |name: &str| broker.post(&format!("/v1/endpoints/{name}/retry"), &json!({}));
    assert_eq!(retry("crm"), json!({ "retried": 5 }));
    // Of a queue that goes in order, its head is all that waits for a time.
    assert_eq!(retry("queue"), json!({ "retried": 1 }));
    broker.advance("1ms");
    for event in &events {
        let delivery = broker.delivery_of(event);
        let numbers: Vec<&Value> = delivery["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|attempt| &attempt["number"])
            .collect();
        assert_eq!(
            (&delivery["status"], numbers),
            (&json!("delivered"), vec![&json!(1), &json!(2), &json!(3)])
        );
    }
    let posts = receiver.posts();
    let of_queue: Vec<u64> = posts[before..]
        .iter()
        .filter(|post| post.json()["type"] == "b")
        .map(|post| post.json()["data"].as_u64().unwrap())
        .collect();
    assert_eq!(of_queue, [0, 1, 2]);
    for event in &queued {
        assert_eq!(broker.delivery_of(event)["status"], "delivered");
    }
    assert_eq!(retry("crm"), json!({ "retried": 0 }));
    let unknown = broker.call("POST", "/v1/endpoints/nobody/retry", &json!({}));
    unknown.problem(404);
    broker.stop();
}

#[test]
fn a_retry_of_all_that_waits_is_on_disk_when_it_is_answered() {
    let site = Site::new();
    let broker = start(&site);
    let (receiver, answer) = answering(503);
    endpoint(&broker, "crm", &receiver.url(), "standard", &["*"]);
    let events: Vec<String> = (0..3).map(|n| broker.event("a", &json!(n))).collect();
    broker.advance("1m");
    // Paused, so that nothing is attempted before the kill.
    broker.post("/v1/endpoints/crm/pause", &json!({}));
    let retry = || broker.post("/v1/endpoints/crm/retry", &json!({}));
    assert_eq!(retry(), json!({ "retried": 3 }));
    assert_eq!(retry(), json!({ "retried": 0 }), "what is due is due");
    broker.kill();
    let broker = start(&site);
    answer.store(200, Ordering::Relaxed);
    broker.post("/v1/endpoints/crm/resume", &json!({}));
    broker.advance("1ms");
    for event in &events {
        assert_eq!(broker.delivery_of(event)["status"], "delivered");
    }
    broker.stop();
}

#[test]
fn a_head_that_its_receiver_never_takes_is_given_up_and_the_queue_goes_on() {
    let site = Site::new();
    site.configure(CONFIG);
    let broker = start(&site);
    let receiver = Receiver::start(|seen, _| match seen.json()["data"] == json!("poison") {
        true => Reply::Status(500),
        false => Reply::Status(200),
    });
    endpoint(&broker, "queue", &receiver.url(), "queue", &["*"]);
    let poison = broker.event("a", &json!("poison"));
    let second = broker.event("a", &json!(2));
    let third = broker.event("a", &json!(3));
    broker.advance("1m");
    let head = broker.delivery_of(&poison);
    let id = head["id"].as_str().unwrap();
    assert_eq!(head["status"], "waiting");
    let waits = broker.delivery_of(&second);
    let behind = format!("waits behind {id}");
    assert!(
        waits["explanation"].as_str().unwrap().contains(&behind),
        "{waits}"
    );
    let retry = format!("/v1/deliveries/{}/retry", waits["id"].as_str().unwrap());
    let refused = broker.call("POST", &retry, &json!({})).problem(409);
    assert!(refused.contains(&behind), "{refused}");
    for wrong in [
        json!({ "reason": "" }),
        json!({ "reason": "a\nb" }),
        json!({ "reason": "x".repeat(501) }),
    ] {
        give_up(&broker, &head, &wrong).problem(422);
    }
    let given_up = give_up(&broker, &head, &json!({ "reason": "it has no price" })).json();
    let why = "an operator gave it up: it has no price";
    assert_eq!(
        (
            &given_up["status"],
            &given_up["given_up"][0]["reason"],
            &given_up["attempt_count"]
        ),
        (&json!("dead"), &json!(why), &json!(1))
    );
    // Synced before it was answered.
    broker.kill();
    let broker = start(&site);
    broker.advance("1m");
    for event in [&second, &third] {
        assert_eq!(broker.delivery_of(event)["status"], "delivered");
    }
    let dead = broker.delivery_of(&poison);
    assert_eq!(
        (&dead["status"], &dead["given_up"]),
        (&json!("dead"), &given_up["given_up"])
    );
    assert!(
        dead.get("rule").is_none() && dead.get("signing").is_none(),
        "{dead}"
    );
    give_up(&broker, &dead, &json!({})).problem(409);
    let told = broker.list("/v1/events?limit=10&type=delivery.dead");
    assert_eq!(told.len(), 1);
    // Mended, it is put back as any dead letter.
    broker.post(&format!("/v1/deliveries/{id}/retry"), &json!({}));
    broker.advance("1ms");
    assert_eq!(broker.delivery_of(&poison)["attempt_count"], 2);
    // Without a reason, and before any attempt.
    let fourth = broker.event("a", &json!(4));
    let fourth = broker.delivery_of(&fourth);
    let given_up = give_up(&broker, &fourth, &json!({})).json();
    assert_eq!(given_up["given_up"][0]["reason"], "an operator gave it up");
    let told = given_up["explanation"].as_str().unwrap();
    assert!(told.contains("before its first attempt"), "{told}");
    broker.stop();
}

#[test]
fn whoever_waits_for_a_dead_letter_hears_of_one_that_no_attempt_made() {
    let site = Site::new();
    let broker = start(&site);
    let (receiver, _) = answering(503);
    endpoint(&broker, "crm", &receiver.url(), "standard", &["*"]);
    let event = broker.event("a", &json!(1));
    broker.advance("1m");
    let delivery = broker.delivery_of(&event);
    let connections = || {
        let page = broker.send("GET", "/metrics", &[], b"").text();
        let told = page
            .lines()
            .find_map(|line| line.strip_prefix("redeliver_connections_open "));
        told.unwrap().parse::<f64>().unwrap()
    };
    std::thread::scope(|scope| {
        let path = "/v1/wait?endpoint=crm&status=dead&count=1&timeout=30s";
        let waiting = scope.spawn(|| broker.get(path));
        crate::process::eventually("somebody waits", || (connections() > 1.0).then_some(()));
        give_up(&broker, &delivery, &json!({}));
        let found = waiting.join().unwrap();
        assert_eq!(found["data"][0]["id"], delivery["id"], "{found}");
    });
    broker.stop();
}

#[test]
fn a_replay_leaves_out_operational_events_that_arrived_unless_they_are_named() {
    let site = Site::new();
    site.configure(CONFIG);
    let broker = start(&site);
    let (receiver, answer) = answering(200);
    endpoint(
        &broker,
        "chat",
        &receiver.url(),
        "standard",
        &["a", "endpoint.*"],
    );
    endpoint(&broker, "other", &receiver.url(), "standard", &["b"]);
    broker.event("a", &json!(1));
    broker.post("/v1/endpoints/other/pause", &json!({}));
    broker.advance("1ms");
    answer.store(400, Ordering::Relaxed);
    broker.post("/v1/endpoints/other/resume", &json!({}));
    broker.advance("100h");
    let events = |status: &str| {
        let list = broker.list(&format!(
            "/v1/deliveries?limit=10&endpoint=chat&status={status}"
        ));
        let mut kinds: Vec<String> = list
            .iter()
            .map(|delivery| delivery["event_type"].as_str().unwrap().to_owned())
            .collect();
        kinds.sort();
        kinds
    };
    assert_eq!(events("delivered"), ["a", "endpoint.paused"]);
    assert_eq!(events("dead"), ["endpoint.resumed"]);
    let counted = |body: Value| {
        let task = broker.post("/v1/tasks", &body);
        let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
        crate::process::eventually("the task ends", || {
            let task = broker.get(&path);
            (task["state"] == "done").then(|| task["matched"].as_u64().unwrap())
        })
    };
    let task = |more: Value| {
        let mut body = json!({ "kind": "replay", "endpoint": "chat", "dry_run": true });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        counted(body)
    };
    // What never arrived is owed, whatever it is.
    assert_eq!(task(json!({})), 2);
    assert_eq!(task(json!({ "type": "endpoint.*" })), 2);
    assert_eq!(task(json!({ "type": "a,endpoint.paused" })), 2);
    assert_eq!(task(json!({ "status": "dead" })), 1);
    let replayed = broker.post("/v1/endpoints/chat/replay", &json!({ "dry_run": true }));
    assert_eq!(replayed["replayed"], 2);
    broker.stop();
}

/// What is asked again is not what it was: it does not wait any more, and was not sent again.
#[test]
fn what_was_delivered_and_put_back_is_removed_with_its_endpoint_wherever_it_is_asked_for() {
    let site = Site::new();
    let broker = start(&site);
    let (receiver, _) = answering(200);
    endpoint(&broker, "crm", &receiver.url(), "standard", &["a"]);
    let events: Vec<String> = (0..3).map(|n| broker.event("a", &json!(n))).collect();
    for event in &events {
        broker.delivery_once(event, "delivered");
    }
    broker.post("/v1/endpoints/crm/pause", &json!({}));
    let put_back = broker.delivery_of(&events[1]);
    let id = put_back["id"].as_str().unwrap().to_owned();
    broker.post(&format!("/v1/deliveries/{id}/retry"), &json!({}));
    let crm = broker.endpoint("crm")["id"].clone();
    let crm = crm.as_str().unwrap().to_owned();
    let removed = broker.send("DELETE", &format!("/v1/endpoints/{crm}"), &[], b"");
    assert!(removed.status < 300, "{}", removed.text());
    let mut broker = Some(broker);
    for round in ["at once", "after a kill", "of a database put together anew"] {
        let running = broker.take().unwrap();
        let delivery = running.get(&format!("/v1/deliveries/{id}"));
        assert_eq!(delivery["status"], "removed", "{round}: {delivery}");
        let attempts = delivery["attempts"].as_array().unwrap();
        assert_eq!((attempts.len(), &attempts[0]["status"]), (1, &json!(200)));
        let told = delivery["explanation"].as_str().unwrap();
        assert!(told.contains("removed before it was sent again"), "{told}");
        let listed = |status: &str| {
            let list = running.list(&format!(
                "/v1/deliveries?limit=10&endpoint={crm}&status={status}"
            ));
            Vec::from_iter(list.iter().map(|it| it["event_id"].clone()))
        };
        assert_eq!(listed("removed"), [json!(events[1])], "{round}");
        assert_eq!(listed("delivered"), [json!(events[2]), json!(events[0])]);
        let counts = running.endpoint(&crm);
        assert_eq!(
            (&counts["delivered"], &counts["removed"], &counts["backlog"]),
            (&json!(2), &json!(1), &json!(0)),
            "{round}: {counts}"
        );
        assert!(running.kill());
        if round != "at once" {
            site.let_be_damaged();
            std::fs::write(site.path("data/unreadable"), b"").unwrap();
        }
        broker = Some(start(&site));
    }
    assert!(site.path("data/damaged-1").is_dir());
}
