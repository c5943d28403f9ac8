//! The machine's clock is set under the running process, and between two of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redeliver::clock::Timestamp;
use serde_json::json;

use crate::machine::skip;
use crate::process::broker::{Broker, Site};
use crate::process::receiver::{Receiver, Reply};
use crate::process::{eventually, now};

/// As libfaketime reads them.
const STEPS: [&str; 3] = ["+365d", "-365d", "-10m"];

const RETRY: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(4);

/// How late a busy machine may be: every step is of ten minutes at least.
const SLACK: Duration = Duration::from_secs(45);

/// libfaketime, which sets the wall clock of one process and lets the monotonic one be.
fn faketime() -> Option<PathBuf> {
    let libraries = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let architectures = libraries.iter().flat_map(|dir| fs::read_dir(dir).ok());
    let architectures = architectures.flatten().flatten().map(|entry| entry.path());
    let mut found = libraries
        .iter()
        .cloned()
        .chain(architectures)
        .map(|dir| dir.join("faketime/libfaketimeMT.so.1"))
        .filter(|path| path.exists());
    let found = found.next();
    if found.is_none() {
        skip("libfaketime (Debian's package faketime)");
    }
    found
}

/// A site whose processes' clock can be set.
struct Machine(Site);

impl Machine {
    fn new(faketime: &Path) -> Self {
        let mut site = Site::new();
        let step = site.path("step");
        for (name, value) in [
            ("LD_PRELOAD", faketime.to_str().unwrap()),
            ("FAKETIME_TIMESTAMP_FILE", step.to_str().unwrap()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("FAKETIME_NO_CACHE", "1"),
            ("NO_FAKE_STAT", "1"),
        ] {
            site.set_env(name, value);
        }
        let machine = Self(site);
        machine.set("+0");
        machine
    }

    fn set(&self, step: &str) {
        let unfinished = self.0.path("step.unfinished");
        fs::write(&unfinished, step).unwrap();
        fs::rename(unfinished, self.0.path("step")).unwrap();
    }
}

/// The broker has noticed that its clock was set.
fn noticed(machine: &Machine, broker: &Broker) {
    let shows = Timestamp::parse(broker.get("/v1/clock")["now"].as_str().unwrap());
    let off = shows.unwrap().as_millis() - now().as_millis();
    assert!(off.abs() > 500_000, "libfaketime does nothing: {off} ms");
    eventually("the step is noticed", || {
        machine.0.log().contains("the clock was set").then_some(())
    });
}

fn fails_once() -> Receiver {
    Receiver::start(|seen, _| match seen.attempt() {
        1 => Reply::Status(500),
        _ => Reply::Status(200),
    })
}

/// From the answer to the first request to the arrival of the second.
fn waited(receiver: &Receiver) -> Duration {
    let posts = eventually("the retry comes", || {
        Some(receiver.posts()).filter(|posts| posts.len() > 1)
    });
    posts[1].arrived.since(posts[0].answered.unwrap().1)
}

#[track_caller]
fn is_about(what: &str, found: Duration, wanted: Duration) {
    // The tester's clock and the process's are read in whole milliseconds.
    let least = wanted - Duration::from_millis(2);
    assert!(
        (least..wanted + SLACK).contains(&found),
        "{what}: {found:?}, not {wanted:?}"
    );
}

/// Runs `check` for each step at once: it spends its time waiting.
fn for_each_step(check: impl Fn(&Machine, &str) + Sync) {
    let Some(faketime) = faketime() else { return };
    std::thread::scope(|scope| {
        for step in STEPS {
            let (check, faketime) = (&check, &faketime);
            scope.spawn(move || check(&Machine::new(faketime), step));
        }
    });
}

fn configure(site: &Site, free: &Receiver, ordered: &Receiver, hanging: &Receiver) {
    site.configure(&format!(
        r#"
[policy.free]
schedule = ["5s", "5s"]

[policy.ordered]
order = "in-order"
backoff = {{ first = "5s", max = "5s" }}

[policy.patient]
schedule = ["1h"]
timeout = "4s"

[[endpoint]]
name = "free"
url = "{}"
policy = "free"
events = ["order.paid"]

[[endpoint]]
name = "ordered"
url = "{}"
policy = "ordered"

[[endpoint]]
name = "hanging"
url = "{}"
policy = "patient"
"#,
        free.url(),
        ordered.url(),
        hanging.url()
    ));
}

#[test]
fn a_clock_that_is_set_neither_hastens_nor_stalls_a_retry_nor_lengthens_an_attempt() {
    for_each_step(|machine, step| {
        let (free, ordered) = (fails_once(), fails_once());
        let hanging = Receiver::start(|_, _| Reply::Hang);
        configure(&machine.0, &free, &ordered, &hanging);
        let broker = machine.0.start(&[]);
        let event = json!({ "type": "order.paid", "data": 1, "id": "k" });
        let began = now();
        let taken = broker.post("/v1/events", &event);
        eventually("the first attempts are made", || {
            let made = free.posts().len() == 1 && ordered.posts().len() == 1;
            (made && hanging.held() == 1).then_some(())
        });
        machine.set(step);
        noticed(machine, &broker);
        let made = free.posts().len() + ordered.posts().len();
        let first = free.posts()[0].arrived.min(ordered.posts()[0].arrived);
        assert!(made == 2 || now() >= first.plus(RETRY), "a flood: {made}");

        let again = broker.post("/v1/events", &event);
        assert_eq!(again["duplicate"], true, "{step}");
        assert_eq!(again["id"], taken["id"], "{step}");
        broker.post("/v1/events", &json!({ "type": "late", "data": 2 }));

        let id = taken["id"].as_str().unwrap();
        let given_up = eventually("the hanging attempt is given up", || {
            let delivery = broker.delivery_of_to(id, "hanging");
            Some(delivery).filter(|delivery| delivery["status"] == "waiting")
        });
        is_about("the attempt", now().since(began), TIMEOUT);
        let delivery = broker.get(&format!(
            "/v1/deliveries/{}",
            given_up["id"].as_str().unwrap()
        ));
        let took = delivery["attempts"][0]["duration_ms"].as_u64().unwrap();
        is_about("its record", Duration::from_millis(took), TIMEOUT);

        is_about("independent", waited(&free), RETRY);
        is_about("in order", waited(&ordered), RETRY);
        let posts = eventually("the next one follows", || {
            Some(ordered.posts()).filter(|posts| posts.len() > 3)
        });
        let heads: Vec<_> = posts
            .iter()
            .map(|seen| seen.json()["data"].clone())
            .collect();
        assert_eq!(heads, [1, 1, 2, 2], "{step}: the head blocks");
        broker.stop();
    });
}

#[test]
fn a_kill_after_the_clock_was_set_changes_no_delay() {
    for_each_step(|machine, step| {
        let (free, ordered) = (fails_once(), fails_once());
        let unused = Receiver::always(200);
        configure(&machine.0, &free, &ordered, &unused);
        let broker = machine.0.start(&[]);
        let event = json!({ "type": "order.paid", "data": 1, "id": "k" });
        broker.post("/v1/events", &event);
        eventually("both wait", || {
            let waiting = broker.list("/v1/deliveries?status=waiting&limit=10");
            (waiting.len() == 2).then_some(())
        });
        machine.set(step);
        noticed(machine, &broker);
        eventually("a snapshot follows", || {
            machine.0.path("data/projections").exists().then_some(())
        });
        broker.kill();
        let broker = machine.0.start(&[]);
        is_about("independent", waited(&free), RETRY);
        is_about("in order", waited(&ordered), RETRY);
        broker.stop();
        assert_eq!(
            (free.posts().len(), ordered.posts().len()),
            (2, 2),
            "{step}"
        );
    });
}

#[test]
fn a_clock_that_was_set_while_nobody_ran_stalls_no_retry_beyond_its_own_delay() {
    for_each_step(|machine, step| {
        let (free, ordered) = (fails_once(), fails_once());
        let unused = Receiver::always(200);
        configure(&machine.0, &free, &ordered, &unused);
        let broker = machine.0.start(&[]);
        let event = json!({ "type": "order.paid", "data": 1, "id": "k" });
        let other = json!({ "type": "order.sent", "data": 2, "id": "l" });
        let events = [&event, &other];
        let taken = events.map(|event| broker.post("/v1/events", event));
        eventually("both wait", || {
            let waiting = broker.list("/v1/deliveries?status=waiting&limit=10");
            (waiting.len() == 2).then_some(())
        });
        broker.kill();
        machine.set(step);
        let restarted = now();
        let broker = machine.0.start(&[]);
        for receiver in [&free, &ordered] {
            waited(receiver);
            let retried = receiver.posts()[1].arrived;
            assert!(retried.since(restarted) < RETRY + SLACK, "{step}");
        }
        // A start cannot tell a clock set forward from a year gone by; one set back it can.
        for (event, taken) in events.into_iter().zip(taken) {
            let again = broker.post("/v1/events", event);
            assert_eq!(again["duplicate"], step != "+365d", "{step}: {event}");
            assert_eq!(
                again["id"] == taken["id"],
                step != "+365d",
                "{step}: {event}"
            );
        }
        broker.stop();
    });
}
