//! Bad usage, and an environment in which nothing can be judged.

use crate::hotjar::HOTJAR;
use crate::receiver::{Ran, Receiver, redeliver};

fn check(args: &[&str]) -> Ran {
    let all = ["check"].iter().chain(args);
    redeliver(&all.map(|&arg| arg.to_owned()).collect::<Vec<_>>())
}

/// A URL where nobody listens.
fn nobody() -> String {
    // A port too low for the kernel to hand out.
    "http://127.0.0.1:1/hook".to_owned()
}

#[test]
fn a_receiver_that_is_not_there_is_a_matter_of_the_environment() {
    let url = nobody();
    let ran = check(&["hotjar", &url, "--no-signature"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("connection refused"), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1);
}

#[test]
fn an_observer_that_is_not_there_or_says_no_number_is_told_of_at_once() {
    let Some(receiver) = Receiver::start(HOTJAR, "") else {
        return;
    };
    let ran = receiver.check_alone(&["--probe", &nobody()]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.err.contains("the observer did not answer"),
        "{}",
        ran.err
    );
    for command in ["echo many", "exit 1"] {
        let ran = receiver.check_alone(&["--probe-cmd", command]);
        assert_eq!((ran.code, ran.err.lines().count()), (3, 1), "{}", ran.err);
        assert!(ran.err.contains("--probe-cmd"), "{}", ran.err);
    }
}

#[test]
fn an_observer_may_be_a_command() {
    let Some(receiver) = Receiver::start(HOTJAR, "no-deduplication") else {
        return;
    };
    let url = &receiver.probe()[1];
    let command = format!(
        "python3 -c \"import urllib.request as u; print(u.urlopen('{url}').read().decode())\""
    );
    let args = [
        "--probe-cmd",
        &command,
        "--json",
        "--only",
        "duplicate.same-bytes",
    ];
    let ran = receiver.check_alone(&args);
    assert_eq!(ran.with("failed"), ["hotjar.duplicate.same-bytes"]);
}

#[test]
fn bad_usage_is_one_line_and_nothing_is_sent() {
    let url = nobody();
    for (args, part) in [
        (&["hotjar"][..], "<URL>"),
        (&["hotjar", "nonsense"], "no URL of a web server"),
        (&["hotjar", "ftp://127.0.0.1/"], "no URL of a web server"),
        (&["hotjar", "http://u:p@127.0.0.1/"], "--basic"),
        (
            &["hotjar", &url, "--only", "signature.emty"],
            "signature.empty",
        ),
        (&["hotjar", &url, "--skip", "nothing"], "--skip"),
        (&["hotjar", &url, "--timeout", "5"], "no unit"),
        (
            &["hotjar", &url, "--key-file", "/nowhere/key"],
            "/nowhere/key",
        ),
        (
            &["hotjar", &url, "--basic", "env:SURELY_UNSET"],
            "SURELY_UNSET",
        ),
        (
            &["hotjar", &url, "--probe", "x", "--probe-cmd", "y"],
            "cannot be used with",
        ),
        (&["zenovay", &url], "unrecognized subcommand"),
    ] {
        let ran = check(args);
        assert_eq!(
            (ran.code, ran.err.lines().count()),
            (2, 1),
            "{args:?}: {ran:?}"
        );
        assert!(ran.err.contains(part), "{args:?}: {}", ran.err);
    }
}

#[test]
fn where_nothing_could_be_judged_nothing_is_said_to_be_right() {
    let Some(receiver) = Receiver::start(HOTJAR, "") else {
        return;
    };
    let ran = receiver.check_alone(&["--only", "effect"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("nothing could be judged"), "{}", ran.err);
}

#[test]
fn whoever_forgot_the_key_is_told_so_whatever_the_receiver_believes() {
    for broken in ["", "skips-signature"] {
        let Some(receiver) = Receiver::start(HOTJAR, broken) else {
            return;
        };
        for vendor in ["hotjar", "standard"] {
            let ran = check(&[vendor, &receiver.url()]);
            assert_eq!((ran.code, &*ran.out), (2, ""), "{}", ran.err);
            assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
            assert!(ran.err.contains("give --key-file FILE"), "{}", ran.err);
            assert!(ran.err.contains("--no-signature"), "{}", ran.err);
        }
    }
    // It does right: whoever says that it checks no signature must not be told to let forgeries in.
    let Some(receiver) = Receiver::start(HOTJAR, "") else {
        return;
    };
    let ran = check(&["hotjar", &receiver.url(), "--no-signature"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("give --key-file FILE"), "{}", ran.err);
}

#[test]
fn a_login_that_was_not_judged_is_told_of_on_the_last_line() {
    let Some(receiver) = Receiver::start(crate::esputnik::ESPUTNIK, "skips-login") else {
        return;
    };
    let ran = check(&["esputnik", &receiver.url(), "--skip", "load"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let last = ran.out.lines().last().unwrap();
    assert!(last.starts_with("the login was not judged"), "{last}");
    assert!(last.ends_with("give --basic USER:env:NAME"), "{last}");
}

#[test]
fn a_restart_that_was_asked_for_and_fails_is_no_success() {
    let Some(receiver) = Receiver::start(HOTJAR, "") else {
        return;
    };
    let ran = receiver.check_alone(&["--only", "restart", "--restart-cmd", "exit 7"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("the restart failed"), "{}", ran.out);
}

#[test]
fn a_receiver_without_signatures_is_judged_by_what_it_does_without_a_key() {
    let Some(receiver) = Receiver::start(HOTJAR, "skips-signature") else {
        return;
    };
    let unsigned = [
        "hotjar",
        &receiver.url(),
        "--no-signature",
        "--skip",
        "load",
    ];
    let ran = check(&unsigned);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let last = ran.out.lines().last().unwrap();
    assert!(last.starts_with("signatures were not judged"), "{last}");
    let ran = check(&[&unsigned[..], &["--json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.with("passed")
            .contains(&"hotjar.accept.nulls".to_owned())
    );
    let unjudged = ran.with("not_judged");
    assert!(unjudged.contains(&"hotjar.signature.missing".to_owned()));
    assert!(unjudged.contains(&"hotjar.age.just-over".to_owned()));
}

#[test]
fn the_list_is_a_table_of_what_would_be_looked_at() {
    let ran = check(&["hotjar", "--list"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.starts_with("CHECK"), "{}", ran.out);
    assert!(ran.out.contains("hotjar.signature.forged-body"));
    assert!(ran.out.contains("HOT-33, HOT-34"));
}
