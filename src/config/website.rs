//! `[[website]]`: what Zenovay's read side shows, computed from the log.

use super::report::Report;
use super::secrets::{Outside, check_carried};
use super::section::Section;
use super::source::NATIVE_SOURCE;
use crate::secret::Secret;
use crate::words::{mend, quoted};

pub(super) const KEYS: &[&str] = &[
    "id",
    "tracking_code",
    "domain",
    "name",
    "sources",
    "api_keys",
    "requests_per_minute",
    "initial_snapshot",
];

/// A website of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Website {
    /// Its id in paths of the external API.
    pub id: String,
    /// Its code in the path of the live count.
    pub tracking_code: String,
    /// Its domain.
    pub domain: String,
    /// What it is called; the domain where nothing is said.
    pub name: String,
    /// Whose events count.
    pub sources: Vec<String>,
    /// Who may read it.
    pub api_keys: Vec<Secret>,
    /// How many requests a minute one key may make; no bound where nothing is said.
    pub requests_per_minute: Option<u32>,
    /// Whether a stream begins with the figures, instead of after ten and thirty seconds.
    pub initial_snapshot: bool,
    /// The line on which it begins.
    pub line: usize,
}

/// `sources`: the names of all sources of the file.
pub(super) fn read(
    report: &mut Report,
    outside: &Outside<'_>,
    section: &Section<'_>,
    sources: &[&str],
) -> Option<Website> {
    section.refuse_unknown(report, KEYS);
    let id = path_part(report, section, "id");
    let tracking_code = path_part(report, section, "tracking_code");
    let domain = section.required_text(report, "domain");
    if let Some(domain) = domain.filter(|domain| !is_host(domain)) {
        let detail = format!(
            "domain {} is not a host name such as \"example.com\"; it becomes part of a file's name",
            quoted(domain)
        );
        report.error(section.place("domain"), detail);
    }
    let name = section.text(report, "name").or(domain);
    section.require(report, "sources", "add sources = [\"NAME\"]");
    let given = section.texts(report, "sources").unwrap_or_default();
    let known = || sources.iter().copied().chain([NATIVE_SOURCE]);
    for source in &given {
        if !known().any(|name| name == source.value) {
            let mend = mend(source.value, known());
            report.error(
                source.at,
                format!("source {} is not defined; {mend}", quoted(source.value)),
            );
        }
    }
    let api_keys = outside.secrets(report, section, "api_keys");
    check_carried(report, section, "api_keys", api_keys.iter());
    let requests = section.integer(report, "requests_per_minute", 1..=1_000_000);
    Some(Website {
        id: id?,
        tracking_code: tracking_code?,
        domain: domain?.to_owned(),
        name: name?.to_owned(),
        sources: given.iter().map(|source| source.value.to_owned()).collect(),
        api_keys,
        requests_per_minute: requests.and_then(|number| u32::try_from(number).ok()),
        initial_snapshot: section.boolean(report, "initial_snapshot").unwrap_or(false),
        line: report.line(section.at),
    })
}

/// A plain host name, without a path (ZSS-20).
fn is_host(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    !text.is_empty() && text.len() <= 253 && !text.starts_with('.') && text.chars().all(allowed)
}

pub(super) fn path_part(report: &mut Report, section: &Section<'_>, key: &str) -> Option<String> {
    let text = section.required_text(report, key)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
        report.error(
            section.place(key),
            format!("{key} {} is not 1 to 64 letters, digits, dashes and underscores; it is part of a path", quoted(text)),
        );
        return None;
    }
    Some(text.to_owned())
}
