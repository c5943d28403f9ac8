//! An event as Zebline takes it: one JSON object, read and checked.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::stored::{DROPPED, Dropped};
use crate::clock::Timestamp;
use crate::inbound::checks::Checks;
use crate::inbound::json::{self, Object};
use crate::inbound::problem::Problem;
use crate::vendor::zebline::attributes::{self, Fault};
use crate::vendor::zebline::{NAME_MAX_CHARS, VISITOR_MAX_CHARS, time};

/// An event that holds all that it must.
#[derive(Debug)]
pub struct Document<'a> {
    /// Its type.
    pub name: Cow<'a, str>,
    /// `userId`, else `anonymousId` (ZEB-20, ZEB-21).
    pub visitor: Cow<'a, str>,
    /// When it happened.
    pub time: Timestamp,
    /// What `eventData` holds, in its order.
    pub attributes: Vec<(Cow<'a, str>, &'a RawValue)>,
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Document<'a> {
    /// Reads an event; every mistake is told at once (ZEB-05). `unix_time`: whether `eventTime`
    /// may be a number of seconds.
    pub fn read(bytes: &'a [u8], unix_time: bool) -> Result<Self, Problem> {
        let object = Object::parse(bytes)?;
        let mut checks = Checks::default();
        for (at, (name, _)) in object.0.iter().enumerate() {
            if object.0[..at].iter().any(|(before, _)| before == name) {
                let name = crate::words::quoted(name);
                checks.add(&*name, format!("{name} is given twice"));
            }
        }
        let text = |checks: &mut Checks, name: &str, max: usize| {
            let text = checks.text(name, member(&object, name))?;
            checks.bounded(name, &text, max);
            Some(text)
        };
        let name = text(&mut checks, "eventName", NAME_MAX_CHARS);
        let known = text(&mut checks, "userId", VISITOR_MAX_CHARS);
        // Ignored where there is a user: even a wrong one fails nothing (ZEB-20).
        let visitor = match known {
            None => text(&mut checks, "anonymousId", VISITOR_MAX_CHARS),
            known => known,
        };
        let time = read_time(&mut checks, member(&object, "eventTime"), unix_time);
        let data = member(&object, "eventData").filter(|data| !json::is_null(data));
        let attributes = data.and_then(|data| read_attributes(&mut checks, data));
        for (name, is_there) in [
            ("eventName", has(&object, "eventName")),
            ("eventTime", has(&object, "eventTime")),
            ("eventData", data.is_some()),
            (
                "userId or anonymousId",
                has(&object, "userId") || has(&object, "anonymousId"),
            ),
        ] {
            if !is_there {
                checks.add(name, format!("{name} is missing"));
            }
        }
        let parts = name.zip(visitor).zip(time).zip(attributes);
        checks.done(parts.map(|(((name, visitor), time), attributes)| Self {
            name,
            visitor,
            time,
            attributes,
            members: object.0,
        }))
    }

    /// Whether its sender says what was dropped, which is ours to say.
    pub fn claims_drops(&self) -> bool {
        self.members.iter().any(|(name, _)| name == DROPPED)
    }

    /// The document with the attributes at these places taken out of `eventData` and named beside
    /// it; all else as it was sent.
    pub fn without(&self, faults: &[(usize, Fault)]) -> Result<Bytes, serde_json::Error> {
        let is_dropped = |at: usize| faults.iter().any(|(place, _)| *place == at);
        let kept = self.attributes.iter().enumerate();
        let kept = kept.filter(|(at, _)| !is_dropped(*at));
        let kept = kept.map(|(_, (name, value))| (&**name, *value));
        let kept: Box<RawValue> = to_raw_value(&InOrder(kept.collect()))?;
        let dropped: Vec<Dropped> = faults
            .iter()
            .map(|(at, fault)| Dropped {
                name: cut(&self.attributes[*at].0),
                reason: fault.to_string(),
            })
            .collect();
        let dropped: Option<Box<RawValue>> = match dropped.is_empty() {
            true => None,
            false => Some(to_raw_value(&dropped)?),
        };
        let members = self.members.iter().filter(|(name, _)| name != DROPPED);
        let members = members.map(|(name, value)| match &**name {
            "eventData" => ("eventData", &*kept),
            name => (name, *value),
        });
        let dropped = dropped.iter().map(|dropped| (DROPPED, &**dropped));
        let members = members.chain(dropped);
        serde_json::to_vec(&InOrder(members.collect())).map(Bytes::from)
    }
}

/// A name, or the start of one that is too long to be kept.
fn cut(name: &str) -> String {
    match name.char_indices().nth(attributes::NAME_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

pub(super) fn member<'a>(object: &Object<'a>, name: &str) -> Option<&'a RawValue> {
    let found = object.0.iter().find(|(member, _)| member == name);
    found.map(|(_, value)| *value)
}

fn has(object: &Object<'_>, name: &str) -> bool {
    member(object, name).is_some_and(|value| !json::is_null(value))
}

fn read_time(checks: &mut Checks, value: Option<&RawValue>, unix_time: bool) -> Option<Timestamp> {
    let value = value.filter(|value| !json::is_null(value))?;
    if unix_time
        && value
            .get()
            .starts_with(|c: char| c == '-' || c.is_ascii_digit())
    {
        let seconds = value.get().parse::<i64>().ok();
        let time = seconds.and_then(Timestamp::from_seconds);
        if time.is_none() {
            let given: String = value.get().chars().take(64).collect();
            checks.add("eventTime", format!("eventTime {given} is no time in whole seconds since 1970, up to the year 9999; give seconds, not milliseconds"));
        }
        return time;
    }
    let read = json::text(value).ok_or(time::InvalidTime::Form);
    match read.and_then(|text| time::parse(&text)) {
        Ok(time) => Some(time),
        Err(error) => {
            let given: String = value.get().chars().take(64).collect();
            checks.add("eventTime", format!("eventTime {given} {error}"));
            None
        }
    }
}

fn read_attributes<'a>(
    checks: &mut Checks,
    data: &'a RawValue,
) -> Option<Vec<(Cow<'a, str>, &'a RawValue)>> {
    if !data.get().starts_with('{') {
        checks.add("eventData", "eventData is not a JSON object");
        return None;
    }
    match Object::parse(data.get().as_bytes()) {
        Ok(object) => Some(object.0),
        Err(problem) => {
            checks.add("eventData", format!("eventData: {}", problem.detail));
            None
        }
    }
}

/// Members of an object in their own order.
struct InOrder<'a>(Vec<(&'a str, &'a RawValue)>);

impl Serialize for InOrder<'_> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().copied())
    }
}

#[cfg(test)]
mod tests;
