//! Receivers of eSputnik's activities, ESP-04 to ESP-42.

use crate::receiver::{Kind, Receiver};
use crate::table::{self, Row};

pub const ESPUTNIK: Kind = Kind {
    vendor: "esputnik",
    key: None,
    basic: Some("hook:s3cret"),
};

const LOGINS: &[&str] = &[
    "basic.missing",
    "basic.wrong-password",
    "basic.wrong-user",
    "basic.other-scheme",
];

/// What was seen is in every array that comes again, and in some that do not (ESP-39).
const REPEATED: &[&str] = &[
    "duplicate.same-bytes",
    "duplicate.concurrent",
    "duplicate.within-array",
    "restart.duplicate",
];

/// The iid is the message's, not the activity's (ESP-39).
const ONE_EACH: &[&str] = &[
    "order.effects",
    "duplicate.not-by-iid",
    "duplicate.not-by-status",
    "duplicate.within-array",
];

const ROWS: &[Row] = &[
    ("hangs", &["answer.in-time"], &["--timeout", "3s"]),
    ("hangs-up", &["answer.in-time"], &[]),
    ("redirects", &["accept.activity"], &[]),
    ("refuses-everything", &["accept.activity"], &[]),
    // Found once, and not again in everything else that it answers.
    ("answers-204", &["answer.exactly-200"], &[]),
    ("answers-201", &["answer.exactly-200"], &[]),
    ("refuses-get", &["get.answered"], &[]),
    ("demands-message-name", &["accept.test-message"], &[]),
    ("knows-six-statuses", &["accept.statuses"], &[]),
    ("media-types-in-lower-case", &["accept.media-types"], &[]),
    ("demands-broadcast", &["accept.triggered"], &[]),
    ("demands-view-link", &["accept.left-out"], &[]),
    ("demands-status-data-object", &["accept.status-data"], &[]),
    ("reads-subscriptions-only", &["accept.subscriptions"], &[]),
    ("narrow-integers", &["accept.wide-integers"], &[]),
    ("demands-one-activity", &["accept.several"], &[]),
    ("decodes-ascii", &["accept.non-ascii"], &[]),
    ("body-limit", &["accept.large"], &[]),
    ("skips-login", LOGINS, &[]),
    ("skips-missing-login", &["basic.missing"], &[]),
    ("compares-users-only", &["basic.wrong-password"], &[]),
    ("breaks-on-wrong-user", &["basic.wrong-user"], &[]),
    ("breaks-on-other-scheme", &["basic.other-scheme"], &[]),
    ("clicks-in-vain", &["order.sequence"], &[]),
    ("ignores-reads", &["order.effects"], &[]),
    ("counts-twice", &["effect.once"], &[]),
    ("conflict-on-duplicate", &["duplicate.accepted"], &[]),
    ("no-deduplication", REPEATED, &[]),
    ("racy-deduplication", &["duplicate.concurrent"], &[]),
    ("recognises-by-iid", ONE_EACH, &[]),
    (
        "recognises-by-iid-and-status",
        &["duplicate.not-by-status"],
        &[],
    ),
    ("arrays-as-a-whole", &["duplicate.within-array"], &[]),
    ("first-of-array-only", &["duplicate.within-array"], &[]),
    ("slow-under-load", &["load.accepted"], &["--timeout", "2s"]),
    ("loses-updates", &["load.effects"], &[]),
    ("refuses-after-restart", &["restart.accepted"], &[]),
    ("forgets-at-restart", &["restart.duplicate"], &[]),
];

#[test]
fn a_good_receiver_passes_everything_and_again_with_the_same_seed() {
    table::good_passes_everything(ESPUTNIK, &[]);
}

#[test]
fn each_broken_receiver_fails_what_belongs_to_it_and_nothing_else() {
    table::each_fails_its_own(ESPUTNIK, ROWS);
}

#[test]
fn every_check_is_failed_by_some_broken_receiver() {
    table::every_check_can_fail(ESPUTNIK, ROWS, &[]);
}

#[test]
fn esp_04_a_line_that_shows_a_failure_again_holds_no_password() {
    let Some(receiver) = Receiver::start(ESPUTNIK, "answers-204") else {
        return;
    };
    let ran = receiver.check_alone(&["--only", "answer,basic"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("repro   curl -i"), "{}", ran.out);
    assert!(ran.out.contains("-u \"$BASIC\""), "{}", ran.out);
    for secret in ["s3cret", "aG9vazpzM2NyZXQ="] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret));
    }
}
