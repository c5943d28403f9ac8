//! Keys and tokens that are replaced: on the way out with both signatures for a while, on the way in with both
//! accepted.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../process/mod.rs"]
mod process;
mod tokens;

use process::broker::{Broker, Site};
use process::eventually;
use process::receiver::{Receiver, Seen};
use redeliver::endpoint::TextEncoding;
use redeliver::vendor::{hotjar, standard};
use serde_json::{Value, json};

const OLD: &str = "whsec_b2xkLWtleS1vbGQta2V5LW9sZC1rZXkh";
const NEW: &str = "whsec_bmV3LWtleS1uZXcta2V5LW5ldy1rZXkh";

/// The next delivery of a new event.
#[track_caller]
fn next(broker: &Broker, receiver: &Receiver) -> Seen {
    let before = receiver.posts().len();
    broker.event("order.paid", &json!({}));
    eventually("the event arrives", || {
        receiver.posts().get(before).cloned()
    })
}

fn is_signed_with(seen: &Seen, key: &str) -> bool {
    let header = |name| seen.header(name);
    let signatures = header(standard::SIGNATURE_HEADER);
    standard::verify_signature(
        key,
        header(standard::ID_HEADER),
        header(standard::TIMESTAMP_HEADER),
        signatures,
        &seen.body,
    )
    .is_ok()
}

fn endpoint(broker: &Broker, receiver: &Receiver, policy: &str, key: &str) {
    let body = json!({
        "name": "crm", "url": receiver.url(), "policy": policy, "signing_key": key,
        "allow_http": true,
    });
    broker.post("/v1/endpoints", &body);
}

fn rotate(broker: &Broker, body: Value) -> process::http::Answer {
    broker.call("POST", "/v1/endpoints/crm/rotate-key", &body)
}

#[test]
fn both_keys_sign_until_the_overlap_ends_by_the_brokers_clock() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let broker = site.start(&["--clock", "manual"]);
    endpoint(&broker, &receiver, "standard", OLD);
    let before = broker.endpoint("crm");
    assert!(before["key_rotated_at"].is_null() && before["previous_key_until"].is_null());
    let rotated = rotate(&broker, json!({"signing_key": NEW, "overlap": "24h"})).json();
    let now = broker.get("/v1/clock")["now"].clone();
    assert_eq!(rotated["key_rotated_at"], now);
    let until = rotated["previous_key_until"].as_str().unwrap().to_owned();
    assert!(until.as_str() > now.as_str().unwrap());
    let seen = next(&broker, &receiver);
    let signatures = seen.header(standard::SIGNATURE_HEADER).split(' ').count();
    assert_eq!(signatures, 2);
    assert!(is_signed_with(&seen, NEW) && is_signed_with(&seen, OLD));
    // A change of something else, and a restart, leave it as it is.
    broker.call("PATCH", "/v1/endpoints/crm", &json!({"concurrency": 2}));
    assert!(broker.kill());
    let broker = site.start(&["--clock", "manual"]);
    assert_eq!(broker.endpoint("crm")["previous_key_until"], until.as_str());
    assert!(is_signed_with(&next(&broker, &receiver), OLD));
    broker.advance("23h50m");
    assert!(is_signed_with(&next(&broker, &receiver), OLD));
    broker.advance("20m");
    let seen = next(&broker, &receiver);
    assert!(is_signed_with(&seen, NEW) && !is_signed_with(&seen, OLD));
    assert!(!seen.header(standard::SIGNATURE_HEADER).contains(' '));
    broker.stop();
}

#[test]
fn without_an_overlap_the_key_before_counts_no_longer() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    endpoint(&broker, &receiver, "standard", OLD);
    let rotated = rotate(&broker, json!({"signing_key": NEW})).json();
    assert!(rotated["key_rotated_at"].is_string() && rotated["previous_key_until"].is_null());
    let seen = next(&broker, &receiver);
    assert!(is_signed_with(&seen, NEW) && !is_signed_with(&seen, OLD));
}

#[test]
fn a_header_for_one_signature_takes_no_overlap_and_the_key_stays() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    endpoint(&broker, &receiver, "hotjar", "old");
    let refused = rotate(&broker, json!({"signing_key": "new", "overlap": "1h"}));
    let detail = refused.problem(422);
    assert!(detail.contains("room for one signature"), "{detail}");
    let is_signed = |seen: &Seen, key: &[u8]| {
        let signature = seen.header(hotjar::SIGNATURE_HEADER);
        hotjar::verify(key, &seen.body, signature, TextEncoding::Hex).is_ok()
    };
    assert!(is_signed(&next(&broker, &receiver), b"old"));
    assert_eq!(rotate(&broker, json!({"signing_key": "new"})).status, 200);
    assert!(is_signed(&next(&broker, &receiver), b"new"));
}

#[test]
fn an_overlap_that_is_none_is_refused_with_its_mend() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    endpoint(&broker, &receiver, "standard", OLD);
    for wrong in [json!(24), json!("soon"), json!("24"), json!("91d")] {
        let refused = rotate(&broker, json!({"signing_key": NEW, "overlap": wrong}));
        refused.problem(422);
        let errors = refused.json()["errors"].clone();
        assert_eq!(errors[0]["at"], "/overlap", "{errors}");
    }
    assert!(is_signed_with(&next(&broker, &receiver), OLD));
}

#[test]
fn the_command_line_rotates_with_an_overlap() {
    let mut site = Site::new();
    site.set_env("NEW_KEY", NEW);
    let receiver = Receiver::always(200);
    let broker = site.start(&[]);
    endpoint(&broker, &receiver, "standard", OLD);
    let url = format!("http://{}", broker.address);
    let key = ["--signing-key", "env:NEW_KEY", "--overlap", "2d"];
    let rotate = ["endpoint", "rotate-key", "crm", "--server", &url];
    let ran = site.run(&[&rotate[..], &key].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(is_signed_with(&next(&broker, &receiver), OLD));
}

#[test]
fn sources_accept_the_keys_before_as_well_and_no_other() {
    let mut site = Site::new();
    for (name, key) in [
        ("H_NEW", "new"),
        ("H_OLD", "old"),
        ("S_NEW", NEW),
        ("S_OLD", OLD),
    ] {
        site.set_env(name, key);
    }
    site.configure(
        "[[source]]\nname = \"surveys\"\nkind = \"hotjar\"\nkey = \"env:H_NEW\"\n\
         previous_keys = [\"env:H_OLD\"]\nmax_age = \"off\"\n\
         [[source]]\nname = \"hooks\"\nkind = \"standard\"\nkey = \"env:S_NEW\"\n\
         previous_keys = [\"env:S_OLD\"]\nmax_age = \"off\"\n",
    );
    let broker = site.start(&[]);
    let body = br#"{"event": "survey_response", "version": 1, "timestamp": 1, "data": {"id": 1}}"#;
    for (key, status) in [("new", 200), ("old", 200), ("older", 401)] {
        let signature = hotjar::sign(key.as_bytes(), body, TextEncoding::Hex).unwrap();
        let headers = [
            ("content-type", "application/json"),
            (hotjar::SIGNATURE_HEADER, &signature),
        ];
        let answer = broker.send("POST", "/in/surveys", &headers, body);
        assert_eq!(answer.status, status, "{key}: {}", answer.text());
    }
    let older = "whsec_b2xkZXIta2V5LW9sZGVyLWtleS0hIQ==";
    for (id, key, status) in [("1", NEW, 200), ("2", OLD, 200), ("3", older, 401)] {
        let signature = standard::sign(key, id, 1000, body).unwrap();
        let headers = [
            ("content-type", "application/json"),
            (standard::ID_HEADER, id),
            (standard::TIMESTAMP_HEADER, "1000"),
            (standard::SIGNATURE_HEADER, &signature),
        ];
        let answer = broker.send("POST", "/in/hooks", &headers, body);
        assert_eq!(answer.status, status, "{key}: {}", answer.text());
    }
}

#[test]
fn a_key_of_the_file_is_rotated_there_with_both_keys_in_its_file_for_a_while() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let keys = |text: &str| std::fs::write(site.path("crm.key"), text).unwrap();
    keys(OLD);
    site.configure(&format!(
        "[[endpoint]]\nname = \"crm\"\nurl = \"{}\"\npolicy = \"standard\"\nsigning_key = \"file:crm.key\"\nallow_http = true\n",
        receiver.url()
    ));
    let broker = site.start(&[]);
    let reload = || {
        let said = || {
            site.log()
                .matches("the configuration was read again")
                .count()
        };
        let before = said();
        broker.signal("HUP");
        eventually("the reload", || (said() > before).then_some(()));
    };
    let signs = |new: bool, old: bool| {
        let seen = next(&broker, &receiver);
        let signed = (is_signed_with(&seen, NEW), is_signed_with(&seen, OLD));
        assert_eq!(signed, (new, old));
    };
    signs(false, true);
    keys(&format!("{NEW}\n{OLD}\n"));
    reload();
    signs(true, true);
    keys(&format!("{NEW}\n"));
    reload();
    signs(true, false);
    assert!(
        site.log().contains("changed=\"signing_key\""),
        "{}",
        site.log()
    );
    for key in [OLD, NEW] {
        assert!(!site.log().contains(key), "{}", site.log());
    }
    broker.stop();
}
