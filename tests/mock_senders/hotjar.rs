//! Hotjar's rules: HOT-12 to HOT-36.

use std::time::Duration;

use super::*;

pub(super) const BY_PYTHON: &str = r#"
import hashlib, hmac, json, sys
right = 0
for request in json.load(sys.stdin):
    body = bytes.fromhex(request["body"])
    given = dict(request["headers"])["com-hotjar-signature"]
    right += given == hmac.new(sys.argv[1].encode(), body, hashlib.sha3_256).hexdigest()
print(right, "right")
"#;

const HOTJAR: [&str; 3] = ["hotjar", "--key-file", "key.txt"];

fn with<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&HOTJAR, args].concat()
}

#[test]
fn hot_20_to_26_the_mock_retries_on_hotjars_schedule_at_600x_and_gives_up() {
    let (site, receiver) = (site(), Receiver::always(500));
    let (ran, lines) = mock(&site, &receiver, &with(&["--speed", "600x"]));
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(ran.err, "error: 1 of 1 events not delivered\n");
    let attempts = attempts(&lines);
    assert_eq!(attempts.len(), 7);
    for (pair, delay) in attempts.windows(2).zip([30, 60, 120, 300, 600, 1200]) {
        let took = Duration::from_millis(pair[0]["duration_ms"].as_u64().unwrap());
        let ended = time(&pair[0]["at"]).plus(took);
        let next = time(&pair[0]["next_attempt_at"]);
        assert_eq!(next.since(ended), Duration::from_secs(delay));
        assert!(time(&pair[1]["at"]) >= next, "never early");
    }
    assert_eq!(attempts[6]["outcome"], "dead");
    assert_eq!(summary(&lines)["dead"], 1);
    // Each of them fresh by the mock's clock, and signed for itself (HOT-36).
    let posts = receiver.posts();
    assert_eq!(posts.len(), 7);
    for (seen, attempt) in posts.iter().zip(&attempts) {
        assert_eq!(seen.json()["timestamp"], time(&attempt["at"]).as_seconds());
        assert_eq!(seen.json()["data"], posts[0].json()["data"]);
    }
    verified_by_python(BY_PYTHON, &posts);
}

#[test]
fn hot_28_a_410_removes_the_endpoint_and_the_mock_ends_with_1() {
    let (site, receiver) = (site(), answering(&[500, 410]));
    let args = with(&["--speed", "6000x", "--count", "1"]);
    let (ran, lines) = mock(&site, &receiver, &args);
    assert_eq!(ran.code, 1);
    let told = "error: 1 of 1 events not delivered: a 410 removed the endpoint\n";
    assert!(ran.err.ends_with(told), "{}", ran.err);
    assert_eq!(attempts(&lines)[1]["endpoint_state"], "removed");
    assert_eq!(receiver.posts().len(), 2);
    assert_eq!(
        (&summary(&lines)["removed"], &summary(&lines)["open"]),
        (&json!(1), &json!(0))
    );
}

#[test]
fn hot_16_any_2xx_is_a_success_and_nothing_else_is() {
    let site = site();
    for (statuses, count) in [(&[204][..], 1), (&[302, 299], 2), (&[404, 429, 200], 3)] {
        let receiver = answering(statuses);
        let lines = delivered(&site, &receiver, &with(&["--speed", "6000x"]));
        assert_eq!(attempts(&lines).len(), count);
        assert_eq!(receiver.posts().len(), count);
        assert_eq!(receiver.gets().len(), 0, "only eSputnik sends one");
    }
}

#[test]
fn hot_12_a_failing_event_holds_no_other_back() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (site, others) = (site(), AtomicUsize::new(0));
    // The first one is taken once all others have been.
    let receiver = Receiver::start(move |seen, _| match seen.json()["data"]["index"].as_u64() {
        Some(1) if others.load(Ordering::SeqCst) < 4 => Reply::Status(500),
        Some(1) => Reply::Status(200),
        _ => {
            others.fetch_add(1, Ordering::SeqCst);
            Reply::Status(200)
        }
    });
    let args = with(&["--count", "5", "--speed", "600x"]);
    let lines = delivered(&site, &receiver, &args);
    assert_eq!(summary(&lines)["delivered"], 5);
}

#[test]
fn a_08_key_and_signature_can_be_written_otherwise() {
    let site = site();
    std::fs::write(site.path("hex.txt"), hex::encode(KEY)).unwrap();
    let receiver = answering(&[200]);
    let args = ["hotjar", "--key-file", "hex.txt", "--key-encoding", "hex"];
    delivered(&site, &receiver, &args);
    verified_by_python(BY_PYTHON, &receiver.posts());
    let receiver = answering(&[200]);
    delivered(&site, &receiver, &with(&["--signature-encoding", "base64"]));
    let signature = receiver.posts()[0]
        .header("com-hotjar-signature")
        .to_owned();
    assert!(
        signature.len() == 44 && signature.ends_with('='),
        "{signature}"
    );
}

#[test]
fn the_key_can_be_in_the_environment_and_without_one_nothing_is_sent() {
    let mut site = site();
    let receiver = answering(&[200]);
    let (ran, _) = mock(&site, &receiver, &["hotjar"]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.err,
        "error: no signing key: give --key-file FILE or set REDELIVER_KEY\n"
    );
    site.set_env("REDELIVER_KEY", KEY);
    delivered(&site, &receiver, &["hotjar"]);
    verified_by_python(BY_PYTHON, &receiver.posts());
    assert_eq!(receiver.posts().len(), 1);
}

#[test]
fn people_are_shown_what_happens_and_what_comes_next() {
    let (site, receiver) = (site(), answering(&[503, 200]));
    let url = receiver.url();
    let all = [
        &["mock"],
        &HOTJAR[..],
        &["--to", &url, "--speed", "600x", "--seed", "7"],
    ]
    .concat();
    let ran = site.run(&all);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(
        lines[0],
        "sending as hotjar, the clock 600x; repeat with --seed 7"
    );
    assert!(lines[1].contains("#1 survey_response"), "{}", ran.out);
    assert!(
        lines[1].contains("attempt 1  503 (ok)  again after 30s, at "),
        "{}",
        ran.out
    );
    assert!(
        lines[2].ends_with("attempt 2  200  delivered"),
        "{}",
        ran.out
    );
    assert!(
        lines[3].starts_with(
            "events: 1 sent, 1 delivered, 0 given up, 0 removed, 0 open; 2 attempts in "
        )
    );
    assert!(!ran.out.contains(KEY) && !ran.err.contains(KEY));
}

#[test]
fn hot_18_a_fault_is_done_by_its_flag_and_stands_beside_its_attempt() {
    let (site, receiver) = (site(), Receiver::always(200));
    let args = with(&["--speed", "6000x", "--fault", "cut", "--fault", "duplicate"]);
    let lines = delivered(&site, &receiver, &args);
    let attempts = attempts(&lines);
    assert_eq!(attempts.len(), 2, "{lines:?}");
    assert!(
        attempts[0]["faults"].to_string().contains("cut"),
        "{lines:?}"
    );
    assert_eq!(attempts[0]["status"], Value::Null);
    assert_eq!(
        (&attempts[1]["faults"], &attempts[1]["status"]),
        (&json!([]), &json!(200))
    );
    let script = site.path("faults.toml");
    std::fs::write(&script, "[[fault]]\nkind = \"cutt\"\n").unwrap();
    let args = with(&[
        "--faults",
        "faults.toml",
        "--json",
        "--to",
        "http://127.0.0.1:1/",
    ]);
    let ran = site.run(&[&["mock"], &args[..]].concat());
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("faults.toml:2") && ran.err.contains("did you mean"),
        "{}",
        ran.err
    );
}
