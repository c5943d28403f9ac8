//! What docs/configuration.md says of each key is what is read.

mod tables;

use std::collections::BTreeSet;

use super::*;
use crate::config::TABLES;
use tables::{Table, WEBSITE, tables};

const PAGE: &str = include_str!("../../../docs/configuration.md");

/// A line of a table of the page.
#[derive(Debug)]
struct Line {
    key: &'static str,
    kind: &'static str,
    default: &'static str,
    bounds: &'static str,
}

/// What stands in backticks.
fn quotes(cell: &'static str) -> Vec<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What stands below `heading` of the page, up to the next heading.
fn below(heading: &str) -> &'static str {
    let ends = ["\n## ", "\n### "];
    let mut found = ends
        .iter()
        .filter_map(|mark| PAGE.split_once(&format!("{mark}{heading}\n")));
    let (_, rest) = found
        .next()
        .unwrap_or_else(|| panic!("{heading} is not there"));
    let end = ends.iter().filter_map(|mark| rest.find(mark)).min();
    &rest[..end.unwrap_or(rest.len())]
}

fn lines(heading: &str) -> Vec<Line> {
    let rows = below(heading)
        .lines()
        .filter(|line| line.starts_with("| `"));
    let lines = rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, key, kind, default, bounds, what, _] = cells[..] else {
            panic!("{row}")
        };
        assert!(!what.is_empty(), "{row}");
        let key = quotes(key)[0];
        Line {
            key,
            kind,
            default,
            bounds,
        }
    });
    lines.collect()
}

fn given(name: &str) -> Option<String> {
    match name {
        "MASTER_KEY" => Some("0b".repeat(32)),
        "WHSEC" => Some("whsec_aHVudGVyMg==".to_owned()),
        _ => environment(name),
    }
}

/// The file of `table` with `key = value`, or without `key`.
fn tried(table: &Table, key: &str, value: Option<&str>) -> Result<Config, String> {
    let is_key = |line: &&str| line.split(" = ").next() == Some(key);
    // Only the last table has the key in question: what stands before it may have one by its name.
    let start = table.file.rfind("\n[").map_or(0, |at| at + 1);
    let (before, last) = table.file.split_at(start);
    let kept = last
        .lines()
        .filter(|line| !is_key(line))
        .map(|line| format!("{line}\n"));
    let line = value.map(|value| format!("{key} = {value}\n"));
    let text: String = kept.chain(line).collect();
    let text = format!("{before}{text}");
    let file = Path::new("redeliver.toml");
    parse(&text, file, &given, &policies()).map_err(|errors| format!("{errors}\n{text}"))
}

/// What is just beyond a bound, downwards or upwards.
fn beyond(bound: &str, step: i64) -> String {
    let plain = bound.replace('_', "");
    if let Some(time) = bound.strip_prefix('"') {
        let time = parse_duration(time.trim_end_matches('"')).unwrap();
        format!("\"{}ms\"", time.as_millis() as i64 + step)
    } else if let Ok(number) = plain.parse::<i64>() {
        (number + step).to_string()
    } else {
        let number: f64 = plain.parse().unwrap();
        format!(
            "{:.3}",
            number * (1.0 + 0.01 * step as f64) + 0.01 * step as f64
        )
    }
}

#[test]
fn every_key_that_is_read_is_in_the_reference_and_no_other() {
    let mut shown = BTreeSet::new();
    for table in tables() {
        let keys: Vec<_> = lines(&table.heading).iter().map(|line| line.key).collect();
        let mut known = table.keys;
        let mut sorted = keys.clone();
        known.sort_unstable();
        sorted.sort_unstable();
        assert_eq!(sorted, known, "{}", table.heading);
        shown.insert(table.heading);
    }
    let headings = PAGE
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(" `"));
    for heading in headings {
        assert!(
            shown.contains(&format!("`{heading}")),
            "{heading} is not tried"
        );
    }
}

#[test]
fn a_default_of_the_reference_changes_nothing_and_what_it_calls_required_is() {
    for table in tables() {
        for line in lines(&table.heading) {
            let (heading, key) = (&table.heading, line.key);
            let without = tried(&table, key, None);
            let missing = format!("has no {key};");
            if line.default == "required" {
                let errors = without.unwrap_err();
                assert!(errors.contains(&missing), "{heading} {key}: {errors}");
            } else if line.default.starts_with('`') {
                let default = quotes(line.default)[0];
                let with = tried(&table, key, Some(default)).unwrap_or_else(|why| panic!("{why}"));
                assert_eq!(with, without.unwrap(), "{heading} {key}");
            } else {
                assert!(!line.default.is_empty(), "{heading} {key} has no default");
                let needed = without.err().filter(|errors| errors.contains(&missing));
                assert_eq!(needed, None, "{heading} {key}");
            }
        }
    }
}

#[test]
fn the_bounds_of_the_reference_are_those_of_the_code() {
    for table in tables() {
        for line in lines(&table.heading) {
            let shown = format!("{} {line:?}", table.heading);
            // Two keys may bound one another; only what is said of this value counts.
            let refused = |value: &str| {
                let errors = tried(&table, line.key, Some(value))
                    .err()
                    .unwrap_or_default();
                let told = errors.lines().filter(|error| error.contains(line.key));
                let says = |error: &&str| {
                    [
                        "is not within",
                        "is shorter than",
                        "is longer than",
                        "is less than",
                        "is not known",
                    ]
                    .iter()
                    .any(|words| error.contains(words))
                };
                told.filter(says).map(str::to_owned).next()
            };
            let (mut good, mut bad) = (quotes(line.bounds), Vec::new());
            match (line.kind, line.bounds) {
                ("word", _) => {
                    let known = refused("\"qqqqqqqq\"").unwrap_or_else(|| panic!("{shown}"));
                    let words = known.split("use one of").nth(1).unwrap_or_default();
                    good.retain(|word| word.starts_with('"'));
                    let count = words.matches('"').count() / 2;
                    // The policies of the tests are not those that are built in.
                    assert!(
                        count == good.len() || line.key == "policy",
                        "{shown}: {known}"
                    );
                }
                (_, bounds) if bounds.contains("` to `") => {
                    bad = vec![beyond(good[0], -1), beyond(good[1], 1)];
                }
                (_, bounds) if bounds.starts_with("at least `") => bad = vec![beyond(good[0], -1)],
                (_, bounds) if bounds.starts_with("at most `") => bad = vec![beyond(good[0], 1)],
                (_, bounds) if bounds.starts_with("or `") => {}
                _ => good.clear(),
            }
            for value in good {
                assert_eq!(refused(value), None, "{shown} {value}");
            }
            for value in bad {
                assert!(refused(&value).is_some(), "{shown} {value}");
            }
        }
    }
}

#[test]
fn what_a_reload_takes_is_what_the_reference_says() {
    let other = format!(
        "[server]\nlisten = \"127.0.0.1:1\"\n[limits]\nstreams_max = 1\n[retention]\n\
        max_age = \"1d\"\n[operations]\n[otel]\ntraceparent = [\"*\"]\n[[source]]\nname = \"s\"\nkind = \"raw\"\n\
        {WEBSITE}[[export]]\nwebsite = \"w\"\n"
    );
    let (plain, other) = (Config::default(), parsed(&other).unwrap());
    let waits: BTreeSet<_> = Fixed::of(&plain)
        .differences(&Fixed::of(&other))
        .into_iter()
        .collect();
    let headings = PAGE.lines().filter_map(|line| line.strip_prefix("## `"));
    let headings: Vec<_> = headings
        .map(|heading| heading.trim_end_matches('`'))
        .collect();
    for heading in &headings {
        let text = below(&format!("`{heading}`")).trim_start();
        let expected = match waits.contains(heading) {
            true => "In force at the next start.",
            false => "In force at a reload, too.",
        };
        assert!(text.starts_with(expected), "{heading}");
    }
    let names = headings
        .iter()
        .map(|heading| heading.trim_matches(['[', ']']).replace(".NAME", ""));
    let (names, known): (BTreeSet<_>, BTreeSet<_>) = (
        names.collect(),
        TABLES.iter().map(|table| (*table).to_owned()).collect(),
    );
    assert_eq!(names, known);
}
