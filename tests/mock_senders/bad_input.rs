//! What is wrong is told in one line, and nothing is sent.

use super::*;

#[test]
fn what_cannot_be_sent_is_refused_in_one_clear_line() {
    let site = site();
    std::fs::write(site.path("list.json"), "[1]").unwrap();
    std::fs::write(site.path("broken.json"), "{\"event\":").unwrap();
    let receiver = answering(&[200]);
    let hotjar = ["hotjar", "--key-file", "key.txt"];
    for (args, told) in [
        (
            &["--remove", "data.oss"][..],
            "--remove \"data.oss\": \"data.oss\" is not there; did you mean \"os\"?",
        ),
        (
            &["--set", "dta.id=1"],
            "--set \"dta.id\": \"dta\" is not there; did you mean \"data\"?",
        ),
        (
            &["--set", "data.id.x=1"],
            "--set \"data.id.x\": \"data.id.x\" is not there: \"data.id\" is neither an object nor an array",
        ),
        (
            &["--set", "data.questions.99.x=1"],
            "--set \"data.questions.99.x\": \"data.questions.99\" is not there: the array has",
        ),
        (
            &["--set", "data.id"],
            "\"data.id\" has no =; write for example data.survey_id=7",
        ),
        (
            &["--set", "a..b=1"],
            "\"a..b\" is not a path such as data.survey_id",
        ),
        (
            &["--from", "none.json"],
            "--from none.json: No such file or directory",
        ),
        (
            &["--from", "broken.json"],
            "--from broken.json: is not JSON: EOF while parsing a value",
        ),
        (
            &["--from", "list.json"],
            "--from: the payload has no member \"event\" with a text",
        ),
        (
            &["--raw", "list.json", "--set", "a=1"],
            "cannot be used with",
        ),
        (&["--content-type", "text/plain"], "--raw <FILE>"),
        (&["--count", "0"], "invalid value '0' for '--count <N>'"),
        (&["--rate", "0"], "give a number from 0.001 to 1000"),
        (
            &["--speed", "manual"],
            "write a factor with an x such as 600x",
        ),
        (
            &["--speed", "2x", "--clock", "manual"],
            "cannot be used with",
        ),
        (&["--timeout", "1"], "--timeout: timeout \"1\" has no unit"),
        (
            &["--nulls", "many"],
            "invalid value 'many' for '--nulls <HOW-MANY>'",
        ),
        (
            &["--question", "nsp"],
            "invalid value 'nsp' for '--question <TYPE>'",
        ),
        (
            &["--listen", "0.0.0.0:0"],
            "--listen 0.0.0.0:0 is open to other machines; add --admin-token env:NAME",
        ),
        (
            &["--status", "READ"],
            "unexpected argument '--status' found",
        ),
    ] {
        let (ran, lines) = mock(&site, &receiver, &[&hotjar, args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains(told), "{args:?}: {}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(attempts(&lines).is_empty());
    }
    for (args, told) in [
        (
            &["--status", "sent", "--media", "email"][..],
            "--status: SENT occurs with \"Mobile Push\" only, not with \"email\" (ESP-23)",
        ),
        (&["--sequence", "--status", "read"], "cannot be used with"),
        (
            &["--basic", "hunter2"],
            "--basic: write the user name, a colon and env:NAME or file:PATH",
        ),
        (
            &["--from", "list.json"],
            "--from: the payload is neither an activity nor an array of activities",
        ),
    ] {
        let (ran, _) = mock(&site, &receiver, &[&["esputnik"], args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains(told), "{args:?}: {}", ran.err);
        assert!(!ran.err.contains("hunter2"));
    }
    assert_eq!(receiver.posts().len(), 0);
}

#[test]
fn a_receiver_in_a_private_network_is_refused_until_the_network_is_named() {
    let site = site();
    for (to, told) in [
        (
            "http://10.255.255.1:9/hook",
            "--to: refused address: 10.255.255.1 is in the private range 10.0.0.0/8",
        ),
        ("ftp://127.0.0.1/", "--to: "),
        ("nonsense", "--to: "),
    ] {
        let ran = site.run(&["mock", "hotjar", "--key-file", "key.txt", "--to", to]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(told), "{}", ran.err);
        assert!(!ran.err.contains("server.allow_addresses"), "{}", ran.err);
    }
    let ran = site.run(&[
        "mock",
        "hotjar",
        "--key-file",
        "none.txt",
        "--to",
        "http://127.0.0.1:1/",
    ]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is_told_of_sending() {
    let (site, receiver) = (site(), answering(&[200]));
    let url = receiver.url();
    let standard = ["mock", "standard", "--key-file", "secret.txt", "--to", &url];
    let ran = site.run(&[&standard[..], &["--set", "foo.bar=1"]].concat());
    assert_eq!((ran.code, &*ran.out), (2, ""), "{}", ran.err);
    assert!(
        ran.err.starts_with("error: --set \"foo.bar\": "),
        "{}",
        ran.err
    );
}

#[test]
fn a_fault_that_could_not_be_done_stands_in_the_summary() {
    let (site, receiver) = (site(), answering(&[200]));
    let url = receiver.url();
    let reorder = [
        "--key-file",
        "key.txt",
        "--speed",
        "600x",
        "--fault",
        "reorder",
    ];
    let ran = site.run(&[&["mock", "hotjar", "--to", &url], &reorder[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let told = "faults not done: 1 reorder (no later event was attempted within 10s)\n";
    assert!(ran.out.contains(told), "{}", ran.out);
    assert!(ran.out.contains("; 1 attempt in "), "{}", ran.out);
    let lines = delivered(&site, &receiver, &[&["hotjar"], &reorder[..]].concat());
    assert_eq!(summary(&lines)["faults_not_done"], 1);
}

#[test]
fn an_address_that_is_taken_or_wrong_is_told_with_the_option_that_mends_it() {
    let site = site();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for command in [&["mock", "server"][..], &["mock", "zebline"], &["listen"]] {
        let ran = site.run(&[command, &["--listen", &port]].concat());
        assert_eq!((ran.code, ran.err.lines().count()), (3, 1), "{}", ran.err);
        assert!(
            ran.err.contains(&format!("127.0.0.1:{port}")),
            "{}",
            ran.err
        );
        assert!(
            ran.err.contains("--listen, such as 127.0.0.1:0"),
            "{}",
            ran.err
        );
        let ran = site.run(&[command, &["--listen", "here"]].concat());
        assert_eq!((ran.code, ran.err.lines().count()), (2, 1), "{}", ran.err);
        assert!(ran.err.contains("such as 127.0.0.1:9000"), "{}", ran.err);
    }
}
