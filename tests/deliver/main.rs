//! Delivery over real sockets: the production loop, transport and policies, on a manual clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod hanging;
mod hard_cases;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::time::Duration;

use redeliver::clock::Clock;
use redeliver::delivery::Status;
use redeliver::endpoint::EndpointState;
use redeliver::store::Store;
use support::{Receiver, Reply};
use world::World;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn hot_20_to_26_a_failing_receiver_sees_seven_requests_at_the_documented_offsets() {
    let world = World::start().await;
    let receiver = Receiver::always(world.shared_clock(), 500).await;
    let endpoint = world.endpoint("warehouse", "hotjar", &receiver).await;
    let start = world.clock.now();
    world.send("survey_response", r#"{"id":1}"#).await;
    world.advance(2 * HOUR).await;
    assert_eq!(receiver.offsets(start), [0, 30, 90, 210, 510, 1110, 2310]);
    let delivery = world.log.delivery(endpoint, 1).unwrap().unwrap();
    assert_eq!((delivery.status, delivery.attempt_count), (Status::Dead, 7));
}

#[tokio::test]
async fn a_04_time_outs_count_from_the_end_of_the_attempt() {
    let world = World::start().await;
    let receiver = Receiver::start(world.shared_clock(), |_, _| Reply::Hang).await;
    world.endpoint("warehouse", "hotjar", &receiver).await;
    let start = world.clock.now();
    world.send("survey_response", "{}").await;
    world.advance(HOUR).await;
    assert_eq!(receiver.offsets(start), [0, 40, 110, 240, 550, 1160, 2370]);
}

#[tokio::test]
async fn esp_13_and_14_a_failing_receiver_sees_doubling_then_hourly_requests_for_ever() {
    let world = World::start().await;
    let receiver = Receiver::always(world.shared_clock(), 201).await;
    world.endpoint("crm", "esputnik", &receiver).await;
    let start = world.clock.now();
    world.send("activity", r#"{"activityStatus":"READ"}"#).await;
    world.advance(30 * 24 * HOUR).await;
    let offsets = receiver.offsets(start);
    assert_eq!(
        offsets[..9],
        [0, 60, 180, 420, 900, 1860, 3780, 7380, 10_980]
    );
    assert!(
        offsets
            .windows(2)
            .skip(7)
            .all(|pair| pair[1] - pair[0] == 3600)
    );
    assert_eq!(offsets.len(), 7 + (30 * 24 * 3600 - 3780) / 3600);
}

#[tokio::test]
async fn hot_36_each_attempt_carries_a_fresh_timestamp_and_a_signature_over_just_those_bytes() {
    let world = World::start().await;
    let receiver = Receiver::always(world.shared_clock(), 500).await;
    world.endpoint("warehouse", "hotjar", &receiver).await;
    world.send("survey_response", r#"{ "id" : 7 }"#).await;
    world.advance(HOUR).await;
    let received = receiver.received();
    assert_eq!(received.len(), 7);
    for (request, number) in received.iter().zip(1..) {
        let signature = request.header("com-hotjar-signature");
        redeliver::vendor::hotjar::verify(
            b"secret",
            &request.body,
            signature,
            redeliver::endpoint::TextEncoding::Hex,
        )
        .unwrap();
        let at = request.at.unwrap().as_seconds();
        assert_eq!(request.json()["timestamp"], at);
        assert!(
            request.body.ends_with(br#""data":{ "id" : 7 }}"#),
            "the data's own bytes"
        );
        assert_eq!(request.header("redeliver-attempt"), number.to_string());
        let ids = ["redeliver-event-id", "redeliver-delivery-id"];
        assert!(
            ids.iter()
                .all(|id| request.header(id) == received[0].header(id))
        );
        assert_eq!(request.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn hot_12_a_later_event_is_delivered_while_an_earlier_one_is_in_back_off() {
    let world = World::start().await;
    let receiver = Receiver::start(world.shared_clock(), |request, _| {
        Reply::Status(if request.json()["data"]["id"] == 1 {
            500
        } else {
            200
        })
    })
    .await;
    let endpoint = world.endpoint("warehouse", "hotjar", &receiver).await;
    world.send("survey_response", r#"{"id":1}"#).await;
    world.advance(Duration::ZERO).await;
    world.send("survey_response", r#"{"id":2}"#).await;
    world.advance(Duration::ZERO).await;
    let status = |seq| world.log.delivery(endpoint, seq).unwrap().unwrap().status;
    assert_eq!((status(1), status(2)), (Status::Waiting, Status::Delivered));
}

#[tokio::test]
async fn esp_16_and_17_nothing_overtakes_the_head_and_then_all_follow_in_order() {
    let world = World::start().await;
    let receiver = Receiver::start(world.shared_clock(), |_, before| {
        Reply::Status(if before < 3 { 500 } else { 200 })
    })
    .await;
    world.endpoint("crm", "esputnik", &receiver).await;
    for status in ["DELIVERED", "READ", "CLICKED"] {
        world
            .send("activity", &format!(r#"{{"activityStatus":"{status}"}}"#))
            .await;
    }
    world.advance(HOUR).await;
    let seen: Vec<String> = receiver
        .received()
        .iter()
        .map(|request| {
            request.json()[0]["activityStatus"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        seen,
        [
            "DELIVERED",
            "DELIVERED",
            "DELIVERED",
            "DELIVERED",
            "READ",
            "CLICKED"
        ]
    );
}

#[tokio::test]
async fn hot_28_and_29_a_410_removes_the_endpoint_at_any_attempt_and_touches_no_other() {
    for on_attempt in [1, 4] {
        let world = World::start().await;
        let gone = Receiver::start(world.shared_clock(), move |_, before| {
            Reply::Status(if before + 1 == on_attempt { 410 } else { 500 })
        })
        .await;
        let other = Receiver::always(world.shared_clock(), 200).await;
        let endpoint = world.endpoint("gone", "hotjar", &gone).await;
        world.endpoint("other", "hotjar", &other).await;
        world.send("survey_response", "{}").await;
        world.advance(HOUR).await;
        world.send("survey_response", "{}").await;
        world.advance(HOUR).await;
        assert_eq!(gone.received().len(), on_attempt);
        assert_eq!(other.received().len(), 2);
        let views = world.log.endpoints().unwrap();
        let view = views
            .iter()
            .find(|v| v.endpoint.number == endpoint)
            .unwrap();
        assert_eq!(view.endpoint.state, EndpointState::Removed);
        assert!(view.endpoint.state_reason.as_ref().unwrap().contains("410"));
    }
}

#[tokio::test]
async fn x_21_a_410_under_standard_webhooks_pauses_the_endpoint_and_keeps_the_event() {
    let world = World::start().await;
    let receiver = Receiver::start(world.shared_clock(), |_, before| {
        Reply::Status(if before == 0 { 410 } else { 200 })
    })
    .await;
    let endpoint = world.endpoint("standard", "standard", &receiver).await;
    world.send("user.created", "{}").await;
    world.advance(HOUR).await;
    assert_eq!(receiver.received().len(), 1);
    world.set_state(endpoint, EndpointState::Active).await;
    world.advance(HOUR).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_hanging_endpoint_costs_the_others_nothing() {
    let world = World::start().await;
    let hanging = Receiver::start(None, |_, _| Reply::Hang).await;
    let healthy = Receiver::always(None, 200).await;
    world.endpoint("hanging", "hotjar", &hanging).await;
    let endpoint = world.endpoint("healthy", "hotjar", &healthy).await;
    for n in 0..100 {
        world.send("survey_response", &format!("{n}")).await;
    }
    world
        .until(|| {
            world.log.endpoints().unwrap()[endpoint as usize]
                .ended
                .delivered
                == 100
        })
        .await;
    assert_eq!(hanging.received().len(), 8, "its concurrency, and no more");
}

#[tokio::test]
async fn a_drain_waits_for_an_attempt_and_puts_back_what_hangs() {
    let world = World::start().await;
    let slow = Receiver::start(None, |_, _| Reply::After(Duration::from_millis(300))).await;
    let hanging = Receiver::start(None, |_, _| Reply::Hang).await;
    let slow_endpoint = world.endpoint("slow", "hotjar", &slow).await;
    let hanging_endpoint = world.endpoint("hanging", "hotjar", &hanging).await;
    world.send("survey_response", "{}").await;
    world
        .until(|| slow.received().len() == 1 && hanging.received().len() == 1)
        .await;
    let log = world.stop().await;
    let delivery = |endpoint| log.delivery(endpoint, 1).unwrap().unwrap();
    assert_eq!(delivery(slow_endpoint).status, Status::Delivered);
    let put_back = delivery(hanging_endpoint);
    assert_eq!(
        (put_back.status, put_back.attempt_count),
        (Status::Pending, 0)
    );
}
