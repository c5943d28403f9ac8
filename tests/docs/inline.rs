//! Commands within the text: that there are such verbs and options, such tests and benches.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::document::sections;
use crate::{pages, root};

/// Every command of the pages, in code within the text and in blocks, with its place.
fn commands(program: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for page in pages() {
        let name = page.strip_prefix(root()).unwrap().display().to_string();
        for section in sections(&page) {
            for (line, text) in &section.prose {
                // What stands between two backticks.
                for code in text.split('`').skip(1).step_by(2) {
                    found.push((format!("{name}:{line}"), code.to_owned()));
                }
            }
            for block in section.blocks_in("sh") {
                let text = block.text.replace("\\\n", " ");
                for (line, code) in (block.line..).zip(text.lines()) {
                    found.push((format!("{name}:{line}"), code.to_owned()));
                }
            }
        }
    }
    let from = |(place, code): (String, String)| {
        let code = code.split(" #").next().unwrap();
        let begin = code.find(program).filter(|at| {
            // Only assignments come before a program: NAME=VALUE.
            code[..*at]
                .split_whitespace()
                .all(|word| word.contains('='))
        })?;
        Some((place, code[begin..].trim().to_owned()))
    };
    found.into_iter().filter_map(from).collect()
}

fn help(verb: &[&str]) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_redeliver"))
        .args(verb)
        .arg("--help")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then_some(text)
}

/// The words before the first that is no verb.
fn verb(words: &[&str]) -> (Vec<String>, String) {
    let mut verb: Vec<String> = Vec::new();
    let mut known = help(&[]).unwrap();
    for word in words {
        let is_verb = known
            .lines()
            .any(|line| line.trim_start().split(' ').next() == Some(word));
        let listed = known.split_once("Commands:").is_some();
        if word.starts_with('-') || !listed || !is_verb {
            break;
        }
        verb.push((*word).to_owned());
        let words: Vec<&str> = verb.iter().map(String::as_str).collect();
        known = help(&words).unwrap();
    }
    (verb, known)
}

#[test]
fn every_verb_and_option_that_is_named_is_there() {
    let mut known = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (place, command) in commands("redeliver ") {
        let command = command.replace('`', "");
        // `check hotjar|esputnik URL` names several.
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        let words: Vec<&str> = words
            .iter()
            .map(|word| word.split('|').next().unwrap())
            .collect();
        let key = words
            .iter()
            .take(2)
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>();
        let (verb, help) = known.entry(key).or_insert_with(|| verb(&words)).clone();
        if verb.is_empty() && !words[0].starts_with('-') && words[0] != "listening" {
            wrong.push(format!("{place}: there is no redeliver {}", words[0]));
        }
        for option in words
            .iter()
            .filter(|word| word.starts_with("--") && word.len() > 2)
        {
            let name = option
                .split('=')
                .next()
                .unwrap()
                .trim_end_matches([',', ';', '.', ')']);
            seen += 1;
            let has = help
                .split(|c: char| c.is_whitespace() || c == ',')
                .any(|word| word == name);
            if !has && !command.contains(" -- ") {
                wrong.push(format!(
                    "{place}: redeliver {} has no {name}",
                    verb.join(" ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 30, "{seen}");
}

/// The names of the test functions of a crate under `tests`.
fn functions(crate_name: &str) -> String {
    let path = root().join("tests").join(crate_name);
    let mut files = vec![path.clone(), path.with_extension("rs")];
    let mut names = String::new();
    while let Some(file) = files.pop() {
        if let Ok(entries) = fs::read_dir(&file) {
            files.extend(entries.map(|entry| entry.unwrap().path()));
        } else if let Ok(text) = fs::read_to_string(&file) {
            let module = file.file_stem().unwrap().to_str().unwrap();
            for line in text
                .lines()
                .filter_map(|line| line.trim_start().split("fn ").nth(1))
            {
                names += &format!("{module}::{}\n", line.split('(').next().unwrap());
            }
        }
    }
    names
}

#[test]
fn every_test_that_is_named_is_there() {
    let mut seen = 0;
    for (place, command) in commands("cargo test") {
        let words: Vec<&str> = command.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "--test") else {
            continue;
        };
        let names = functions(words[at + 1]);
        assert!(
            !names.is_empty(),
            "{place}: there is no test {}",
            words[at + 1]
        );
        let filters = words[at + 2..]
            .iter()
            .take_while(|word| !word.starts_with('-'));
        for filter in filters {
            assert!(
                names.contains(filter),
                "{place}: {} has no {filter}",
                words[at + 1]
            );
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn every_page_that_is_linked_is_there() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = link.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let target = page.parent().unwrap().join(path);
            assert!(target.exists(), "{}: {link} is not there", page.display());
        }
    }
}

/// Every decision of the vendors' contracts, in their order.
#[test]
fn every_decision_is_told_once() {
    let text = fs::read_to_string(root().join("docs/vendors.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| A-"));
    let told: Vec<&str> = rows.map(|row| row.split(' ').next().unwrap()).collect();
    let mut all: Vec<String> = (1..=26).chain(30..=40).map(|n| format!("{n:02}")).collect();
    all.insert(4, "04b".to_owned());
    assert_eq!(told, all);
}
