//! A mock that stays: its API, its trigger, its manual clock.

use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::process::eventually;
use super::process::http::{Answer, Client};
use super::*;

/// A mock that stays; killed when it is dropped.
struct Mock {
    child: Child,
    first: String,
    lines: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Mock {
    fn start(site: &Site, receiver: &Receiver, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_redeliver"))
            .arg("mock")
            .args(args)
            .args(["--to", &receiver.url()])
            .current_dir(site.path(""))
            .env_clear()
            .env("TOKEN", "hunter2")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address = first.split("http://").nth(1).unwrap();
        let address = address.split('"').next().unwrap().parse().unwrap();
        Self {
            child,
            first,
            lines,
            address,
        }
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(path, &[], body)
    }

    fn send(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let all = [&[("content-type", "application/json")], headers].concat();
        let body = body.to_string();
        Client::new(self.address)
            .send("POST", path, &all, body.as_bytes())
            .unwrap()
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// Its last line and its exit code, once it was asked to stop.
    fn interrupted(mut self) -> (String, i32) {
        self.interrupt();
        let last = self.lines.by_ref().map_while(Result::ok).last();
        let code = self.child.wait().unwrap().code().unwrap();
        (last.unwrap_or_default(), code)
    }
}

const HOTJAR: [&str; 3] = ["hotjar", "--key-file", "key.txt"];

fn hotjar<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&HOTJAR, args].concat()
}

#[test]
fn a_mock_with_a_manual_clock_sends_nothing_until_it_is_asked_and_retries_when_time_passes() {
    let (site, receiver) = (site(), Receiver::always(500));
    let mock = Mock::start(&site, &receiver, &hotjar(&["--clock", "manual"]));
    assert_eq!(
        mock.first,
        format!("redeliver listening on http://{}", mock.address)
    );
    assert_eq!(receiver.posts().len(), 0);
    let triggered = mock.post("/v1/trigger", &json!({}));
    assert_eq!(triggered.status, 202, "{}", triggered.text());
    let events = triggered.json()["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(events[0]["seq"], 1);
    mock.post(
        "/v1/clock/advance",
        &json!({"by": "38m29s", "patience": "60s"}),
    );
    assert_eq!(
        receiver.posts().len(),
        6,
        "the seventh leaves after 38m30s (HOT-26)"
    );
    mock.post("/v1/clock/advance", &json!({"by": "1s", "patience": "60s"}));
    assert_eq!(receiver.posts().len(), 7);
    let (last, code) = mock.interrupted();
    assert_eq!(code, 0, "told to stop, as `serve` is");
    assert!(
        last.starts_with("events: 1 sent, 0 delivered, 1 given up, "),
        "{last}"
    );
}

#[test]
fn the_trigger_sends_what_it_is_asked_for_by_the_same_samples_as_the_command() {
    let (site, receiver) = (site(), answering(&[200]));
    let mock = Mock::start(
        &site,
        &receiver,
        &hotjar(&["--listen", "127.0.0.1:0", "--json"]),
    );
    let first: Value = serde_json::from_str(&mock.first).unwrap();
    assert_eq!(first["listening"], format!("http://{}", mock.address));
    for body in [
        json!({"sample": "test_message"}),
        json!({"sample": "survey_response", "count": 3, "seed": 7,
            "set": {"data.survey_id": 7, "data.user_attributes": {"a": [1, null]}},
            "remove": ["data.os"], "spelling": "both", "complete": true, "questions": ["nps"]}),
        json!({"payload": {"event": "recording", "version": 1, "timestamp": 1, "data": {"id": 5}}}),
        json!({"type": "unheard_of", "nulls": "all", "unknown_fields": true}),
    ] {
        let answer = mock.post("/v1/trigger", &body);
        assert_eq!(answer.status, 202, "{body}: {}", answer.text());
    }
    let posts = eventually("six requests", || {
        Some(receiver.posts()).filter(|all| all.len() == 6)
    });
    let of = |event: &str| {
        let all = posts
            .iter()
            .map(Seen::json)
            .filter(|seen| seen["event"] == event);
        all.collect::<Vec<_>>()
    };
    assert_eq!(of("test_message").len(), 1);
    let surveys = of("survey_response");
    assert_eq!(surveys.len(), 3);
    for survey in &surveys {
        let data = &survey["data"];
        assert_eq!((&data["survey_id"], data.get("os")), (&json!(7), None));
        assert_eq!(data["user_attributes"], json!({"a": [1, null]}));
        assert_eq!(
            data["questions"][0]["question_text"],
            data["questions"][0]["questiom_text"]
        );
    }
    assert_eq!(of("recording")[0]["data"], json!({"id": 5}));
    assert!(of("recording")[0]["timestamp"].as_i64().unwrap() > 1_700_000_000);
    assert_eq!(of("unheard_of")[0]["data"]["site_id"], Value::Null);
    // The samples of a seed are those of the command with that seed.
    let other = answering(&[200]);
    let args = hotjar(&["--seed", "7", "--complete", "--question", "nps"]);
    delivered(&site, &other, &args);
    let id = other.posts()[0].json()["data"]["id"].clone();
    assert!(surveys.iter().any(|survey| survey["data"]["id"] == id));
}

#[test]
fn a_wrong_trigger_is_refused_with_every_mistake_at_its_member() {
    let (site, receiver) = (site(), answering(&[200]));
    let mock = Mock::start(&site, &receiver, &["esputnik", "--keep"]);
    let answer = mock.post(
        "/v1/trigger",
        &json!({"status": "OPENED", "media": "email", "count": 2000, "sampel": 1, "remove": ["a."]}),
    );
    assert_eq!(answer.problem(422), "4 fields are not right; see errors");
    let errors = answer.json()["errors"].clone();
    let at: Vec<_> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["at"])
        .collect();
    assert_eq!(at, ["/sampel", "/status", "/count", "/remove"]);
    let answer = mock.post("/v1/trigger", &json!({"remove": ["nothing"]}));
    assert!(
        answer
            .problem(422)
            .starts_with("remove \"nothing\": \"nothing\" is not there")
    );
    assert_eq!(mock.post("/v1/trigger", &json!([])).status, 422);
    let answer = Client::new(mock.address)
        .send("GET", "/v1/trigger", &[], b"")
        .unwrap();
    answer.problem(405);
    let answer = mock.post(
        "/v1/trigger",
        &json!({"sample": "sequence", "media": "sms"}),
    );
    assert_eq!(answer.json()["events"].as_array().unwrap().len(), 3);
    eventually("the sequence", || {
        Some(()).filter(|()| receiver.posts().len() == 3)
    });
}

#[test]
fn only_a_mock_has_a_trigger() {
    let site = site();
    let broker = site.start(&[]);
    let answer = broker.call("POST", "/v1/trigger", &json!({}));
    answer.problem(404);
}

#[test]
fn the_trigger_is_guarded_as_the_rest_of_the_api_is() {
    let (site, receiver) = (site(), answering(&[200]));
    let mock = Mock::start(
        &site,
        &receiver,
        &hotjar(&["--keep", "--admin-token", "env:TOKEN"]),
    );
    mock.post("/v1/trigger", &json!({})).problem(401);
    let token = [("authorization", "Bearer hunter2")];
    assert_eq!(mock.send("/v1/trigger", &token, &json!({})).status, 202);
    let open = Mock::start(&site, &receiver, &hotjar(&["--keep"]));
    let foreign = [("origin", "https://evil.example")];
    open.send("/v1/trigger", &foreign, &json!({})).problem(403);
}

#[test]
fn a_mock_that_stays_sends_what_its_options_ask_for_and_takes_events_besides() {
    let (site, receiver) = (site(), answering(&[200]));
    let mock = Mock::start(
        &site,
        &receiver,
        &hotjar(&["--keep", "--count", "2", "--json"]),
    );
    eventually("two", || Some(()).filter(|()| receiver.posts().len() == 2));
    let event = json!({"type": "survey_response", "data": {"id": 1}});
    assert_eq!(mock.post("/v1/events", &event).status, 202);
    eventually("three", || {
        Some(()).filter(|()| receiver.posts().len() == 3)
    });
    let (last, code) = mock.interrupted();
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!((code, &last["summary"]["delivered"]), (0, &json!(3)));
}

#[test]
fn an_interrupted_mock_that_does_not_stay_prints_its_summary_and_ends_with_130() {
    let (site, receiver) = (site(), Receiver::always(500));
    let url = receiver.url();
    let mut child = Command::new(env!("CARGO_BIN_EXE_redeliver"))
        .args(["mock", "esputnik", "--to", &url])
        .current_dir(site.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines
            .next()
            .unwrap()
            .unwrap()
            .starts_with("sending as esputnik")
    );
    assert!(lines.next().unwrap().unwrap().contains("again after 1m"));
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let last = lines.map_while(Result::ok).last().unwrap();
    assert!(
        last.starts_with(
            "events: 1 sent, 0 delivered, 0 given up, 0 removed, 1 open; 1 attempt in "
        ),
        "{last}"
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn with_a_data_directory_what_was_not_delivered_goes_on_in_the_next_run() {
    let (site, receiver) = (site(), answering(&[500, 200]));
    let args = ["--data", "mock-data", "--clock", "manual", "--count", "1"];
    let mock = Mock::start(&site, &receiver, &hotjar(&args));
    eventually("one", || Some(()).filter(|()| receiver.posts().len() == 1));
    assert_eq!(mock.interrupted().1, 0);
    let mock = Mock::start(&site, &receiver, &hotjar(&args[..4]));
    mock.post("/v1/clock/advance", &json!({"by": "1m", "patience": "60s"}));
    let posts = receiver.posts();
    assert_eq!((posts.len(), posts[1].attempt()), (2, 2));
    assert_eq!(posts[0].json()["data"], posts[1].json()["data"]);
}

#[test]
fn what_is_delivered_while_it_is_given_up_is_delivered() {
    let site = site();
    let receiver = Receiver::start(|_, _| Reply::After(std::time::Duration::from_secs(2), 200));
    let (ran, lines) = mock(&site, &receiver, &hotjar(&["--give-up-after", "1s"]));
    assert_eq!((ran.code, &*ran.err), (0, ""));
    assert_eq!(summary(&lines)["delivered"], 1);
}

#[test]
fn a_second_interrupt_ends_a_mock_whose_receiver_hangs() {
    let (site, receiver) = (site(), Receiver::start(|_, _| Reply::Hang));
    let args = hotjar(&["--listen", "127.0.0.1:0", "--count", "1"]);
    let mut mock = Mock::start(&site, &receiver, &args);
    eventually("it is attempted", || {
        (receiver.posts().len() == 1).then_some(())
    });
    // The attempt has as long as the drain; whoever asks again does not wait for it.
    let status = eventually("it ends", || {
        mock.interrupt();
        mock.child.try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(130));
}
