//! Tables of which there can be many, written as `[[key]]`.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::report::Report;
use super::section::{Section, section};
use crate::words::quoted;

/// The tables written as `[[key]]`.
pub(super) fn list_of_tables<'t>(
    report: &mut Report,
    root: &Section<'t>,
    key: &str,
) -> Vec<Section<'t>> {
    let title = format!("[[{key}]]");
    let value: Option<&'t Spanned<DeValue<'t>>> = root.table.get(key);
    match value.map(|value| (value.span().start, value.get_ref())) {
        None => Vec::new(),
        Some((_, DeValue::Array(array))) => array
            .iter()
            .filter_map(|value| section(report, &title, value))
            .collect(),
        Some((at, _)) => {
            report.error(
                at,
                format!("{key} is not a list of tables; write {title} above each"),
            );
            Vec::new()
        }
    }
}

/// Refuses a second table whose `key` has the same text.
pub(super) fn unique(report: &mut Report, tables: &[Section<'_>], noun: &str, key: &str) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for table in tables {
        let Some(text) = table
            .table
            .get(key)
            .and_then(|value| value.get_ref().as_str())
        else {
            continue;
        };
        if let Some(line) = first.get(text) {
            let article = if key.starts_with('i') { "an" } else { "a" };
            report.error(
                table.at,
                format!("{noun} {} is defined twice, first at line {line}; give each {article} {key} of its own", quoted(text)),
            );
        } else {
            first.insert(text, report.line(table.at));
        }
    }
}
