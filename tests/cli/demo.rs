//! The demonstration, as a newcomer runs it.

use serde_json::Value;

use super::start;

fn demo(arguments: &[&str]) -> (Option<i32>, String) {
    let arguments = [&["demo"], arguments].concat();
    let output = start(&arguments, &[]).wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(!warned.contains("WARN"), "a newcomer is warned: {warned}");
    (output.status.code(), text)
}

#[test]
fn the_demo_delivers_every_event_and_says_so() {
    let (code, text) = demo(&["--seed", "7"]);
    assert_eq!(code, Some(0), "{text}");
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("6 of 6 events delivered in 22 attempts"),
        "{last}"
    );
    assert!(
        last.ends_with("22 of 22 signatures right; crm in order"),
        "{last}"
    );
}

#[test]
fn a_seed_repeats_a_demo_attempt_for_attempt() {
    let attempts = |seed| {
        let (_, text) = demo(&["--seed", seed]);
        let lines = text.lines().filter(|line| line.contains("attempt "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(attempts("3"), attempts("3"));
    assert_ne!(attempts("3"), attempts("4"));
}

#[test]
fn a_demo_in_json_is_one_object_a_line_and_ends_with_the_sum() {
    let (code, text) = demo(&["--json"]);
    assert_eq!(code, Some(0), "{text}");
    let objects: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let sum = objects.last().unwrap();
    assert_eq!((&sum["events"], &sum["delivered"]), (&6.into(), &6.into()));
    assert_eq!(sum["attempts"], sum["verified"]);
}
