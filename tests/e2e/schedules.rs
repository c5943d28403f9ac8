//! Both vendors' schedules, end to end on a manual clock.

use std::time::Duration;

use redeliver::clock::Timestamp;
use serde_json::{Value, json};

use crate::process::broker::{Broker, Site};
use crate::process::now;
use crate::process::receiver::{Receiver, Reply};

const HOTJAR: [u64; 7] = [0, 30, 90, 210, 510, 1110, 2310];
const MONTH: u64 = 30 * 24 * 3600;

/// What the issue allows is two seconds; a test machine may be busy.
const BOUND: Duration = Duration::from_secs(60);

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

/// The number, the seconds since the event came in, and the status of every attempt.
fn history(broker: &Broker, event: &str) -> Vec<(u64, u64, u64)> {
    let start = time(&broker.get(&format!("/v1/events/{event}"))["received_at"]);
    let delivery = broker.delivery_of(event);
    let attempts = delivery["attempts"].as_array().unwrap().iter();
    attempts
        .map(|attempt| {
            let started = time(&attempt["started_at"]);
            assert_eq!(started.since(start).subsec_millis(), 0);
            let number = attempt["number"].as_u64().unwrap();
            let status = attempt["status"].as_u64().unwrap();
            (number, started.since(start).as_secs(), status)
        })
        .collect()
}

fn offsets(history: &[(u64, u64, u64)]) -> Vec<u64> {
    history.iter().map(|(_, offset, _)| *offset).collect()
}

/// 0, 60, 180, 420 … and then hourly.
fn esputnik_until(end: u64) -> Vec<u64> {
    let (mut offsets, mut delay) = (vec![0], 60);
    loop {
        let next = offsets.last().unwrap() + delay;
        if next > end {
            return offsets;
        }
        offsets.push(next);
        delay = (2 * delay).min(3600);
    }
}

/// A broker on a manual clock, one endpoint of `policy` to `receiver`, and one event on its way.
fn failing(site: &Site, receiver: &Receiver, policy: &str) -> (Broker, String) {
    let broker = site.start(&["--clock", "manual"]);
    let key = (policy == "hotjar").then_some("site-key");
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": policy, "signing_key": key}),
    );
    let event = broker.event("survey_response", &json!({"id": 1}));
    (broker, event)
}

#[test]
fn hotjar_gets_seven_requests_on_its_schedule_and_then_the_event_is_given_up() {
    let (site, receiver) = (Site::new(), Receiver::always(500));
    let (broker, event) = failing(&site, &receiver, "hotjar");
    let began = now();
    let advanced = broker.advance("38m30s");
    let took = now().since(began);
    assert_eq!(advanced["in_flight"], 0);
    let history = history(&broker, &event);
    assert_eq!(offsets(&history), HOTJAR);
    let numbers: Vec<_> = history.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(broker.delivery_of(&event)["status"], "dead");
    assert_eq!(broker.endpoint("e")["dead"], 1);
    broker.advance("30d");
    let posts = receiver.posts();
    assert_eq!(posts.len(), 7);
    // The renewed timestamps tell the same story on the wire.
    let stamps: Vec<_> = posts
        .iter()
        .map(|post| post.json()["timestamp"].as_u64().unwrap())
        .collect();
    let since: Vec<_> = stamps.iter().map(|stamp| stamp - stamps[0]).collect();
    assert_eq!(since, HOTJAR);
    println!("hotjar's 38 m 30 s took {took:?}");
    assert!(took < BOUND, "{took:?}");
    broker.stop();
}

#[test]
fn esputnik_gets_doubling_delays_and_still_one_request_an_hour_after_a_month() {
    let (site, receiver) = (Site::new(), Receiver::always(500));
    let (broker, event) = failing(&site, &receiver, "esputnik");
    let began = now();
    broker.advance("30d");
    let took = now().since(began);
    let offsets = offsets(&history(&broker, &event));
    assert_eq!(offsets[..8], [0, 60, 180, 420, 900, 1860, 3780, 7380]);
    assert_eq!(offsets, esputnik_until(MONTH));
    let last = offsets.len() - 1;
    assert_eq!(offsets[last] - offsets[last - 1], 3600);
    assert!(MONTH - offsets[last] < 3600);
    assert_eq!(broker.delivery_of(&event)["status"], "waiting");
    assert_eq!(receiver.posts().len(), offsets.len());
    println!(
        "esputnik's 30 days, {} requests, took {took:?}",
        offsets.len()
    );
    assert!(took < BOUND, "{took:?}");
    broker.stop();
}

#[test]
fn one_great_advance_and_many_small_ones_make_the_same_history() {
    for (policy, step, steps) in [("hotjar", 7, 330), ("esputnik", 45, 400)] {
        let run = |by: String, times: u32| {
            let (site, receiver) = (Site::new(), Receiver::always(503));
            let (broker, event) = failing(&site, &receiver, policy);
            for _ in 0..times {
                broker.advance(&by);
            }
            let history = history(&broker, &event);
            assert_eq!(receiver.posts().len(), history.len());
            history
        };
        let great = run(format!("{}s", step * steps), 1);
        assert!(great.len() >= 7);
        assert_eq!(great, run(format!("{step}s"), steps), "{policy}");
    }
}

#[test]
fn after_a_restart_a_manual_clock_stands_at_machine_time_and_nothing_is_early_or_lost() {
    for crash in [false, true] {
        let (site, receiver) = (Site::new(), Receiver::always(500));
        let (broker, event) = failing(&site, &receiver, "hotjar");
        broker.advance("100s");
        assert_eq!(offsets(&history(&broker, &event)), [0, 30, 90]);
        if crash {
            broker.kill();
        } else {
            broker.stop();
        }
        // Due in 110 s by the clock that is gone; by this one, which is some 100 s behind it, no
        // later than its own delay of 120 s.
        let broker = site.start(&["--clock", "manual"]);
        let restarted = time(&broker.get("/v1/clock")["now"]);
        broker.advance("119s");
        assert_eq!(receiver.posts().len(), 3, "early");
        broker.advance("1s");
        assert_eq!(receiver.posts().len(), 4, "late");
        let attempts = &broker.delivery_of(&event)["attempts"];
        assert_eq!(
            time(&attempts[3]["started_at"]).since(restarted).as_secs(),
            120
        );
        broker.advance("35m");
        let numbers: Vec<_> = receiver.posts().iter().map(|post| post.attempt()).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(broker.delivery_of(&event)["status"], "dead");
        broker.stop();
    }
}

#[test]
fn a_due_time_that_passed_while_the_broker_was_down_is_caught_up_at_once() {
    let (site, receiver) = (Site::new(), Receiver::always(500));
    site.configure("[policy.soon]\nschedule = [\"1s\"]\ngive_up_after = \"never\"\n");
    let (broker, event) = failing(&site, &receiver, "soon");
    broker.advance("1ms");
    assert_eq!(history(&broker, &event).len(), 1);
    broker.kill();
    let due = receiver.posts()[0].arrived.plus(Duration::from_secs(2));
    crate::process::eventually("the machine's clock is past the due time", || {
        (now() > due).then_some(())
    });
    let broker = site.start(&["--clock", "manual"]);
    crate::process::eventually("the second request", || {
        (receiver.posts().len() == 2).then_some(())
    });
    assert_eq!(receiver.posts()[1].attempt(), 2);
    broker.stop();
}

#[test]
fn receivers_that_hang_time_out_on_their_schedules_in_one_advance_which_says_what_is_under_way() {
    let (site, receiver) = (Site::new(), Receiver::start(|_, _| Reply::Hang));
    let broker = site.start(&["--clock", "manual"]);
    for n in 0..5 {
        let name = format!("e{n}");
        let endpoint =
            json!({"name": name, "url": receiver.url(), "policy": "hotjar", "signing_key": "k"});
        broker.post("/v1/endpoints", &endpoint);
    }
    let event = broker.event("survey_response", &json!({"id": 1}));
    let began = now();
    // The fourth attempts began at 4 m, and each has ten seconds.
    assert_eq!(broker.advance_past_hanging("4m9s")["in_flight"], 5);
    assert_eq!(broker.advance_past_hanging("1s")["in_flight"], 0);
    assert_eq!(broker.advance_past_hanging("2h")["in_flight"], 0);
    let took = now().since(began);
    println!("two hours beside five receivers that hang took {took:?}");
    let start = time(&broker.get(&format!("/v1/events/{event}"))["received_at"]);
    let deliveries = broker.list(&format!("/v1/events/{event}/deliveries?limit=5"));
    assert_eq!(deliveries.len(), 5);
    for delivery in deliveries {
        let id = delivery["id"].as_str().unwrap();
        let delivery = broker.get(&format!("/v1/deliveries/{id}"));
        let attempts = delivery["attempts"].as_array().unwrap().iter();
        let since = |attempt: &Value, name: &str| time(&attempt[name]).since(start).as_secs();
        let spans: Vec<_> = attempts
            .map(|attempt| (since(attempt, "started_at"), since(attempt, "ended_at")))
            .collect();
        // Ten seconds more than the schedule for each that has timed out.
        let expected = [0, 40, 110, 240, 550, 1160, 2370].map(|start| (start, start + 10));
        assert_eq!(spans, expected);
        assert_eq!(delivery["status"], "dead");
    }
    broker.stop();
}
