//! Faults on demand: what the receiver saw, that the retry is right, that the log tells.

use redeliver::clock::ClockKind;
use redeliver::fault::{Fault, Rule};
use redeliver::vendor::{UNKNOWN_TYPE, hotjar};
use serde_json::{Value, json};

use crate::mock::{KEY, Mock};
use crate::process::eventually;
use crate::process::receiver::nobody;
use crate::raw::{Came, Do, Raw};

/// Refuses what a good receiver refuses (HOT-34, HOT-35).
fn careful() -> Raw {
    Raw::start(|came, _| {
        // Within a minute of the machine's time, as the manual clock starts there.
        let now = redeliver::clock::Clock::now(&redeliver::clock::RealClock);
        match came.is_signed_with(KEY) && hotjar::check_age(&came.body, now).is_ok() {
            true => Do::Answer(200),
            false => Do::Answer(401),
        }
    })
}

fn faults_of(attempt: &Value) -> Vec<&str> {
    let faults = attempt["faults"].as_array().unwrap().iter();
    faults.map(|fault| fault.as_str().unwrap()).collect()
}

/// Nobody waits for a receiver whose answer is not read: it may see the request later.
fn has_seen(receiver: &Raw, count: usize) {
    eventually("the receiver sees it", || {
        (receiver.came().len() >= count).then_some(())
    });
}

/// Two requests that differ in nothing.
#[track_caller]
fn are_the_same(a: &Came, b: &Came) {
    assert_eq!((&a.headers, &a.body), (&b.headers, &b.body));
}

#[test]
fn hot_34_hot_35_a_forged_first_attempt_is_refused_and_the_retry_is_right() {
    for (fault, detail) in [
        (
            "wrong-signature",
            "the first digit of com-hotjar-signature is wrong",
        ),
        ("other-key", "it is signed with another key"),
        ("stale=6m", "its timestamp is 360 s in the past"),
    ] {
        let receiver = careful();
        let mock = Mock::start(1, &[fault]);
        mock.endpoint("hotjar", &receiver.url());
        let event = mock.event("survey_response");
        let waiting = mock.delivery(&event, "waiting");
        assert_eq!(waiting["last_status"], 401, "{fault}");
        mock.advance("30s");
        let delivered = mock.delivery(&event, "delivered");
        let name = fault.split('=').next().unwrap();
        let attempts = delivered["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 2);
        assert_eq!(faults_of(&attempts[0]), [name]);
        assert!(faults_of(&attempts[1]).is_empty());
        assert_eq!(
            mock.faults(),
            [(1, 1, name.to_owned(), true, detail.to_owned())]
        );
        let came = receiver.came();
        let sent = &attempts[0]["request"]["headers"];
        assert_eq!(
            *sent,
            json!(came[0].headers),
            "the record is of what was sent"
        );
        let signed = name == "stale";
        assert_eq!(came[0].is_signed_with(KEY), signed);
    }
}

#[test]
fn hot_17_a_type_that_nobody_knows_and_a_time_ahead_are_rightly_signed() {
    let receiver = careful();
    let mock = Mock::start(1, &["unknown-type", "future=7m"]);
    mock.endpoint("hotjar", &receiver.url());
    let event = mock.event("survey_response");
    let delivered = mock.delivery(&event, "delivered");
    assert_eq!(
        faults_of(&delivered["attempts"][0]),
        ["unknown-type", "future"]
    );
    let body = receiver.came()[0].json();
    assert_eq!(body["event"], UNKNOWN_TYPE);
    let started = delivered["attempts"][0]["started_at"].as_str().unwrap();
    let started = redeliver::clock::Timestamp::parse(started).unwrap();
    assert_eq!(body["timestamp"], started.as_seconds() + 420);
}

#[test]
fn half_a_body_and_a_cut_connection_are_failures_that_the_schedule_goes_on_from() {
    for fault in ["truncated-body", "cut"] {
        let receiver = Raw::start(|came, _| match came.attempt() {
            1 => Do::SeeItClosed,
            _ => Do::Answer(200),
        });
        let mock = Mock::start(1, &[fault]);
        mock.endpoint("hotjar", &receiver.url());
        let event = mock.event("survey_response");
        let waiting = mock.delivery(&event, "waiting");
        assert!(
            waiting["last_error"]
                .as_str()
                .unwrap()
                .contains("fault on demand")
        );
        has_seen(&receiver, 1);
        mock.advance("29s");
        assert_eq!(receiver.came().len(), 1, "HOT-21: not before 30 s");
        mock.advance("1s");
        let delivered = mock.delivery(&event, "delivered");
        let came = receiver.came();
        let (first, retry) = (&came[0], &came[1]);
        let promised: usize = first.header("content-length").parse().unwrap();
        assert_eq!(promised, retry.body.len());
        match fault {
            "cut" => assert!(first.is_whole && first.is_signed_with(KEY)),
            _ => assert_eq!((first.is_whole, first.body.len()), (false, promised / 2)),
        }
        let recorded = &delivered["attempts"][0]["request"]["body"];
        assert_eq!(recorded.as_str().unwrap().as_bytes(), first.body);
        for name in ["redeliver-event-id", "redeliver-delivery-id"] {
            assert_eq!(first.header(name), retry.header(name));
        }
        assert_eq!((first.attempt(), retry.attempt()), (1, 2));
        assert!(retry.is_signed_with(KEY));
        eventually("the receiver saw the end", || {
            let first = receiver.came()[0].clone();
            (first.was_cut || !first.is_whole).then_some(())
        });
        let (_, _, name, done, _) = &mock.faults()[0];
        assert_eq!((&**name, *done), (fault, true));
    }
}

#[test]
fn the_same_request_comes_again_and_the_first_answer_counts() {
    // Of two requests of one attempt the second fails.
    let receiver = Raw::start(|_, before| Do::Answer(if before == 0 { 200 } else { 500 }));
    let mock = Mock::start(1, &["duplicate"]);
    mock.endpoint("hotjar", &receiver.url());
    let event = mock.event("survey_response");
    let delivered = mock.delivery(&event, "delivered");
    assert_eq!(delivered["attempt_count"], 1);
    let came = receiver.came();
    assert_eq!(came.len(), 2);
    are_the_same(&came[0], &came[1]);
    let detail = "the second was answered 500".to_owned();
    assert_eq!(
        mock.faults(),
        [(1, 1, "duplicate".to_owned(), true, detail)]
    );
}

#[test]
fn two_requests_are_there_at_once() {
    // Neither is answered before both are there.
    let receiver = Raw::start(|_, before| Do::AwaitThen(2, if before == 0 { 500 } else { 503 }));
    let mock = Mock::start(1, &["concurrent-duplicate"]);
    mock.endpoint("hotjar", &receiver.url());
    let event = mock.event("survey_response");
    let waiting = mock.delivery(&event, "waiting");
    let came = receiver.came();
    assert_eq!(
        (came.len(), waiting["attempt_count"].as_u64()),
        (2, Some(1))
    );
    are_the_same(&came[0], &came[1]);
    assert_ne!(came[0].connection, came[1].connection);
    let statuses = [500, 503];
    let counted = waiting["last_status"].as_u64().unwrap();
    let other = statuses
        .into_iter()
        .find(|status| *status != counted)
        .unwrap();
    let detail = format!("the other was answered {other}");
    let name = "concurrent-duplicate".to_owned();
    assert_eq!(mock.faults(), [(1, 1, name, true, detail)]);
}

#[test]
fn a_delay_is_by_the_brokers_clock_and_an_advance_stops_where_it_ends() {
    let receiver = Raw::good();
    let mock = Mock::start(1, &["delay=1h"]);
    mock.endpoint("hotjar", &receiver.url());
    let event = mock.event("survey_response");
    mock.advance("59m59s");
    assert!(receiver.came().is_empty());
    mock.advance("1h");
    // No wait: when the advance answers, it has happened, and at its time.
    let found = mock.get(&format!("/v1/events/{event}/deliveries"));
    let delivery = &found["data"][0];
    assert_eq!(delivery["status"], "delivered");
    let at = |text: &Value| redeliver::clock::Timestamp::parse(text.as_str().unwrap()).unwrap();
    let received = at(&mock.get(&format!("/v1/events/{event}"))["received_at"]);
    let started = at(&delivery["attempts"][0]["started_at"]);
    assert_eq!(started.since(received).as_secs(), 3600);
    let detail = "held for 1h".to_owned();
    assert_eq!(mock.faults(), [(1, 1, "delay".to_owned(), true, detail)]);
}

#[test]
fn a_slow_body_arrives_whole_within_the_time_limit_and_not_beyond_it() {
    let receiver = Raw::good();
    let mock = Mock::scripted(
        "[[fault]]\nkind = \"slow-body\"\ntime = \"9s\"\nevent = 1\n\
         [[fault]]\nkind = \"slow-body\"\ntime = \"18s\"\nevent = 2\n",
    );
    mock.endpoint("hotjar", &receiver.url());
    let (first, second) = (mock.event("a"), mock.event("b"));
    mock.advance("10s");
    let delivered = mock.delivery(&first, "delivered");
    assert_eq!(delivered["attempts"][0]["duration_ms"], 9000);
    assert_eq!(faults_of(&delivered["attempts"][0]), ["slow-body"]);
    let waiting = mock.delivery(&second, "waiting");
    assert_eq!(waiting["attempts"][0]["duration_ms"], 10_000, "HOT-15");
    assert_eq!(faults_of(&waiting["attempts"][0]), ["slow-body"]);
    let came = eventually("half a body", || {
        Some(receiver.came()).filter(|came| came.len() == 2)
    });
    assert!(came[0].is_whole && came[0].is_signed_with(KEY) && !came[1].is_whole);
    mock.advance("30s");
    mock.delivery(&second, "delivered");
}

#[test]
fn hot_12_an_event_that_is_held_comes_behind_the_next_or_when_its_time_is_over() {
    let receiver = Raw::good();
    let mock = Mock::start(1, &["reorder=1m"]);
    mock.endpoint("hotjar", &receiver.url());
    let first = mock.event("first");
    // It answers once nothing goes on but the wait for the clock.
    mock.advance("1s");
    let second = mock.event("second");
    mock.delivery(&second, "delivered");
    mock.delivery(&first, "delivered");
    let kinds = |receiver: &Raw| -> Vec<String> {
        let came = receiver.came();
        let kinds = came
            .iter()
            .map(|came| came.json()["event"].as_str().unwrap().to_owned());
        kinds.collect()
    };
    assert_eq!(kinds(&receiver), ["second", "first"]);
    let third = mock.event("third");
    mock.delivery(&third, "in_flight");
    mock.advance("59s");
    assert_eq!(receiver.came().len(), 2);
    mock.advance("1s");
    mock.delivery(&third, "delivered");
    let told: Vec<_> = mock
        .faults()
        .into_iter()
        .map(|(seq, _, _, done, d)| (seq, done, d))
        .collect();
    let expected = [
        (
            2,
            false,
            "not done: another event is held, and this one goes past it",
        ),
        (1, true, "event 2 was attempted before it"),
        (3, false, "not done: no later event was attempted within 1m"),
    ]
    .map(|(seq, done, detail)| (seq, done, detail.to_owned()));
    assert_eq!(told, expected);
}

#[test]
fn the_same_seed_does_the_same_and_a_probability_is_for_each_attempt() {
    let of = |seed| {
        let receiver = Raw::start(|_, _| Do::Answer(500));
        let mock = Mock::start(seed, &["wrong-signature=0.3", "duplicate@0.3"]);
        mock.endpoint("hotjar", &receiver.url());
        for _ in 0..10 {
            mock.event("survey_response");
        }
        mock.advance("40m");
        let mut faults = mock.faults();
        // Several deliveries are attempted at once.
        faults.sort();
        faults
    };
    let once = of(7);
    assert_eq!(once, of(7));
    assert_ne!(once, of(8));
    assert!(
        once.iter().any(|(_, attempt, ..)| *attempt > 1),
        "70 attempts"
    );
}

#[test]
fn what_could_not_be_done_is_told_and_no_fault_of_the_attempt() {
    let mock = Mock::start(1, &["wrong-signature", "duplicate", "stale"]);
    mock.endpoint("hotjar", &nobody());
    let event = mock.event("survey_response");
    let waiting = mock.delivery(&event, "waiting");
    assert!(faults_of(&waiting["attempts"][0]).is_empty());
    let told = mock.faults();
    assert_eq!(told.len(), 3);
    for (_, _, name, done, detail) in told {
        assert!(
            !done && detail.starts_with("not done: "),
            "{name}: {detail}"
        );
    }
    // Of this vendor's requests nothing says when they were sent.
    let receiver = Raw::good();
    mock.endpoint("esputnik", &receiver.url());
    let event = mock.event("survey_response");
    let found = mock.get(&format!(
        "/v1/wait?event={event}&endpoint=esputnik&status=delivered&timeout=1m"
    ));
    let attempt = &found["data"][0]["attempts"][0];
    assert_eq!(faults_of(attempt), ["wrong-signature", "duplicate"]);
}

#[test]
fn esp_16_a_cut_in_an_ordered_queue_holds_up_what_is_behind_it() {
    let receiver = Raw::good();
    let mock = Mock::scripted("[[fault]]\nkind = \"cut\"\nevent = 1\n");
    mock.endpoint("esputnik", &receiver.url());
    let (first, second) = (mock.event("a"), mock.event("b"));
    mock.delivery(&first, "waiting");
    mock.delivery(&second, "pending");
    has_seen(&receiver, 1);
    mock.advance("1m");
    mock.delivery(&second, "delivered");
    let came = receiver.came();
    let of = |came: &Came| (came.header("redeliver-event-id").to_owned(), came.attempt());
    let came: Vec<_> = came.iter().map(of).collect();
    assert_eq!(came, [(first.clone(), 1), (first, 2), (second, 1)]);
}

#[test]
fn a_stop_does_not_wait_for_what_is_held() {
    let receiver = Raw::good();
    let held = Rule::new(Fault::Delay).with_time(Some(std::time::Duration::from_secs(86_400)));
    let mock = Mock::with(ClockKind::Real, 0, vec![held.unwrap()]);
    mock.endpoint("hotjar", &receiver.url());
    let event = mock.event("survey_response");
    mock.delivery(&event, "in_flight");
    drop(mock);
    assert!(receiver.came().is_empty());
}

#[test]
fn the_log_of_faults_is_read_part_by_part_and_is_empty_where_none_are_planned() {
    let receiver = Raw::good();
    let mock = Mock::start(1, &["duplicate"]);
    mock.endpoint("hotjar", &receiver.url());
    for _ in 0..5 {
        mock.event("survey_response");
    }
    mock.get("/v1/wait?status=delivered&count=5&timeout=1m");
    let (mut seen, mut next) = (0, String::new());
    loop {
        let page = mock.get(&format!("/v1/faults?limit=2{next}"));
        seen += page["data"].as_array().unwrap().len();
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, 5);
    let mock = Mock::start(1, &[]);
    mock.endpoint("hotjar", &receiver.url());
    let event = mock.event("survey_response");
    let delivered = mock.delivery(&event, "delivered");
    assert!(delivered["attempts"][0].get("faults").is_none());
    assert_eq!(mock.faults(), []);
}
