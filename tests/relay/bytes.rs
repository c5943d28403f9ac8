//! From a vendor through the broker to a receiver: not a byte is changed.

use redeliver::endpoint::TextEncoding;
use redeliver::vendor::hotjar as vendor;
use serde_json::json;

use crate::process::broker::Broker;
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply, Seen};
use crate::site::*;

const BULK: &[u8] = include_bytes!("../fixtures/payloads/esputnik_bulk.json");
const KEY: &str = "the receiver's own key";

fn endpoint(broker: &Broker, policy: &str, receiver: &Receiver) {
    broker.post(
        "/v1/endpoints",
        &json!({"name": policy, "url": receiver.url(), "policy": policy, "signing_key": KEY}),
    );
}

#[track_caller]
fn arrived(receiver: &Receiver, count: usize) -> Vec<Seen> {
    eventually("it has arrived", || {
        let posts = receiver.posts();
        (posts.len() == count).then_some(posts)
    })
}

#[test]
fn a_03_a_relayed_body_keeps_its_bytes_and_timestamp_at_every_attempt_under_the_receivers_key() {
    let site = site();
    let broker = site.start(&["--clock", "manual"]);
    let fragile = Receiver::start(|_, before| Reply::Status(if before < 2 { 500 } else { 200 }));
    endpoint(&broker, "hotjar", &fragile);
    let body = response(42, seconds(&broker));
    assert_eq!(taken(&hotjar(&broker, &body)), (1, false));
    broker.advance("10m");
    let posts = arrived(&fragile, 3);
    let signature = vendor::sign(KEY.as_bytes(), &body, TextEncoding::Hex).unwrap();
    for (post, attempt) in posts.iter().zip(1..) {
        assert_eq!(post.attempt(), attempt);
        assert_eq!(post.body, body);
        assert_eq!(post.header("content-type"), "application/json");
        assert_eq!(post.header("com-hotjar-signature"), signature);
    }
}

#[test]
fn a_19_a_relayed_list_arrives_as_it_came_with_its_signature() {
    let site = site();
    let broker = site.start(&[]);
    let receiver = Receiver::always(200);
    endpoint(&broker, "esputnik", &receiver);
    let (name, value) = login();
    let media = "application/json; charset=UTF-8";
    let headers = [("content-type", media), (name, &*value)];
    let answer = broker.send("POST", "/in/mails", &headers, BULK);
    assert_eq!(taken(&answer), (1, false));
    let posts = arrived(&receiver, 1);
    assert_eq!(posts[0].body, BULK);
    assert_eq!(posts[0].header("content-type"), media);
    let signature = vendor::sign(KEY.as_bytes(), BULK, TextEncoding::Hex).unwrap();
    assert_eq!(posts[0].header("redeliver-signature"), signature);
    // The sender's own credentials are for this broker alone.
    assert_eq!(posts[0].header("authorization"), "");
}

#[test]
fn every_byte_and_media_type_of_a_raw_body_arrives() {
    let site = site();
    let broker = site.start(&[]);
    let receiver = Receiver::always(200);
    endpoint(&broker, "hotjar", &receiver);
    let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let headers = [TOKEN, ("content-type", "application/x-any; a=\"b c\"")];
    taken(&broker.send("POST", "/in/anything", &headers, &body));
    let posts = arrived(&receiver, 1);
    assert_eq!(posts[0].body, body);
    assert_eq!(
        posts[0].header("content-type"),
        "application/x-any; a=\"b c\""
    );
}
