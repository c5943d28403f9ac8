//! `redeliver.toml`: read, checked, and every mistake reported at once.
//!
//! ```text
//!   text ─▶ tables with their places (toml) ─▶ section: typed reads ─▶ Config
//!                                                  │ what is wrong
//!                                                  ▼
//!                                               report ─▶ ConfigErrors, sorted by line
//! ```
//!
//! | file | what is in it |
//! |---|---|
//! | `report` | mistakes, warnings, lines |
//! | `section`, `tables` | typed reads from one table; the tables written as `[[key]]` |
//! | `secrets` | `env:NAME`, `file:PATH` |
//! | `retention` | how long what is kept |
//! | [`limits`] | every limit with its default and its reason |
//! | `otel` | which receivers are told of traces |
//! | `fixed` | what a reload cannot change |
//! | `faults` | a script of faults, which is a file of its own |
//! | `server`, `source`, `endpoint`, `policy`, `website`, `export`, [`alert`], `zebline`, `poller` | one kind of table each |

pub mod alert;
mod endpoint;
mod export;
mod faults;
mod fixed;
pub mod limits;
mod master_key;
mod operations;
mod otel;
mod policy;
mod poller;
mod report;
mod retention;
mod secrets;
mod section;
mod server;
mod source;
mod tables;
mod website;
mod zebline;

use std::path::Path;

use toml::Spanned;
use toml::de::DeTable;

pub use crate::duration;
pub use crate::duration::parse_duration;
pub use crate::event::ALERTS_SOURCE;
pub use alert::Alert;
pub use endpoint::EndpointEntry;
pub use export::Export;
pub use faults::{load_faults, parse_faults};
pub use fixed::Fixed;
pub use limits::Limits;
pub use master_key::MasterKeys;
pub use operations::Operations;
pub use otel::Otel;
pub use poller::Poller;
pub use report::{ConfigError, ConfigErrors, Place, Warning};
pub use retention::{Retention, SourceRetention};
pub use server::{OpenToAnyone, Server};
pub use source::{NATIVE_SOURCE, Source, SourceKind};
pub use website::Website;
pub use zebline::Zebline;

use crate::policy::{Policies, Policy};
use crate::words::quoted;
use report::Report;
use secrets::Outside;
use section::{Section, section};
use tables::{list_of_tables, unique};

/// The tables of a file.
const TABLES: &[&str] = &[
    "server",
    "limits",
    "retention",
    "source",
    "endpoint",
    "policy",
    "website",
    "export",
    "alert",
    "operations",
    "otel",
];

/// A configuration in which nothing is wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// `[server]` and `[limits]`.
    pub server: Server,
    /// `[retention]`.
    pub retention: Retention,
    /// `[[source]]`, in the file's order.
    pub sources: Vec<Source>,
    /// `[[endpoint]]`, in the file's order.
    pub endpoints: Vec<EndpointEntry>,
    /// `[policy.NAME]`: those of the operator's own, in the file's order.
    pub policies: Vec<Policy>,
    /// `[[website]]`, in the file's order.
    pub websites: Vec<Website>,
    /// `[[export]]`, in the file's order.
    pub exports: Vec<Export>,
    /// `[[alert]]`, in the file's order.
    pub alerts: Vec<Alert>,
    /// `[operations]`, if it is there: without it nothing of the kind is told.
    pub operations: Option<Operations>,
    /// `[otel]`.
    pub otel: Otel,
    /// What works but should be changed.
    pub warnings: Vec<Warning>,
}

/// Reads the file at `path`.
pub fn load(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    builtin: &Policies,
) -> Result<Config, ConfigErrors> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path, env, builtin),
        Err(error) => Err(ConfigErrors(vec![ConfigError {
            place: Place {
                file: path.display().to_string(),
                line: None,
                column: None,
            },
            detail: format!("cannot be read: {error}; give another file with --config"),
        }])),
    }
}

/// Reads `text` as the content of `file`, whose folder relative paths start from.
pub fn parse(
    text: &str,
    file: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    builtin: &Policies,
) -> Result<Config, ConfigErrors> {
    // Some editors put it there; the parser counts it as no character.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut report = Report::new(file.display().to_string(), text);
    let Some(document) = document(&mut report, text) else {
        return report.finish().map(|_| Config::default());
    };
    let outside = Outside {
        env,
        folder: file.parent().map(Path::to_owned).unwrap_or_default(),
    };
    let root = Section::new("the file", 0, document.get_ref());
    let mut config = read(&mut report, &outside, &root, builtin);
    config.warnings = report.finish()?;
    Ok(config)
}

/// The tables of a file; none where it is no TOML.
fn document<'t>(report: &mut Report, text: &'t str) -> Option<Spanned<DeTable<'t>>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Some(document);
    }
    // What was salvaged of a broken file would be full of mistakes that nobody made.
    for error in errors {
        let span = error.span().unwrap_or_default();
        let detail = match (error.message(), text.get(span.clone())) {
            ("duplicate key", Some(key)) => {
                format!("key {} is given twice; keep one of the two", quoted(key))
            }
            (message, _) => format!("not valid TOML: {message}"),
        };
        report.syntax_error(text, span.start, detail);
    }
    None
}

fn read(
    report: &mut Report,
    outside: &Outside<'_>,
    root: &Section<'_>,
    builtin: &Policies,
) -> Config {
    root.refuse_unknown(report, TABLES);
    let mut config = Config::default();
    if let Some(table) = root.table.get("server")
        && let Some(table) = section(report, "[server]", table)
    {
        config.server = Server::read(report, outside, &table);
    }
    if let Some(table) = root.table.get("limits")
        && let Some(table) = section(report, "[limits]", table)
    {
        config.server.limits = Limits::read(report, &table);
    }
    if let Some(table) = root.table.get("operations")
        && let Some(table) = section(report, "[operations]", table)
    {
        config.operations = Some(Operations::read(report, &table));
    }
    if let Some(table) = root.table.get("otel")
        && let Some(table) = section(report, "[otel]", table)
    {
        config.otel = Otel::read(report, &table);
    }
    config.policies = policy::read_all(report, root, builtin);
    let mut known = builtin.clone();
    for policy in &config.policies {
        known.insert(policy.clone());
    }

    let tables = list_of_tables(report, root, "source");
    unique(report, &tables, "source", "name");
    unique(report, &tables, "license", "license");
    for table in &tables {
        config.sources.extend(source::read(report, outside, table));
    }
    source::warn_open(report, &tables, &config);
    // Also those in which something is wrong: what names them is right.
    let sources: Vec<_> = tables
        .iter()
        .filter_map(|table| table.table.get("name")?.get_ref().as_str())
        .collect();

    if let Some(table) = root.table.get("retention")
        && let Some(table) = section(report, "[retention]", table)
    {
        let known: Vec<_> = sources.iter().copied().chain(source::OWN_SOURCES).collect();
        config.retention = Retention::read(report, &table, &known);
    }

    let tables = list_of_tables(report, root, "endpoint");
    unique(report, &tables, "endpoint", "name");
    let most = config.server.limits.endpoints_max;
    if let Some(table) = tables.get(most) {
        report.error(
            table.at,
            format!(
                "there are {} endpoints, more than endpoints_max {most}; raise it under [limits]",
                tables.len()
            ),
        );
    }
    for table in &tables {
        config
            .endpoints
            .extend(endpoint::read(report, outside, table, &known));
    }

    let tables = list_of_tables(report, root, "website");
    unique(report, &tables, "website", "id");
    unique(report, &tables, "tracking_code", "tracking_code");
    for table in &tables {
        config
            .websites
            .extend(website::read(report, outside, table, &sources));
    }
    let websites: Vec<_> = tables
        .iter()
        .filter_map(|table| table.table.get("id")?.get_ref().as_str())
        .collect();
    for table in list_of_tables(report, root, "export") {
        if let Some(export) = export::read(report, &table, &websites) {
            let domain = |id: &str| {
                let mut all = config.websites.iter();
                all.find(|website| website.id == id)
                    .map(|website| &*website.domain)
            };
            let is_same = |other: &&Export| {
                other.dir == export.dir && domain(&other.website) == domain(&export.website)
            };
            if config.exports.iter().any(|other| is_same(&other)) {
                let detail =
                    "another [[export]] would be the same file; give one of them another dir";
                report.error(table.at, detail);
            }
            config.exports.push(export);
        }
    }
    config.alerts = alert::read_all(report, root, &websites);
    config
}

#[cfg(test)]
mod tests;
