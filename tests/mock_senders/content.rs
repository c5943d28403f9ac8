//! What is sent: samples, overrides, files.

use super::*;

/// The payloads that a run of Hotjar's mock sends.
#[track_caller]
fn sent(site: &Site, args: &[&str]) -> Vec<Seen> {
    let receiver = answering(&[200]);
    let all = [&["hotjar", "--key-file", "key.txt"], args].concat();
    delivered(site, &receiver, &all);
    receiver.posts()
}

#[test]
fn a_seed_repeats_a_stream_and_ids_and_indexes_grow_in_it() {
    let site = site();
    let stream = |seed| {
        let seen = sent(&site, &["--count", "20", "--rate", "1000", "--seed", seed]);
        let mut data: Vec<Value> = seen
            .iter()
            .map(|seen| seen.json()["data"].clone())
            .collect();
        data.sort_by_key(|data| data["index"].as_u64());
        for data in &mut data {
            // What tells the time of the sending.
            for field in ["created_str", "created_timestamp"] {
                data.as_object_mut().unwrap().remove(field);
            }
        }
        data
    };
    let first = stream("7");
    assert_eq!(first, stream("7"));
    assert_ne!(first, stream("8"));
    for pair in first.windows(2) {
        assert!(pair[0]["id"].as_u64() < pair[1]["id"].as_u64());
        assert_eq!(
            pair[0]["index"].as_u64().unwrap() + 1,
            pair[1]["index"].as_u64().unwrap()
        );
    }
}

#[test]
fn each_option_of_the_sample_is_seen_by_the_receiver() {
    let site = site();
    let one = |args: &[&str]| sent(&site, args)[0].json();
    assert_eq!(one(&["--test"])["event"], "test_message");
    assert_eq!(one(&["--test"])["data"], json!({"sample": "data"}));
    assert_eq!(one(&["--type", "recording"])["event"], "recording");
    assert!(one(&["--unknown-fields"])["data"]["session_id"].is_string());
    let nulls = one(&["--nulls", "all"]);
    assert!(
        nulls["data"]
            .as_object()
            .unwrap()
            .values()
            .all(Value::is_null)
    );
    assert_eq!(one(&["--complete=false"])["data"]["is_complete"], false);
    let asked = one(&[
        "--complete",
        "--question",
        "nps",
        "--question",
        "email",
        "--spelling",
        "both",
    ]);
    let questions = asked["data"]["questions"].as_array().unwrap();
    let kinds: Vec<_> = questions
        .iter()
        .map(|question| &question["question_type"])
        .collect();
    assert_eq!(kinds, ["nps", "email"]);
    assert_eq!(questions[0]["question_text"], questions[0]["questiom_text"]);
    let example = one(&["--complete", "--spelling", "example"]);
    assert!(
        example["data"]["questions"][0]
            .get("question_text")
            .is_none()
    );
}

#[test]
fn an_override_changes_what_it_names_and_nothing_else() {
    let site = site();
    let before = sent(&site, &["--seed", "3"])[0].json();
    let args = [
        "--set",
        "data.survey_id=7",
        "--set",
        "data.questions.0.note=x=y",
        "--remove",
        "data.os",
    ];
    let after = sent(&site, &[&["--seed", "3"], &args[..]].concat())[0].json();
    let mut expected = before["data"].clone();
    expected["survey_id"] = json!(7);
    expected["questions"][0]["note"] = json!("x=y");
    expected.as_object_mut().unwrap().remove("os");
    let mut after = after["data"].clone();
    for field in ["created_str", "created_timestamp"] {
        after[field] = expected[field].clone();
    }
    assert_eq!(after, expected);
}

#[test]
fn a_03_a_payload_that_an_override_fixes_goes_out_byte_for_byte_at_every_attempt() {
    let site = site();
    for (set, is_fixed) in [
        ("timestamp=473385600", true),
        ("version=2", true),
        ("extra=1", true),
        ("data.id=1", false),
        ("event=recording", false),
    ] {
        let receiver = answering(&[500, 200]);
        let args = [
            "hotjar",
            "--key-file",
            "key.txt",
            "--speed",
            "600x",
            "--set",
            set,
        ];
        delivered(&site, &receiver, &args);
        let posts = receiver.posts();
        assert_eq!(posts[0].body == posts[1].body, is_fixed, "{set}");
    }
}

#[test]
fn a_file_is_sent_with_the_time_of_the_sending_and_overrides() {
    let site = site();
    let example = include_str!("../fixtures/payloads/hotjar_survey_response.json");
    std::fs::write(site.path("payload.json"), example).unwrap();
    let args = [
        "--from",
        "payload.json",
        "--set",
        "data.id=43",
        "--count",
        "2",
    ];
    let seen = sent(&site, &args);
    assert_eq!(seen.len(), 2);
    let mut expected: Value = serde_json::from_str(example).unwrap();
    expected["data"]["id"] = json!(43);
    expected["timestamp"] = seen[0].json()["timestamp"].clone();
    assert_eq!(seen[0].json(), expected);
    // Not of 1985.
    assert!(seen[0].json()["timestamp"].as_i64().unwrap() > 1_700_000_000);
}

#[test]
fn raw_bytes_go_out_as_they_are_and_signed_as_they_are() {
    let site = site();
    let bytes = b"\xff\xfe no JSON \0 at all\n";
    std::fs::write(site.path("raw.bin"), bytes).unwrap();
    let seen = sent(
        &site,
        &[
            "--raw",
            "raw.bin",
            "--content-type",
            "text/plain; charset=x",
        ],
    );
    assert_eq!(seen[0].body, bytes);
    assert_eq!(seen[0].header("content-type"), "text/plain; charset=x");
    let key = redeliver::vendor::signature::hmac_sha3_256(KEY.as_bytes(), bytes);
    assert_eq!(seen[0].header("com-hotjar-signature"), hex::encode(key));
}

#[test]
fn of_thousands_that_are_sent_at_once_each_is_shown_and_counted() {
    let (site, receiver) = (site(), answering(&[200]));
    let out = std::fs::File::create(site.path("out.jsonl")).unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_redeliver"))
        .args(["mock", "hotjar", "--key-file", "key.txt", "--json"])
        .args(["--to", &receiver.url(), "--count", "3000", "--test"])
        .current_dir(site.path(""))
        .stdout(out)
        .status()
        .unwrap();
    assert!(status.success());
    let text = std::fs::read_to_string(site.path("out.jsonl")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(attempts(&lines).len(), 3000);
    assert_eq!(summary(&lines)["delivered"], 3000);
    assert_eq!(receiver.posts().len(), 3000);
}
