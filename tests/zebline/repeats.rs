//! `x-request-id`: a repeat is answered as the first request was (ZEB-25…ZEB-28, A-37).

use serde_json::json;

use crate::shop::{event, logged, open, post, queued, refused, site};

#[test]
fn a_repeat_gets_the_first_answer_whatever_its_case_and_its_body() {
    let (_site, broker) = open("");
    let first = queued(&post(
        &broker,
        &[("x-request-id", "00ff")],
        &event(json!({})),
    ));
    for (id, body) in [
        ("00ff", event(json!({}))),
        ("00FF", event(json!({"userId": "other"}))),
        // The repeat is known before the body is judged.
        ("00ff", json!({})),
    ] {
        let again = queued(&post(&broker, &[("x-request-id", id)], &body));
        assert_eq!(again, first);
    }
    assert_eq!(logged(&broker).len(), 1);
    broker.stop();
}

#[test]
fn what_is_no_hexadecimal_id_makes_nothing_known_again() {
    let (_site, broker) = open("");
    for headers in [
        &[][..],
        &[("x-request-id", "not-hex")],
        &[("x-request-id", "")],
    ] {
        let [first, second] = [(); 2].map(|()| queued(&post(&broker, headers, &event(json!({})))));
        assert_ne!(first, second, "{headers:?}");
    }
    assert_eq!(logged(&broker).len(), 6);
    // Beside what it means there, it tells a request from every other one, as on every route.
    let answered = |headers: &[(&str, &str)]| {
        let answer = post(&broker, headers, &json!({}));
        answer.header("x-request-id").to_owned()
    };
    assert_eq!(answered(&[("x-request-id", "5f1d")]), "5f1d");
    assert_eq!(answered(&[]).len(), 32);
    broker.stop();
}

#[test]
fn after_a_first_request_that_failed_the_repeat_is_processed_zeb_27() {
    let (_site, broker) = open("");
    let id = [("x-request-id", "ab")];
    refused(&post(&broker, &id, &json!({})), 400);
    let first = queued(&post(&broker, &id, &event(json!({}))));
    assert_eq!(queued(&post(&broker, &id, &event(json!({})))), first);
    assert_eq!(logged(&broker).len(), 1);
    broker.stop();
}

#[test]
fn an_id_is_known_for_four_hours_and_new_after_them_zeb_26_zeb_28() {
    let (_site, broker) = open("");
    let id = [("x-request-id", "cd")];
    let first = queued(&post(&broker, &id, &event(json!({}))));
    broker.advance("3h59m59s");
    assert_eq!(queued(&post(&broker, &id, &event(json!({})))), first);
    broker.advance("1s");
    assert_ne!(queued(&post(&broker, &id, &event(json!({})))), first);
    assert_eq!(logged(&broker).len(), 2);
    broker.stop();
}

#[test]
fn an_id_is_known_over_a_kill() {
    let site = site("");
    let id = [("x-request-id", "cd")];
    let broker = site.start(&["--clock", "manual"]);
    let first = queued(&post(&broker, &id, &event(json!({}))));
    broker.kill();
    let broker = site.start(&["--clock", "manual"]);
    for name in ["page_view", "we_open"] {
        let again = post(&broker, &id, &event(json!({"eventName": name})));
        assert_eq!(queued(&again), first);
    }
    assert_eq!(logged(&broker).len(), 1);
    broker.stop();
}

#[test]
fn fifty_at_once_are_one_event_and_one_answer() {
    let (_site, broker) = open("");
    let tracks: Vec<String> = std::thread::scope(|scope| {
        let ask = || queued(&post(&broker, &[("x-request-id", "ef")], &event(json!({}))));
        let all: Vec<_> = (0..50).map(|_| scope.spawn(ask)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(tracks.iter().all(|track| *track == tracks[0]));
    assert_eq!(logged(&broker).len(), 1);
    broker.stop();
}
