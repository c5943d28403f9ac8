//! What is printed on standard output: lines, tables, JSON.
//!
//! Whatever came over the network is cleaned before a terminal sees it: a receiver's answer must
//! not be able to move the cursor or retitle the window.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::Failure;
use crate::clock::{Clock, RealClock, Timestamp};
use crate::words::steers;

/// Shown where there is nothing to show.
pub const NOTHING: &str = "-";

/// Prints a line.
pub fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Closed),
        Err(error) => Err(Failure::Environment(format!(
            "cannot write to standard output: {error}"
        ))),
    }
}

/// Prints a JSON document as it is; for a terminal with its control characters escaped.
pub fn json(document: &str) -> Result<(), Failure> {
    let document = document.trim_end();
    if io::stdout().is_terminal() {
        line(&escaped(document))
    } else {
        line(document)
    }
}

/// Prints every line of `text` as an error.
pub fn errors(text: &str) {
    told("error", "ERROR", text);
}

/// Prints a warning.
pub fn warning(text: &str) {
    told("warning", "WARN", text);
}

/// Prints a remark that is not part of the output.
pub fn note(text: &str) {
    told("note", "INFO", text);
}

/// Whether standard error holds one JSON object a line.
static AS_JSON: AtomicBool = AtomicBool::new(false);

/// From now on what goes to standard error is lines of JSON, as those of the log are.
pub fn tell_as_json() {
    AS_JSON.store(true, Ordering::Relaxed);
}

/// No filter of the log's keeps it back: without it nobody would know why a command has failed.
fn told(prefix: &str, level: &str, text: &str) {
    let mut err = io::stderr().lock();
    for text in text.lines() {
        // Where standard error is closed there is nobody to tell.
        let _ = match AS_JSON.load(Ordering::Relaxed) {
            true => writeln!(err, "{}", as_log_line(level, text, RealClock.now())),
            false => writeln!(err, "{prefix}: {text}"),
        };
    }
}

/// A line as the log's own are.
fn as_log_line(level: &str, text: &str, now: Timestamp) -> Value {
    json!({
        "timestamp": now.to_string(),
        "level": level,
        "fields": { "message": text },
        "target": "redeliver::cli",
    })
}

/// Whether to colour what goes to a terminal, or not to one.
pub fn coloured(terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// `text` on one line, without characters that control a terminal or hide what is written.
pub fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\t' => Some(' '),
            c if c.is_control() || steers(c) => None,
            c => Some(c),
        })
        .collect()
}

/// Control characters as JSON escapes; the others below U+0020 can stand outside strings only.
fn escaped(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    for c in document.chars() {
        if (c.is_control() && !c.is_ascii_whitespace()) || steers(c) {
            shown.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The member `key` of an object as clean text; [`NOTHING`] for null or none.
pub fn text(object: &Value, key: &str) -> String {
    shown(&object[key])
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) => clean(text),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            items.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        other => clean(&other.to_string()),
    }
}

/// Prints an object's members one a line: first those in `order`, then the others.
pub fn members(object: &Value, order: &[&str]) -> Result<(), Failure> {
    let rest = object.as_object().into_iter().flat_map(|all| all.keys());
    let rest = rest.map(String::as_str).filter(|key| !order.contains(key));
    let keys: Vec<_> = order
        .iter()
        .copied()
        .filter(|key| object.get(key).is_some())
        .chain(rest)
        .collect();
    let pairs: Vec<_> = keys.iter().map(|key| (*key, text(object, key))).collect();
    pairs_of(&pairs)
}

/// Prints names and values in two columns.
pub fn pairs_of(pairs: &[(&str, String)]) -> Result<(), Failure> {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or_default();
    let colour = coloured(io::stdout().is_terminal());
    for (name, value) in pairs {
        let value = match *name {
            "status" | "state" => painted(value, value, colour),
            _ => value.clone(),
        };
        line(&format!("{:width$}  {value}", clean(name)))?;
    }
    Ok(())
}

/// Rows under a head, in columns that are as wide as what is in them.
pub struct Table {
    head: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(head: &'static [&'static str]) -> Self {
        let rows = Vec::new();
        Self { head, rows }
    }

    /// Adds a row of clean texts, one for each column.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Prints it, or `nothing` if it has no rows.
    pub fn print(&self, nothing: &str) -> Result<(), Failure> {
        if self.rows.is_empty() {
            return line(nothing);
        }
        for text in self.lines(coloured(io::stdout().is_terminal())) {
            line(&text)?;
        }
        Ok(())
    }

    fn lines(&self, colour: bool) -> Vec<String> {
        let head: Vec<String> = self.head.iter().map(|&name| name.to_owned()).collect();
        let all = || std::iter::once(&head).chain(&self.rows);
        let widths: Vec<usize> = (0..self.head.len())
            .map(|i| {
                all()
                    .filter_map(|row| row.get(i))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or_default()
            })
            .collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).zip(self.head);
            let cells = cells.map(|((cell, &width), name)| {
                let padded = format!("{cell:width$}");
                match *name {
                    "STATUS" | "STATE" => painted(cell, &padded, colour),
                    _ => padded,
                }
            });
            let cells: Vec<_> = cells.collect();
            cells.join("  ").trim_end().to_owned()
        };
        all().map(line).collect()
    }
}

/// `shown` in the colour of the status `word`.
fn painted(word: &str, shown: &str, colour: bool) -> String {
    let code = match word {
        "delivered" | "active" => 32,
        "waiting" | "paused" => 33,
        "dead" | "removed" => 31,
        _ => return shown.to_owned(),
    };
    if colour {
        format!("\u{1b}[{code}m{shown}\u{1b}[0m")
    } else {
        shown.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_from_the_network_can_control_a_terminal() {
        let hostile = "a\u{1b}[2J\u{9b}31m\u{7}b\r\n\u{202e}c";
        assert_eq!(clean(hostile), "a[2J31mb c");
        let document = json!({ "error": hostile }).to_string();
        let shown = escaped(&document);
        assert!(!shown.chars().any(|c| c.is_control() || steers(c)));
        let back: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(back["error"], hostile);
    }

    #[test]
    fn a_table_is_as_wide_as_its_cells_and_coloured_only_when_asked() {
        let mut table = Table::new(&["NAME", "STATE", "URL"]);
        table.row(vec!["crm".into(), "active".into(), "http://a".into()]);
        table.row(vec!["wärehouse".into(), "paused".into(), "-".into()]);
        assert_eq!(
            table.lines(false),
            [
                "NAME       STATE   URL",
                "crm        active  http://a",
                "wärehouse  paused  -"
            ]
        );
        assert!(table.lines(true)[1].contains("\u{1b}[32mactive\u{1b}[0m  http"));
    }

    #[test]
    fn a_missing_member_is_a_dash_and_a_list_is_joined() {
        let object = json!({ "a": null, "b": ["x", 1], "c": 5, "d": {"e": 1} });
        for (key, expected) in [
            ("a", "-"),
            ("z", "-"),
            ("b", "x, 1"),
            ("c", "5"),
            ("d", "{\"e\":1}"),
        ] {
            assert_eq!(text(&object, key), expected);
        }
    }
}
