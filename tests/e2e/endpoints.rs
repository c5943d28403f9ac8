//! What an operator does with endpoints, and what stays of it over restarts.

use std::time::Duration;

use serde_json::{Value, json};

use crate::process::broker::Site;
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply, Seen, nobody};

/// What `user` and `pässword` make.
const BASIC: &str = "Basic dXNlcjpww6Rzc3dvcmQ=";

fn esputnik(url: &str) -> Value {
    json!({
        "name": "crm",
        "url": url,
        "policy": "esputnik",
        "basic_auth": {"user": "user", "password": "pässword"},
    })
}

#[test]
fn an_esputnik_endpoint_is_saved_only_when_its_receiver_answers_a_get() {
    let site = Site::new();
    let broker = site.start(&[]);
    for status in [405, 500, 301] {
        let receiver = Receiver::start(move |_, _| Reply::Status(status));
        let refused = broker.call("POST", "/v1/endpoints", &esputnik(&receiver.url()));
        let words = refused.problem(422);
        assert!(words.contains(&status.to_string()), "{words}");
        assert_eq!(refused.json()["errors"][0]["at"], "/url");
        assert_eq!(receiver.gets().len(), 1);
    }
    let words = broker
        .call("POST", "/v1/endpoints", &esputnik(&nobody()))
        .problem(422);
    assert!(words.contains("refused"), "{words}");
    assert_eq!(broker.list("/v1/endpoints?state=all"), [] as [Value; 0]);
    let receiver = Receiver::always(200);
    let saved = broker.call("POST", "/v1/endpoints", &esputnik(&receiver.url()));
    assert_eq!(saved.status, 201, "{}", saved.text());
    assert!(!saved.text().contains("pässword"));
    let gets = receiver.gets();
    assert_eq!(gets.len(), 1);
    assert_eq!(gets[0].header("authorization"), BASIC);
    assert!(receiver.posts().is_empty());
    let data = json!({"activityStatus": "DELIVERED", "contactId": 1});
    let event = broker.event("activity", &data);
    broker.delivery_once(&event, "delivered");
    let posts = receiver.posts();
    assert_eq!(posts[0].header("authorization"), BASIC);
    assert_eq!(posts[0].json(), json!([data]));
    // An edit to a URL that does not answer changes nothing.
    let edit = json!({"url": nobody()});
    broker
        .call("PATCH", "/v1/endpoints/crm", &edit)
        .problem(422);
    assert_eq!(broker.endpoint("crm")["url"], receiver.url());
    broker.stop();
}

#[test]
fn a_paused_endpoint_keeps_its_queue_and_on_resume_tries_the_head_at_once_from_the_first_delay() {
    let site = Site::new();
    let receiver = Receiver::start(|seen, before| match (&*seen.method, before) {
        ("GET", _) => Reply::Status(200),
        // The check on save, four failures, two more after the resume.
        (_, ..7) => Reply::Status(500),
        _ => Reply::Status(200),
    });
    let broker = site.start(&["--clock", "manual"]);
    broker.post("/v1/endpoints", &esputnik(&receiver.url()));
    let first = broker.event("a", &json!({"n": 1}));
    broker.advance("10m");
    assert_eq!(receiver.posts().len(), 4);
    broker.post("/v1/endpoints/crm/pause", &json!({}));
    let second = broker.event("a", &json!({"n": 2}));
    broker.advance("5h");
    assert_eq!(receiver.posts().len(), 4, "sent although paused");
    assert_eq!(broker.endpoint("crm")["backlog"], 2);
    broker.kill();
    let broker = site.start(&["--clock", "manual"]);
    assert_eq!(broker.endpoint("crm")["state"], "paused");
    broker.advance("5h");
    assert_eq!(receiver.posts().len(), 4, "sent although paused");
    broker.post("/v1/endpoints/crm/resume", &json!({}));
    broker.advance("1ms");
    assert_eq!(receiver.posts().len(), 5, "the head is tried at once");
    broker.advance("59s");
    assert_eq!(receiver.posts().len(), 5);
    broker.advance("1s");
    assert_eq!(receiver.posts().len(), 6, "its delay is 1 min again");
    broker.advance("2m");
    let posts = receiver.posts();
    let order: Vec<_> = posts
        .iter()
        .map(|post| post.json()[0]["n"].clone())
        .collect();
    assert_eq!(order, [1, 1, 1, 1, 1, 1, 1, 2]);
    let numbers: Vec<_> = posts.iter().map(Seen::attempt).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 1]);
    for event in [first, second] {
        assert_eq!(broker.delivery_of(&event)["status"], "delivered");
    }
    broker.stop();
}

#[test]
fn a_410_removes_the_endpoint_for_good_although_the_configuration_still_names_it() {
    let site = Site::new();
    let gone = Receiver::start(|_, before| Reply::Status(if before == 0 { 500 } else { 410 }));
    let other = Receiver::always(200);
    let config = |gone: &str| {
        format!(
            "[[endpoint]]\nname = \"gone\"\nurl = \"{gone}\"\npolicy = \"hotjar\"\n\
             signing_key = \"k\"\nconcurrency = 1\n\n\
             [[endpoint]]\nname = \"other\"\nurl = \"{}\"\npolicy = \"hotjar\"\nsigning_key = \"k\"\n",
            other.url()
        )
    };
    site.configure(&config(&gone.url()));
    let broker = site.start(&["--clock", "manual"]);
    let first = broker.event("survey_response", &json!({"n": 1}));
    broker.advance("1ms");
    let second = broker.event("survey_response", &json!({"n": 2}));
    broker.advance("30s");
    let removed = broker.list("/v1/endpoints?state=removed");
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0]["name"], "gone");
    assert!(removed[0]["state_reason"].as_str().unwrap().contains("410"));
    let asked = gone.posts().len();
    assert!((2..=3).contains(&asked), "{asked}");
    let statuses = |broker: &crate::process::broker::Broker, event: &str| {
        let found = broker.list(&format!("/v1/events/{event}/deliveries?limit=10"));
        let statuses = found.iter().map(|delivery| delivery["status"].clone());
        statuses.collect::<Vec<_>>()
    };
    broker.kill();
    let mut broker = site.start(&["--clock", "manual"]);
    for _ in 0..2 {
        assert_eq!(broker.list("/v1/endpoints?state=removed").len(), 1);
        for event in [&first, &second] {
            assert_eq!(statuses(&broker, event), ["removed", "delivered"]);
        }
        broker.event("survey_response", &json!({"n": 3}));
        broker.advance("1h");
        assert_eq!(gone.posts().len(), asked);
        broker.stop();
        broker = site.start(&["--clock", "manual"]);
    }
    assert!(site.log().contains("stays removed"), "{}", site.log());
    broker.stop();
    // Another address is another webhook.
    let moved = Receiver::always(200);
    site.configure(&config(&moved.url()));
    let broker = site.start(&["--clock", "manual"]);
    let event = broker.event("survey_response", &json!({"n": 4}));
    broker.advance("1ms");
    assert_eq!(broker.delivery_of_to(&event, "gone")["status"], "delivered");
    assert_eq!(moved.posts().len(), 1);
    broker.stop();
}

#[test]
fn an_event_that_came_after_a_removal_has_no_delivery_to_the_endpoint_that_is_gone() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard"}),
    );
    broker.send("DELETE", "/v1/endpoints/e", &[], b"");
    let event = broker.event("t", &json!(1));
    let found = broker.list(&format!("/v1/events/{event}/deliveries?limit=10"));
    assert_eq!(found, [] as [Value; 0]);
    broker.stop();
}

#[test]
fn the_registry_follows_the_configuration_from_start_to_start_and_loses_nothing() {
    let site = Site::new();
    let (here, there) = (Receiver::always(200), Receiver::always(200));
    let entry =
        |url: &str| format!("[[endpoint]]\nname = \"e\"\nurl = \"{url}\"\npolicy = \"standard\"\n");
    let none = "[server]\nlisten = \"127.0.0.1:0\"\n";
    site.configure(&entry(&here.url()));
    let broker = site.start(&[]);
    let id = broker.endpoint("e")["id"].clone();
    broker.delivery_once(&broker.event("t", &json!(1)), "delivered");
    broker.stop();

    site.configure(&entry(&there.url()));
    let broker = site.start(&[]);
    assert_eq!(broker.endpoint("e")["id"], id);
    broker.delivery_once(&broker.event("t", &json!(2)), "delivered");
    broker.stop();

    site.configure(none);
    let broker = site.start(&[]);
    let endpoint = broker.endpoint("e");
    assert_eq!(endpoint["state"], "paused");
    let reason = endpoint["state_reason"].as_str().unwrap();
    assert_eq!(reason, "it is no longer in the configuration");
    let kept = broker.event("t", &json!(3));
    assert_eq!(broker.endpoint("e")["backlog"], 1);
    broker.stop();

    site.configure(&entry(&there.url()));
    let broker = site.start(&[]);
    let endpoint = broker.endpoint("e");
    assert_eq!(
        (&endpoint["id"], &endpoint["state"]),
        (&id, &json!("active"))
    );
    broker.delivery_once(&kept, "delivered");
    broker.stop();
    assert_eq!((here.posts().len(), there.posts().len()), (1, 2));
}

#[test]
fn a_relayed_body_goes_out_byte_for_byte_with_its_own_type_and_our_headers() {
    let site = Site::new();
    let receiver = Receiver::always(204);
    let broker = site.start(&[]);
    let made = broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard", "headers": {"X-Team": "a"}}),
    );
    assert_eq!(made["headers"], json!({"X-Team": "…"}));
    let body = b"\x00\xff{ \"a\" : 1.0e2 }\r\n\xfe";
    let taken = broker.send(
        "POST",
        "/v1/events",
        &[
            ("content-type", "application/x-odd; v=\"2\""),
            ("ce-specversion", "1.0"),
            ("ce-type", "odd"),
            ("ce-source", "/test"),
            ("ce-id", "1"),
        ],
        body,
    );
    assert_eq!(taken.status, 202, "{}", taken.text());
    let event = taken.json()["id"].as_str().unwrap().to_owned();
    let delivery = broker.delivery_once(&event, "delivered");
    let posts = receiver.posts();
    let post = &posts[0];
    assert_eq!(post.body, body);
    assert_eq!(post.path, "/hook");
    for (name, value) in [
        ("content-type", "application/x-odd; v=\"2\""),
        (
            "user-agent",
            concat!("redeliver/", env!("CARGO_PKG_VERSION")),
        ),
        ("redeliver-event-id", &event),
        ("redeliver-delivery-id", delivery["id"].as_str().unwrap()),
        ("redeliver-attempt", "1"),
        ("x-team", "a"),
    ] {
        assert_eq!(post.header(name), value, "{name}");
    }
    broker.stop();
}

#[test]
fn a_stop_waits_for_an_attempt_under_way_and_counts_it_once() {
    let site = Site::new();
    let receiver = Receiver::start(|_, _| Reply::After(Duration::from_millis(500), 200));
    let broker = site.start(&[]);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard"}),
    );
    let event = broker.event("t", &json!(1));
    eventually("the attempt is under way", || {
        (receiver.posts().len() == 1).then_some(())
    });
    broker.stop();
    assert_eq!(receiver.held(), 0);
    let broker = site.start(&[]);
    let delivery = broker.delivery_of(&event);
    assert_eq!(delivery["status"], "delivered");
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(broker.endpoint("e")["delivered"], 1);
    assert_eq!(receiver.posts().len(), 1);
    broker.stop();
}

#[test]
fn a_stop_does_not_wait_for_an_attempt_that_hangs_and_it_is_repeated_under_its_number() {
    let site = Site::new();
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::Hang,
        _ => Reply::Status(200),
    });
    let broker = site.start(&["--drain", "1s"]);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard"}),
    );
    let event = broker.event("t", &json!(1));
    eventually("the attempt is under way", || {
        (receiver.held() == 1).then_some(())
    });
    broker.stop();
    let broker = site.start(&[]);
    let delivery = broker.delivery_once(&event, "delivered");
    assert_eq!(delivery["attempt_count"], 1);
    let numbers: Vec<_> = receiver.posts().iter().map(Seen::attempt).collect();
    assert_eq!(numbers, [1, 1]);
    broker.stop();
}
