//! What a reader is told, and where he goes on.

use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::receiver::{Receiver, Reply};
use crate::process::source::{Frame, Source};

fn open(broker: &Broker, path: &str) -> Source {
    Source::open(broker.address, path, &[])
}

fn ids(source: &mut Source, count: usize) -> Vec<u64> {
    let frames = (0..count).map(|_| source.next().unwrap());
    frames.map(|frame| frame.id.unwrap()).collect()
}

#[test]
fn a_reader_is_told_each_event_from_the_moment_he_came() {
    let site = Site::new();
    let broker = site.start(&[]);
    broker.event("before", &json!(1));
    let mut source = open(&broker, "/v1/stream");
    let id = broker.event("order.paid", &json!({"order": 17}));
    let frame = source.next().unwrap();
    assert_eq!((frame.id, &*frame.event), (Some(2), "event"));
    // The same object as in the list.
    assert_eq!(frame.data, broker.get(&format!("/v1/events/{id}")));
    assert_eq!(frame.data["data"], json!({"order": 17}));
    broker.stop();
}

#[test]
fn a_reader_who_was_cut_off_goes_on_behind_the_last_event_he_had_over_a_kill() {
    let site = Site::new();
    let broker = site.start(&[]);
    for n in 1..=200 {
        broker.event("t", &json!(n));
    }
    let mut source = open(&broker, "/v1/stream?from=start");
    assert_eq!(ids(&mut source, 150), (1..=150).collect::<Vec<_>>());
    broker.kill();
    let broker = site.start(&[]);
    let last = [("last-event-id", "150")];
    let log_alone = "/v1/stream?deliveries=false";
    let mut source = Source::open(broker.address, log_alone, &last);
    assert_eq!(ids(&mut source, 50), (151..=200).collect::<Vec<_>>());
    // Nothing twice, and the next as it comes.
    broker.event("t", &json!(201));
    assert_eq!(ids(&mut source, 1), [201]);
    let mut source = open(&broker, "/v1/stream?from=199");
    assert_eq!(ids(&mut source, 3), [199, 200, 201]);
    // A position that is not there yet is nothing to wait for.
    let ahead = [("last-event-id", "5000")];
    let mut source = Source::open(broker.address, log_alone, &ahead);
    broker.event("t", &json!(202));
    assert_eq!(ids(&mut source, 1), [202]);
    broker.stop();
}

#[test]
fn the_end_of_each_attempt_is_told_behind_its_event() {
    let site = Site::new();
    let receiver = Receiver::start(|_, before| Reply::Status(if before == 0 { 500 } else { 200 }));
    let broker = site.start(&["--clock", "manual"]);
    let endpoint = json!({"name": "e", "url": receiver.url(), "policy": "standard"});
    broker.post("/v1/endpoints", &endpoint);
    let mut source = open(&broker, "/v1/stream");
    let id = broker.event("t", &json!(1));
    broker.advance("1m");
    let frames: Vec<Frame> = (0..3).map(|_| source.next().unwrap()).collect();
    let names: Vec<_> = frames.iter().map(|frame| &*frame.event).collect();
    assert_eq!(names, ["event", "delivery", "delivery"]);
    let delivery = broker.delivery_of(&id);
    for (frame, (status, number)) in frames[1..].iter().zip([("waiting", 1), ("delivered", 2)]) {
        assert_eq!(frame.id, None, "a reader goes on by the log alone");
        let told = &frame.data;
        assert_eq!(
            (&told["status"], &told["event_id"]),
            (&json!(status), &json!(id))
        );
        assert_eq!(told["delivery_id"], delivery["id"]);
        assert_eq!(
            (&told["endpoint"], &told["attempt"]["number"]),
            (&json!("e"), &json!(number))
        );
    }
    assert_eq!(frames[1].data["attempt"]["status"], 500);
    assert!(frames[1].data["next_attempt_at"].is_string());
    assert_eq!(frames[2].data["next_attempt_at"], Value::Null);
    broker.stop();
}

#[test]
fn a_reader_who_comes_back_is_told_that_he_missed_the_ends_of_attempts_since_his_last_event() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    let endpoint = json!({"name": "e", "url": receiver.url(), "policy": "standard"});
    broker.post("/v1/endpoints", &endpoint);
    let mut source = open(&broker, "/v1/stream");
    let first = broker.event("t", &json!(1));
    let told = [source.next().unwrap(), source.next().unwrap()];
    assert_eq!((&*told[0].event, &*told[1].event), ("event", "delivery"));
    drop(source);
    let second = broker.event("t", &json!(2));
    broker.delivery_once(&second, "delivered");

    let last = [("last-event-id", "1")];
    let mut source = Source::open(broker.address, "/v1/stream", &last);
    let missed = source.next().unwrap();
    let since = broker.get(&format!("/v1/events/{first}"))["received_at"].clone();
    assert_eq!((&*missed.event, missed.id), ("missed", None));
    assert_eq!(missed.data, json!({"deliveries": null, "since": since}));
    assert_eq!(source.next().unwrap().id, Some(2));
    // Where he is sent, it is found.
    let since = since.as_str().unwrap();
    let shown = broker.get(&format!("/v1/deliveries?since={since}"));
    let of_second = shown["data"].as_array().unwrap().iter();
    let of_second = of_second.filter(|delivery| delivery["event_id"] == json!(second));
    let statuses: Vec<_> = of_second.map(|delivery| &delivery["status"]).collect();
    assert_eq!(statuses, ["delivered"]);

    // What is not known is not said, and who wants no ends has missed none.
    let ahead = [("last-event-id", "5000")];
    let mut source = Source::open(broker.address, "/v1/stream", &ahead);
    let nothing = json!({"deliveries": null, "since": null});
    assert_eq!(source.next().unwrap().data, nothing);
    let log_alone = "/v1/stream?deliveries=false";
    let mut source = Source::open(broker.address, log_alone, &last);
    assert_eq!(&*source.next().unwrap().event, "event");
    broker.stop();
}

#[test]
fn a_reader_who_is_cut_off_before_the_first_event_has_a_place_to_come_back_to() {
    let site = Site::new();
    let broker = site.start(&[]);
    broker.event("t", &json!(1));
    let mut source = open(&broker, "/v1/stream");
    // A browser keeps the id of a frame without data, and hands nothing on.
    assert_eq!(source.text().unwrap(), ": here\nid: 1\n\n");
    let mut source = open(&broker, "/v1/stream?from=start");
    assert_eq!(source.text().unwrap(), ": here\nid: 0\n\n");
    broker.stop();
}

#[test]
fn types_and_deliveries_are_chosen_and_what_cannot_be_is_told() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    let endpoint = json!({"name": "e", "url": receiver.url(), "policy": "standard"});
    broker.post("/v1/endpoints", &endpoint);
    let mut source = open(&broker, "/v1/stream?types=order.*,paid&deliveries=false");
    let mut as_in_lists = open(&broker, "/v1/stream?type=paid&deliveries=false");
    for kind in ["other", "order.made", "orders", "paid"] {
        let id = broker.event(kind, &json!(1));
        broker.delivery_once(&id, "delivered");
    }
    let frames = (0..2).map(|_| source.next().unwrap());
    let kinds: Vec<_> = frames.map(|frame| frame.data["type"].clone()).collect();
    assert_eq!(kinds, ["order.made", "paid"]);
    assert_eq!(as_in_lists.next().unwrap().data["type"], "paid");
    for (query, words) in [
        ("from=0", "from is neither now, start nor a position"),
        ("from=yesterday", "from is neither"),
        ("deliveries=maybe", "deliveries"),
        ("type=x&types=x", "types is given twice"),
    ] {
        let path = format!("/v1/stream?{query}");
        let told = broker.send("GET", &path, &[], b"");
        assert_eq!(told.status, 422, "{query}");
        assert!(told.text().contains(words), "{}", told.text());
    }
    let wrong = [("last-event-id", "x")];
    broker.send("GET", "/v1/stream", &wrong, b"").problem(400);
    broker.stop();
}

#[test]
fn a_payload_keeps_its_line_breaks_and_what_is_no_json_comes_in_base64() {
    let site = Site::new();
    let broker = site.start(&[]);
    let mut source = open(&broker, "/v1/stream");
    let json = ("content-type", "application/json");
    let body = b"{\"type\":\"t\",\"data\":{\r\n \"a\":\n1}}";
    assert_eq!(broker.send("POST", "/v1/events", &[json], body).status, 202);
    assert_eq!(source.next().unwrap().data["data"], json!({"a": 1}));
    broker.stop();
}
