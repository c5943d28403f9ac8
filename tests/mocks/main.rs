//! Many mocks in one process, each as if it were alone.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../process/mod.rs"]
mod process;

use process::broker::{Broker, Site};
use process::receiver::{Receiver, Reply};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A server of mocks.
struct Server {
    broker: Broker,
    _site: Site,
}

impl Server {
    fn start() -> Self {
        let site = Site::new();
        let broker = site.mock(&["server"]);
        Self {
            broker,
            _site: site,
        }
    }

    #[track_caller]
    fn hotjar(&self, name: &str, to: &str) -> Value {
        let wish = json!({ "vendor": "hotjar", "to": to, "signing_key": "site-key" });
        let answer = self.broker.call("PUT", &format!("/mocks/{name}"), &wish);
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    #[track_caller]
    fn trigger(&self, name: &str, wish: &Value) -> Value {
        self.broker.post(&format!("/mocks/{name}/v1/trigger"), wish)
    }

    #[track_caller]
    fn advance(&self, name: &str, by: &str) {
        let path = format!("/mocks/{name}/v1/clock/advance");
        self.broker
            .post(&path, &json!({ "by": by, "patience": "60s" }));
    }

    #[track_caller]
    fn statuses(&self, name: &str) -> Vec<String> {
        let all = self
            .broker
            .list(&format!("/mocks/{name}/v1/deliveries?limit=100"));
        let all = all
            .iter()
            .map(|delivery| delivery["status"].as_str().unwrap());
        all.map(str::to_owned).collect()
    }
}

#[test]
fn each_mock_has_a_log_a_clock_and_samples_of_its_own() {
    let server = Server::start();
    let (good, bad) = (Receiver::always(200), Receiver::always(503));
    let made = server.hotjar("one", &good.url());
    assert_eq!(made["path"], "/mocks/one");
    assert_eq!(made["clock"], "manual");
    assert!(!made.to_string().contains("site-key"), "{made}");
    server.hotjar("two", &bad.url());
    for name in ["one", "two"] {
        server.trigger(name, &json!({ "count": 2 }));
        server.advance(name, "0s");
    }
    assert_eq!(server.statuses("one"), ["delivered", "delivered"]);
    assert_eq!(server.statuses("two"), ["waiting", "waiting"]);
    // HOT-21 to HOT-26: seven requests each, while the other's clock stands still.
    let before = server.broker.get("/mocks/one")["now"].clone();
    server.advance("two", "38m30s");
    assert_eq!(bad.posts().len(), 14);
    assert_eq!(server.statuses("two"), ["dead", "dead"]);
    assert_eq!(server.broker.get("/mocks/one")["now"], before);
    // The same seed: the same payloads, but for the time at which they are sent.
    let data = |seen: &process::receiver::Seen| seen.json()["data"]["id"].clone();
    let (good, bad) = (good.posts(), bad.posts());
    let of_both = |id: &Value| bad.iter().filter(|seen| data(seen) == *id).count();
    assert!(good.iter().all(|seen| of_both(&data(seen)) == 7));
    let names: Vec<_> = server.broker.get("/mocks")["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mock| mock["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["one", "two"]);
    server.broker.stop();
}

#[test]
fn a_reset_leaves_nothing_of_the_test_before() {
    let server = Server::start();
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::Hang,
        1 => Reply::Status(410),
        _ => Reply::Status(200),
    });
    server.hotjar("it", &receiver.url());
    server.trigger("it", &json!({}));
    process::eventually("the first attempt hangs", || {
        (receiver.held() == 1).then_some(())
    });
    let reset = |name: &str| {
        let path = format!("/mocks/{name}/reset");
        server.broker.send("POST", &path, &[JSON], b"").status
    };
    // What hangs is cut off, and nothing of it comes again.
    assert_eq!(reset("it"), 200);
    assert_eq!(server.statuses("it"), [""; 0]);
    server.trigger("it", &json!({}));
    server.advance("it", "1h");
    let endpoint = "/mocks/it/v1/endpoints/receiver";
    assert_eq!(server.broker.send("GET", endpoint, &[], b"").status, 404);
    assert_eq!(server.statuses("it"), ["removed"]);
    // HOT-28 holds for the rest of the test, and no longer.
    assert_eq!(reset("it"), 200);
    server.trigger("it", &json!({}));
    server.advance("it", "0s");
    assert_eq!(server.statuses("it"), ["delivered"]);
    let posts = receiver.posts();
    assert_eq!(posts.len(), 3);
    // The samples begin anew, too.
    assert_eq!(posts[0].json()["data"]["id"], posts[2].json()["data"]["id"]);
    assert_eq!(reset("nobody"), 404);
    server.broker.stop();
}

#[test]
fn a_mock_that_is_made_again_under_its_name_is_a_new_one_and_one_that_is_taken_away_is_gone() {
    let server = Server::start();
    let receiver = Receiver::always(200);
    server.hotjar("it", &receiver.url());
    server.trigger("it", &json!({ "count": 3 }));
    server.hotjar("it", &receiver.url());
    assert_eq!(server.statuses("it"), [""; 0]);
    assert_eq!(
        server.broker.send("DELETE", "/mocks/it", &[], b"").status,
        204
    );
    for path in ["/mocks/it", "/mocks/it/v1/clock", "/v1/clock", "/nothing"] {
        let answer = server.broker.send("GET", path, &[], b"");
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["status"], 404, "{path}");
    }
    // The one called default answers without its name, too.
    server.hotjar("default", &receiver.url());
    assert_eq!(
        server.broker.get("/v1/clock"),
        server.broker.get("/mocks/default/v1/clock")
    );
    server.broker.stop();
}

#[test]
fn thirty_tests_at_once_do_not_see_one_another() {
    let server = Server::start();
    std::thread::scope(|scope| {
        for number in 0..30 {
            let server = &server;
            scope.spawn(move || {
                let receiver = Receiver::start(move |_, before| match before < number % 5 {
                    true => Reply::Status(500),
                    false => Reply::Status(200),
                });
                let name = format!("test-{number}");
                server.hotjar(&name, &receiver.url());
                server.trigger(&name, &json!({ "seed": number }));
                server.advance(&name, "20m");
                assert_eq!(server.statuses(&name), ["delivered"]);
                assert_eq!(receiver.posts().len(), number % 5 + 1);
            });
        }
    });
    server.broker.stop();
}

#[test]
fn what_no_mock_can_be_made_of_is_refused_with_every_mistake() {
    let server = Server::start();
    let put = |name: &str, wish: &Value| server.broker.call("PUT", &format!("/mocks/{name}"), wish);
    let answer = put(
        "a",
        &json!({ "vendor": "hotjar", "to": "nowhere", "sed": 1 }),
    );
    assert_eq!(answer.status, 422);
    let answer = put("a", &json!({ "vendor": "hotjar", "to": "nowhere" })).json();
    let places: Vec<_> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["at"].clone())
        .collect();
    assert_eq!(places, ["/to", "/signing_key"], "{answer}");
    let good = json!({ "vendor": "esputnik", "to": process::receiver::nobody() });
    assert_eq!(put("a%20b", &good).status, 400);
    // ESP-08: eSputnik saves no URL that does not answer its GET.
    let answer = put("a", &good);
    assert_eq!(
        (answer.status, &answer.json()["errors"][0]["at"]),
        (422, &json!("/to"))
    );
    let answer = put(
        "a",
        &json!({ "vendor": "esputnik", "to": process::receiver::nobody(), "check": "off" }),
    );
    assert_eq!(answer.status, 201, "{}", answer.text());
    // From a web page.
    let foreign = [("origin", "https://evil.example"), JSON];
    assert_eq!(
        server
            .broker
            .send("PUT", "/mocks/b", &foreign, b"{}")
            .status,
        403
    );
    assert_eq!(
        server
            .broker
            .send("GET", "/mocks/a/v1/events", &foreign, b"")
            .status,
        403
    );
    server.broker.stop();
}

#[test]
fn hot_34_a_mock_forges_on_demand_and_shows_what_it_sent_and_what_it_did() {
    let server = Server::start();
    let receiver = Receiver::start(|seen, _| match seen.attempt() {
        1 => Reply::Status(401),
        _ => Reply::Status(200),
    });
    let wish = json!({
        "vendor": "hotjar", "to": receiver.url(), "signing_key": "site-key",
        "faults": ["wrong-signature"],
    });
    assert_eq!(server.broker.call("PUT", "/mocks/it", &wish).status, 201);
    server.trigger("it", &json!({}));
    server.advance("it", "30s");
    let found = server
        .broker
        .get("/mocks/it/v1/wait?status=delivered&timeout=30s");
    let attempts = &found["data"][0]["attempts"];
    assert_eq!(attempts[0]["faults"], json!(["wrong-signature"]));
    assert_eq!(attempts[1]["faults"], json!([]));
    let posts = receiver.posts();
    for (number, seen) in posts.iter().enumerate() {
        let sent = &attempts[number]["request"]["headers"];
        let signature = json!(["com-hotjar-signature", seen.header("com-hotjar-signature")]);
        assert!(sent.as_array().unwrap().contains(&signature), "{sent}");
    }
    let done = server.broker.get("/mocks/it/v1/faults");
    assert_eq!(done["data"].as_array().unwrap().len(), 1, "{done}");
    // eSputnik reorders nothing (ESP-16), and a fault that nobody knows is told.
    let to = receiver.url();
    for (vendor, fault) in [("esputnik", "reorder"), ("hotjar", "cuts")] {
        let wish = json!({ "vendor": vendor, "to": to, "signing_key": "k", "faults": [fault] });
        let answer = server.broker.call("PUT", "/mocks/other", &wish);
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert_eq!(answer.json()["errors"][0]["at"], "/faults");
    }
    server.broker.stop();
}

#[test]
fn a_server_of_mocks_describes_its_routes_and_each_mock_its_own() {
    let server = Server::start();
    let receiver = Receiver::always(200);
    server.hotjar("my-test", &receiver.url());
    let document = server.broker.get("/openapi.json");
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/mocks/{name}/v1/trigger"));
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            // What it says to send is taken, and answered as it says.
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            let asked = path.replace("{name}", "my-test");
            let answer = match example.is_null() {
                true => server
                    .broker
                    .send(&method.to_uppercase(), &asked, &[JSON], b""),
                false => server.broker.call(&method.to_uppercase(), &asked, example),
            };
            let told = operation["responses"].get(answer.status.to_string());
            assert!(told.is_some(), "{method} {path}: {}", answer.text());
            assert!(answer.status < 300, "{method} {path}: {}", answer.text());
            // It was taken away in its turn.
            server.hotjar("my-test", &receiver.url());
        }
    }
    let own = server.broker.get("/mocks/my-test/openapi.json");
    assert!(own["paths"]["/v1/trigger"]["post"].is_object());
    assert!(own["paths"]["/v1/clock/advance"]["post"].is_object());
}

#[test]
fn a_mock_that_was_never_made_is_told_of_with_its_mend() {
    let server = Server::start();
    for path in [
        "/mocks/a/v1/trigger",
        "/mocks/a/v1/clock/advance",
        "/mocks/a/reset",
    ] {
        let answer = server.broker.send("POST", path, &[JSON], b"{}");
        assert_eq!(answer.status, 404);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(
            detail,
            "there is no mock of this name; make it by PUT /mocks/NAME"
        );
    }
}

#[test]
fn every_mistake_in_what_a_mock_is_to_be_is_told_at_once() {
    let server = Server::start();
    let wish = json!({ "vendor": "hotjr", "to": "ftp://x/", "clock": "fast" });
    let answer = server.broker.call("PUT", "/mocks/b", &wish);
    assert_eq!(answer.status, 422);
    let answer = answer.json();
    let errors = answer["errors"].as_array().unwrap().iter();
    let places: Vec<_> = errors.map(|error| error["at"].as_str().unwrap()).collect();
    assert_eq!(places, ["/vendor", "/clock", "/to"]);
}
