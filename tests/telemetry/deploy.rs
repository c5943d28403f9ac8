//! The files under `deploy/` and the table in the documentation name what a server really shows.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::scrape::{Page, named_in};
use crate::shop::broker;

const RULES: &str = include_str!("../../deploy/prometheus/alerts.yml");
const RULES_TEST: &str = include_str!("../../deploy/prometheus/alerts_test.yml");
const DASHBOARD: &str = include_str!("../../deploy/grafana/redeliver.json");
const MONITORING: &str = include_str!("../../docs/monitoring.md");

/// Everything that a query may name.
fn shown() -> (Page, BTreeSet<String>) {
    let (_site, broker) = broker("");
    let page = Page::of(&broker);
    let names = page.names().into_iter().collect();
    (page, names)
}

#[test]
fn every_rule_and_every_panel_asks_for_metrics_that_are_there() {
    let (_, names) = shown();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let queries: Vec<&str> = targets
        .flatten()
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.len() > 20);
    for query in &queries {
        assert!(!named_in(query).is_empty(), "{query}");
    }
    let variables = dashboard["templating"].to_string();
    let rules: Vec<&str> = RULES
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    for (file, text) in [
        ("alerts.yml", rules.join("\n")),
        ("alerts_test.yml", RULES_TEST.to_owned()),
        ("redeliver.json", queries.join("\n") + &variables),
    ] {
        for name in named_in(&text) {
            assert!(names.contains(&name), "{file}: {name} is not there");
        }
    }
}

#[test]
fn every_alert_is_tried_and_explained() {
    for line in RULES.lines() {
        if let Some(name) = line.trim().strip_prefix("- alert: ") {
            let tried = format!("alertname: {name}");
            assert!(RULES_TEST.contains(&tried), "{name} is not tried");
            assert!(
                MONITORING.contains(&format!("`{name}`")),
                "{name} is not explained"
            );
        }
    }
}

#[test]
fn the_table_of_metrics_is_the_page_of_metrics() {
    let (page, _) = shown();
    let rows = MONITORING.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.trim_end_matches('`');
        Some((name.to_owned(), cells.next()?.to_owned()))
    });
    let told: BTreeSet<(String, String)> = rows
        .filter(|(name, _)| name.starts_with("redeliver_") || name.starts_with("process_"))
        .collect();
    let there: BTreeSet<(String, String)> = page.types.into_iter().collect();
    let missing: Vec<_> = there.difference(&told).collect();
    let wrong: Vec<_> = told.difference(&there).collect();
    assert!(
        missing.is_empty() && wrong.is_empty(),
        "missing {missing:?}, wrong {wrong:?}"
    );
}

#[test]
fn promtool_accepts_the_rules_and_their_trials() {
    let prometheus = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus");
    for args in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ] {
        let ran = Command::new("promtool")
            .args(args)
            .current_dir(prometheus)
            .output();
        let Ok(ran) = ran else {
            return crate::missing("promtool");
        };
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        assert!(ran.status.success(), "{said}");
    }
}

#[test]
fn the_configuration_in_the_documentation_is_good() {
    let examples = MONITORING.split("```toml\n").skip(1);
    let mut seen = 0;
    for example in examples {
        let (toml, _) = example.split_once("```").unwrap();
        let site = crate::process::broker::Site::new();
        site.configure(toml);
        let ran = site.run(&["serve", "--config", "config.toml", "--check"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        seen += 1;
    }
    assert_eq!(seen, 2);
}
