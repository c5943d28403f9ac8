//! Answers as the vendor sends them, and as it should not.

use super::*;

#[test]
fn zrt_25_a_live_count_is_read_by_any_of_its_names_and_missing_is_nobody() {
    for (body, expected) in [
        (r#"{"visitors":42}"#, Ok(42)),
        (
            r#" {"timestamp":"x","count":3,"liveCount":2,"visitors":1}"#,
            Ok(1),
        ),
        (r#"{"visitors":null,"liveCount":2}"#, Ok(2)),
        (r#"{"count":3}"#, Ok(3)),
        (r#"{"visitors":null}"#, Ok(0)),
        ("{}", Ok(0)),
        (r#"{"visitors":"7"}"#, Err(Unusable::Missing("count"))),
        (r#"{"visitors":-1}"#, Err(Unusable::Missing("count"))),
        ("[1,2,3]", Err(Unusable::Json)),
        ("<html>", Err(Unusable::Json)),
        ("", Err(Unusable::Json)),
    ] {
        assert_eq!(live(body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn zrt_10_data_counts_only_where_success_is_true() {
    let said = |body: &'static str| summary(body.as_bytes()).map(RawValue::get);
    let good = r#"{"success":true,"data":{"summary":{"total_visitors": 1}}}"#;
    assert_eq!(said(good), Ok(r#"{"total_visitors": 1}"#));
    for (body, expected) in [
        (r#"{"data":{"summary":{}}}"#, Unusable::NoSuccess(None)),
        (
            r#"{"success":false,"data":{"summary":{}}}"#,
            Unusable::NoSuccess(None),
        ),
        (
            r#"{"success":"true","data":{"summary":{}}}"#,
            Unusable::NoSuccess(None),
        ),
        (
            r#"{"success":false,"error":{"message":"m","code":"UNAUTHORIZED"}}"#,
            Unusable::NoSuccess(Some("UNAUTHORIZED".into())),
        ),
        (
            r#"{"success":false,"error":{"code":"zv_echo"}}"#,
            Unusable::NoSuccess(None),
        ),
        (r#"{"success":true}"#, Unusable::Missing("data")),
        (r#"{"success":true,"data":[]}"#, Unusable::Json),
        (
            r#"{"success":true,"data":{"summary":null}}"#,
            Unusable::Missing("summary"),
        ),
    ] {
        assert_eq!(said(body), Err(expected), "{body}");
    }
}

#[test]
fn zrt_40_zrt_41_a_visit_needs_no_more_than_an_id_and_keeps_its_bytes() {
    let body = br#"{"success":true,"data":{"visitors":[{ "id" : "v1", "visited_at":"T" },{"id":7},{"x":1},5],"pagination":{"has_more":true}}}"#;
    let read = visits(body).unwrap();
    let told = read.visits.iter().map(|visit| {
        (
            visit.id.as_str(),
            visit.visited_at.as_str(),
            visit.item.get(),
        )
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("v1", "T", r#"{ "id" : "v1", "visited_at":"T" }"#),
            ("7", "", r#"{"id":7}"#)
        ]
    );
    assert_eq!((read.items, read.has_more), (4, Some(true)));
}

#[test]
fn zrt_28_a_group_is_known_by_its_id_or_fingerprint_and_changes_by_count_and_status() {
    let read = |item: &str| {
        let body = format!(r#"{{"success":true,"data":{{"error_groups":[{item}]}}}}"#);
        let groups = groups(body.as_bytes()).unwrap();
        let told = groups
            .iter()
            .map(|group| (group.id.clone(), group.state.clone()));
        told.collect::<Vec<_>>()
    };
    let one = read(r#"{"id":"e","fingerprint":"f","occurrence_count":1,"status":"open","a":1}"#);
    assert_eq!(one[0].0, "e");
    assert_eq!(
        one,
        read(r#"{"status":"open","occurrence_count":1,"id":"e"}"#)
    );
    assert_ne!(
        one,
        read(r#"{"id":"e","occurrence_count":2,"status":"open"}"#)
    );
    assert_ne!(
        one,
        read(r#"{"id":"e","occurrence_count":1,"status":"ignored"}"#)
    );
    assert_eq!(read(r#"{"id":null,"fingerprint":"f"}"#)[0].0, "f");
    assert_eq!(read(r#"{"message":"m"}"#), []);
}

#[test]
fn equal_values_are_the_same_text_in_whatever_order_their_members_are() {
    let text = |text: &str| canonical(serde_json::from_str(text).unwrap());
    assert_eq!(text(r#"{"b":1, "a":[2]}"#), text(r#"{"a":[2],"b":1}"#));
    assert_ne!(text(r#"{"a":1}"#), text(r#"{"a":2}"#));
}

#[test]
fn x_10_x_12_no_more_is_taken_of_an_answer_than_the_vendor_would_send() {
    let many = (0..1500).map(|id| format!(r#"{{"id":{id}}}"#));
    let many = many.collect::<Vec<_>>().join(",");
    let list = |name: &str, items: &str| {
        format!(r#"{{"success":true,"data":{{"{name}":[{items}]}}}}"#).into_bytes()
    };
    let body = list("visitors", &many);
    let read = visits(&body).unwrap();
    let taken = (read.items, read.visits.len(), read.has_more);
    assert_eq!(taken, (1000, 1000, Some(true)));
    assert_eq!(groups(&list("error_groups", &many)).unwrap().len(), 1000);
    let large = format!(r#"{{"id":1,"x":"{}"}}"#, "x".repeat(ITEM_MAX_BYTES));
    let body = list("visitors", &format!(r#"{large},{{"id":2}}"#));
    let read = visits(&body).unwrap();
    assert_eq!((read.items, read.visits.len(), read.has_more), (2, 1, None));
    let body = format!(r#"{{"success":true,"data":{{"summary":{large}}}}}"#);
    let refused = summary(body.as_bytes()).err();
    assert_eq!(refused, Some(Unusable::TooLarge("summary")));
}
