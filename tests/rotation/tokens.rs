//! Tokens that are replaced while the broker runs: both count for a while, and nobody is turned away.

use serde_json::json;

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::source::Source;

/// Has the broker read what `site` has now.
#[track_caller]
fn reload(site: &Site, broker: &Broker, config: &str) {
    let said = || {
        site.log()
            .matches("the configuration was read again")
            .count()
    };
    let before = said();
    site.configure(config);
    broker.signal("HUP");
    eventually("the configuration is read", || {
        (said() > before).then_some(())
    });
}

fn admin(current: &str, previous: &str) -> String {
    format!("[server]\nadmin_token = \"file:{current}\"\nprevious_admin_tokens = [{previous}]\n")
}

fn site() -> Site {
    let site = Site::new();
    for (name, token) in [
        ("old", "token-that-was"),
        ("new", "token-that-is"),
        ("other", "token-of-nobody"),
    ] {
        std::fs::write(site.path(name), token).unwrap();
    }
    site
}

fn asked(broker: &Broker, path: &str, token: &str) -> u16 {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", &*authorization)];
    broker.send("GET", path, &headers, b"").status
}

#[test]
fn an_admin_token_is_replaced_while_both_count_and_nothing_has_to_be_started() {
    let site = site();
    site.configure(&admin("old", ""));
    let broker = site.start(&[]);
    let status = |token| asked(&broker, "/v1/status", token);
    let [old, new, other] = ["token-that-was", "token-that-is", "token-of-nobody"];
    assert_eq!([old, new, other].map(status), [200, 401, 401]);
    reload(&site, &broker, &admin("new", "\"file:old\""));
    assert_eq!([old, new, other].map(status), [200, 200, 401]);
    reload(&site, &broker, &admin("new", ""));
    assert_eq!([old, new, other].map(status), [401, 200, 401]);
    // The same name, another secret.
    std::fs::write(site.path("new"), other).unwrap();
    reload(&site, &broker, &admin("new", ""));
    assert_eq!([old, new, other].map(status), [401, 401, 200]);
    let log = site.log();
    for secret in [old, new, other] {
        assert!(!log.contains(secret), "{log}");
    }
    assert!(
        !log.contains("[server]"),
        "nothing waits for a start: {log}"
    );
}

#[test]
fn a_session_ends_when_the_token_that_may_have_opened_it_is_taken_back() {
    let site = site();
    site.configure(&admin("old", ""));
    let broker = site.start(&[]);
    let login = |token: &str| {
        let form = [("sec-fetch-site", "same-origin")];
        let body = format!("token={token}");
        let answer = broker.send("POST", "/login", &form, body.as_bytes());
        answer
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    };
    let look = |cookie: &str| {
        let headers = [("cookie", cookie)];
        broker.send("GET", "/v1/status", &headers, b"").status
    };
    let by_old = login("token-that-was");
    assert_eq!(look(&by_old), 200);
    reload(&site, &broker, &admin("new", "\"file:old\""));
    let by_new = login("token-that-is");
    assert_eq!([look(&by_old), look(&by_new)], [200, 200]);
    reload(&site, &broker, &admin("new", ""));
    assert_eq!([look(&by_old), look(&by_new)], [401, 401]);
    assert_eq!(look(&login("token-that-is")), 200);
}

#[test]
fn a_reload_neither_takes_the_lock_off_nor_puts_one_on() {
    let site = site();
    site.configure(&admin("old", ""));
    let broker = site.start(&[]);
    reload(&site, &broker, "");
    assert_eq!(broker.send("GET", "/v1/status", &[], b"").status, 401);
    assert_eq!(asked(&broker, "/v1/status", "token-that-was"), 200);
    assert!(
        site.log().contains("[server]"),
        "it waits for a start: {}",
        site.log()
    );
}

#[test]
fn senders_of_zebline_and_of_relayed_sources_change_their_tokens_one_after_another() {
    let site = site();
    let config = |current: &str, previous: &str| {
        let tokens =
            format!("access_token = \"file:{current}\"\nprevious_access_tokens = [{previous}]\n");
        format!(
            "[[source]]\nname = \"shop\"\nkind = \"zebline\"\nlicense = \"L\"\n{tokens}\
             [[source]]\nname = \"raw\"\nkind = \"raw\"\n{tokens}"
        )
    };
    site.configure(&config("old", ""));
    let broker = site.start(&[]);
    let send = |token: &str| {
        let authorization = format!("Bearer {token}");
        let headers = [
            ("authorization", &*authorization),
            ("content-type", "application/json"),
        ];
        let event = json!({"name": "page_view", "identity": {"userId": "u"}}).to_string();
        let zebline = broker.send("POST", "/v1/accounts/L/events", &headers, event.as_bytes());
        let raw = broker.send("POST", "/in/raw", &headers, b"{}");
        // Whatever else is wrong with it, it is let in.
        [zebline.status == 401, raw.status == 401]
    };
    let (let_in, refused) = ([false; 2], [true; 2]);
    let both = || ["token-that-was", "token-that-is"].map(send);
    assert_eq!(both(), [let_in, refused]);
    reload(&site, &broker, &config("new", "\"file:old\""));
    assert_eq!(both(), [let_in, let_in]);
    reload(&site, &broker, &config("new", ""));
    assert_eq!(both(), [refused, let_in]);
    assert!(!site.log().contains("token-that"), "{}", site.log());
}

#[test]
fn a_token_before_none_is_refused_with_its_mend() {
    let site = site();
    site.configure(
        "[server]\nprevious_admin_tokens = [\"file:old\"]\n\
         [[source]]\nname = \"raw\"\nkind = \"raw\"\nprevious_access_tokens = [\"file:old\"]\n",
    );
    let ran = site.start_in_vain(&[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    for mend in ["add admin_token", "add access_token"] {
        assert!(ran.err.contains(mend), "{}", ran.err);
    }
}

#[test]
fn what_a_token_has_opened_ends_when_it_is_taken_back() {
    let site = site();
    site.configure(&admin("old", ""));
    let broker = site.start(&[]);
    let open = |token: &str| {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", &*authorization)];
        Source::open(broker.address, "/v1/stream?from=start", &headers)
    };
    let send = || {
        let headers = [
            ("authorization", "Bearer token-that-is"),
            ("content-type", "application/json"),
        ];
        let event = json!({"type": "order.paid", "data": {}}).to_string();
        let answer = broker.send("POST", "/v1/events", &headers, event.as_bytes());
        assert_eq!(answer.status, 202, "{}", answer.text());
    };
    let mut by_old = open("token-that-was");
    reload(&site, &broker, &admin("new", "\"file:old\""));
    // Both count: nobody is cut off.
    send();
    assert_eq!(by_old.next().unwrap().event, "event");
    reload(&site, &broker, &admin("new", ""));
    let mut by_new = open("token-that-is");
    send();
    assert_eq!(by_old.next(), None, "it is told nothing more");
    assert_eq!(by_new.next().unwrap().id, Some(1));
    assert_eq!(by_new.next().unwrap().id, Some(2));
}
