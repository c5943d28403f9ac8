//! `redeliver bench`: what it prints, and what it leaves behind.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::{Ran, run, start};

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().next().is_none()
}

#[test]
fn each_figure_stands_beside_its_baseline_and_nothing_is_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let ran = run(&["bench", "latency", "--quick", "--json", "--dir", place]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let printed: Value = serde_json::from_str(&ran.out).unwrap();
    let figures = printed["figures"].as_array().unwrap();
    let names: Vec<_> = figures.iter().map(|figure| &figure["name"]).collect();
    assert_eq!(names, ["latency_p50", "latency_p99"]);
    for figure in figures {
        let number = |field: &str| figure[field].as_f64().unwrap();
        assert!(
            number("value") > 0.0 && number("baseline") > 0.0,
            "{figure}"
        );
        let ratio = number("value") / number("baseline");
        assert!((number("ratio") / ratio - 1.0).abs() < 1e-6, "{figure}");
        assert!(number("goal") > 0.0 && figure["unit"] == "ms", "{figure}");
    }
    let details = printed["details"].as_array().unwrap();
    let sides: Vec<_> = details.iter().map(|detail| &detail["side"]).collect();
    assert_eq!(sides, ["broker", "baseline"]);
    for (detail, value) in details.iter().zip(["value", "baseline"]) {
        let latency = |field: &str| detail["latency"][field].as_f64().unwrap();
        let quantiles = ["p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms"].map(latency);
        assert!(quantiles[0] > 0.0 && quantiles.is_sorted(), "{detail}");
        assert_eq!(figures[0][value], quantiles[0], "{detail}");
        assert_eq!(figures[1][value], quantiles[2], "{detail}");
        assert!(
            detail["figure"] == "latency_p50" && detail["until"] == "received",
            "{detail}"
        );
    }
    let broker = |field: &str| details[0][field].as_f64().unwrap();
    assert!(broker("cpu_us_per_event") > 0.0);
    assert!(broker("peak_rss_bytes") > 1e6);
    assert!(printed["shrink"].as_u64().unwrap() > 1);
    let machine = &printed["machine"];
    assert!(machine["cores"].as_u64().unwrap() > 0, "{machine}");
    assert!(
        machine["memory_bytes"].as_u64().unwrap() > 1 << 20,
        "{machine}"
    );
    assert!(is_empty(dir.path()));
}

#[test]
fn a_reader_is_told_the_machine_first_then_the_figures_then_what_stands_behind_them() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let ran = run(&["bench", "in-order", "--quick", "--dir", place]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    let words = |at: usize| lines[at].split_whitespace().collect::<Vec<_>>();
    assert!(lines[0].starts_with("machine: "), "{}", ran.out);
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    assert!(
        lines[0].ends_with(&format!(", {profile} build")),
        "{}",
        ran.out
    );
    assert_eq!(
        ran.err.contains("warning: this is a debug build"),
        cfg!(debug_assertions),
        "{}",
        ran.err
    );
    assert!(lines[1].starts_with("quick: "), "{}", ran.out);
    assert_eq!((words(2)[0], words(3)[0]), ("figure", "in_order"));
    assert_eq!(lines[4], "");
    assert_eq!(words(5)[..2], ["behind", "it"]);
    assert_eq!(words(6)[..2], ["in_order", "broker"]);
    assert_eq!(words(7)[..3], ["in_order", "baseline", "answered"]);
    assert_eq!(lines.len(), 8, "{}", ran.out);
}

#[test]
fn an_interrupted_benchmark_ends_its_processes_and_tidies_up() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let child = start(&["bench", "ingest", "--dir", place], &[]);
    let deadline = 1000;
    for turn in 0..=deadline {
        assert!(turn < deadline, "it has begun nothing");
        if !is_empty(dir.path()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}", ran.err);
    assert!(is_empty(dir.path()));
}

#[test]
fn a_target_that_cannot_be_posted_to_is_told() {
    for target in ["nonsense", "https://127.0.0.1:1/"] {
        let ran = run(&["bench", "--target", target]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("give a URL such as"), "{}", ran.err);
    }
    let ran = run(&["bench", "--target", "http://127.0.0.1:1/"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("127.0.0.1:1"), "{}", ran.err);
}
