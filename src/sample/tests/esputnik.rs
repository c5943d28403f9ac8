//! Activities: ESP-11 and ESP-21 to ESP-38.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::{AT, Type, check_fields, is_uuid, names, value};
use crate::sample::esputnik::*;

fn are_strings(value: &Value) -> bool {
    let all = value.as_array();
    all.is_some_and(|all| all.iter().all(Value::is_string))
}

proptest! {
    #[test]
    fn every_activity_has_the_documented_fields_and_only_those(
        seed: u64,
        status in prop::option::of(prop::sample::select(&Status::ALL[..])),
        media in prop::option::of(prop::sample::select(&Media::ALL[..])),
        origin in prop::option::of(prop::sample::select(&[Origin::Broadcast, Origin::Triggered][..])),
        is_test: bool,
        unknown_fields: bool,
    ) {
        let like = Like { status, media, origin, is_test, unknown_fields };
        prop_assume!(like.check().is_ok());
        let activity = value(&Account::new(seed).activity(&like, AT));
        check_activity(&activity, &like);
    }
}

/// ESP-21 to ESP-38.
fn check_activity(activity: &Value, like: &Like) {
    let media = activity["mediaType"].as_str().unwrap();
    let status = activity["activityStatus"].as_str().unwrap();
    let allowed = |name: &str| Media::ALL.iter().any(|media| media.name() == name);
    assert!(allowed(media), "{media}");
    assert!(Status::ALL.iter().any(|known| known.name() == status));
    assert!(like.status.is_none_or(|wanted| wanted.name() == status));
    assert!(like.media.is_none_or(|wanted| wanted.name() == media));
    // ESP-23.
    assert!(status != "SENT" || media == "Mobile Push");
    let is_broadcast = activity.get("broadcastId").is_some();
    assert!(
        like.origin
            .is_none_or(|origin| (origin == Origin::Broadcast) == is_broadcast)
    );
    let integer: Type = Value::is_i64;
    let text: Type = Value::is_string;
    let mut required = vec![
        ("iid", is_uuid as Type),
        ("contactId", integer),
        ("mediaType", text),
        ("activityStatus", text),
        ("messageId", integer),
        ("messageInstanceId", integer),
        ("activityDateTime", |v| v == "2023-06-07T11:13:05"),
        ("statusData", |v| v == &serde_json::json!({})),
    ];
    let mut optional = vec![
        ("externalCustomerId", text),
        ("messageTag", text),
        ("messageLanguageCode", text),
    ];
    match is_broadcast {
        // ESP-35.
        true => required.push(("broadcastId", integer)),
        // ESP-36.
        false => {
            required.extend([
                ("workflowId", integer),
                ("workflowBlockId", text),
                ("workflowInstanceId", text),
                ("sourceEventKey", text),
                ("sourceEventTypeKey", text),
            ]);
            optional.extend([("sourceEventId", integer), ("sourceEventTypeId", integer)]);
        }
    }
    // ESP-30.
    if !like.is_test {
        required.push(("messageName", text));
    }
    // ESP-38.
    if media == "email" {
        required.extend([("viewMessageLink", text), ("email", text)]);
    }
    optional.extend(["sms", "webpush", "mobilepush"].map(|name| (name, text)));
    match status {
        // ESP-24, ESP-25.
        "UNDELIVERED" => {
            required.extend([
                ("statusDescription", text),
                ("hardBounce", Value::is_boolean),
            ]);
        }
        // ESP-26.
        "CLICKED" => required.push(("clickEventLink", text)),
        // ESP-33.
        "UNSUBSCRIBED" | "SUBSCRIPTION_CHANGED" => required.extend([
            ("subscription", are_strings as Type),
            ("subscriptions", are_strings),
        ]),
        _ => {}
    }
    if like.unknown_fields {
        let any: Type = |_| true;
        required.extend(["osName", "scoring", "segmentIds"].map(|name| (name, any)));
    }
    check_fields(activity, &required, false);
    for (name, is_right) in &optional {
        assert!(
            activity.get(name).is_none_or(is_right),
            "{name} in {activity}"
        );
    }
    let known: BTreeSet<_> = required
        .iter()
        .chain(&optional)
        .map(|(name, _)| *name)
        .collect();
    assert!(names(activity).is_subset(&known), "{activity}");
}

#[test]
fn a_long_stream_shows_every_status_media_type_and_question_type() {
    let mut account = Account::new(7);
    let mut pairs = BTreeSet::new();
    for _ in 0..4000 {
        let activity = value(&account.activity(&Like::default(), AT));
        let word = |name: &str| activity[name].as_str().unwrap().to_owned();
        pairs.insert((word("activityStatus"), word("mediaType")));
    }
    // SENT with one media type (ESP-23), the other seven with all nine.
    assert_eq!(pairs.len(), 1 + 7 * 9);
}

#[test]
fn esp_11_a_sequence_is_one_message_delivered_read_and_clicked_in_this_order() {
    for seed in 0..50 {
        let like = Like::default();
        let all = Account::new(seed)
            .sequence(&like, AT)
            .map(|activity| value(&activity));
        let each = |name: &str| all.each_ref().map(|activity| activity[name].clone());
        assert_eq!(each("activityStatus"), ["DELIVERED", "READ", "CLICKED"]);
        let times = each("activityDateTime").map(|time| time.as_str().unwrap().to_owned());
        assert!(times.is_sorted() && times[0] < times[1] && times[1] < times[2]);
        assert_eq!(times[2], "2023-06-07T11:13:05");
        let mut rest = all.clone().map(|mut activity| {
            for changing in ["activityStatus", "activityDateTime", "clickEventLink"] {
                activity.as_object_mut().unwrap().remove(changing);
            }
            activity
        });
        rest.sort_by_key(Value::to_string);
        assert_eq!(rest[0], rest[2]);
        assert!(all[2]["clickEventLink"].is_string() && all[1].get("clickEventLink").is_none());
    }
}

#[test]
fn a_bulk_body_is_an_array_of_one_broadcast_with_different_contacts() {
    let bulk = value(&Account::new(3).bulk(&Like::default(), 20, AT));
    let all = bulk.as_array().unwrap();
    assert_eq!(all.len(), 20);
    assert!(
        all.iter()
            .all(|activity| activity["broadcastId"] == all[0]["broadcastId"])
    );
    let iids: BTreeSet<_> = all
        .iter()
        .map(|activity| activity["iid"].as_str())
        .collect();
    assert_eq!(iids.len(), 20);
    let known = all
        .iter()
        .filter(|activity| activity.get("externalCustomerId").is_some());
    // ESP-37: left out where it is unknown, and never null.
    assert!((1..20).contains(&known.count()));
    assert!(
        all.iter()
            .all(|activity| activity.get("externalCustomerId") != Some(&Value::Null))
    );
}

#[test]
fn esp_23_sent_by_anything_but_mobile_push_is_refused() {
    let like = |media| Like {
        status: Some(Status::Sent),
        media,
        ..Like::default()
    };
    assert_eq!(
        like(Some(Media::Email)).check().unwrap_err().to_string(),
        "SENT occurs with \"Mobile Push\" only, not with \"email\" (ESP-23)"
    );
    assert!(like(Some(Media::MobilePush)).check().is_ok());
    let activity = value(&Account::new(1).activity(&like(None), AT));
    assert_eq!(activity["mediaType"], "Mobile Push");
}
