//! What is wrong is refused in words, and takes nothing else with it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::process::broker::{Broker, Ran, Site};
use crate::process::eventually;
use crate::process::receiver::{Receiver, nobody};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A broker with one endpoint, which has delivered one event.
fn busy(site: &Site, receiver: &Receiver) -> (Broker, String) {
    let broker = site.start(&[]);
    broker.post(
        "/v1/endpoints",
        &json!({"name": "e", "url": receiver.url(), "policy": "standard"}),
    );
    let event = broker.event("t", &json!(1));
    broker.delivery_once(&event, "delivered");
    (broker, event)
}

/// It still serves, and has lost nothing and taken nothing more.
fn unharmed(broker: &Broker, event: &str, receiver: &Receiver) {
    assert_eq!(broker.send("GET", "/readyz", &[], b"").status, 200);
    let log = broker.list("/v1/events?limit=1000");
    let ids: Vec<_> = log
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [event]);
    assert_eq!(broker.delivery_of(event)["status"], "delivered");
    assert_eq!(broker.list("/v1/endpoints?state=all").len(), 1);
    assert_eq!(receiver.posts().len(), 1);
}

/// One line of words, the right code, and no panic.
fn refused(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!((ran.code, &*ran.out), (code, ""), "{}", ran.err);
    let errors = ran.err.lines().filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), 1, "{}", ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
}

#[test]
fn a_request_that_is_wrong_is_a_problem_in_words_and_changes_nothing() {
    let (site, receiver) = (Site::new(), Receiver::always(200));
    let (broker, event) = busy(&site, &receiver);
    let large = format!(r#"{{"type":"t","data":"{}"}}"#, "x".repeat(1 << 20));
    let deep = format!(r#"{{"type":"t","data":{}"#, "[".repeat(100_000));
    let text = ("content-type", "text/plain");
    for (header, body, status, word) in [
        (JSON, &br#"{"type": "t", "data": "#[..], 400, "JSON"),
        (JSON, b"", 400, ""),
        (JSON, b"\xff\xfe", 400, ""),
        (JSON, b"[]", 422, "object"),
        (JSON, deep.as_bytes(), 400, ""),
        (JSON, br#"{"data": 1}"#, 422, "type"),
        (JSON, br#"{"type": 1, "data": 1}"#, 422, "type"),
        (JSON, br#"{"type": "t", "data": 1, "tipe": 2}"#, 422, "tipe"),
        (JSON, large.as_bytes(), 413, "1048576"),
        (text, br#"{"type": "t", "data": 1}"#, 415, "text/plain"),
    ] {
        let answer = broker.send("POST", "/v1/events", &[header], body);
        let start: String = String::from_utf8_lossy(body).chars().take(40).collect();
        assert_eq!(answer.status, status, "{start}: {}", answer.text());
        let detail = answer.problem(status);
        assert!(detail.contains(word), "{start}: {detail}");
    }
    for (method, path, status) in [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/events/evt_nothing", 404),
        ("GET", "/v1/deliveries/%ff", 400),
        ("GET", "/v1/events?limit=0", 422),
        ("DELETE", "/v1/events", 405),
        ("POST", "/v1/endpoints/nobody/pause", 404),
        ("POST", "/v1/clock/advance", 422),
    ] {
        broker.send(method, path, &[], b"").problem(status);
    }
    let advance = broker.call("POST", "/v1/clock/advance", &json!({"by": "1s"}));
    assert!(advance.problem(409).contains("--clock manual"));
    unharmed(&broker, &event, &receiver);
    broker.stop();
}

#[test]
fn an_endpoint_at_a_place_that_nothing_may_be_sent_to_is_refused() {
    let (site, receiver) = (Site::new(), Receiver::always(200));
    let (broker, event) = busy(&site, &receiver);
    for (url, words) in [
        ("http://u:hunter2@127.0.0.1:9/", "credentials"),
        ("http://10.1.2.3/hook", "private"),
        ("http://192.168.1.1/hook", "private"),
        ("http://169.254.169.254/latest/meta-data/", "link-local"),
        ("http://[::ffff:169.254.169.254]/", "link-local"),
        ("http://0xa9fea9fe/", "link-local"),
        ("http://[fd00:ec2::254]/", "private"),
        ("ftp://127.0.0.1/", "ftp"),
        ("127.0.0.1:9000", "absolute"),
    ] {
        let endpoint = json!({"name": "bad", "url": url, "policy": "standard"});
        let refused = broker.call("POST", "/v1/endpoints", &endpoint);
        let detail = refused.problem(422);
        assert!(detail.contains(words), "{url}: {detail}");
        assert!(!refused.text().contains("hunter2"));
        assert_eq!(refused.json()["errors"][0]["at"], "/url");
    }
    unharmed(&broker, &event, &receiver);
    broker.stop();
    assert!(!site.log().contains("hunter2"));
}

#[test]
fn an_unreachable_receiver_shows_in_words_at_its_delivery() {
    let (site, receiver) = (Site::new(), Receiver::always(200));
    let (broker, event) = busy(&site, &receiver);
    let url = nobody();
    let endpoint = json!({"name": "away", "url": url, "policy": "standard", "events": ["lost"]});
    let id = broker.post("/v1/endpoints", &endpoint)["id"].clone();
    let path = format!("/v1/endpoints/{}", id.as_str().unwrap());
    let lost = broker.event("lost", &json!(2));
    let delivery = eventually("the first attempt has failed", || {
        let found = broker.list(&format!("/v1/events/{lost}/deliveries?limit=10"));
        let away = found
            .into_iter()
            .find(|delivery| delivery["endpoint"] == "away");
        away.filter(|delivery| delivery["status"] == "waiting")
    });
    let error = delivery["last_error"].as_str().unwrap();
    assert!(error.contains("refused"), "{error}");
    assert_eq!(delivery["last_status"], json!(null));
    let explanation = delivery["explanation"].as_str().unwrap();
    assert!(explanation.contains("refused"), "{explanation}");
    assert_eq!(broker.send("DELETE", &path, &[], b"").status, 204);
    assert_eq!(broker.delivery_of(&event)["status"], "delivered");
    broker.stop();
}

#[test]
fn without_the_right_token_nothing_is_taken_shown_or_changed() {
    let site = Site::new();
    fs::write(site.path("token"), "s3cret-token\n").unwrap();
    site.configure("[server]\nadmin_token = \"file:token\"\n");
    let broker = site.start(&[]);
    let right = ("authorization", "Bearer s3cret-token");
    let body = br#"{"type":"t","data":1}"#;
    for wrong in [
        "Bearer s3cret",
        "Bearer s3cret-token2",
        "Basic czNjcmV0",
        "Bearer",
    ] {
        let wrong = ("authorization", wrong);
        let refused = broker.send("POST", "/v1/events", &[JSON, wrong], body);
        assert!(refused.problem(401).to_lowercase().contains("token"));
        broker.send("GET", "/v1/events", &[wrong], b"").problem(401);
        broker
            .send("DELETE", "/v1/endpoints/e", &[wrong], b"")
            .problem(401);
    }
    broker
        .send("POST", "/v1/events", &[JSON], body)
        .problem(401);
    let taken = broker.send("POST", "/v1/events", &[JSON, right], body);
    assert_eq!(taken.status, 202);
    assert_eq!(taken.json()["seq"], 1);
    broker.stop();
    assert!(!site.log().contains("s3cret"));
}

#[test]
fn a_second_process_on_the_same_directory_is_told_which_one_is_there() {
    let (site, receiver) = (Site::new(), Receiver::always(200));
    let (broker, event) = busy(&site, &receiver);
    let pid = format!("process {}", broker.pid());
    let second = site.start_in_vain(&[]);
    refused(&second, 3, &["in use", &pid, "--data"]);
    let looked = site.run(&["store", "verify", "--data", "data"]);
    refused(&looked, 3, &["in use", &pid]);
    unharmed(&broker, &event, &receiver);
    broker.stop();
}

#[test]
fn an_address_in_use_is_told_before_the_store_is_touched() {
    let site = Site::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = ["serve", "--data", "data", "--listen", &address];
    refused(
        &site.run(&args),
        3,
        &["cannot listen on", &address, "--listen"],
    );
    assert!(!site.path("data").exists());
}

#[test]
fn a_data_directory_that_is_none_is_told() {
    let site = Site::new();
    fs::write(site.path("data"), "a file").unwrap();
    refused(&site.start_in_vain(&[]), 3, &["data", "--data"]);
    assert_eq!(fs::read(site.path("data")).unwrap(), b"a file");
}

#[test]
fn a_data_directory_that_cannot_be_written_is_told() {
    let site = Site::new();
    let locked = site.path("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    // The administrator may write everywhere but where nobody can.
    let unwritable = if fs::write(locked.join("probe"), "").is_ok() {
        "/proc/new"
    } else {
        "locked"
    };
    for dir in [unwritable.to_owned(), format!("{unwritable}/new")] {
        let args = ["serve", "--listen", "127.0.0.1:0", "--data", &dir];
        refused(&site.run(&args), 3, &["cannot use", unwritable, "--data"]);
    }
    let _ = fs::set_permissions(&locked, fs::Permissions::from_mode(0o755));
}

#[test]
fn five_mistakes_in_a_configuration_are_five_lines_with_their_numbers() {
    let site = Site::new();
    site.configure(
        r#"[server]
listen = "everywhere"

[[endpoint]]
name = "a"
url = "http://u:hunter2@127.0.0.1:1/"
policy = "esputnik"

[[endpoint]]
name = "a"
url = "http://127.0.0.1:1/"
policy = "hotjar"
signing_key = "env:NOT_SET"
timeot = "1s"
"#,
    );
    let ran = site.start_in_vain(&[]);
    assert_eq!((ran.code, &*ran.out), (2, ""), "{}", ran.err);
    let numbers: Vec<&str> = ran
        .err
        .lines()
        .map(|line| {
            let line = line.strip_prefix("error: config.toml:").unwrap();
            line.split(':').next().unwrap()
        })
        .collect();
    assert_eq!(numbers, ["2", "6", "9", "13", "14"], "{}", ran.err);
    assert!(!ran.err.contains("hunter2") && !ran.err.contains("panicked"));
    assert!(!site.path("data").exists());
}

#[test]
fn an_unknown_flag_or_value_is_one_line_of_usage() {
    let site = Site::new();
    refused(&site.start_in_vain(&["--clok", "manual"]), 2, &["--clok"]);
    refused(&site.start_in_vain(&["--clock", "fast"]), 2, &["fast"]);
    let open = ["serve", "--listen", "0.0.0.0:0", "--data", "data"];
    refused(&site.run(&open), 2, &["admin_token"]);
    let missing = ["serve", "--config", "absent.toml"];
    refused(&site.run(&missing), 2, &["absent.toml"]);
    assert!(!site.path("data").exists());
}

#[test]
fn with_a_log_of_json_every_line_on_standard_error_is_json() {
    let site = Site::new();
    site.configure("[server]\nadmin_token = \"written-out-in-the-file\"\n");
    let told = |ran: &Ran| -> Vec<(String, String)> {
        let lines = ran.err.lines().map(|line| {
            let line: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            assert!(line["timestamp"].is_string(), "{line}");
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (text(&line["level"]), text(&line["fields"]["message"]))
        });
        lines.collect()
    };
    let json = ["--log-format", "json"];
    let check = ["serve", "--config", "config.toml", "--check"];
    let ran = site.run(&[&check[..], &json].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines = told(&ran);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].0, "WARN");
    assert!(
        lines[0].1.contains("admin_token is written out"),
        "{lines:?}"
    );
    // The fatal error, whatever the log leaves out, and arguments that cannot be read at all.
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let serve = [
        "serve", "--data", "data", "--listen", &address, "--log", "off",
    ];
    for (args, code, word) in [
        (&serve[..], 3, "cannot listen on"),
        (&["serve", "--chek"], 2, "unexpected argument"),
    ] {
        let ran = site.run(&[&json, args].concat());
        assert_eq!(ran.code, code, "{}", ran.err);
        let lines = told(&ran);
        let (level, message) = lines.last().unwrap();
        assert!(level == "ERROR" && message.contains(word), "{lines:?}");
    }
}

#[test]
fn a_directory_of_other_things_becomes_no_store() {
    let site = Site::new();
    fs::create_dir(site.path("work")).unwrap();
    fs::write(site.path("work/notes.txt"), "mine").unwrap();
    let ran = site.run(&["serve", "--data", "work", "--listen", "127.0.0.1:0"]);
    refused(&ran, 2, &["work is no store", "notes.txt", "--data"]);
    let left: Vec<_> = fs::read_dir(site.path("work")).unwrap().collect();
    assert_eq!(left.len(), 1);
}
