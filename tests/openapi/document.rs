//! The document by itself.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::conform::{DOCUMENT, faults, validator};
use crate::process::broker::Site;

/// The OpenAPI Initiative's own schema (2022-10-07), under the Apache License 2.0.
const OPENAPI: &str = include_str!("openapi-3.1.json");

/// Every operation: its path, its method, and what is said of it.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// Calls `take` with every object in `value`, and the pointer to it.
fn each_object(value: &Value, at: &str, take: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            take(at, value);
            for (name, member) in members.iter().filter(|(name, _)| *name != "example") {
                each_object(member, &format!("{at}/{}", name.replace('/', "~1")), take);
            }
        }
        Value::Array(items) => {
            for (at_index, item) in items.iter().enumerate() {
                each_object(item, &format!("{at}/{at_index}"), take);
            }
        }
        _ => {}
    }
}

#[test]
fn the_document_is_openapi_3_1_by_its_own_schema() {
    let schema: Value = serde_json::from_str(OPENAPI).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert_eq!(faults(&validator, &DOCUMENT), "");
    let mut broken = DOCUMENT.clone();
    broken["paths"]["/healthz"]["get"]["responses"]["200"]
        .as_object_mut()
        .unwrap()
        .remove("description");
    assert_ne!(faults(&validator, &broken), "");
}

#[test]
fn every_schema_is_a_schema() {
    each_object(&DOCUMENT, "", &mut |at, object| {
        if at.ends_with("/schema") {
            let known = jsonschema::meta::is_valid(object);
            assert!(known, "{at} is no schema: {object}");
        }
    });
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}: {schema}");
        validator(schema, &DOCUMENT["components"]);
    }
}

#[test]
fn every_reference_leads_somewhere_and_no_component_is_left_over() {
    let mut used = BTreeSet::new();
    each_object(&DOCUMENT, "", &mut |at, object| {
        let Some(pointer) = object.get("$ref").and_then(Value::as_str) else {
            return;
        };
        assert!(DOCUMENT.pointer(&pointer[1..]).is_some(), "{at}: {pointer}");
        used.insert(pointer.to_owned());
    });
    for kind in ["schemas", "responses"] {
        for name in DOCUMENT["components"][kind].as_object().unwrap().keys() {
            let pointer = format!("#/components/{kind}/{name}");
            // Server-sent events are described in words.
            let is_told = ["AttemptEnded", "AttemptsMissed", "EventsDamaged"].contains(&&**name);
            assert!(is_told || used.contains(&pointer), "{pointer} is not used");
        }
    }
}

#[test]
fn every_operation_says_what_it_takes_and_what_it_answers() {
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations() {
        let what = format!("{method} {path}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap()),
            "{what}"
        );
        assert!(operation["summary"].as_str().unwrap().len() > 5, "{what}");
        assert!(operation["security"].is_array(), "{what}");
        let parameters = operation["parameters"].as_array();
        let parameters = parameters.map_or(&[][..], Vec::as_slice);
        for parameter in parameters {
            assert!(parameter["description"].is_string(), "{what}: {parameter}");
            assert!(
                parameter["schema"]["type"].is_string(),
                "{what}: {parameter}"
            );
        }
        let in_path = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path");
        let declared: BTreeSet<_> = in_path.map(|p| p["name"].as_str().unwrap()).collect();
        let parts = path.split('/').filter_map(|part| part.strip_prefix('{'));
        let named: BTreeSet<_> = parts.filter_map(|part| part.strip_suffix('}')).collect();
        assert_eq!(declared, named, "{what}");
        let answers = operation["responses"].as_object().unwrap();
        assert!(
            answers.keys().any(|status| status.starts_with('2')),
            "{what}"
        );
        for (status, answer) in answers {
            for (media, content) in answer["content"].as_object().into_iter().flatten() {
                let shown = content.get("example").is_some();
                let is_plain = media == "application/json" && path != "/openapi.json";
                assert!(shown || !is_plain, "{what} {status} shows no example");
            }
        }
    }
    assert!(ids.len() >= 47, "{}", ids.len());
}

#[test]
fn what_answers_may_hold_is_described_member_by_member() {
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        let is_described = schema["description"].is_string();
        // A list says all by what it lists.
        assert!(
            is_described || name.ends_with("List"),
            "{name} is not described"
        );
    }
}

#[test]
fn the_server_gives_the_document_that_the_command_line_prints_and_knows_it_again() {
    let site = Site::new();
    let broker = site.start(&[]);
    let first = broker.send("GET", "/openapi.json", &[], b"");
    assert_eq!(first.status, 200);
    assert_eq!(first.json(), *DOCUMENT);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_redeliver"));
    let printed = command.arg("openapi").output().unwrap();
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed, *DOCUMENT);
    let tag = first.header("etag").to_owned();
    let again = |tag: &str| broker.send("GET", "/openapi.json", &[("if-none-match", tag)], b"");
    let known = again(&tag);
    assert_eq!((known.status, known.text().as_str()), (304, ""));
    assert_eq!(again("\"another\"").status, 200);
}
