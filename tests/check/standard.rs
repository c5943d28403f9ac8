//! Receivers of Standard Webhooks.

use crate::receiver::{Kind, Receiver};
use crate::table::{self, Row};

const STANDARD: Kind = Kind {
    vendor: "standard",
    key: Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    basic: None,
};

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
    "signature.forged-id",
    "signature.forged-timestamp",
    "signature.body-alone",
    "signature.unknown-version-alone",
    "signature.no-effect",
];

/// Whoever looks at its form only finds those that have another form.
const UNCOMPARED: &[&str] = &[
    "signature.forged-body",
    "signature.forged-signature",
    "signature.other-key",
    "signature.other-algorithm",
    "signature.other-message",
    "signature.forged-id",
    "signature.forged-timestamp",
    "signature.body-alone",
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
    ("redirects", &["accept.message"], &[]),
    ("refuses-everything", &["accept.message"], &[]),
    ("answers-204", &[], &[]),
    ("decodes-ascii", &["accept.non-ascii"], &[]),
    ("body-limit", &["accept.large"], &[]),
    ("signs-parsed-json", &["signature.raw-bytes"], &[]),
    ("tries-the-first-signature", &["signature.several"], &[]),
    ("tries-the-last-signature", &["signature.several"], &[]),
    (
        "refuses-unknown-versions",
        &["signature.unknown-versions-skipped"],
        &[],
    ),
    ("skips-signature", UNSIGNED, &[]),
    ("looks-at-the-form-only", UNCOMPARED, &[]),
    (
        "compares-most-of-the-signature",
        &["signature.forged-signature"],
        &[],
    ),
    ("skips-missing-signature", &["signature.missing"], &[]),
    ("breaks-on-missing-signature", &["signature.missing"], &[]),
    ("skips-empty-signature", &["signature.empty"], &[]),
    ("takes-sha3-too", &["signature.other-algorithm"], &[]),
    ("takes-the-body-alone", &["signature.body-alone"], &[]),
    ("compares-a-beginning", &["signature.truncated"], &[]),
    ("ignores-what-follows", &["signature.extended"], &[]),
    ("signs-without-id", &["signature.forged-id"], &[]),
    (
        "signs-without-timestamp",
        &["signature.forged-timestamp"],
        &[],
    ),
    (
        "ignores-versions",
        &["signature.unknown-version-alone"],
        &[],
    ),
    ("breaks-on-missing-id", &["signature.missing-id"], &[]),
    (
        "breaks-on-missing-timestamp",
        &["signature.missing-timestamp"],
        &[],
    ),
    (
        "breaks-on-malformed-timestamp",
        &["signature.malformed-timestamp"],
        &[],
    ),
    // The observer sees that none of it has an effect.
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
    ("allows-one-minute-past", &["age.past-inside"], &[]),
    ("allows-ten-minutes-past", &["age.past-over"], &[]),
    // The specification asks for some tolerance: whoever says which one is judged by it.
    (
        "allows-ten-minutes-past",
        &["age.future-inside"],
        &["--tolerance", "10m"],
    ),
    ("allows-a-week-past", &["age.past-over", "age.day-old"], &[]),
    ("allows-one-minute-ahead", &["age.future-inside"], &[]),
    ("allows-ten-minutes-ahead", &["age.future-over"], &[]),
    (
        "allows-a-week-ahead",
        &["age.future-over", "age.day-ahead"],
        &[],
    ),
    ("counts-twice", &["effect.once"], &[]),
    ("conflict-on-duplicate", &["duplicate.accepted"], &[]),
    ("no-deduplication", REPEATED, &[]),
    // A retry has the same id, and nothing else that is the same.
    (
        "recognises-by-signature",
        &["duplicate.renewed", "restart.duplicate"],
        &[],
    ),
    ("recognises-by-bytes", &["duplicate.only-by-id"], &[]),
    ("racy-deduplication", &["duplicate.concurrent"], &[]),
    ("slow-under-load", &["load.accepted"], &["--timeout", "2s"]),
    ("loses-updates", &["load.effects"], &[]),
    ("refuses-after-restart", &["restart.accepted"], &[]),
    ("forgets-at-restart", &["restart.duplicate"], &[]),
];

#[test]
fn a_good_receiver_passes_everything_and_again_with_the_same_seed() {
    table::good_passes_everything(STANDARD, &[]);
}

#[test]
fn each_broken_receiver_fails_what_belongs_to_it_and_nothing_else() {
    table::each_fails_its_own(STANDARD, ROWS);
}

#[test]
fn every_check_is_failed_by_some_broken_receiver() {
    table::every_check_can_fail(STANDARD, ROWS, &[]);
}

#[test]
fn while_keys_are_changed_messages_carry_a_signature_by_each() {
    let Some(receiver) = Receiver::start(STANDARD, "") else {
        return;
    };
    let both = format!("whsec_AAAA {}", STANDARD.key.unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), both).unwrap();
    let path = file.path().to_str().unwrap();
    let ran = receiver.check_with_key(path, &["--json", "--only", "accept"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}
