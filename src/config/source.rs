//! `[[source]]`: where events come from, besides the native API.

mod kind;

use std::time::Duration;

use super::Config;
use super::endpoint::SIGNATURE_ENCODINGS;
use super::poller::{self, Poller};
use super::report::Report;
use super::secrets::{KEY_ENCODINGS, Outside, check_carried};
use super::section::Section;
use super::zebline::{self, Zebline};
use crate::endpoint::validate::{check_key, check_name};
use crate::endpoint::{BasicAuth, TextEncoding};
use crate::event::{ALERTS_SOURCE, OPERATIONS_SOURCE};
use crate::policy::KeyForm;
use crate::secret::{Secret, Tokens};
use crate::words::{mend, quoted};

pub(super) use kind::KINDS;
pub use kind::SourceKind;

/// The source of what comes in through `POST /v1/events`.
pub const NATIVE_SOURCE: &str = "api";

/// The sources of what does not come by a table of the configuration.
pub(super) const OWN_SOURCES: [&str; 3] = [NATIVE_SOURCE, ALERTS_SOURCE, OPERATIONS_SOURCE];

/// How old a signed request may be: what Hotjar tells its receivers (HOT-35, A-03), and the
/// tolerance of Standard Webhooks.
const MAX_AGE: Duration = Duration::from_secs(300);

/// A source of the file. Which fields are set depends on its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Unique among the sources.
    pub name: String,
    /// What speaks to it.
    pub kind: SourceKind,
    /// The line on which it begins.
    pub line: usize,
    /// Zebline's license code, part of the path (always set there).
    pub license: Option<String>,
    /// The bearer token that senders must show (always set for Zebline).
    pub access_token: Option<Secret>,
    /// Tokens before it, which count as well while it is being replaced.
    pub previous_access_tokens: Vec<Secret>,
    /// The signing key (always set for Hotjar and Standard Webhooks).
    pub key: Option<Secret>,
    /// Keys before it, which count as well while it is being replaced.
    pub previous_keys: Vec<Secret>,
    /// How the key's text becomes bytes.
    pub key_encoding: TextEncoding,
    /// How signatures are written.
    pub signature_encoding: TextEncoding,
    /// What senders must authenticate with, if anything.
    pub basic_auth: Option<BasicAuth>,
    /// How far a signed request's time may be from the broker's clock; absent means any.
    pub max_age: Option<Duration>,
    /// Whether each activity of eSputnik becomes an event of its own.
    pub split: bool,
    /// What is polled (always set for Zenovay).
    pub poller: Option<Poller>,
    /// How strictly events are taken (always set for Zebline).
    pub zebline: Option<Zebline>,
}

impl Source {
    /// The bearer tokens that senders may show.
    pub fn access_tokens(&self) -> Tokens {
        Tokens::new(
            self.access_token.clone(),
            self.previous_access_tokens.clone(),
        )
    }
}

pub(super) fn read(
    report: &mut Report,
    outside: &Outside<'_>,
    section: &Section<'_>,
) -> Option<Source> {
    let name = section.required_text(report, "name");
    if let Some(name) = name {
        if let Err(detail) = check_name(name) {
            report.error(section.place("name"), detail);
        } else if OWN_SOURCES.contains(&name) {
            let name = quoted(name);
            report.error(
                section.place("name"),
                format!("source {name} is redeliver's own; choose another name"),
            );
        }
    }
    let kind = section.choice(report, "kind", KINDS);
    match kind {
        Some(kind) => refuse_foreign(report, section, kind),
        None => {
            let each = KINDS.iter().flat_map(|(_, kind)| kind.keys());
            let all: Vec<_> = ["name", "kind"].iter().chain(each).copied().collect();
            section.refuse_unknown(report, &all);
        }
    }
    let mend = mend("", KINDS.iter().map(|(name, _)| *name));
    section.require(report, "kind", &mend);
    let kind = kind?;
    let (is_zebline, hotjar) = (kind == SourceKind::Zebline, kind == SourceKind::Hotjar);
    let license = if is_zebline {
        section.required_text(report, "license")
    } else {
        None
    };
    if let Some(Err(_)) = license.map(check_name) {
        report.error(section.place("license"), "license is not 1 to 64 letters, digits, dots, dashes and underscores; it is part of the path");
    }
    let access_token = match kind {
        SourceKind::Zebline => outside.required_secret(report, section, "access_token"),
        SourceKind::Cloudevents | SourceKind::Raw => {
            outside.secret(report, section, "access_token")
        }
        _ => None,
    };
    let previous_access_tokens = match access_token {
        Some(_) => outside.secrets(report, section, "previous_access_tokens"),
        None => Vec::new(),
    };
    check_carried(report, section, "access_token", access_token.iter());
    let previous = previous_access_tokens.iter();
    check_carried(report, section, "previous_access_tokens", previous);
    if section.has("previous_access_tokens") && !section.has_or_means("access_token") {
        report.error(
            section.place("previous_access_tokens"),
            "previous_access_tokens have no access_token that replaces them; add access_token",
        );
    }
    let signed = hotjar || kind == SourceKind::Standard;
    let key = if signed {
        outside.required_secret(report, section, "key")
    } else {
        None
    };
    let previous_keys = match signed {
        true => outside.secrets(report, section, "previous_keys"),
        false => Vec::new(),
    };
    let encoding = |report: &mut Report, key, choices| {
        if hotjar {
            section.choice(report, key, choices)
        } else {
            None
        }
    };
    let key_encoding = encoding(report, "key_encoding", KEY_ENCODINGS);
    let key_encoding = key_encoding.unwrap_or(TextEncoding::Utf8);
    let signature_encoding = encoding(report, "signature_encoding", SIGNATURE_ENCODINGS);
    let signature_encoding = signature_encoding.unwrap_or(TextEncoding::Hex);
    let form = match kind {
        SourceKind::Standard => KeyForm::StandardSecret,
        _ => KeyForm::Text,
    };
    let checked = key
        .as_ref()
        .map(|key| check_key("key", key, form, key_encoding));
    if let Some(Err(detail)) = checked {
        report.error(section.place("key"), detail);
    }
    for key in &previous_keys {
        if let Err(detail) = check_key("previous_keys", key, form, key_encoding) {
            report.error(section.place("previous_keys"), detail);
        }
    }
    let basic_auth = match kind.keys().contains(&"basic_auth") {
        true => outside.basic_auth(report, section),
        false => None,
    };
    let max_age = match signed {
        true => max_age(report, section),
        false => None,
    };
    let split = kind == SourceKind::Esputnik && section.boolean(report, "split") == Some(true);
    let poller = match kind {
        SourceKind::Zenovay => Some(poller::read(report, outside, section)?),
        _ => None,
    };
    Some(Source {
        name: name?.to_owned(),
        kind,
        line: report.line(section.at),
        license: license.map(str::to_owned),
        access_token,
        previous_access_tokens,
        key,
        previous_keys,
        key_encoding,
        signature_encoding,
        basic_auth,
        max_age,
        split,
        poller,
        zebline: is_zebline.then(|| zebline::read(report, section)),
    })
}

/// Refuses keys of other kinds in words of their own: a key that is known elsewhere looks right.
fn refuse_foreign(report: &mut Report, section: &Section<'_>, kind: SourceKind) {
    let mut known = vec!["name", "kind"];
    known.extend(kind.keys());
    for (_, other) in KINDS {
        for key in other.keys().iter().filter(|key| section.has(key)) {
            if !known.contains(key) {
                known.push(key);
                let (name, allowed) = (quoted(kind.name()), kind.keys().join(", "));
                report.error(
                    section.place(key),
                    format!("{key} does not belong to a source of kind {name}; take it out (its keys are {allowed})"),
                );
            }
        }
    }
    section.refuse_unknown(report, &known);
}

fn max_age(report: &mut Report, section: &Section<'_>) -> Option<Duration> {
    let value = section.table.get("max_age").map(|value| value.get_ref());
    if value.and_then(|value| value.as_str()) == Some("off") {
        return None;
    }
    Some(section.duration(report, "max_age").unwrap_or(MAX_AGE))
}

/// Anyone on the network could put events in.
pub(super) fn warn_open(report: &mut Report, tables: &[Section<'_>], config: &Config) {
    if config.server.listen.ip().to_canonical().is_loopback() {
        return;
    }
    for source in &config.sources {
        let authenticates = source.access_token.is_some()
            || source.key.is_some()
            || source.basic_auth.is_some()
            || source.poller.is_some();
        let table = tables
            .iter()
            .find(|table| report.line(table.at) == source.line);
        if let (false, Some(table)) = (authenticates, table) {
            let keys = source.kind.authentication();
            report.warn(
                table.at,
                format!(
                    "source {} takes events from anyone who reaches it; set {keys}",
                    quoted(&source.name)
                ),
            );
        }
    }
}
