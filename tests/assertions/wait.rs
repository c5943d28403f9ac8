//! `GET /v1/wait` and `redeliver delivery wait`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::{Answer, Client};
use crate::process::now;
use crate::process::receiver::{Receiver, Reply};

fn add(broker: &Broker, name: &str, url: &str) {
    let made = json!({"name": name, "url": url, "policy": "hotjar", "signing_key": "k3y-of-site"});
    broker.post("/v1/endpoints", &made);
}

/// Asks in a thread of its own.
fn waiting(broker: &Broker, query: &str) -> JoinHandle<Answer> {
    let (address, path) = (broker.address, format!("/v1/wait?{query}"));
    spawn(move || Client::new(address).send("GET", &path, &[], b"").unwrap())
}

fn found(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let data = json["data"].as_array().unwrap().clone();
    assert_eq!(json["count"], data.len());
    data
}

#[test]
fn a_wait_ends_when_the_last_of_its_deliveries_is_as_it_should_be() {
    let receiver = Receiver::always(204);
    let site = Site::new();
    let broker = site.start(&[]);
    add(&broker, "mine", &receiver.url());
    let wait = waiting(
        &broker,
        "endpoint=mine&status=delivered&count=3&timeout=60s",
    );
    for n in 0..3 {
        assert!(!wait.is_finished(), "too early");
        broker.event("survey_response", &json!({ "id": n }));
    }
    let data = found(&wait.join().unwrap());
    assert_eq!(data.len(), 3);
    assert!(data.iter().all(|one| one["status"] == "delivered"));
    // What is so already is not waited for, and what is more than asked for is shown.
    let data = found(
        &waiting(&broker, "status=delivered&timeout=1m")
            .join()
            .unwrap(),
    );
    assert_eq!(data.len(), 3);
    broker.stop();
}

#[test]
fn no_change_between_the_first_look_and_the_wait_is_missed() {
    let receiver = Receiver::always(200);
    let site = Site::new();
    let broker = site.start(&[]);
    add(&broker, "mine", &receiver.url());
    // Events and waits race: a wake-up that is missed shows as a 408 after a minute.
    for n in 0..200 {
        let wait = waiting(&broker, &format!("type=t{n}&status=delivered&timeout=1m"));
        broker.event(&format!("t{n}"), &json!(n));
        assert_eq!(found(&wait.join().unwrap()).len(), 1);
    }
    broker.stop();
}

#[test]
fn each_status_can_be_waited_for_whatever_brings_it_about() {
    let holds = Arc::new(AtomicBool::new(true));
    let held = holds.clone();
    let receiver = Receiver::start(
        move |seen, _| match seen.json()["event"].as_str().unwrap() {
            "held" => {
                while held.load(Ordering::Relaxed) {
                    sleep(Duration::from_millis(2));
                }
                Reply::Status(200)
            }
            "fails" => Reply::Status(500),
            _ => Reply::Status(200),
        },
    );
    let site = Site::new();
    let broker = site.start(&["--clock", "manual"]);
    add(&broker, "mine", &receiver.url());
    let filtered = json!({"name": "picky", "url": receiver.url(), "policy": "standard",
        "events": ["other"]});
    broker.post("/v1/endpoints", &filtered);

    let wait = waiting(&broker, "endpoint=mine&status=in_flight&timeout=1m");
    broker.event("held", &json!(1));
    assert_eq!(found(&wait.join().unwrap())[0]["attempt_count"], 0);
    holds.store(false, Ordering::Relaxed);

    let wait = waiting(
        &broker,
        "endpoint=mine&status=waiting&type=fails&timeout=1m",
    );
    let failing = broker.event("fails", &json!(2));
    assert_eq!(found(&wait.join().unwrap())[0]["event_id"], failing);

    let wait = waiting(&broker, "endpoint=picky&status=filtered&event=3");
    assert_eq!(
        wait.join().unwrap().status,
        422,
        "there is no such event yet"
    );
    let wait = waiting(
        &broker,
        "endpoint=picky&status=filtered&type=thi*&timeout=1s",
    );
    assert_eq!(wait.join().unwrap().status, 408, "not a pattern");
    let wait = waiting(
        &broker,
        "endpoint=picky&status=filtered&type=third&timeout=1m",
    );
    broker.event("third", &json!(3));
    assert_eq!(found(&wait.join().unwrap())[0]["seq"], 3);

    broker.post("/v1/endpoints/mine/pause", &json!({}));
    let wait = waiting(
        &broker,
        "endpoint=mine&status=pending&type=fourth&timeout=1m",
    );
    broker.event("fourth", &json!(4));
    assert_eq!(found(&wait.join().unwrap())[0]["seq"], 4);

    let wait = waiting(&broker, &format!("event={failing}&status=dead&timeout=1m"));
    broker.post("/v1/endpoints/mine/resume", &json!({}));
    broker.advance("38m30s");
    assert_eq!(found(&wait.join().unwrap())[0]["attempt_count"], 7);

    broker.post("/v1/endpoints/mine/pause", &json!({}));
    let id = broker.endpoint("mine")["id"].as_str().unwrap().to_owned();
    broker.event("fifth", &json!(5));
    let removed = format!("endpoint={id}&status=removed&type=fifth&timeout=1m");
    let wait = waiting(&broker, &removed);
    broker.send("DELETE", "/v1/endpoints/mine", &[], b"");
    assert_eq!(found(&wait.join().unwrap())[0]["seq"], 5);
    broker.kill();
}

#[test]
fn whoever_waits_in_vain_is_told_what_there_was_instead() {
    let receiver = Receiver::always(500);
    let site = Site::new();
    // Nobody moves the clock: the wait ends all the same.
    let broker = site.start(&["--clock", "manual"]);
    add(&broker, "mine", &receiver.url());
    for n in 0..3 {
        broker.event("survey_response", &json!(n));
    }
    found(&waiting(&broker, "status=waiting&count=3").join().unwrap());
    let path = "/v1/wait?endpoint=mine&status=delivered&count=2&timeout=50ms";
    let answer = broker.send("GET", path, &[], b"");
    let detail = answer.problem(408);
    assert!(
        detail.starts_with(
            "within 50ms there were 0 of 2 deliveries delivered to endpoint \"mine\"; \
             seen instead: 3 waiting; dlv_"
        ),
        "{detail}"
    );
    assert!(
        detail.contains("attempt 1 of 7 failed with status 500; retry 1"),
        "{detail}"
    );
    let json = answer.json();
    let seen = json!({"matching": 0, "by_status": {"waiting": 3}, "newest_only": false});
    assert_eq!(json["seen"], seen);
    assert_eq!(json["nearest"].as_array().unwrap().len(), 3);
    // What was never to be delivered comes last, though it is as new.
    let narrow =
        json!({"name": "narrow", "url": receiver.url(), "policy": "hotjar", "events": ["else"]});
    broker.post("/v1/endpoints", &narrow);
    broker.event("survey_response", &json!(3));
    let path = "/v1/wait?type=survey_response&status=delivered&timeout=50ms";
    let json = broker.send("GET", path, &[], b"").json();
    let nearest = json["nearest"].as_array().unwrap().iter();
    let statuses: Vec<_> = nearest.map(|near| near["status"].clone()).collect();
    assert_eq!(statuses.len(), 5);
    assert_eq!(statuses.iter().position(|it| *it == "filtered"), Some(4));
    let path = "/v1/wait?type=survey_respnse&timeout=50ms";
    let detail = broker.send("GET", path, &[], b"").problem(408);
    assert!(
        detail.ends_with("; the newest deliveries are of \"survey_response\""),
        "{detail}"
    );
    broker.stop();
}

#[test]
fn a_wait_with_mistakes_is_refused_at_once_with_all_of_them() {
    let site = Site::new();
    let broker = site.start(&[]);
    let path = "/v1/wait?stat=dead&status=deaf&count=0&timeout=10";
    let answer = broker.send("GET", path, &[], b"");
    answer.problem(422);
    let json = answer.json();
    let places = json["errors"].as_array().unwrap().iter();
    let places: Vec<_> = places.map(|error| error["at"].as_str().unwrap()).collect();
    assert_eq!(places, ["?stat", "?status", "?count", "?timeout"]);
    for (path, status) in [
        ("/v1/wait?timeout=6m", 422),
        ("/v1/wait?endpoint=nobody", 422),
        ("/v1/wait?event=1", 422),
    ] {
        broker.send("GET", path, &[], b"").problem(status);
    }
    broker.stop();
}

#[test]
fn waits_are_bounded_and_end_when_the_server_stops() {
    let site = Site::new();
    site.configure("[limits]\nstreams_max = 2\nanswer_timeout = \"1s\"\n");
    let broker = site.start(&[]);
    // Until it has one of the places, which the question below may have for a moment.
    let waits = [(); 2].map(|()| {
        let address = broker.address;
        spawn(move || {
            loop {
                let path = "/v1/wait?status=dead&timeout=5m";
                let answer = Client::new(address).send("GET", path, &[], b"").unwrap();
                if !answer.text().contains("streams_max") {
                    return answer;
                }
            }
        })
    });
    let refused = eventually("two wait", || {
        let answer = broker.send("GET", "/v1/wait?timeout=1ms", &[], b"");
        (answer.status == 503).then_some(answer)
    });
    assert!(refused.problem(503).contains("limits.streams_max"));
    // Longer than a reader may take over an answer: there is none yet.
    std::thread::sleep(Duration::from_millis(1500));
    assert!(waits.iter().all(|wait| !wait.is_finished()));
    let start = now();
    broker.stop();
    for wait in waits {
        wait.join().unwrap().problem(503);
    }
    assert!(now().since(start) < Duration::from_secs(60));
}

#[test]
fn the_command_ends_with_0_when_it_is_so_and_with_1_when_it_is_not() {
    let receiver = Receiver::always(200);
    let site = Site::new();
    let broker = site.start(&[]);
    add(&broker, "mine", &receiver.url());
    let event = broker.event("survey_response", &json!(1));
    let server = format!("http://{}", broker.address);
    let run = |args: &[&str]| {
        let verb = ["delivery", "wait", "--server", &server];
        site.run(&[&verb, args].concat())
    };
    let ran = run(&["--event", &event, "--status", "delivered,dead"]);
    assert_eq!((ran.code, &*ran.err), (0, ""));
    assert!(ran.out.contains("mine      delivered  1"), "{}", ran.out);
    let ran = run(&[
        "--endpoint",
        "mine",
        "--status",
        "dead",
        "--timeout",
        "50ms",
    ]);
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(
        ran.err.contains("there were 0 of 1 deliveries dead"),
        "{}",
        ran.err
    );
    let ran = run(&["--endpoint", "mine", "--json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &json["count"]), (0, &json!(1)));
    broker.stop();
}
