//! SIGHUP: the configuration read again while the broker runs.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::receiver::{Receiver, Reply};

pub const TAKEN: &str = "the configuration was read again";
pub const REFUSED: &str = "the configuration was not taken";

/// Has the broker read `config`; waits until it has said so.
#[track_caller]
pub fn reload(site: &Site, broker: &Broker, config: &str, says: &str) {
    let said = |log: String| log.matches(says).count();
    let before = said(site.log());
    site.configure(config);
    broker.signal("HUP");
    eventually(&format!("the log says {says:?}"), || {
        (said(site.log()) > before).then_some(())
    });
}

pub fn endpoint(name: &str, url: &str, policy: &str) -> String {
    format!(
        "[[endpoint]]\nname = \"{name}\"\nurl = \"{url}\"\npolicy = \"{policy}\"\nallow_http = true\n\n"
    )
}

fn policy(name: &str, order: &str, schedule: &str) -> String {
    format!("[policy.{name}]\norder = \"{order}\"\nschedule = {schedule}\n\n")
}

#[test]
fn reloads_under_load_lose_no_delivery_and_pause_nobody() {
    let site = Site::new();
    let receiver =
        Receiver::start(|_, before| Reply::Status(if before % 7 == 0 { 500 } else { 200 }));
    let config = |turn: usize| {
        let (name, order) = [("one", "independent"), ("other", "in-order")][turn % 2];
        // The time-out is of six seconds here: nobody hangs, and a busy machine is no failure.
        let schedule = "[\"1s\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\"]";
        policy(name, order, &format!("{schedule}\ntimeout = \"10m\""))
            + &endpoint("a", &receiver.url(), name)
    };
    site.configure(&config(0));
    let broker = site.start(&["--clock", "100x"]);
    let (sent, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    let events = std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let mut events = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                events.push(broker.event("e", &json!({ "n": events.len() })));
                sent.store(true, Ordering::Relaxed);
            }
            events
        });
        for turn in 1..=20 {
            reload(&site, &broker, &config(turn), TAKEN);
        }
        stop.store(true, Ordering::Relaxed);
        sending.join().unwrap()
    });
    assert!(sent.load(Ordering::Relaxed));
    eventually("everything is delivered", || {
        (broker.endpoint("a")["delivered"] == events.len()).then_some(())
    });
    assert_eq!(broker.endpoint("a")["state"], "active");
    assert!(!site.log().contains("pausing"), "{}", site.log());
    let posts = receiver.posts();
    let seen: HashSet<&str> = posts
        .iter()
        .map(|post| post.header("redeliver-event-id"))
        .collect();
    assert!(events.iter().all(|event| seen.contains(&**event)));
    broker.stop();
}

#[test]
fn a_configuration_in_which_anything_is_wrong_changes_nothing_and_says_where() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let good = endpoint("a", &receiver.url(), "standard");
    site.configure(&good);
    let broker = site.start(&[]);
    let more = endpoint("b", &receiver.url(), "standard");
    let wrong = format!("{good}{more}colour = \"red\"\n");
    reload(&site, &broker, &wrong, REFUSED);
    eventually("the place of the mistake", || {
        site.log().contains("config.toml:13").then_some(())
    });
    // Nor where only the registry can tell: the others of the file are not taken either.
    let private = endpoint("c", "http://10.0.0.1/hook", "standard");
    reload(&site, &broker, &format!("{good}{more}{private}"), REFUSED);
    assert_eq!(broker.list("/v1/endpoints?limit=10").len(), 1);
    let event = broker.event("e", &json!(1));
    broker.delivery_once(&event, "delivered");
    // And it is not deaf to a better one.
    reload(&site, &broker, &format!("{good}{more}"), TAKEN);
    assert_eq!(broker.endpoint("b")["state"], "active");
    broker.stop();
}

#[test]
fn an_endpoint_that_leaves_the_file_is_paused_with_its_queue_until_it_is_back() {
    let site = Site::new();
    let receiver = Receiver::always(500);
    let both =
        endpoint("a", &receiver.url(), "standard") + &endpoint("b", &receiver.url(), "standard");
    site.configure(&both);
    let broker = site.start(&["--clock", "manual"]);
    broker.event("e", &json!(1));
    broker.advance("1ms");
    reload(
        &site,
        &broker,
        &endpoint("a", &receiver.url(), "standard"),
        TAKEN,
    );
    let b = broker.endpoint("b");
    assert_eq!((&b["state"], &b["backlog"]), (&json!("paused"), &json!(1)));
    let before = receiver.posts().len();
    broker.advance("1h");
    let names = receiver.posts()[before..].len();
    reload(&site, &broker, &both, TAKEN);
    assert_eq!(broker.endpoint("b")["state"], "active");
    broker.advance("1ms");
    assert_eq!(receiver.posts().len(), before + names + 1, "b goes on");
    broker.stop();
}

#[test]
fn the_next_failure_follows_the_schedule_that_a_reload_brought() {
    let site = Site::new();
    let receiver = Receiver::always(500);
    let config = |schedule| {
        policy("mine", "independent", schedule) + &endpoint("a", &receiver.url(), "mine")
    };
    site.configure(&config("[\"1h\", \"1h\", \"1h\"]"));
    let broker = site.start(&["--clock", "manual"]);
    broker.event("e", &json!(1));
    broker.advance("1ms");
    reload(&site, &broker, &config("[\"1m\", \"2m\", \"3m\"]"), TAKEN);
    broker.advance("59m");
    assert_eq!(
        receiver.posts().len(),
        1,
        "what was due in an hour stays due then"
    );
    broker.advance("1m");
    assert_eq!(receiver.posts().len(), 2);
    broker.advance("2m");
    assert_eq!(
        receiver.posts().len(),
        3,
        "the second delay is two minutes now"
    );
    broker.stop();
}

#[test]
fn what_waits_for_the_next_start_is_named() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let endpoint = endpoint("a", &receiver.url(), "standard");
    site.configure(&endpoint);
    let broker = site.start(&[]);
    let more = "[limits]\nmax_connections = 10\n\n[retention]\nmax_age = \"1h\"\n\n[[source]]\nname = \"s\"\nkind = \"raw\"\n\n";
    reload(&site, &broker, &format!("{more}{endpoint}"), TAKEN);
    eventually("the warning", || {
        site.log()
            .contains("[limits], [[source]], [retention]")
            .then_some(())
    });
    // Lines that only move are no change.
    let warned = site.log().matches("after the next start").count();
    broker.stop();
    let broker = site.start(&[]);
    reload(&site, &broker, &format!("\n\n{more}{endpoint}"), TAKEN);
    assert_eq!(site.log().matches("after the next start").count(), warned);
    broker.stop();
}

#[test]
fn alerts_come_and_go_with_a_reload() {
    let site = Site::new();
    let website = "[[source]]\nname = \"s\"\nkind = \"raw\"\n\n\
        [[website]]\nid = \"w\"\ntracking_code = \"ZV_1\"\ndomain = \"example.com\"\n\
        sources = [\"s\"]\napi_keys = [\"k\"]\n\n";
    let alert = "[[alert]]\nname = \"quiet\"\nwebsite = \"w\"\nwhen = \"below\"\nmetric = \"live\"\n\
        threshold = 1\nevery = \"1m\"\n\n";
    site.configure(website);
    let broker = site.start(&["--clock", "manual"]);
    let told = || broker.list("/v1/events?limit=100").len();
    broker.advance("1h");
    assert_eq!(
        (broker.get("/v1/alerts")["data"].clone(), told()),
        (json!([]), 0)
    );
    let with_alert = format!("{website}{alert}");
    reload(&site, &broker, &with_alert, TAKEN);
    broker.advance("1m");
    assert_eq!(broker.get("/v1/alerts")["data"][0]["state"], "firing");
    assert_eq!(told(), 1);
    // The same again: what was told is known.
    reload(&site, &broker, &with_alert, TAKEN);
    broker.advance("1h");
    assert_eq!(broker.get("/v1/alerts")["data"][0]["state"], "firing");
    reload(&site, &broker, website, TAKEN);
    broker.advance("1h");
    assert_eq!(
        (broker.get("/v1/alerts")["data"].clone(), told()),
        (json!([]), 1)
    );
    broker.stop();
}

#[test]
fn what_the_file_states_of_an_endpoint_is_changed_there_alone_and_a_pause_stays() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let file = endpoint("a", &receiver.url(), "standard");
    site.configure(&file);
    let broker = site.start(&[]);
    broker.post(
        "/v1/endpoints",
        &json!({ "name": "b", "url": receiver.url(), "policy": "standard" }),
    );
    let key = json!({ "signing_key": "whsec_bmV3LWtleS1uZXcta2V5LW5ldy1rZXkh" });
    for (method, path, body, mend) in [
        (
            "PATCH",
            "",
            json!({ "timeout": "3s", "events": ["x"] }),
            "change events, timeout there",
        ),
        ("PATCH", "", json!({ "name": "c" }), "change name there"),
        (
            "POST",
            "/rotate-key",
            key.clone(),
            "change signing_key there",
        ),
        (
            "DELETE",
            "",
            json!({}),
            "take it out there, send SIGHUP, then remove it",
        ),
    ] {
        let refused = broker.call(method, &format!("/v1/endpoints/a{path}"), &body);
        let detail = refused.problem(409);
        assert!(
            detail.contains("in the configuration file") && detail.contains(mend),
            "{detail}"
        );
        assert!(!detail.contains("whsec"), "{detail}");
    }
    // What changes nothing comes not undone, and one of the API's is the API's.
    let same = broker.call(
        "PATCH",
        "/v1/endpoints/a",
        &json!({ "url": receiver.url() }),
    );
    assert_eq!(same.status, 200);
    broker.post("/v1/endpoints/b/rotate-key", &key);
    // A pause is nothing that a file states: it stays over reloads, also with a change.
    broker.post("/v1/endpoints/a/pause", &json!({}));
    let slower = file.replace("policy =", "timeout = \"3s\"\npolicy =");
    reload(&site, &broker, &slower, TAKEN);
    let a = broker.endpoint("a");
    assert_eq!(
        (&a["state"], &a["timeout"]),
        (&json!("paused"), &json!("3s"))
    );
    let told =
        "the endpoint is made what the configuration says endpoint=\"a\" changed=\"timeout\"";
    assert!(site.log().contains(told), "{}", site.log());
    broker.post("/v1/endpoints/a/resume", &json!({}));
    // Once it has left the file, it is like any other.
    reload(
        &site,
        &broker,
        &endpoint("c", &receiver.url(), "standard"),
        TAKEN,
    );
    let gone = broker.call("DELETE", "/v1/endpoints/a", &json!({}));
    assert_eq!(gone.status, 204, "{}", gone.text());
    broker.stop();
}

#[test]
fn a_file_that_is_gone_or_empty_stops_no_delivery() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let file = endpoint("a", &receiver.url(), "standard");
    site.configure(&file);
    let broker = site.start(&[]);
    let goes_on = || {
        let event = broker.event("e", &json!(1));
        broker.delivery_once(&event, "delivered");
    };
    reload(&site, &broker, "", REFUSED);
    eventually("what would be paused, and how to mean it", || {
        let log = site.log();
        (log.contains("would pause \"a\";") && log.contains("redeliver endpoint pause NAME"))
            .then_some(())
    });
    goes_on();
    let said = || site.log().matches(REFUSED).count();
    let before = said();
    std::fs::remove_file(site.path("config.toml")).unwrap();
    broker.signal("HUP");
    eventually("the log says that it was not taken", || {
        (said() > before).then_some(())
    });
    goes_on();
    // Meant: nothing is stopped by it that was not stopped before.
    broker.post("/v1/endpoints/a/pause", &json!({}));
    reload(&site, &broker, "", TAKEN);
    broker.stop();
}

#[test]
fn a_file_that_was_found_at_the_start_and_is_gone_at_a_reload_is_missed() {
    let site = Site::new();
    let receiver = Receiver::always(200);
    let file = site.path("redeliver.toml");
    std::fs::write(&file, endpoint("a", &receiver.url(), "standard")).unwrap();
    let broker = site.start(&[]);
    std::fs::remove_file(&file).unwrap();
    broker.signal("HUP");
    eventually("the log says that it was not taken", || {
        site.log().contains(REFUSED).then_some(())
    });
    assert_eq!(broker.endpoint("a")["state"], "active");
    broker.stop();
}
