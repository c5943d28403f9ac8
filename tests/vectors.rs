//! Every machine value of the contract files, against the public face of the vendors' rooms.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its fixtures has failed"
)]

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redeliver::clock::Timestamp;
use redeliver::endpoint::TextEncoding::{Base64, Hex};
use redeliver::vendor::signature::{self, hmac_sha3_256};
use redeliver::vendor::{VerifyError, basic_authorization, basic_matches, hotjar, standard};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sha3::Sha3_256;

fn vectors() -> Value {
    serde_json::from_str(include_str!("fixtures/vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key}"))
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| ((31 * i + 7) % 256) as u8).collect()
}

fn counting_key(value: &Value) -> Vec<u8> {
    let len = value["key_len"].as_u64().unwrap() as usize;
    (0..len).map(|i| (i % 256) as u8).collect()
}

/// By name, each checked against its length and both of its plain hashes.
fn payloads(all: &Value) -> BTreeMap<String, Vec<u8>> {
    list(all, "payloads")
        .iter()
        .map(|payload| {
            let name = text(payload, "name");
            let bytes = match payload.get("payload_b64") {
                Some(base64) => STANDARD.decode(base64.as_str().unwrap()).unwrap(),
                None => pattern(65536),
            };
            assert_eq!(
                bytes.len() as u64,
                payload["len"].as_u64().unwrap(),
                "{name}"
            );
            assert_eq!(
                hex::encode(Sha256::digest(&bytes)),
                text(payload, "sha256"),
                "{name}"
            );
            assert_eq!(
                hex::encode(Sha3_256::digest(&bytes)),
                text(payload, "sha3_256"),
                "{name}"
            );
            (name.to_owned(), bytes)
        })
        .collect()
}

fn keys(all: &Value) -> BTreeMap<String, Vec<u8>> {
    list(all, "keys")
        .iter()
        .map(|key| {
            let bytes = hex::decode(text(key, "key_hex")).unwrap();
            assert_eq!(bytes.len() as u64, key["len"].as_u64().unwrap());
            (text(key, "name").to_owned(), bytes)
        })
        .collect()
}

fn signs_and_verifies(key: &[u8], body: &[u8], vector: &Value) {
    for (encoding, field) in [(Hex, "hex"), (Base64, "base64")] {
        let expected = text(vector, field);
        assert_eq!(hotjar::sign(key, body, encoding).unwrap(), expected);
        assert_eq!(hotjar::verify(key, body, expected, encoding), Ok(()));
    }
}

#[test]
fn hot_31_every_vector_is_signed_and_verified_in_both_encodings() {
    let all = vectors();
    let (keys, payloads) = (keys(&all), payloads(&all));
    assert_eq!(list(&all, "vectors").len(), keys.len() * payloads.len());
    for vector in list(&all, "vectors") {
        let (key, body) = (
            &keys[text(vector, "key")],
            &payloads[text(vector, "payload")],
        );
        signs_and_verifies(key, body, vector);
    }
}

#[test]
fn hot_31_keys_of_every_length_round_the_block_size_are_used_whole() {
    let all = vectors();
    let payloads = payloads(&all);
    for vector in list(&all, "key_edges") {
        signs_and_verifies(
            &counting_key(vector),
            &payloads[text(vector, "payload")],
            vector,
        );
    }
}

#[test]
fn hot_31_the_hmac_is_that_of_the_nist_examples() {
    for vector in list(&vectors(), "nist_hmac_sha3_256") {
        let mac = hmac_sha3_256(
            &counting_key(vector),
            text(vector, "message_utf8").as_bytes(),
        );
        assert_eq!(hex::encode(mac), text(vector, "hex"));
    }
}

#[test]
fn hot_33_hot_34_every_forgery_is_refused() {
    let all = vectors();
    let (keys, payloads) = (keys(&all), payloads(&all));
    for case in list(&all, "must_fail") {
        let body = match case.get("payload_b64") {
            Some(base64) => STANDARD.decode(base64.as_str().unwrap()).unwrap(),
            None => payloads[text(case, "payload")].clone(),
        };
        let given = text(case, "signature_hex");
        let why = text(case, "why");
        let refused = hotjar::verify(&keys[text(case, "key")], &body, given, Hex).unwrap_err();
        match why {
            "empty signature" => assert_eq!(refused, VerifyError::Missing),
            "truncated signature" => assert!(matches!(refused, VerifyError::Malformed { .. })),
            _ => assert_eq!(refused, VerifyError::Mismatch, "{why}"),
        }
    }
}

#[test]
fn hot_33_any_changed_byte_of_body_or_key_changes_the_verdict() {
    let all = vectors();
    let (key, body) = (
        keys(&all)["ascii"].clone(),
        payloads(&all)["hotjar_test_message"].clone(),
    );
    let good = hotjar::sign(&key, &body, Hex).unwrap();
    for i in 0..body.len() {
        let mut changed = body.clone();
        changed[i] ^= 1;
        assert_eq!(
            hotjar::verify(&key, &changed, &good, Hex),
            Err(VerifyError::Mismatch)
        );
    }
    for i in 0..key.len() {
        let mut changed = key.clone();
        changed[i] ^= 1;
        assert_eq!(
            hotjar::verify(&changed, &body, &good, Hex),
            Err(VerifyError::Mismatch)
        );
    }
}

struct Standard {
    secret: String,
    id: String,
    seconds: i64,
    body: Vec<u8>,
    signature: String,
}

fn standard_vectors() -> Vec<Standard> {
    let all = vectors();
    let payloads = payloads(&all);
    list(&all["standard_webhooks_hmac_sha256"], "vectors")
        .iter()
        .map(|vector| Standard {
            secret: text(vector, "secret").to_owned(),
            id: text(vector, "msg_id").to_owned(),
            seconds: vector["timestamp"].as_i64().unwrap(),
            body: match vector.get("payload_utf8") {
                Some(body) => body.as_str().unwrap().as_bytes().to_vec(),
                None => payloads[text(vector, "payload")].clone(),
            },
            signature: text(vector, "signature").to_owned(),
        })
        .collect()
}

impl Standard {
    fn verify(&self, secret: &str, signatures: &str, ms_later: i64) -> Result<(), VerifyError> {
        let now = Timestamp::from_millis(self.seconds * 1000 + ms_later);
        let seconds = self.seconds.to_string();
        standard::verify(secret, &self.id, &seconds, signatures, &self.body, now)
    }
}

#[test]
fn standard_webhooks_every_vector_is_signed_and_verified() {
    for v in standard_vectors() {
        let signed = standard::sign(&v.secret, &v.id, v.seconds, &v.body).unwrap();
        assert_eq!(signed, v.signature);
        assert_eq!(v.verify(&v.secret, &v.signature, 0), Ok(()));
        let bare = v.secret.strip_prefix("whsec_").unwrap();
        assert_eq!(v.verify(bare, &v.signature, 0), Ok(()));
    }
}

#[test]
fn standard_webhooks_tolerate_five_minutes_either_way_and_no_more() {
    let v = &standard_vectors()[0];
    for ms in [-300_000, 300_000] {
        assert_eq!(v.verify(&v.secret, &v.signature, ms), Ok(()), "{ms}");
    }
    let late = v.verify(&v.secret, &v.signature, 301_000);
    assert!(matches!(late, Err(VerifyError::Stale { .. })), "{late:?}");
    let early = v.verify(&v.secret, &v.signature, -301_000);
    assert!(
        matches!(early, Err(VerifyError::Future { .. })),
        "{early:?}"
    );
}

#[test]
fn standard_webhooks_one_right_signature_in_a_list_suffices() {
    let v = &standard_vectors()[0];
    let wrong = format!("v1,{}", STANDARD.encode([0; 32]));
    let good = &v.signature;
    assert_eq!(
        v.verify(&v.secret, &format!("{wrong} v1a,AAAA {good}"), 0),
        Ok(())
    );
    assert_eq!(v.verify(&v.secret, &wrong, 0), Err(VerifyError::Mismatch));
    assert_eq!(v.verify(&v.secret, "", 0), Err(VerifyError::Missing));
    let other_version = good.replace("v1,", "v2,");
    let refused = v.verify(&v.secret, &other_version, 0);
    assert!(
        matches!(refused, Err(VerifyError::Malformed { .. })),
        "{refused:?}"
    );
}

#[test]
fn standard_webhooks_a_secret_is_rotated_by_signing_with_both() {
    let v = &standard_vectors()[0];
    let new = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let both = format!("{new} {}", v.secret);
    let signatures = standard::sign(&both, &v.id, v.seconds, &v.body).unwrap();
    assert_eq!(signatures.split(' ').count(), 2);
    assert_eq!(v.verify(&v.secret, &signatures, 0), Ok(()));
    assert_eq!(v.verify(new, &signatures, 0), Ok(()));
    assert_eq!(v.verify(&both, &v.signature, 0), Ok(()));
}

#[test]
fn a_11_basic_credentials_are_utf_8_and_may_hold_colons_after_the_first() {
    for vector in list(&vectors(), "basic_auth") {
        let (login, password) = (text(vector, "login"), text(vector, "password"));
        let expected = text(vector, "authorization");
        assert_eq!(basic_authorization(login, password), expected);
        assert!(basic_matches(expected, login, password));
    }
}

#[test]
fn hot_31_the_shared_helpers_agree_on_the_two_texts_of_one_signature() {
    for vector in list(&vectors(), "vectors") {
        let from_hex = signature::decode(text(vector, "hex"), Hex).unwrap();
        assert_eq!(
            signature::decode(text(vector, "base64"), Base64).unwrap(),
            from_hex
        );
    }
}
