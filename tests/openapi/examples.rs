//! The examples: what they show is what the schemas say, and what is asked by them is taken.

use serde_json::Value;

use crate::conform::{DOCUMENT, faults, validator};
use crate::document::operations;
use crate::process::broker::Site;

fn check(what: &str, content: &Value) {
    if let Some(example) = content.get("example") {
        let validator = validator(&content["schema"], &DOCUMENT["components"]);
        assert_eq!(faults(&validator, example), "", "{what}");
    }
}

#[test]
fn every_example_is_what_its_schema_says() {
    for (path, method, operation) in operations() {
        for (media, content) in operation["requestBody"]["content"]
            .as_object()
            .into_iter()
            .flatten()
        {
            check(&format!("{method} {path} asks {media}"), content);
        }
        for (status, answer) in operation["responses"].as_object().unwrap() {
            for content in answer["content"]
                .as_object()
                .into_iter()
                .flat_map(|all| all.values())
            {
                check(&format!("{method} {path} answers {status}"), content);
            }
        }
    }
    for (name, answer) in DOCUMENT["components"]["responses"].as_object().unwrap() {
        check(name, &answer["content"]["application/problem+json"]);
    }
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        let validator = validator(schema, &DOCUMENT["components"]);
        for example in schema["examples"].as_array().into_iter().flatten() {
            assert_eq!(faults(&validator, example), "", "{name}");
        }
    }
}

/// In this order: some need what others have made.
const ASKED: [(&str, &str); 12] = [
    ("post", "/v1/endpoints"),
    ("post", "/v1/events"),
    ("post", "/v1/accounts/{license}/events"),
    ("patch", "/v1/endpoints/{endpoint}"),
    ("post", "/v1/endpoints/{endpoint}/pause"),
    ("post", "/v1/endpoints/{endpoint}/resume"),
    ("post", "/v1/endpoints/{endpoint}/rotate-key"),
    ("post", "/v1/endpoints/{endpoint}/replay"),
    ("post", "/v1/tasks"),
    ("post", "/v1/clock/advance"),
    ("get", "/v1/endpoints/{endpoint}"),
    ("delete", "/v1/endpoints/{endpoint}"),
];

#[test]
fn what_is_asked_by_the_examples_is_taken() {
    let site = Site::new();
    site.configure(
        "[[source]]\nname = \"shop\"\nkind = \"zebline\"\nlicense = \"LICENSE_CODE\"\n\
         access_token = \"file:token\"\n",
    );
    std::fs::write(site.path("token"), "t0ken").unwrap();
    let broker = site.start(&["--clock", "manual"]);
    for (method, template) in ASKED {
        let operation = &DOCUMENT["paths"][template][method];
        let mut path = template.to_owned();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if let Some(example) = parameter["example"].as_str() {
                path = path.replace(
                    &format!("{{{}}}", parameter["name"].as_str().unwrap()),
                    example,
                );
            }
        }
        let bodies = operation["requestBody"]["content"].as_object();
        let mut bodies: Vec<_> = bodies.into_iter().flatten().collect();
        let none = (String::new(), Value::Null);
        if bodies.is_empty() {
            bodies.push((&none.0, &none.1));
        }
        for (media, content) in bodies {
            let mut headers = vec![("authorization", "Bearer t0ken")];
            let mut body = String::new();
            if let Some(example) = content.get("example") {
                headers.push(("content-type", media));
                body = example.to_string();
            }
            let answer = broker.send(&method.to_uppercase(), &path, &headers, body.as_bytes());
            assert!(
                answer.status < 300,
                "{method} {path} {media}: {}",
                answer.text()
            );
            let media = Some(answer.header("content-type"));
            crate::conform::check(method, &path, answer.status, media, &answer.text());
        }
    }
}
