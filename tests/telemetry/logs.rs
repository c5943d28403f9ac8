//! Requests and attempts in the log: found by their ids, silent unless asked for.

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::shop::{endpoint, picky};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn lines(site: &Site) -> Vec<Value> {
    let log = site.log();
    let lines = log.lines().map(serde_json::from_str);
    lines.map(Result::unwrap).collect()
}

/// One event with a good end and one with a bad one, each with its request's id.
fn traffic(broker: &Broker) -> Vec<String> {
    let receiver = picky();
    endpoint(broker, "a", &receiver.url(), &["good", "bad"]);
    let ids = ["good", "bad"].map(|kind| {
        let headers = [("content-type", "application/json"), ("x-request-id", kind)];
        let body = json!({ "type": kind, "data": 1 }).to_string();
        let sent = broker.send("POST", "/v1/events", &headers, body.as_bytes());
        assert_eq!(sent.header("x-request-id"), kind);
        sent.json()["id"].as_str().unwrap().to_owned()
    });
    broker.advance("1s");
    ids.to_vec()
}

#[test]
fn an_answer_has_the_id_that_its_request_brought_or_one_of_its_own() {
    let site = Site::new();
    let broker = site.start(&[]);
    let id = |headers: &[(&str, &str)]| {
        let answer = broker.send("GET", "/v1/status", headers, b"");
        answer.header("x-request-id").to_owned()
    };
    assert_eq!(id(&[("x-request-id", "5f1d")]), "5f1d");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    assert_eq!(id(&[("traceparent", PARENT)]), trace);
    let long = "x".repeat(129);
    let made = [id(&[]), id(&[]), id(&[("x-request-id", &*long)])];
    for made in &made {
        assert!(made.len() == 32 && made.bytes().all(|b| b.is_ascii_hexdigit()));
    }
    assert!(made[0] != made[1] && made[1] != made[2]);
    let refused = broker.send("GET", "/nothing", &[("x-request-id", "lost")], b"");
    assert_eq!(
        (refused.status, refused.header("x-request-id")),
        (404, "lost")
    );
}

#[test]
fn at_debug_every_line_about_a_request_or_an_attempt_has_its_ids() {
    let site = Site::new();
    let args = [
        "--clock",
        "manual",
        "--log",
        "redeliver=debug",
        "--log-format",
        "json",
    ];
    let broker = site.start(&args);
    let events = traffic(&broker);
    broker.stop();
    let lines = lines(&site);
    let taken = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "event taken");
    let taken: Vec<_> = taken
        .map(|line| (line["span"]["id"].clone(), line["fields"]["event"].clone()))
        .collect();
    assert_eq!(
        taken,
        [
            (json!("good"), json!(events[0])),
            (json!("bad"), json!(events[1]))
        ]
    );
    let ended: Vec<_> = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "attempt ended")
        .collect();
    assert_eq!(ended.len(), 2);
    for line in ended {
        let fields = &line["fields"];
        assert!(events.iter().any(|event| fields["event"] == **event));
        assert!(fields["delivery"].as_str().unwrap().starts_with("dlv_"));
        assert_eq!(
            (&fields["endpoint"], &fields["attempt"]),
            (&json!("a"), &json!(1))
        );
    }
    let answered = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "answered");
    assert!(answered.count() >= 4);
}

#[test]
fn at_info_there_is_no_line_per_event_but_one_for_a_receiver_that_is_gone() {
    let site = Site::new();
    let broker = site.start(&["--clock", "manual", "--log-format", "json"]);
    let events = traffic(&broker);
    let gone = crate::process::receiver::Receiver::always(410);
    endpoint(&broker, "gone", &gone.url(), &["last"]);
    let last = broker.event("last", &json!(1));
    broker.advance("1s");
    eventually("it is told", || {
        let lines = lines(&site);
        let line = lines
            .iter()
            .find(|line| line["fields"]["endpoint"] == "gone")?;
        assert_eq!(line["fields"]["event"], last);
        assert!(line["fields"]["delivery"].as_str()?.starts_with("dlv_"));
        Some(())
    });
    let log = site.log();
    assert!(!events.iter().any(|event| log.contains(event)), "{log}");
}

#[test]
fn a_start_behind_a_kill_says_what_it_recovered_and_a_stop_that_it_stopped() {
    let site = Site::new();
    let args = ["--clock", "manual", "--log-format", "json"];
    let broker = site.start(&args);
    endpoint(&broker, "a", "http://127.0.0.1:9/", &["good"]);
    for number in 0..3 {
        broker.event("good", &json!(number));
    }
    broker.kill();
    let recovered = || {
        let lines = lines(&site).into_iter();
        let told = "the store was not closed";
        let about = lines.filter(|line| {
            line["fields"]["message"]
                .as_str()
                .is_some_and(|it| it.starts_with(told))
        });
        about.collect::<Vec<_>>()
    };
    assert_eq!(
        recovered(),
        Vec::<Value>::new(),
        "a new store recovers nothing"
    );
    let broker = site.start(&args);
    let told = recovered();
    assert_eq!(told.len(), 1, "{}", site.log());
    let fields = &told[0]["fields"];
    assert_eq!(
        (&told[0]["level"], &fields["events"], &fields["waiting"]),
        (&json!("INFO"), &json!(3), &json!(3))
    );
    assert!(
        fields["records"].as_u64() >= Some(3) && fields["took_ms"].is_u64(),
        "{fields}"
    );
    broker.stop();
    let last = lines(&site).pop().unwrap();
    assert_eq!(last["fields"]["message"], "stopped");
    site.start(&args).stop();
    assert_eq!(
        recovered().len(),
        1,
        "behind a stop in good order there is nothing to tell"
    );
}
