//! Whether an answer is what `/openapi.json` says of it.

#![allow(dead_code, reason = "each test crate uses its own part")]

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

/// The document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(redeliver::api::document::document);

/// Its components, in which nothing may stand that is not described.
static STRICT: LazyLock<Value> = LazyLock::new(|| {
    let mut components = DOCUMENT["components"].clone();
    let schemas = components["schemas"].as_object_mut().unwrap();
    for (name, schema) in schemas.iter_mut() {
        // What a problem may say beside, its operation says.
        if name != "Problem" && schema.get("properties").is_some() {
            schema["unevaluatedProperties"] = false.into();
        }
    }
    components
});

/// A validator of `schema`, which may refer to the document's components.
pub fn validator(schema: &Value, components: &Value) -> Validator {
    let mut whole = json!({ "allOf": [schema] });
    whole["components"] = components.clone();
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    let built = options.should_validate_formats(true).build(&whole);
    built.unwrap_or_else(|error| panic!("{schema}: {error}"))
}

/// Everything that is wrong with `instance`, one a line.
pub fn faults(validator: &Validator, instance: &Value) -> String {
    let errors = validator.iter_errors(instance);
    let lines = errors.map(|error| format!("{}: {error}\n", error.instance_path()));
    lines.collect()
}

/// The path of the document that a request's path is of: of several the one with more words of its
/// own.
fn template(path: &str) -> Option<&'static str> {
    let fits = |template: &&String| {
        let (mut ours, mut theirs) = (template.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(our), Some(their)) if our == their => {}
                (Some(our), Some(their)) if our.starts_with('{') && !their.is_empty() => {}
                _ => return false,
            }
        }
    };
    let paths = DOCUMENT["paths"].as_object().unwrap().keys();
    let found = paths
        .filter(fits)
        .min_by_key(|path| path.matches('{').count());
    found.map(String::as_str)
}

/// The response that the document has for this answer; none where it has no such route.
fn described(method: &str, path: &str, status: u16) -> Option<&'static Value> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let operation = DOCUMENT["paths"][template(path)?].get(method.to_lowercase())?;
    let response = &operation["responses"][status.to_string()];
    let response = match response["$ref"].as_str() {
        Some(pointer) => DOCUMENT.pointer(&pointer[1..]).unwrap(),
        None => response,
    };
    assert!(
        response.is_object(),
        "{method} {path} says nothing of status {status}"
    );
    Some(response)
}

/// Checks one answer. What the document does not describe, such as unknown paths, is not looked at.
#[track_caller]
pub fn check(method: &str, path: &str, status: u16, content_type: Option<&str>, body: &str) {
    static VALIDATORS: LazyLock<Mutex<HashMap<usize, &'static Validator>>> =
        LazyLock::new(Mutex::default);
    let Some(response) = described(method, path, status) else {
        return;
    };
    let Some(content) = response["content"].as_object() else {
        assert_eq!(body, "", "{method} {path} {status} has no body");
        return;
    };
    let media = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let Some(content) = content.get(media) else {
        panic!("{method} {path} {status} is answered as {media:?}, and not as {content:?}");
    };
    if !media.ends_with("json") || media.ends_with("ndjson") {
        // Described in words.
        return;
    }
    let instance: Value = serde_json::from_str(body).unwrap();
    // Responses live as long as the process, so that each has an address of its own.
    let key = std::ptr::from_ref(content) as usize;
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let validator: &'static Validator = validators
        .entry(key)
        .or_insert_with(|| Box::leak(Box::new(validator(&content["schema"], &STRICT))));
    drop(validators);
    let faults = faults(validator, &instance);
    assert!(
        faults.is_empty(),
        "{method} {path} {status}: {faults}{body}"
    );
}
