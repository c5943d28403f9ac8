//! `[[endpoint]]`: reads what is written, and leaves the rules to `endpoint::draft`.

use std::collections::BTreeSet;

use url::Url;

use super::report::Report;
use super::secrets::{KEY_ENCODINGS, Outside};
use super::section::Section;
use crate::endpoint::draft::{EndpointDraft, build};
use crate::endpoint::url::is_loopback;
use crate::endpoint::validate::{CONCURRENCY_MAX, pointer_part, standard_key_bytes};
use crate::endpoint::{
    Check, EndpointSettings, FieldError, Headers, Origin, TextEncoding, TimestampMode,
};
use crate::policy::{KeyForm, Policies};
use crate::words::quoted;

/// An endpoint of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointEntry {
    /// What the file says about it.
    pub settings: EndpointSettings,
    /// The line on which it begins.
    pub line: usize,
}

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("off", Check::Off),
    ("2xx", Check::Any2xx),
    ("200", Check::Only200),
    ("lt400", Check::Below400),
];
const TIMESTAMP_MODES: &[(&str, TimestampMode)] = &[
    ("per_attempt", TimestampMode::PerAttempt),
    ("fixed", TimestampMode::Fixed),
];
pub(super) const SIGNATURE_ENCODINGS: &[(&str, TextEncoding)] =
    &[("hex", TextEncoding::Hex), ("base64", TextEncoding::Base64)];

pub(super) fn read(
    report: &mut Report,
    outside: &Outside<'_>,
    section: &Section<'_>,
    policies: &Policies,
) -> Option<EndpointEntry> {
    section.refuse_unknown(report, &keys());
    let mut reader = Reader {
        report,
        section,
        given: BTreeSet::new(),
    };
    let draft = EndpointDraft {
        name: reader.text("name").into(),
        url: reader.text("url").into(),
        policy: reader.text("policy").into(),
        events: reader
            .note("events", |r, s| s.texts(r, "events"))
            .map(|events| events.iter().map(|e| e.value.to_owned()).collect())
            .into(),
        concurrency: reader
            .note("concurrency", |r, s| {
                s.integer(r, "concurrency", 1..=u64::from(CONCURRENCY_MAX))
            })
            .and_then(|number| u32::try_from(number).ok())
            .into(),
        timeout: reader
            .note("timeout", |r, s| s.duration_text(r, "timeout"))
            .map(str::to_owned)
            .into(),
        basic_auth: reader
            .note("basic_auth", |r, s| outside.basic_auth(r, s))
            .into(),
        headers: reader.note("headers", headers).into(),
        signing_key: reader
            .note("signing_key", |r, s| outside.secret(r, s, "signing_key"))
            .into(),
        key_encoding: reader.choice("key_encoding", KEY_ENCODINGS).into(),
        signature_encoding: reader
            .choice("signature_encoding", SIGNATURE_ENCODINGS)
            .into(),
        timestamp_mode: reader.choice("timestamp_mode", TIMESTAMP_MODES).into(),
        allow_http: reader
            .note("allow_http", |r, s| s.boolean(r, "allow_http"))
            .into(),
        drop_while_inactive: reader
            .note("drop_while_inactive", |r, s| {
                s.boolean(r, "drop_while_inactive")
            })
            .into(),
        ca_pem: reader
            .note("ca_file", |r, s| {
                let read = outside.read_file(s.text(r, "ca_file")?);
                read.map_err(|detail| r.error(s.place("ca_file"), format!("ca_file: {detail}")))
                    .ok()
            })
            .into(),
        check: reader.choice("check", CHECKS).into(),
    };
    let given = reader.given;
    let built = build(draft, policies);
    if let Ok(settings) = &built {
        let policy = policies.get(&settings.policy);
        warn_of_weak_keys(
            report,
            section,
            settings,
            policy.map(|policy| policy.key_form),
        );
    }
    match built {
        Ok(settings) => Some(EndpointEntry {
            settings: EndpointSettings {
                origin: Origin::Config,
                ..settings
            },
            line: report.line(section.at),
        }),
        Err(errors) => {
            for error in errors {
                place(report, section, &given, error);
            }
            None
        }
    }
}

/// What Standard Webhooks asks for at least: 24 bytes.
const STANDARD_KEY_SHORT: usize = 24;

/// Requests that anybody could have made. On this machine that is nobody's business but its own.
fn warn_of_weak_keys(
    report: &mut Report,
    section: &Section<'_>,
    settings: &EndpointSettings,
    form: Option<KeyForm>,
) {
    let name = quoted(&settings.name);
    match &settings.signing_key {
        Some(key) => {
            let bytes = standard_key_bytes(key).filter(|_| form == Some(KeyForm::StandardSecret));
            if let Some(bytes) = bytes.filter(|bytes| *bytes < STANDARD_KEY_SHORT) {
                report.warn(
                    section.place("signing_key"),
                    format!("signing_key of endpoint {name} has {bytes} bytes, and Standard Webhooks asks for {STANDARD_KEY_SHORT} to 64; take whsec_ and what openssl rand -base64 32 gives"),
                );
            }
        }
        None => {
            let is_near = Url::parse(&settings.url).is_ok_and(|url| is_loopback(&url));
            let names = || settings.headers.iter().map(|(name, _)| name);
            let shows_who = settings.basic_auth.is_some()
                || names().any(|name| name.eq_ignore_ascii_case("authorization"));
            if !is_near && !shows_who {
                report.warn(
                    section.at,
                    format!("endpoint {name} has neither signing_key nor basic_auth, so its receiver cannot tell who sends; add signing_key = \"env:NAME\""),
                );
            }
        }
    }
}

/// Those of the API, but that a certificate is a file of its own.
pub(super) fn keys() -> Vec<&'static str> {
    let each = EndpointDraft::KEYS.iter();
    each.map(|key| if *key == "ca_pem" { "ca_file" } else { key })
        .collect()
}

/// Reads fields and keeps in mind which of them are in the file but could not be read.
struct Reader<'r, 's, 't> {
    report: &'r mut Report,
    section: &'s Section<'t>,
    given: BTreeSet<&'static str>,
}

impl<'t> Reader<'_, '_, 't> {
    fn note<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Report, &Section<'t>) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.report, self.section);
        if value.is_none() && self.section.has(key) {
            self.given.insert(key);
        }
        value
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        self.note(key, |r, s| s.text(r, key)).map(str::to_owned)
    }

    fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.note(key, |r, s| s.choice(r, key, choices))
    }
}

fn headers(report: &mut Report, section: &Section<'_>) -> Option<Headers> {
    let table = section.subsection(report, "headers")?;
    let mut headers = Vec::new();
    for (name, value) in table.table.iter() {
        let at = name.span().start;
        match value.get_ref().as_str() {
            Some(text) => {
                // Sent as it is, the reference would go out in place of the key.
                if text.starts_with("env:") || text.starts_with("file:") {
                    report.error(at, "headers take no env: or file: references; use basic_auth or signing_key for secrets");
                }
                headers.push((at, (name.get_ref().to_string(), text.to_owned())));
            }
            None => table.mistyped(report, name.get_ref(), "a text in quotation marks"),
        }
    }
    // The parser sorts by name.
    headers.sort_by_key(|(at, _)| *at);
    Some(Headers(
        headers.into_iter().map(|(_, header)| header).collect(),
    ))
}

/// Reports `error` on the line of the key or element that its pointer names.
fn place(
    report: &mut Report,
    section: &Section<'_>,
    unreadable: &BTreeSet<&str>,
    error: FieldError,
) {
    let mut parts = error.at.split('/').skip(1);
    let key = parts
        .next()
        .map_or("", |key| if key == "ca_pem" { "ca_file" } else { key });
    // It is there, so it is not missing; what is wrong with it has been said.
    if unreadable.contains(key) {
        return;
    }
    let mut at = section.place(key);
    if let (Some(part), Some(value)) = (parts.next(), section.table.get(key)) {
        let value = value.get_ref();
        let element = part.parse::<usize>().ok();
        if let Some(element) = element.and_then(|i| value.as_array()?.get(i)) {
            at = element.span().start;
        } else if let Some(table) = value.as_table() {
            let entry = table
                .iter()
                .find(|(name, _)| pointer_part(name.get_ref()) == part);
            at = entry.map_or(at, |(name, _)| name.span().start);
        }
    }
    let detail = error.detail;
    match detail
        .strip_prefix(key)
        .and_then(|rest| rest.strip_prefix(" is missing; "))
    {
        Some(mend) => section.require(report, key, mend),
        None => report.error(at, detail),
    }
}
