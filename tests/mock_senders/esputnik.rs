//! eSputnik's rules: ESP-04 to ESP-19.

use super::*;

const STATUSES: [&str; 3] = ["DELIVERED", "READ", "CLICKED"];

fn statuses(seen: &[Seen]) -> Vec<String> {
    let each = seen.iter().map(|seen| {
        seen.json()[0]["activityStatus"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    each.collect()
}

#[test]
fn esp_11_to_17_a_sequence_arrives_in_order_and_its_head_blocks_until_200() {
    // 201 and 410 are no success here, and 410 has no other meaning (ESP-12, A-02).
    let (site, receiver) = (site(), answering(&[500, 201, 410, 200]));
    let lines = delivered(
        &site,
        &receiver,
        &["esputnik", "--sequence", "--speed", "6000x"],
    );
    assert_eq!(receiver.gets().len(), 1, "the check on save (ESP-07)");
    let posts = receiver.posts();
    let expected = [
        "DELIVERED",
        "DELIVERED",
        "DELIVERED",
        "DELIVERED",
        "READ",
        "CLICKED",
    ];
    assert_eq!(statuses(&posts), expected);
    assert!(
        posts
            .iter()
            .all(|seen| seen.json()[0]["iid"] == posts[0].json()[0]["iid"])
    );
    let delays: Vec<_> = attempts(&lines)[..3]
        .iter()
        .map(|attempt| {
            let took = attempt["duration_ms"].as_u64().unwrap();
            let ended = time(&attempt["at"]).moved(i64::try_from(took).unwrap());
            time(&attempt["next_attempt_at"]).since(ended).as_secs()
        })
        .collect();
    assert_eq!(delays, [60, 120, 240]);
}

#[test]
fn esp_08_a_url_that_fails_the_check_gets_no_activity_unless_told_to_go_on() {
    let site = site();
    let receiver =
        Receiver::start(|seen, _| Reply::Status(if seen.method == "GET" { 405 } else { 200 }));
    let (ran, lines) = mock(&site, &receiver, &["esputnik"]);
    assert_eq!((ran.code, lines.len(), receiver.posts().len()), (1, 0, 0));
    assert_eq!(
        ran.err,
        format!(
            "error: GET {} answered 405; the check asks for any 2xx; eSputnik would not save this \
             URL (ESP-08): mend the receiver, or go on with --no-check\n",
            receiver.url()
        )
    );
    delivered(&site, &receiver, &["esputnik", "--no-check"]);
    assert_eq!((receiver.gets().len(), receiver.posts().len()), (1, 1));
}

#[test]
fn esp_04_the_login_is_sent_with_the_check_and_with_every_activity() {
    let mut site = site();
    site.set_env("BOTH", "hook:pässwort");
    site.set_env("PASSWORD", "pässwort");
    std::fs::write(site.path("both.txt"), "hook:pässwort\n").unwrap();
    for basic in [
        "env:BOTH",
        "file:both.txt",
        "hook:env:PASSWORD",
        "hook:pässwort",
    ] {
        let receiver = answering(&[200]);
        let (ran, _) = mock(&site, &receiver, &["esputnik", "--basic", basic]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(ran.err.contains("warning"), basic == "hook:pässwort");
        for seen in receiver.gets().iter().chain(&receiver.posts()) {
            assert_eq!(seen.header("authorization"), "Basic aG9vazpww6Rzc3dvcnQ=");
        }
    }
    let receiver = answering(&[200]);
    delivered(&site, &receiver, &["esputnik"]);
    assert_eq!(receiver.posts()[0].header("authorization"), "");
}

#[test]
fn esp_15_a_receiver_that_never_answers_200_is_given_up_only_when_told_so() {
    let (site, receiver) = (site(), Receiver::always(204));
    let args = ["esputnik", "--give-up-after", "40m", "--speed", "1000x"];
    let (ran, lines) = mock(&site, &receiver, &args);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.err, "error: given up: 1 of 1 events not delivered\n");
    assert_eq!(summary(&lines)["open"], 1);
    // At 0, 60, 180, 420, 900, 1860 and 3780 s, or later (ESP-13).
    assert!((1..=6).contains(&attempts(&lines).len()));
}

#[test]
fn the_options_of_the_sample_are_seen_by_the_receiver() {
    let site = site();
    let one = |args: &[&str]| {
        let receiver = answering(&[200]);
        delivered(&site, &receiver, &[&["esputnik"], args].concat());
        receiver.posts()[0].json()
    };
    let seen = one(&[
        "--status",
        "undelivered",
        "--media",
        "viber",
        "--origin",
        "triggered",
    ]);
    assert_eq!(seen[0]["activityStatus"], "UNDELIVERED");
    assert_eq!(seen[0]["mediaType"], "viber");
    assert!(seen[0]["statusDescription"].is_string() && seen[0]["hardBounce"].is_boolean());
    assert!(seen[0]["workflowId"].is_u64() && seen[0].get("broadcastId").is_none());
    assert_eq!(one(&["--status", "sent"])[0]["mediaType"], "Mobile Push");
    assert!(one(&["--test"])[0].get("messageName").is_none());
    assert!(one(&["--unknown-fields"])[0]["segmentIds"].is_array());
    let bulk = one(&[
        "--bulk",
        "4",
        "--set",
        "contactId=1",
        "--set",
        "2.iid=x",
        "--remove",
        "statusData",
    ]);
    let bulk = bulk.as_array().unwrap();
    assert_eq!(bulk.len(), 4);
    assert!(
        bulk.iter()
            .all(|one| one["contactId"] == 1 && one.get("statusData").is_none())
    );
    assert_eq!(bulk[2]["iid"], "x");
}

#[test]
fn a_file_with_the_vendors_example_is_sent_whole() {
    let site = site();
    let example = include_str!("../fixtures/payloads/esputnik_bulk.json");
    std::fs::write(site.path("bulk.json"), example).unwrap();
    let receiver = answering(&[200]);
    let lines = delivered(&site, &receiver, &["esputnik", "--from", "bulk.json"]);
    assert_eq!(
        receiver.posts()[0].json(),
        serde_json::from_str::<Value>(example).unwrap()
    );
    assert_eq!(attempts(&lines)[0]["activity_status"], "DELIVERED");
}

#[test]
fn several_sequences_keep_their_order_over_the_whole_stream() {
    let (site, receiver) = (site(), answering(&[200, 500, 200]));
    let args = ["esputnik", "--sequence", "--count", "4", "--speed", "6000x"];
    delivered(&site, &receiver, &args);
    let mut seen = statuses(&receiver.posts());
    assert_eq!(seen[1], seen[2], "the failed one again, before any other");
    seen.remove(2);
    assert_eq!(seen, [STATUSES; 4].concat());
}
