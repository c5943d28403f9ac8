//! What administrators send: an endpoint to make or to change, query parameters, cursors. All
//! mistakes are told at their places, no value of a secret is shown, and what is accepted says
//! the same when it is written and read again.

use std::collections::BTreeMap;

use redeliver::api::request::page::{CURSOR, LIMIT, Part};
use redeliver::api::request::params::Params;
use redeliver::endpoint::draft::{apply, build};
use redeliver::endpoint::json::Members;
use redeliver::endpoint::url::check_url;
use redeliver::endpoint::{EndpointDraft, EndpointSettings, FieldError};
use redeliver::inbound::json::Object;
use redeliver::policy::Policies;
use redeliver::vendor::builtin_policies;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::attributes;

/// The first byte chooses: one JSON object, two of them on two lines, or a query.
pub fn run(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else {
        return;
    };
    match how % 3 {
        0 => {
            made(rest);
        }
        1 => changed(rest),
        _ => queried(rest),
    }
}

fn members(json: &[u8]) -> Option<Members> {
    let object = Object::parse(json).ok()?;
    let mut members: Members = BTreeMap::new();
    for (key, value) in object.0 {
        members.insert(key.into_owned(), value.to_owned());
    }
    Some(members)
}

fn draft(json: &[u8]) -> Option<EndpointDraft> {
    let members = members(json)?;
    match EndpointDraft::from_members(&members) {
        Ok(draft) => Some(draft),
        Err(errors) => {
            are_told(&errors, json);
            None
        }
    }
}

fn made(json: &[u8]) -> Option<(EndpointSettings, Policies)> {
    let policies = builtin_policies();
    let draft = draft(json)?;
    match build(draft, &policies) {
        Ok(settings) => {
            are_right(&settings, &policies);
            Some((settings, policies))
        }
        Err(errors) => {
            are_told(&errors, json);
            None
        }
    }
}

fn are_right(settings: &EndpointSettings, policies: &Policies) {
    let policy = policies.get(&settings.policy).unwrap();
    let url = check_url(&settings.url, policy, settings.allow_http).unwrap();
    assert_eq!(url.as_str(), settings.url);
    assert_eq!(settings.order, policy.order);
    for (name, value) in &settings.headers {
        hyper::header::HeaderName::try_from(name).unwrap();
        hyper::header::HeaderValue::try_from(value).unwrap();
    }
    // What is shown of an endpoint can be sent back, and changes nothing.
    let shown = EndpointDraft::from(settings);
    assert_eq!(build(shown.clone(), policies).as_ref(), Ok(settings));
    let json = serde_json::to_vec(&shown).unwrap();
    let sent_back = draft(&json).expect("what was written can be read");
    assert_eq!(sent_back, shown);
    assert_eq!(apply(sent_back, settings, policies).as_ref(), Ok(settings));
    let nothing = EndpointDraft::default();
    assert_eq!(apply(nothing, settings, policies).as_ref(), Ok(settings));
}

fn are_told(errors: &[FieldError], json: &[u8]) {
    assert!(!errors.is_empty());
    let given: Option<Value> = serde_json::from_slice(json).ok();
    let secrets = given.iter().flat_map(|given| {
        let auth = &given["basic_auth"];
        [&given["signing_key"], &auth["password"], &given["ca_pem"]]
    });
    let secrets: Vec<&str> = secrets.filter_map(Value::as_str).collect();
    let text = String::from_utf8_lossy(json);
    for error in errors {
        assert!(error.at.starts_with('/'), "{error:?}");
        let detail = &error.detail;
        assert!(
            !detail.is_empty() && !detail.chars().any(char::is_control),
            "{detail:?}"
        );
        for secret in &secrets {
            // Short ones, and those that stand elsewhere too, prove nothing.
            if secret.len() >= 12 && text.matches(secret).count() == 1 {
                assert!(!detail.contains(secret), "{detail}");
            }
        }
    }
}

fn changed(input: &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n');
    let (change, existing) = input.split_at(at.unwrap_or(0));
    let policies = builtin_policies();
    let existing = made(existing.trim_ascii()).map(|(settings, _)| settings);
    let existing = existing.unwrap_or_else(|| {
        let whole = json!({"name": "crm", "url": "https://crm.example/", "policy": "standard",
            "concurrency": 3, "headers": {"X-Team": "a"}, "signing_key": "whsec_c2VjcmV0"});
        let (settings, _) = made(whole.to_string().as_bytes()).unwrap();
        settings
    });
    let Some(change) = draft(change) else {
        return;
    };
    match apply(change.clone(), &existing, &policies) {
        Ok(after) => {
            are_right(&after, &policies);
            // A change that is made twice is made once.
            assert_eq!(apply(change, &after, &policies), Ok(after));
        }
        Err(errors) => are_told(&errors, b""),
    }
}

/// As lists read theirs.
fn queried(input: &[u8]) {
    let Ok(query) = std::str::from_utf8(input) else {
        return;
    };
    let known = [LIMIT, CURSOR, "since", "state", "type"];
    let mut params = Params::read(Some(query), &known);
    let part = Part::read(&mut params, b'e');
    assert!((1..=1000).contains(&part.limit));
    let since = params.time("since");
    let choices = [("waiting", 1), ("dead", 2), ("delivered", 3)];
    let states = params.choices("state", &choices);
    let kind = params.types_text().map(|(_, kind)| kind.to_owned());
    if let Err(problem) = params.check() {
        return attributes::is_told(&problem);
    }
    let given: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let value = |name: &str| {
        let found = given.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| &**value)
    };
    for (i, (name, value)) in given.iter().enumerate() {
        assert!(known.contains(&&**name) || name == "types", "{query:?}");
        assert!(!value.is_empty(), "{query:?}");
        assert!(given[..i].iter().all(|(before, _)| before != name));
    }
    assert_eq!(kind.as_deref(), value("type").or(value("types")));
    assert_eq!(since.is_some(), value("since").is_some(), "{query:?}");
    assert_eq!(
        states.is_empty(),
        value("state").is_none_or(|v| v.split(',').all(|w| w.trim().is_empty()))
    );
    let cursor = part.after.map(|position| part.next(position));
    assert_eq!(cursor.as_deref(), value(CURSOR), "{query:?}");
}
