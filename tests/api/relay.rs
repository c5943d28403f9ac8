//! `/in/{source}` where the store has no room, or no time.

use std::time::Duration;

use redeliver::inbound::relay::access::Access;
use redeliver::inbound::relay::esputnik::Esputnik;
use redeliver::inbound::relay::source::{Kind, Source};
use redeliver::store::{Options, Store};
use serde_json::{Value, json};

use crate::harness::{Api, Setup};

/// A source of raw bodies and one of activities, which ask for nothing.
fn setup() -> Setup {
    let source = |name: &str, kind| Source {
        name: name.to_owned(),
        kind,
    };
    let esputnik = Esputnik {
        split: true,
        ..Esputnik::default()
    };
    Setup {
        sources: vec![
            source("raw", Kind::Raw(Access::default())),
            source("mails", Kind::Esputnik(esputnik)),
        ],
        ..Setup::default()
    }
}

async fn refused(api: &Api, name: &str) -> Value {
    let sources = api.get("/v1/sources").await.expect(200);
    let mut all = sources["data"].as_array().unwrap().iter();
    all.find(|source| source["name"] == name).unwrap()["refused"].clone()
}

async fn uncommitted(api: &Api, count: usize) {
    let waits = async {
        while api.store.depth().uncommitted < count {
            tokio::task::yield_now().await;
        }
    };
    let waits = tokio::time::timeout(std::time::Duration::from_secs(10), waits);
    assert!(waits.await.is_ok(), "they never came");
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_on_disk_and_a_full_queue_asks_to_come_again() {
    let api = Api::with(Setup {
        options: Options {
            queue_max_events: 1,
            ..Options::default()
        },
        committing: false,
        ..setup()
    })
    .await;
    let list = r#"[{"activityStatus":"READ"},{"activityStatus":"SPAM"}]"#;
    let mut first = std::pin::pin!(api.post("/in/mails", list));
    let second = tokio::select! {
        biased;
        answer = &mut first => panic!("nothing is on disk yet: {answer:?}"),
        second = async {
            uncommitted(&api, 2).await;
            api.send("POST", "/in/raw", &[], b"x").await
        } => second,
    };
    second.problem(503);
    assert_eq!(second.header("retry-after"), Some("1"));
    api.store.commit().unwrap();
    let first = first.await.expect(200);
    assert_eq!(first["events"].as_array().unwrap().len(), 2);
    assert_eq!(refused(&api, "raw").await, json!({"unavailable": 1}));
}

#[tokio::test]
async fn a_server_that_drains_takes_nothing_and_says_so_to_a_check_too() {
    let api = Api::with(setup()).await;
    api.get("/in/mails").await.expect(200);
    api.draining.send_replace(true);
    let post = api.send("POST", "/in/raw", &[], b"x").await;
    assert!(post.problem(503).contains("shutting down"));
    api.get("/in/mails").await.problem(503);
    for name in ["raw", "mails"] {
        assert_eq!(refused(&api, name).await, json!({"unavailable": 1}));
    }
}

#[tokio::test]
async fn a_store_that_has_stopped_takes_nothing_from_any_source() {
    let api = Api::with(setup()).await;
    api.store.backend().fail_writes_after(0);
    for _ in 0..2 {
        api.send("POST", "/in/raw", &[], b"x").await.problem(503);
    }
    assert_eq!(refused(&api, "raw").await, json!({"unavailable": 2}));
}

#[tokio::test]
async fn a_body_that_is_late_or_too_large_is_refused_as_everywhere_and_counted() {
    let mut setup = setup();
    setup.limits.body_timeout = Duration::from_millis(300);
    let api = Api::with(setup).await;
    let large = vec![b'x'; 64 * 1024 + 1];
    api.send("POST", "/in/raw", &[], &large).await.problem(413);
    let late = api
        .raw(b"POST /in/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        .await;
    assert!(late.starts_with("HTTP/1.1 408 "), "{late}");
    let counted = json!({"too_large": 1, "too_slow": 1});
    assert_eq!(refused(&api, "raw").await, counted);
}

#[tokio::test]
async fn many_events_of_one_request_have_places_next_to_each_other() {
    let api = Api::with(setup()).await;
    let activities: Vec<_> = (0..1000)
        .map(|n| json!({"iid": n.to_string(), "activityStatus": "READ"}))
        .collect();
    let list = json!(activities).to_string();
    assert!(list.len() < 64 * 1024);
    for duplicate in [false, true] {
        let answer = api.post("/in/mails", &list).await.expect(200);
        let events = answer["events"].as_array().unwrap();
        for (event, seq) in events.iter().zip(1..) {
            assert_eq!(
                (&event["seq"], &event["duplicate"]),
                (&json!(seq), &json!(duplicate))
            );
        }
        assert_eq!(events.len(), 1000);
    }
}

#[tokio::test]
async fn an_open_source_takes_web_pages_and_other_names_only_where_strangers_are_let_in() {
    for (on_loopback, status) in [(true, 403), (false, 200)] {
        let api = Api::with(Setup {
            on_loopback,
            ..setup()
        })
        .await;
        for header in [("Sec-Fetch-Site", "cross-site"), ("Host", "hooks.example")] {
            let answer = api.send("POST", "/in/raw", &[header], b"x").await;
            answer.expect(status);
            let check = api.send("GET", "/in/mails", &[header], b"").await;
            assert_eq!(check.status, status);
        }
        if on_loopback {
            let named = api.send("POST", "/in/mails", &[("Host", "a.example")], b"x");
            let detail = named.await.problem(403);
            assert!(detail.ends_with("set basic_auth"), "{detail}");
            assert_eq!(refused(&api, "raw").await, json!({"foreign_page": 2}));
        }
    }
}
