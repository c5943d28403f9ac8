//! `redeliver resend`: recorded requests again.

use redeliver::endpoint::TextEncoding;
use redeliver::vendor::hotjar as vendor;

use super::hotjar::BY_PYTHON;
use super::process::receiver::nobody;
use super::*;

const RENEW: [&str; 5] = ["--renew", "--scheme", "hotjar", "--key-file", "key.txt"];

/// As a vendor wrote it: with spaces and escapes that a parser would not keep.
const BODY: &str = "{ \"event\":\"survey_response\", \"version\":1,\"timestamp\" : 473385600,\n \"data\":{\"id\":1.0,\"a\":\"\\u00e9\"}}\n";

fn archive(bodies: &[&str]) -> String {
    let entries: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(n, body)| {
            json!({
                "startedDateTime": format!("2026-01-31T09:30:{n:02}.000Z"),
                "time": 12,
                "request": {
                    "method": "POST",
                    "url": "https://receiver.example/hook?x=1",
                    "httpVersion": "HTTP/2",
                    "headers": [
                        {"name": ":authority", "value": "receiver.example"},
                        {"name": "Host", "value": "receiver.example"},
                        {"name": "Content-Length", "value": "999"},
                        {"name": "Content-Type", "value": "application/json"},
                        {"name": "X-Trace", "value": "t-1"},
                        {"name": "com-hotjar-signature", "value": "0".repeat(64)},
                    ],
                    "postData": {"mimeType": "application/json", "text": body},
                },
                "response": {"status": 200},
            })
        })
        .collect();
    json!({"log": {"version": "1.2", "entries": entries}}).to_string()
}

fn resend(site: &Site, args: &[&str]) -> Ran {
    site.run(&[&["resend"], args].concat())
}

#[test]
fn an_archive_is_sent_in_order_with_new_times_and_signatures_and_no_other_change() {
    let (site, receiver) = (site(), answering(&[200]));
    let bodies: Vec<_> = (0..3)
        .map(|n| BODY.replace("1.0", &format!("{n}.0")))
        .collect();
    let each: Vec<_> = bodies.iter().map(String::as_str).collect();
    std::fs::write(site.path("a.har"), archive(&each)).unwrap();
    let url = receiver.url();
    let ran = resend(&site, &[&["a.har", "--to", &url], &RENEW[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out
            .ends_with("requests: 3 sent, 3 answered with success\n"),
        "{}",
        ran.out
    );
    let posts = receiver.posts();
    verified_by_python(BY_PYTHON, &posts);
    for (seen, body) in posts.iter().zip(&bodies) {
        let timestamp = seen.json()["timestamp"].to_string();
        assert!(timestamp.parse::<i64>().unwrap() > 1_700_000_000);
        let expected = body.replace("473385600", &timestamp);
        assert_eq!(String::from_utf8_lossy(&seen.body), expected);
        assert_eq!(seen.header("x-trace"), "t-1");
        assert_eq!(seen.path, "/hook", "where to is said by --to");
        assert_ne!(seen.header("host"), "receiver.example");
    }
}

#[test]
fn as_recorded_a_request_has_its_old_bytes_and_its_old_signature() {
    let (site, receiver) = (site(), answering(&[200]));
    std::fs::write(site.path("a.har"), archive(&[BODY])).unwrap();
    let url = receiver.url();
    let ran = resend(&site, &["a.har", "--to", &url, "--as-recorded"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let posts = receiver.posts();
    assert_eq!(posts[0].body, BODY.as_bytes());
    assert_eq!(posts[0].header("com-hotjar-signature"), "0".repeat(64));
    assert_eq!(posts[0].header("content-length"), BODY.len().to_string());
}

#[test]
fn what_a_server_took_in_from_a_vendor_is_sent_again_and_believed() {
    let site = site();
    site.configure(
        "[[source]]\nname = \"surveys\"\nkind = \"hotjar\"\nkey = \"file:key.txt\"\nmax_age = \"off\"\n",
    );
    let broker = site.start(&[]);
    for n in 0..3 {
        let body = BODY.replace("1.0", &format!("{n}.0")).trim_end().to_owned();
        let signature = vendor::sign(KEY.as_bytes(), body.as_bytes(), TextEncoding::Hex).unwrap();
        let headers = [
            ("content-type", "application/json"),
            ("com-hotjar-signature", signature.as_str()),
        ];
        let answer = broker.send("POST", "/in/surveys", &headers, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let receiver = answering(&[200]);
    let (server, url) = (format!("http://{}", broker.address), receiver.url());
    let args = [
        "--source", "surveys", "--server", &server, "--since", "1h", "--to", &url,
    ];
    let ran = resend(&site, &[&args, &RENEW[..], &["--json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["summary"], json!({"sent": 3, "succeeded": 3}));
    let posts = receiver.posts();
    let ids: Vec<_> = posts
        .iter()
        .map(|seen| seen.json()["data"]["id"].clone())
        .collect();
    assert_eq!(ids, [json!(0.0), json!(1.0), json!(2.0)]);
    verified_by_python(BY_PYTHON, &posts);
    // What `event list --json` prints is a recording, too.
    let listed = site.run(&["event", "list", "--json", "--server", &server]);
    std::fs::write(site.path("list.json"), listed.out).unwrap();
    let other = answering(&[200]);
    let ran = resend(
        &site,
        &[&["list.json", "--to", &other.url()], &RENEW[..]].concat(),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(other.posts().len(), 3);
}

#[test]
fn two_receivers_are_compared_by_status_and_body() {
    let site = site();
    std::fs::write(site.path("a.har"), archive(&[BODY, BODY])).unwrap();
    let good = answering(&[200]);
    let same = answering(&[200]);
    let other = answering(&[200, 204]);
    let with = |second: &Receiver| {
        let (to, against) = (good.url(), second.url());
        let args = [
            "a.har",
            "--to",
            &to,
            "--against",
            &against,
            "--as-recorded",
            "--json",
        ];
        resend(&site, &args)
    };
    let ran = with(&same);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = with(&other);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        "error: 1 of 2 requests were answered differently\n"
    );
    let lines: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["differs"], json!([]));
    assert!(
        lines[1]["differs"]
            .as_array()
            .unwrap()
            .contains(&json!("status"))
    );
    assert_eq!(
        (
            &lines[1]["answer"]["status"],
            &lines[1]["against"]["status"]
        ),
        (&json!(200), &json!(204))
    );
    assert_eq!(same.posts()[0].body, good.posts()[0].body);
    // Two that fail in the same way do not differ.
    let (a, b) = (Receiver::always(500), Receiver::always(500));
    let (to, against) = (a.url(), b.url());
    let ran = resend(
        &site,
        &["a.har", "--to", &to, "--against", &against, "--as-recorded"],
    );
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains(": the same\n"), "{}", ran.out);
}

#[test]
fn an_answer_that_is_no_success_ends_with_1_and_does_not_stop_the_rest() {
    let (site, receiver) = (site(), answering(&[500, 200]));
    std::fs::write(site.path("a.har"), archive(&[BODY, BODY])).unwrap();
    let url = receiver.url();
    let args = [
        "a.har",
        "--to",
        &url,
        "--as-recorded",
        "--gaps",
        "--speed",
        "1000x",
    ];
    let ran = resend(&site, &args);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        "error: 1 of 2 requests were not answered with success\n"
    );
    assert_eq!(receiver.posts().len(), 2);
    let ran = resend(&site, &["a.har", "--to", &nobody(), "--as-recorded"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("refused"), "{}", ran.out);
}

#[test]
fn bad_usage_of_resend_is_told_in_one_line() {
    let site = site();
    std::fs::write(site.path("empty.jsonl"), "{\"listening\":\"x\"}\n").unwrap();
    std::fs::write(site.path("bad.jsonl"), "{\"body\":\"x\"}\n{\"body\":7}\n").unwrap();
    let to = ["--to", "http://127.0.0.1:1/"];
    for (args, told) in [
        (
            &["none.har", "--as-recorded"][..],
            "none.har: cannot be read: No such file",
        ),
        (
            &["bad.jsonl", "--as-recorded"],
            "bad.jsonl: line 2: is no recorded request: ",
        ),
        (&["bad.jsonl"], "--renew|--as-recorded"),
        (&["--as-recorded"], "FILE"),
        (&["bad.jsonl", "--renew"], "--scheme <SCHEME>"),
        (
            &["bad.jsonl", "--renew", "--scheme", "hotjar"],
            "no signing key: give --key-file FILE or set REDELIVER_KEY",
        ),
        (&["bad.jsonl", "--as-recorded", "--speed", "2x"], "--gaps"),
        (
            &["bad.jsonl", "--as-recorded", "--since", "2h"],
            "cannot be used with",
        ),
    ] {
        let ran = resend(&site, &[args, &to].concat());
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(told), "{args:?}: {}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    let ran = resend(
        &site,
        &[&["empty.jsonl", "--as-recorded"], &to[..]].concat(),
    );
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("there is no recorded request with a body to send"),
        "{}",
        ran.err
    );
}

#[test]
fn hot_35_a_body_without_a_time_to_renew_is_told_of() {
    let (site, receiver) = (site(), answering(&[200]));
    std::fs::write(site.path("a.har"), archive(&["no JSON", BODY])).unwrap();
    let url = receiver.url();
    let ran = resend(&site, &[&["a.har", "--to", &url], &RENEW[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(
        ran.err
            .starts_with("warning: request 1: its body has no one timestamp"),
        "{}",
        ran.err
    );
    assert_eq!(receiver.posts()[0].body, b"no JSON");
}
