//! What holds for every vendor's requests.

mod shapes;
mod tampered;

use super::*;
use crate::endpoint::{BasicAuth, Check, Filter, FilterOn, Origin, TimestampMode};
use crate::id::EventId;
use crate::secret::Secret;

const RECEIVED: Timestamp = Timestamp::from_millis(1_700_000_000_250);

fn settings(profile: Profile, key: Option<&str>) -> EndpointSettings {
    EndpointSettings {
        name: "crm".into(),
        url: "https://example.com/hook".into(),
        policy: "any".into(),
        order: Order::Independent,
        filter: Filter::all(FilterOn::Kind),
        concurrency: 8,
        timeout: None,
        basic_auth: None,
        headers: vec![],
        signing_key: key.map(Secret::new),
        key_encoding: profile.default_key_encoding(),
        signature_encoding: profile.default_signature_encoding(),
        timestamp_mode: TimestampMode::PerAttempt,
        allow_http: false,
        drop_while_inactive: false,
        ca_pem: None,
        check: Check::Off,
        origin: Origin::Api,
        rotation: None,
    }
}

fn event(kind: &str, form: Form, body: &str) -> Event {
    Event {
        id: EventId::new(RECEIVED, 7, 1),
        seq: 7,
        received_at: RECEIVED,
        content: NewEvent {
            kind: kind.into(),
            form,
            body: Bytes::copy_from_slice(body.as_bytes()),
            time: Some(Timestamp::from_millis(1_600_000_000_000)),
            ..sample("", None, "")
        },
    }
}

fn at(seconds_later: i64) -> Timestamp {
    Timestamp::from_millis(RECEIVED.as_millis() + seconds_later * 1000)
}

fn text(outbound: &Outbound) -> &str {
    std::str::from_utf8(&outbound.body).unwrap()
}

const ODD: &str = r#"{ "b":1.10, "a":1e400,"n":12345678901234567890,"u":"\u00e9é" }"#;

#[test]
fn a_03_a_relayed_body_goes_out_unchanged_under_every_profile_and_is_signed() {
    let body = "{\"event\":\"x\",\r\n \"timestamp\": 473385600}\n";
    let mut relayed = event("x", Form::Relayed, body);
    relayed.content.content_type = "application/json; charset=utf-8".into();
    for (profile, key, header) in [
        (Profile::Hotjar, "key", "com-hotjar-signature"),
        (Profile::Esputnik, "key", "redeliver-signature"),
        (Profile::Standard, "whsec_a2V5", "webhook-signature"),
    ] {
        let out = profile
            .request(&relayed, &settings(profile, Some(key)), at(900))
            .unwrap();
        assert_eq!(text(&out), body);
        assert_eq!(&*out.content_type, "application/json; charset=utf-8");
        assert!(
            out.headers.iter().any(|(name, _)| *name == header),
            "{profile:?}"
        );
    }
}

#[test]
fn a_05_a_media_type_that_could_break_a_header_is_replaced() {
    let long = "x".repeat(257);
    for given in [
        "",
        "text/plain\r\nx: y",
        "text/plain\0",
        "tëxt/plain",
        long.as_str(),
    ] {
        let mut relayed = event("x", Form::Relayed, "b");
        relayed.content.content_type = given.into();
        let out = Profile::Hotjar
            .request(&relayed, &settings(Profile::Hotjar, None), at(0))
            .unwrap();
        assert_eq!(&*out.content_type, "application/octet-stream", "{given:?}");
    }
}

#[test]
fn a_hostile_type_is_escaped_in_the_body_and_reaches_no_header() {
    let hostile = "x\",\"version\":2,\r\nset-cookie: a\u{0}";
    for profile in [Profile::Hotjar, Profile::Standard] {
        let out = profile
            .request(
                &event(hostile, Form::Data, "{}"),
                &settings(profile, Some("a2V5")),
                at(0),
            )
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out.body).unwrap();
        let key = if profile == Profile::Hotjar {
            "event"
        } else {
            "type"
        };
        assert_eq!(json[key], hostile);
        assert_ne!(json["version"], 2);
        for (_, value) in &out.headers {
            assert!(
                value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()),
                "{value:?}"
            );
        }
    }
}

#[test]
fn esp_04_basic_credentials_are_sent_under_every_profile_and_only_when_set() {
    for profile in [Profile::Hotjar, Profile::Esputnik, Profile::Standard] {
        let mut settings = settings(profile, None);
        let event = event("x", Form::Data, "{}");
        let plain = profile.request(&event, &settings, at(0)).unwrap();
        assert!(
            plain
                .headers
                .iter()
                .all(|(name, _)| *name != "authorization")
        );
        settings.basic_auth = Some(BasicAuth {
            user: "hook".into(),
            password: Secret::new("s3cret"),
        });
        let out = profile.request(&event, &settings, at(0)).unwrap();
        assert!(
            out.headers
                .contains(&("authorization", "Basic aG9vazpzM2NyZXQ=".into()))
        );
    }
}

#[test]
fn a_key_that_cannot_sign_is_refused_when_the_endpoint_is_saved() {
    let check = |profile: Profile, key, change: fn(&mut EndpointSettings)| {
        let mut settings = settings(profile, key);
        change(&mut settings);
        profile.check_key(&settings)
    };
    for profile in [Profile::Hotjar, Profile::Esputnik, Profile::Standard] {
        assert_eq!(check(profile, None, |_| ()), Ok(()));
        assert_eq!(check(profile, Some("a2V5"), |_| ()), Ok(()));
        assert_eq!(check(profile, Some(""), |_| ()), Err(KeyError::Empty));
        let colon = |s: &mut EndpointSettings| {
            s.basic_auth = Some(BasicAuth {
                user: "a:b".into(),
                password: Secret::new(""),
            });
        };
        assert_eq!(check(profile, None, colon), Err(KeyError::ColonInUser));
    }
    let utf8 = |s: &mut EndpointSettings| s.signature_encoding = TextEncoding::Utf8;
    assert_eq!(
        check(Profile::Hotjar, None, utf8),
        Err(KeyError::SignatureEncoding)
    );
    let hex = |s: &mut EndpointSettings| s.key_encoding = TextEncoding::Hex;
    assert_eq!(
        check(Profile::Hotjar, Some("xyz"), hex),
        Err(KeyError::NotHex)
    );
    assert_eq!(
        check(Profile::Standard, Some("whsec_not base64!"), |_| ()),
        Err(KeyError::NotStandardSecret)
    );
    assert_eq!(
        check(Profile::Standard, Some("whsec_"), |_| ()),
        Err(KeyError::Empty)
    );
}

#[test]
fn every_vendors_test_message_is_a_whole_request() {
    for profile in [Profile::Hotjar, Profile::Esputnik, Profile::Standard] {
        let mut event = event("", Form::Data, "");
        event.content = profile.test_event();
        let out = profile
            .request(&event, &settings(profile, None), at(0))
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out.body).unwrap();
        match profile {
            // HOT-58
            Profile::Hotjar => assert_eq!(
                text(&out),
                r#"{"event":"test_message","version":1,"timestamp":1700000000,"data":{"sample":"data"}}"#
            ),
            // ESP-30
            Profile::Esputnik => {
                assert_eq!(json[0]["activityStatus"], "DELIVERED");
                assert!(json[0].get("messageName").is_none());
                assert_eq!(
                    event.content.status.as_deref(),
                    esputnik::activity_status(&event.content.body).as_deref()
                );
            }
            Profile::Standard => assert_eq!(json["type"], "test"),
        }
    }
}

#[test]
fn only_the_vendors_own_policies_have_the_vendors_profile() {
    assert_eq!(Profile::of("hotjar"), Profile::Hotjar);
    assert_eq!(Profile::of("esputnik"), Profile::Esputnik);
    for name in ["standard", "mine", "", "Hotjar"] {
        assert_eq!(Profile::of(name), Profile::Standard);
    }
    let policies = builtin_policies();
    assert_eq!(
        policies.names().collect::<Vec<_>>(),
        ["esputnik", "hotjar", "standard"]
    );
    assert_eq!(Profile::default_concurrency(Order::InOrder), 1);
}
