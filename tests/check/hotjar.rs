//! Receivers of Contentsquare (Hotjar), HOT-15 to HOT-58.

use crate::receiver::{Kind, Receiver};
use crate::table::{self, Row};

pub const HOTJAR: Kind = Kind {
    vendor: "hotjar",
    key: Some("klíč-of-the-site"),
    basic: None,
};

/// The vendor says nothing about it.
const UNJUDGED: &[&str] = &["age.future"];

/// Whoever looks at no signature is open to everything that a signature is for.
const UNSIGNED: &[&str] = &[
    "signature.forged-body",
    "signature.forged-signature",
    "signature.missing",
    "signature.empty",
    "signature.other-key",
    "signature.other-algorithm",
    "signature.other-message",
    "signature.truncated",
    "signature.extended",
    "signature.no-effect",
];

/// Whoever looks at its form only finds those that have another form.
const UNCOMPARED: &[&str] = &[
    "signature.forged-body",
    "signature.forged-signature",
    "signature.other-key",
    "signature.other-algorithm",
    "signature.other-message",
    "signature.no-effect",
];

const REPEATED: &[&str] = &[
    "duplicate.same-bytes",
    "duplicate.renewed",
    "duplicate.concurrent",
    "restart.duplicate",
];

const ROWS: &[Row] = &[
    ("hangs", &["answer.in-time"], &["--timeout", "3s"]),
    ("hangs-up", &["answer.in-time"], &[]),
    ("redirects", &["accept.survey-response"], &[]),
    ("refuses-everything", &["accept.survey-response"], &[]),
    ("answers-204", &[], &[]),
    ("breaks-on-test-message", &["accept.test-message"], &[]),
    ("refuses-unknown-events", &["accept.unknown-event"], &[]),
    ("refuses-unknown-fields", &["accept.unknown-fields"], &[]),
    // Where the id is null, everything else is, too.
    ("breaks-on-nulls", &["accept.nulls", "accept.null-id"], &[]),
    ("demands-id-of-responses", &["accept.null-id"], &[]),
    (
        "reads-question_text-only",
        &["accept.question-spelling"],
        &[],
    ),
    (
        "reads-questiom_text-only",
        &["accept.question-spelling"],
        &[],
    ),
    ("knows-few-question-types", &["accept.question-types"], &[]),
    ("demands-questions", &["accept.question-types"], &[]),
    ("attributes-are-texts", &["accept.user-attributes"], &[]),
    ("decodes-ascii", &["accept.non-ascii"], &[]),
    ("body-limit", &["accept.large"], &[]),
    ("demands-order", &["accept.out-of-order"], &[]),
    ("signs-parsed-json", &["signature.raw-bytes"], &[]),
    ("skips-signature", UNSIGNED, &[]),
    ("looks-at-the-form-only", UNCOMPARED, &[]),
    (
        "compares-most-of-the-signature",
        &["signature.forged-signature"],
        &[],
    ),
    ("skips-missing-signature", &["signature.missing"], &[]),
    ("breaks-on-missing-signature", &["signature.missing"], &[]),
    ("gone-on-missing-signature", &["signature.missing"], &[]),
    ("skips-empty-signature", &["signature.empty"], &[]),
    ("takes-sha256-too", &["signature.other-algorithm"], &[]),
    ("compares-a-beginning", &["signature.truncated"], &[]),
    ("ignores-what-follows", &["signature.extended"], &[]),
    // The observer sees that it does what HOT-34 asks for.
    ("drops-in-silence", &[], &[]),
    ("works-before-it-verifies", &["signature.no-effect"], &[]),
    (
        "remembers-before-it-verifies",
        &["signature.id-not-consumed"],
        &[],
    ),
    (
        "locks-out-after-forgeries",
        &["accept.after-forgeries"],
        &[],
    ),
    ("allows-one-minute", &["age.just-inside"], &[]),
    ("allows-ten-minutes", &["age.just-over"], &[]),
    ("allows-a-week", &["age.just-over", "age.day-old"], &[]),
    ("counts-twice", &["effect.once"], &[]),
    ("conflict-on-duplicate", &["duplicate.accepted"], &[]),
    ("no-deduplication", REPEATED, &[]),
    // Work may be done after the answer.
    ("works-later", &[], &["--settle", "4s"]),
    ("works-later-and-again", REPEATED, &["--settle", "4s"]),
    // Each effect comes late by itself, long after the count seemed to rest.
    ("works-each-for-itself", &[], &["--settle", "4s"]),
    // Each retry has a new timestamp, also those after a restart.
    (
        "recognises-by-bytes",
        &["duplicate.renewed", "restart.duplicate"],
        &[],
    ),
    (
        "recognises-by-user",
        &["duplicate.only-by-id", "duplicate.not-by-null-id"],
        &[],
    ),
    ("recognises-null-ids", &["duplicate.not-by-null-id"], &[]),
    ("racy-deduplication", &["duplicate.concurrent"], &[]),
    ("slow-under-load", &["load.accepted"], &["--timeout", "2s"]),
    ("loses-updates", &["load.effects"], &[]),
    ("refuses-after-restart", &["restart.accepted"], &[]),
    ("forgets-at-restart", &["restart.duplicate"], &[]),
];

#[test]
fn a_good_receiver_passes_everything_and_again_with_the_same_seed() {
    table::good_passes_everything(HOTJAR, UNJUDGED);
}

#[test]
fn each_broken_receiver_fails_what_belongs_to_it_and_nothing_else() {
    table::each_fails_its_own(HOTJAR, ROWS);
}

#[test]
fn every_check_is_failed_by_some_broken_receiver() {
    table::every_check_can_fail(HOTJAR, ROWS, UNJUDGED);
}

#[test]
fn hot_34_a_receiver_that_refuses_everything_has_refused_no_forgery() {
    let Some(receiver) = Receiver::start(HOTJAR, "refuses-everything") else {
        return;
    };
    let ran = receiver.check(&["--only", "signature"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.with("passed"), [""; 0]);
    assert_eq!(ran.with("failed"), ["hotjar.accept.survey-response"]);
    let document = ran.json();
    let forged = document["checks"].as_array().unwrap().iter();
    let forged = forged.filter(|check| check["id"] == "hotjar.signature.forged-body");
    for check in forged {
        let reason = check["reason"].as_str().unwrap();
        assert_eq!(check["verdict"], "not_judged");
        assert!(reason.contains("accept.survey-response"), "{reason}");
    }
}

#[test]
fn hot_34_a_forgery_that_is_dropped_in_silence_fails_where_nobody_sees_the_effects() {
    let Some(receiver) = Receiver::start(HOTJAR, "drops-in-silence") else {
        return;
    };
    let ran = receiver.check_alone(&["--json", "--only", "signature.other-key"]);
    assert_eq!(ran.with("failed"), ["hotjar.signature.other-key"]);
    let seen = receiver.check(&["--only", "signature.other-key"]);
    let document = seen.json();
    let check = document["checks"].as_array().unwrap().iter();
    let check = check.filter(|check| check["verdict"] == "passed");
    let notes: Vec<_> = check.map(|check| check["notes"][0].to_string()).collect();
    assert!(notes[0].contains("dropped"), "{notes:?}");
}

#[test]
fn hot_34_a_receiver_that_refuses_what_is_genuine_is_told_its_own_mistake() {
    for (broken, mistake) in [
        (
            "verifies-json-written-again",
            "it accepts the signature that is right for the JSON parsed and written again as \
             Python's json.dumps does",
        ),
        (
            "verifies-with-a-newline",
            "right for the key with a newline at its end",
        ),
        (
            "verifies-base64",
            "right for a signature in base64 instead of hexadecimal",
        ),
        (
            "verifies-another-key",
            "it accepts none of the usual mistakes either: see that it has the same key",
        ),
    ] {
        let Some(receiver) = Receiver::start(HOTJAR, broken) else {
            return;
        };
        // Which mistakes change anything is another matter with each message.
        for _ in 0..3 {
            let ran = receiver.check_alone(&["--json"]);
            assert_eq!(ran.code, 1);
            assert_eq!(ran.with("failed"), ["hotjar.accept.survey-response"]);
            let reasons = ran.reasons();
            assert!(reasons[0].contains(mistake), "{broken}: {reasons:?}");
        }
    }
}

#[test]
fn what_stands_behind_one_failure_is_one_line_unless_it_is_asked_for() {
    let Some(receiver) = Receiver::start(HOTJAR, "refuses-everything") else {
        return;
    };
    let ran = receiver.check_alone(&[]);
    let all = table::ids(HOTJAR).len();
    let lines: Vec<_> = ran.out.lines().collect();
    let folded = format!(
        "{} not judged, because hotjar.accept.survey-response failed (--verbose lists them)",
        all - 3
    );
    assert!(lines.contains(&&*folded), "{}", ran.out);
    // One passed, one failed, and one that is judged of nobody.
    let is_verdict = |line: &&&str| {
        let words = ["passed  ", "failed  ", "not judged  "];
        words.iter().any(|word| line.starts_with(word))
    };
    let verdicts = lines.iter().filter(is_verdict);
    assert_eq!(verdicts.count(), 3, "{}", ran.out);
    let listed = receiver.check_alone(&["--verbose"]);
    let verdicts = listed
        .out
        .lines()
        .filter(|line| line.starts_with("not judged"));
    assert_eq!(verdicts.count(), all - 2, "{}", listed.out);
    let document = receiver.check_alone(&["--json"]);
    assert_eq!(document.with("not_judged").len(), all - 2);
}

#[test]
fn whoever_hangs_up_at_once_is_not_said_to_have_taken_ten_seconds() {
    let Some(receiver) = Receiver::start(HOTJAR, "hangs-up") else {
        return;
    };
    let reasons = receiver.check_alone(&["--json"]).reasons();
    assert!(reasons[0].contains("there was no answer: "), "{reasons:?}");
    assert!(!reasons[0].contains("10s"), "{reasons:?}");
}

#[test]
fn the_line_that_shows_a_race_again_sends_all_copies_at_once() {
    let Some(receiver) = Receiver::start(HOTJAR, "racy-deduplication") else {
        return;
    };
    let ran = receiver.check(&["--only", "duplicate.concurrent"]);
    let document = ran.json();
    let mut checks = document["checks"].as_array().unwrap().iter();
    let check = checks.find(|check| check["verdict"] == "failed");
    let line = check.unwrap()["repro"][0].as_str().unwrap();
    assert!(line.starts_with("for n in $(seq 8); do curl -i "), "{line}");
    assert!(line.ends_with(" & done; wait"), "{line}");
}
