//! The body of `POST /v1/trigger`.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::wish::{Message, Overrides, Wish};
use crate::api::request::input::Reader;
use crate::endpoint::json::Members;
use crate::inbound::problem::Problem;
use crate::sample::esputnik::{Media, Origin, Status};
use crate::sample::hotjar::{Nulls, QuestionType, Spelling};
use crate::sample::{Document, Path, esputnik, hotjar};
use crate::vendor::Profile;
use crate::words::{mend, quoted};

/// The most events of one request: as many as go into the log at once.
pub const EVENTS_MAX: usize = 1000;

/// How Hotjar's questions may be spelt, by name.
pub const SPELLINGS: [(&str, Spelling); 3] = [
    ("document", Spelling::Document),
    ("example", Spelling::Example),
    ("both", Spelling::Both),
];
/// Which of Hotjar's fields are null (HOT-38), by name.
pub const NULLS: [(&str, Nulls); 3] = [
    ("few", Nulls::Few),
    ("some", Nulls::Some),
    ("all", Nulls::All),
];
/// What eSputnik's messages are sent for, by name.
pub const ORIGINS: [(&str, Origin); 2] = [
    ("broadcast", Origin::Broadcast),
    ("triggered", Origin::Triggered),
];

/// The samples of `vendor`, its usual one first.
pub fn samples(vendor: Profile) -> &'static [&'static str] {
    match vendor {
        Profile::Hotjar => &["survey_response", "test_message"],
        Profile::Esputnik => &["activity", "test", "sequence", "bulk"],
        Profile::Standard => &["event", "test"],
    }
}

/// The members of a request for this sample: what does not concern it is refused, not ignored.
fn known(vendor: Profile, sample: &str) -> Vec<&'static str> {
    let own: &[_] = match (vendor, sample) {
        (Profile::Hotjar, "survey_response") => &[
            "type",
            "spelling",
            "nulls",
            "unknown_fields",
            "complete",
            "questions",
        ],
        (Profile::Esputnik, "sequence") => &["media", "origin", "unknown_fields"],
        (Profile::Esputnik, "bulk") => &["status", "media", "origin", "unknown_fields", "size"],
        (Profile::Esputnik, "activity" | "test") => {
            &["status", "media", "origin", "unknown_fields"]
        }
        (Profile::Standard, "event") => &["type", "unknown_fields"],
        _ => &[],
    };
    let common = ["sample", "payload", "count", "seed", "set", "remove"];
    common.iter().chain(own).copied().collect()
}

/// The sample that is asked for; empty where there is a payload instead.
fn named(vendor: Profile, members: &Members) -> String {
    let text = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).ok();
    let usual = || samples(vendor)[0].to_owned();
    match (members.get("payload"), members.get("sample")) {
        (Some(_), _) => String::new(),
        (None, None) => usual(),
        (None, Some(raw)) => text(raw).unwrap_or_else(usual).to_lowercase(),
    }
}

/// Reads what a mock of `vendor` is asked for, or says everything that is wrong with it.
pub fn read(vendor: Profile, members: Members) -> Result<Wish, Problem> {
    let known = known(vendor, &named(vendor, &members));
    let mut asked = Asked(Reader::new(members, &known));
    let message = asked.message(vendor);
    let wanted = "a whole number; write for example 3";
    let count: u64 = asked.0.get("count", wanted).unwrap_or(1);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let requests = message.requests();
    if !(1..=EVENTS_MAX / requests).contains(&count) {
        let most = EVENTS_MAX / requests;
        asked.0.add(
            "count",
            format!("count is not from 1 to {most}; ask more than once"),
        );
    }
    let seed = asked.0.get("seed", "a whole number; write for example 7");
    let overrides = asked.overrides();
    asked.0.check()?;
    Ok(Wish {
        message,
        count,
        seed,
        overrides,
    })
}

struct Asked(Reader);

impl Asked {
    fn message(&mut self, vendor: Profile) -> Message {
        let payload: Option<Box<RawValue>> = self.0.get("payload", "a JSON value");
        let all = samples(vendor);
        let named = self.choice("sample", all.iter().map(|sample| (*sample, *sample)));
        if let Some(payload) = payload {
            if named.is_some() {
                let detail = "sample and payload are two different things; keep one";
                self.0.add("sample", detail);
            }
            return match Document::parse(payload.get()) {
                Ok(payload) => Message::Template(payload),
                Err(error) => {
                    self.0.add("payload", format!("payload {error}"));
                    Message::Test
                }
            };
        }
        match (vendor, named.unwrap_or(all[0])) {
            (Profile::Hotjar, "survey_response") => {
                let kind = self.text("type");
                Message::Survey(kind, self.survey())
            }
            (Profile::Standard, "event") => {
                let kind = self.text("type");
                Message::Shop(kind, self.flag("unknown_fields").unwrap_or(false))
            }
            (Profile::Esputnik, sample) => {
                let like = self.activity(sample == "test");
                self.activities(sample, like)
            }
            _ => Message::Test,
        }
    }

    fn survey(&mut self) -> hotjar::Like {
        let wanted = "a list of texts; write for example [\"nps\"]";
        let questions: Vec<String> = self.0.get("questions", wanted).unwrap_or_default();
        let kinds = QuestionType::ALL.map(|kind| (kind.name(), kind));
        let questions = questions.iter().filter_map(|given| {
            let found = kinds.iter().find(|(name, _)| name == given);
            if found.is_none() {
                let mend = mend(given, kinds.iter().map(|(name, _)| *name));
                let given = quoted(given);
                self.0.add(
                    "questions",
                    format!("question type {given} is not known; {mend}"),
                );
            }
            found.map(|(_, kind)| *kind)
        });
        let questions = questions.collect();
        hotjar::Like {
            questions,
            spelling: self.choice("spelling", SPELLINGS).unwrap_or_default(),
            nulls: self.choice("nulls", NULLS).unwrap_or_default(),
            unknown_fields: self.flag("unknown_fields").unwrap_or(false),
            is_complete: self.flag("complete"),
        }
    }

    fn activity(&mut self, is_test: bool) -> esputnik::Like {
        let like = esputnik::Like {
            status: self.choice("status", Status::ALL.map(|status| (status.name(), status))),
            media: self.choice("media", Media::ALL.map(|media| (media.name(), media))),
            origin: self.choice("origin", ORIGINS),
            is_test,
            unknown_fields: self.flag("unknown_fields").unwrap_or(false),
        };
        if let Err(error) = like.check() {
            self.0.add("status", error.to_string());
        }
        like
    }

    fn activities(&mut self, sample: &str, like: esputnik::Like) -> Message {
        let wanted = "a whole number; write for example 10";
        let size: Option<u64> = self.0.get("size", wanted);
        let size = size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        if size.is_some_and(|size| !(1..=EVENTS_MAX).contains(&size)) {
            self.0
                .add("size", format!("size is not from 1 to {EVENTS_MAX}"));
        }
        match sample {
            "sequence" => Message::Sequence(like),
            "bulk" => Message::Bulk(size.unwrap_or(3).min(EVENTS_MAX), like),
            _ => Message::Activity(like),
        }
    }

    fn overrides(&mut self) -> Overrides {
        let wanted = "an object of paths and values; write for example {\"data.survey_id\": 7}";
        let set: BTreeMap<String, Box<RawValue>> = self.0.get("set", wanted).unwrap_or_default();
        let wanted = "a list of paths; write for example [\"data.os\"]";
        let remove: Vec<String> = self.0.get("remove", wanted).unwrap_or_default();
        let mut overrides = Overrides::default();
        for (path, value) in &set {
            if let Some(path) = self.path("set", path)
                && let Some(value) = self.value(value)
            {
                overrides.set.push((path, value));
            }
        }
        for path in &remove {
            overrides.remove.extend(self.path("remove", path));
        }
        overrides
    }

    fn path(&mut self, member: &str, text: &str) -> Option<Path> {
        match text.parse() {
            Ok(path) => Some(path),
            Err(error) => {
                self.0.add(member, format!("{error}"));
                None
            }
        }
    }

    fn value(&mut self, raw: &RawValue) -> Option<Document> {
        let parsed = Document::parse(raw.get());
        if let Err(error) = &parsed {
            self.0.add("set", format!("a value {error}"));
        }
        parsed.ok()
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.0.get(name, "a text; write it in quotation marks")
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.0.get(name, "a truth value; write true or false")
    }

    fn choice<'n, T: Copy>(
        &mut self,
        member: &str,
        all: impl IntoIterator<Item = (&'n str, T)>,
    ) -> Option<T> {
        let given = self.text(member)?;
        let all: Vec<_> = all.into_iter().collect();
        let found = all
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&given));
        if found.is_none() {
            let mend = mend(&given, all.iter().map(|(name, _)| *name));
            let given = quoted(&given);
            self.0
                .add(member, format!("{member} {given} is not known; {mend}"));
        }
        found.map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests;
