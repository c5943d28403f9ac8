//! What a verdict looks like: table, JSON, JUnit XML, and the lines that show it again.

use std::process::Command;

use crate::hotjar::HOTJAR;
use crate::receiver::Receiver;

const SECRET: &str = "klíč-of-the-site";

#[test]
fn a_failure_names_its_rule_and_its_mend_and_a_line_that_shows_it_again() {
    let Some(receiver) = Receiver::start(HOTJAR, "skips-missing-signature") else {
        return;
    };
    let ran = receiver.check_alone(&["--only", "signature.missing,signature.empty"]);
    assert_eq!(ran.code, 1);
    for part in [
        "failed      hotjar.signature.missing",
        "passed      hotjar.signature.empty",
        "why     it answered 200 to what must be refused",
        "rules   HOT-33, HOT-34",
        "mend    refuse a message whose signature header is missing",
        "1 passed, 1 failed",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
    assert!(!ran.out.contains(SECRET) && !ran.err.contains(SECRET));
    let body = receiver.repro("hotjar.signature.missing-1.body");
    assert!(
        std::fs::read_to_string(body)
            .unwrap()
            .starts_with("{\"event\"")
    );
    let line = ran.out.lines().find_map(|line| line.split_once("repro   "));
    let line = line.unwrap().1;
    assert!(!line.contains("com-hotjar-signature"), "{line}");
    let Ok(curl) = Command::new("sh").args(["-c", line]).output() else {
        return;
    };
    if curl.status.success() {
        let answer = String::from_utf8_lossy(&curl.stdout);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[test]
fn json_has_the_same_fields_for_every_check() {
    let Some(receiver) = Receiver::start(HOTJAR, "skips-empty-signature") else {
        return;
    };
    let ran = receiver.check_alone(&["--json", "--seed", "5", "--skip", "load"]);
    let document = ran.json();
    assert_eq!(document["vendor"], "hotjar");
    assert_eq!(document["url"], receiver.url());
    assert_eq!(document["seed"], 5);
    assert_eq!(document["counts"]["failed"], 1);
    assert_eq!(document["counts"]["skipped"], 2);
    for check in document["checks"].as_array().unwrap() {
        let names: Vec<_> = check.as_object().unwrap().keys().collect();
        let expected = [
            "duration_ms",
            "id",
            "mend",
            "notes",
            "reason",
            "repro",
            "rules",
            "title",
            "verdict",
        ];
        assert_eq!(names, expected, "{check}");
        let failed = check["verdict"] == "failed";
        assert_eq!(check["repro"][0].is_string(), failed, "{check}");
        // Without an observer nothing is said of effects, least of all that they are right.
        if check["id"] == "hotjar.duplicate.same-bytes" {
            assert_eq!(check["verdict"], "not_judged");
            assert!(check["reason"].as_str().unwrap().contains("--probe"));
        }
    }
}

#[test]
fn junit_xml_is_read_by_somebody_elses_parser() {
    let Some(receiver) = Receiver::start(HOTJAR, "skips-empty-signature") else {
        return;
    };
    let file = receiver.repro("check.xml");
    let path = file.to_str().unwrap();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let ran = receiver.check_alone(&["--junit", path, "--skip", "load"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let reader = "import sys, xml.etree.ElementTree as tree\n\
        suite = tree.parse(sys.argv[1]).getroot().find('testsuite')\n\
        cases = suite.findall('testcase')\n\
        count = lambda name: sum(case.find(name) is not None for case in cases)\n\
        assert len(cases) == int(suite.get('tests')), 'tests'\n\
        assert count('failure') == int(suite.get('failures')) == 1, 'failures'\n\
        assert count('skipped') == int(suite.get('skipped')) > 2, 'skipped'\n\
        failed = [case for case in cases if case.find('failure') is not None][0]\n\
        print(failed.get('classname'), failed.get('name'), failed.find('failure').get('type'))\n";
    let read = Command::new("python3").args(["-c", reader, path]).output();
    let read = read.unwrap();
    let said = String::from_utf8_lossy(&read.stdout);
    let complaint = String::from_utf8_lossy(&read.stderr);
    assert_eq!(
        said, "hotjar.signature empty HOT-33, HOT-34\n",
        "{complaint}"
    );
}
