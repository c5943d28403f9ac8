//! Names that lead somewhere else by the time of the attempt: the whole broker, with a resolver
//! that lies.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use redeliver::app::{App, Settings};
use redeliver::config::Config;
use redeliver::deliver::guard::{Resolve, Resolving};
use redeliver::secret::Secret;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::animal::{Ends, Guest, listener_at, receive};
use crate::contract::{POLICIES, Verdict, is_tried_again, verdict};
use crate::process::eventually;
use crate::process::http::Client;

/// The only address of loopback that this broker may send to.
const ALLOWED: &str = "127.0.0.2";
const TIMEOUT_MS: u64 = 2500;
/// How late an attempt may end: a second, and what a busy machine takes.
const GRACE_MS: u64 = 10_000;
const TOKEN: &str = "t0ken";

/// What a name leads to, one resolution after the other; the last holds from then on.
type Answers = &'static [&'static [&'static str]];

/// Names with what they lead to. One that is not there never resolves.
#[derive(Default)]
struct Liar(Mutex<HashMap<String, (Answers, usize)>>);

impl Resolve for Liar {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        let mut names = self.0.lock().unwrap();
        let Some((answers, asked)) = names.get_mut(host) else {
            return Box::pin(std::future::pending());
        };
        let answer = answers[(*asked).min(answers.len() - 1)];
        *asked += 1;
        let address = |text: &&str| SocketAddr::new(text.parse::<IpAddr>().unwrap(), port);
        let addresses = answer.iter().map(address).collect();
        Box::pin(async move { Ok(addresses) })
    }
}

/// A broker that other machines may reach, so that loopback is refused but for one address.
struct Open {
    runtime: Runtime,
    app: App,
    liar: Arc<Liar>,
    _dir: tempfile::TempDir,
}

impl Open {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.server.listen = "0.0.0.0:0".parse().unwrap();
        config.server.data_dir = dir.path().join("data");
        config.server.admin_token = Some(Secret::new(TOKEN));
        config.server.allow_private = vec![format!("{ALLOWED}/32").parse().unwrap()];
        let settings = Settings {
            config,
            ..Settings::default()
        };
        let (runtime, liar) = (Runtime::new().unwrap(), Arc::new(Liar::default()));
        let app = App::start_with_resolver(settings, liar.clone());
        let app = runtime.block_on(app).unwrap();
        Self {
            runtime,
            app,
            liar,
            _dir: dir,
        }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let at = SocketAddr::new([127, 0, 0, 1].into(), self.app.address().port());
        let headers = [
            ("content-type", "application/json"),
            ("authorization", &format!("Bearer {TOKEN}")),
        ];
        let body = if method == "GET" {
            String::new()
        } else {
            body.to_string()
        };
        let answer = Client::new(at).send(method, path, &headers, body.as_bytes());
        let answer = answer.unwrap();
        assert!(answer.status < 300, "{path}: {}", answer.text());
        answer.json()
    }

    /// An endpoint at a name with these answers, the first of which is for the check on save.
    fn endpoint(&self, name: &str, policy: &str, answers: Option<Answers>, port: u16) {
        let host = format!("{name}.{policy}.test");
        if let Some(answers) = answers {
            let mut names = self.liar.0.lock().unwrap();
            names.insert(host.clone(), (answers, 0));
        }
        let endpoint = json!({
            "name": format!("{name}.{policy}"),
            "url": format!("http://{host}:{port}/hook?key=s3cret-query"),
            "policy": policy,
            "events": [name],
            "timeout": format!("{TIMEOUT_MS}ms"),
            "allow_http": true,
            "check": "off",
        });
        self.call("POST", "/v1/endpoints", &endpoint);
    }

    /// Sends an event of this name; gives what became of it under every policy.
    fn deliveries(&self, name: &str) -> Vec<(&'static str, Value)> {
        let event = json!({"type": name, "data": {"activityStatus": name}});
        let event = self.call("POST", "/v1/events", &event);
        let path = format!("/v1/events/{}/deliveries", event["id"].as_str().unwrap());
        let found = eventually("every policy's attempt ends", || {
            let found = self.call("GET", &path, &Value::Null)["data"].clone();
            let found = found.as_array().unwrap().clone();
            found
                .iter()
                .all(|delivery| delivery["attempts"][0].is_object())
                .then_some(found)
        });
        assert_eq!(found.len(), POLICIES.len());
        let found = found.into_iter().map(|delivery| {
            let endpoint = delivery["endpoint"].as_str().unwrap();
            let policy = POLICIES.iter().find(|policy| endpoint.ends_with(*policy));
            (*policy.unwrap(), delivery)
        });
        found.collect()
    }

    fn stop(self) {
        self.runtime.block_on(self.app.stop()).unwrap();
    }
}

/// What must hold of a first attempt that failed in these words.
fn check_failure(policy: &str, delivery: &Value, words: &str) {
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["error"], words, "{delivery}");
    let took = attempt["duration_ms"].as_u64().unwrap();
    assert!(took <= TIMEOUT_MS + GRACE_MS, "{delivery}");
    let Verdict::Again(wait_ms) = verdict(policy, Ends::FailedLike(&[])) else {
        unreachable!("a failure is tried again");
    };
    assert!(is_tried_again(delivery, &wait_ms), "{delivery}");
}

/// Answers 200 and closes, so that the next request has to ask for the name again.
async fn closes(mut guest: Guest) -> std::io::Result<()> {
    guest.request().await?;
    guest
        .say(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        .await
}

/// A receiver at the allowed address, and one that listens on the same port where nobody may go.
fn receiver_and_trap() -> (u16, TcpListener) {
    for _ in 0..100 {
        let good = listener_at("127.0.0.2:0");
        let port = good.local_addr().unwrap().port();
        if let Ok(trap) = TcpListener::bind(("127.0.0.1", port)) {
            trap.set_nonblocking(true).unwrap();
            receive(good, closes);
            return (port, trap);
        }
    }
    panic!("no port is free on both addresses");
}

fn assert_empty(trap: &TcpListener) {
    let caught = trap.accept().unwrap_err();
    assert_eq!(
        caught.kind(),
        std::io::ErrorKind::WouldBlock,
        "the trap was connected to"
    );
}

#[test]
fn a_name_is_judged_again_at_the_attempt_by_where_it_leads_then() {
    let broker = Open::start();
    let (port, trap) = receiver_and_trap();
    let cases: &[(&str, Answers, &str)] = &[
        (
            "loopback",
            &[&["127.0.0.2"], &["127.0.0.1"]],
            "127.0.0.1 is in the loopback range 127.0.0.0/8",
        ),
        (
            "loopback-v6",
            &[&["127.0.0.2"], &["::1"]],
            "::1 is in the loopback range ::1/128",
        ),
        (
            "mapped-loopback",
            &[&["127.0.0.2"], &["::ffff:127.0.0.1"]],
            "::ffff:127.0.0.1 stands for 127.0.0.1, which is in the loopback range 127.0.0.0/8",
        ),
        (
            "anywhere",
            &[&["127.0.0.2"], &["0.0.0.0"]],
            "0.0.0.0 is in the unspecified range 0.0.0.0/8",
        ),
        (
            "metadata",
            &[&["127.0.0.2"], &["169.254.169.254"]],
            "169.254.169.254 is in the link-local (cloud metadata) range 169.254.0.0/16",
        ),
        (
            "translated-metadata",
            &[&["127.0.0.2"], &["64:ff9b::a9fe:a9fe"]],
            "64:ff9b::a9fe:a9fe stands for 169.254.169.254, which is in the link-local (cloud metadata) range 169.254.0.0/16",
        ),
        (
            "one-among-good-ones",
            &[&["127.0.0.2"], &["127.0.0.2", "127.0.0.1"]],
            "127.0.0.1 is in the loopback range 127.0.0.0/8",
        ),
    ];
    for (name, answers, range) in cases {
        for policy in POLICIES {
            broker.endpoint(name, policy, Some(answers), port);
        }
        for (policy, delivery) in broker.deliveries(name) {
            let words = format!(
                "`{name}.{policy}.test` resolves to a refused address: {range}; \
                 to allow it, list it or its network in server.allow_addresses"
            );
            check_failure(policy, &delivery, &words);
        }
    }
    assert_empty(&trap);
    broker.stop();
}

#[test]
fn a_name_that_led_to_a_good_receiver_once_is_judged_again_the_second_time() {
    let broker = Open::start();
    let (port, trap) = receiver_and_trap();
    for policy in POLICIES {
        let answers: Answers = &[&["127.0.0.2"], &["127.0.0.2"], &["127.0.0.1"]];
        broker.endpoint("rebinds", policy, Some(answers), port);
    }
    for (_, delivery) in broker.deliveries("rebinds") {
        assert_eq!(delivery["status"], "delivered", "{delivery}");
    }
    for (policy, delivery) in broker.deliveries("rebinds") {
        let words = format!(
            "`rebinds.{policy}.test` resolves to a refused address: 127.0.0.1 is in the loopback \
             range 127.0.0.0/8; to allow it, list it or its network in server.allow_addresses"
        );
        check_failure(policy, &delivery, &words);
    }
    assert_empty(&trap);
    broker.stop();
}

#[test]
fn a_name_that_leads_nowhere_says_so() {
    let broker = Open::start();
    let (port, _trap) = receiver_and_trap();
    for policy in POLICIES {
        broker.endpoint("vanishes", policy, Some(&[&[ALLOWED], &[]]), port);
        // Nobody listens on port 1 of any of these.
        let tries: Answers = &[&[ALLOWED], &[ALLOWED, ALLOWED, ALLOWED]];
        broker.endpoint("refuses", policy, Some(tries), 1);
    }
    for (policy, delivery) in broker.deliveries("vanishes") {
        let words = format!("`vanishes.{policy}.test` does not resolve: it has no address");
        check_failure(policy, &delivery, &words);
    }
    for (policy, delivery) in broker.deliveries("refuses") {
        check_failure(policy, &delivery, "connection refused by 127.0.0.2:1");
    }
    broker.stop();
}

#[test]
fn a_name_that_is_never_resolved_ends_at_the_deadline() {
    let broker = Open::start();
    for policy in POLICIES {
        broker.endpoint("hangs", policy, Some(&[&[ALLOWED]]), 9);
    }
    broker.liar.0.lock().unwrap().clear();
    for (policy, delivery) in broker.deliveries("hangs") {
        check_failure(policy, &delivery, "timed out resolving the name");
    }
    broker.stop();
}
