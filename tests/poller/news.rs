//! What becomes an event, and what does not.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::vendor::{
    GROUPS_PATH, KEY, KEYED, LIVE, LIVE_PATH, OVERVIEW_PATH, Said, VISITORS_PATH, Vendor, list,
    quiet, shown, start, told, visit,
};

#[test]
fn zrt_25_the_live_count_is_told_when_it_changes_with_what_it_was() {
    let counts = [
        json!({"visitors": 3}),
        json!({"liveCount": 3}),
        json!({"count": 4}),
        json!({}),
    ];
    let mut counts = counts.into_iter();
    let vendor = Vendor::start(move |_| Said::json(&counts.next().unwrap()));
    let site = vendor.site(LIVE);
    let broker = start(&site);
    broker.advance("30s");
    assert_eq!(
        told(&broker, "zenovay.live"),
        [
            json!({"visitors": 3, "previous": null}),
            json!({"visitors": 4, "previous": 3}),
            json!({"visitors": 0, "previous": 4}),
        ]
    );
    let asked = vendor.asked();
    assert!(
        asked
            .iter()
            .all(|asked| asked.header("x-api-key").is_none()),
        "ZRT-03"
    );
    broker.stop();
}

#[test]
fn zrt_09_zrt_11_the_summary_is_told_as_it_was_sent_when_it_changes() {
    let vendor = Vendor::start(|asked| match &*asked.path {
        OVERVIEW_PATH => Said::text(
            200,
            r#"{"success":true,"data":{"daily_stats":[],"summary":{ "total_visitors":1.50, "total_page_views":2 }}}"#,
        ),
        _ => quiet(asked),
    });
    let site = vendor.site(KEYED);
    let broker = start(&site);
    vendor.now(|asked| match &*asked.path {
        OVERVIEW_PATH => Said::data(
            &json!({"summary": {"total_page_views": 2, "total_visitors": 1.5}, "daily_stats": [1]}),
        ),
        _ => quiet(asked),
    });
    broker.advance("1m");
    assert_eq!(vendor.count(OVERVIEW_PATH), 2);
    let events = broker.list("/v1/events?type=zenovay.analytics&limit=10");
    assert_eq!(events.len(), 1, "only the order of its members has changed");
    let id = events[0]["id"].as_str().unwrap();
    let event = broker.send("GET", &format!("/v1/events/{id}"), &[], b"");
    let sent = r#"{ "total_visitors":1.50, "total_page_views":2 }"#;
    assert!(event.text().contains(sent), "{}", event.text());
    for asked in vendor.asked() {
        assert_eq!(asked.header("x-api-key"), Some(KEY), "ZSS-02");
    }
    broker.stop();
}

#[test]
fn zrt_42_x_10_every_visit_of_every_page_is_told_once_the_oldest_first() {
    let visits: Arc<Mutex<Vec<Value>>> = Arc::new(Mutex::new((0..250).map(visit).collect()));
    let shared = visits.clone();
    let vendor = Vendor::start(move |asked| match &*asked.path {
        VISITORS_PATH => {
            let mut visits = shared.lock().unwrap();
            let said = list(asked, &visits);
            // Somebody comes while the list is read, and moves it on.
            let number = visits.len();
            if number < 255 {
                visits.push(visit(number));
            }
            said
        }
        _ => quiet(asked),
    });
    let site = vendor.site(KEYED);
    let broker = start(&site);
    let offsets = |vendor: &Vendor| {
        let asked = vendor.asked().into_iter();
        let lists = asked.filter(|asked| asked.path == VISITORS_PATH);
        lists
            .map(|asked| asked.number("offset"))
            .collect::<Vec<_>>()
    };
    assert_eq!(offsets(&vendor), [0, 100, 200]);
    assert_eq!(told(&broker, "zenovay.visitor").len(), 250);
    broker.advance("5m");
    let all = visits.lock().unwrap().clone();
    assert_eq!(told(&broker, "zenovay.visitor"), all);
    let first = &broker.list("/v1/events?type=zenovay.visitor&order=asc&limit=500")[0];
    assert_eq!(first["subject"], "v0");
    assert_eq!(first["time"], all[0]["visited_at"]);
    assert_eq!(shown(&broker)["accepted"], 255 + 1, "with one summary");
    broker.stop();
}

#[test]
fn zrt_28_an_error_group_is_told_when_it_is_new_and_when_its_count_or_status_changes() {
    let vendor = Vendor::start(quiet);
    let site = vendor.site(KEYED);
    let broker = start(&site);
    let group = |count: u32, status: &str, users: u32| {
        json!({
            "id": "eg_1", "message": "m", "type": "TypeError", "status": status,
            "occurrence_count": count, "affected_users_count": users,
        })
    };
    let steps = [
        group(1, "unresolved", 1),
        group(1, "unresolved", 2),
        group(2, "unresolved", 2),
        group(2, "resolved", 2),
    ];
    for step in steps.clone() {
        vendor.now(move |asked| match &*asked.path {
            GROUPS_PATH => Said::data(&json!({"error_groups": [step]})),
            _ => quiet(asked),
        });
        broker.advance("5m");
    }
    let [first, _, third, fourth] = steps;
    assert_eq!(told(&broker, "zenovay.error_group"), [first, third, fourth]);
    let events = broker.list("/v1/events?type=zenovay.error_group&limit=10");
    assert!(events.iter().all(|event| event["subject"] == "eg_1"));
    broker.stop();
}

#[test]
fn what_is_polled_goes_out_before_an_advance_is_answered() {
    use crate::process::receiver::Receiver;
    let vendor = Vendor::start(|_| Said::json(&json!({"visitors": 1})));
    let receiver = Receiver::always(200);
    let site = vendor.site(LIVE);
    let broker = start(&site);
    let endpoint = json!({"name": "e", "url": receiver.url(), "policy": "standard"});
    broker.post("/v1/endpoints", &endpoint);
    vendor.now(|_| Said::json(&json!({"visitors": 2})));
    broker.advance("10s");
    let posts = receiver.posts();
    assert_eq!((posts.len(), vendor.count(LIVE_PATH)), (1, 2));
    assert_eq!(
        posts[0].json()["data"],
        json!({"visitors": 2, "previous": 1})
    );
    assert_eq!(posts[0].json()["type"], "zenovay.live");
    broker.stop();
}
