//! The routes in the source against the routes in the document.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::document::operations;
use crate::process::broker::Site;

/// Files with routes that are no part of a broker's API.
const ELSEWHERE: [&str; 3] = ["src/mock/", "src/bench/", "src/cli/"];

/// Routes that nobody is told of: what is not there, in a vendor's words; pages for a browser.
const UNTOLD: [&str; 7] = [
    "/",
    "/login",
    "/logout",
    "/dashboard/{version}/{*file}",
    "/api/external/v1/",
    "/api/external/v1//",
    "/api/external/v1/{*rest}",
];

/// What a router nests its routes under, by file.
const NESTED: [(&str, &str); 1] = [("src/api/zenovay/mod.rs", "/api/external/v1")];

/// What is answered before the router is asked, in a front of its own.
const UNROUTED: [(&str, &str); 1] = [("post", "/v1/accounts/{license}/events")];

fn files(dir: &Path, take: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, take);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            take(path.to_str().unwrap(), &text);
        }
    }
}

/// The routes of a file: each path with the text of what stands behind it.
fn routes(text: &str) -> Vec<(String, String)> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    for behind in text.split(".route(").skip(1) {
        let Some(path) = behind.trim_start().strip_prefix('"') else {
            // By a constant; those are prefixes of sources.
            found.push(("/in/{source}".to_owned(), "get( post(".to_owned()));
            continue;
        };
        let (path, rest) = path.split_once('"').unwrap();
        // Up to the bracket that closes the call.
        let mut depth = 1;
        let end = rest.find(|c| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        found.push((path.to_owned(), rest[..end.unwrap()].to_owned()));
    }
    found
}

/// The methods that a handler is made of.
fn methods(handler: &str) -> Vec<&'static str> {
    let all = [
        ("get", &["get(", "external::about(", "any("][..]),
        ("post", &["post(", "any("]),
        ("patch", &["patch("]),
        ("put", &["put("]),
        ("delete", &["delete("]),
        ("options", &["options("]),
    ];
    let is_called = |name: &&str| {
        handler.match_indices(*name).any(|(at, _)| {
            let before = handler[..at].chars().next_back();
            before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
        })
    };
    let found = all.iter().filter(|(_, names)| names.iter().any(&is_called));
    found.map(|(method, _)| *method).collect()
}

#[test]
fn the_document_has_every_route_of_the_source_and_no_other() {
    let mut in_source = BTreeSet::new();
    files(Path::new("src"), &mut |file, text| {
        if ELSEWHERE
            .iter()
            .any(|elsewhere| file.starts_with(elsewhere))
        {
            return;
        }
        for (path, handler) in routes(text) {
            let nest = NESTED.iter().find(|(nested, _)| *nested == file);
            let own = ["/e/", "/api/", "/v1/"]
                .iter()
                .any(|prefix| path.starts_with(prefix));
            let path = match nest {
                Some((_, prefix)) if !own => format!("{prefix}{path}"),
                _ => path,
            };
            if UNTOLD.contains(&path.as_str()) {
                continue;
            }
            let methods = methods(&handler);
            assert!(
                !methods.is_empty(),
                "{file}: {path} has no method: {handler}"
            );
            in_source.extend(
                methods
                    .into_iter()
                    .map(|method| (method.to_owned(), path.clone())),
            );
        }
    });
    in_source.extend(UNROUTED.map(|(method, path)| (method.to_owned(), path.to_owned())));
    let described: BTreeSet<_> = operations()
        .map(|(path, method, _)| (method.to_owned(), path.to_owned()))
        .collect();
    let undescribed: Vec<_> = in_source.difference(&described).collect();
    assert!(
        undescribed.is_empty(),
        "describe these in src/api/document: {undescribed:?}"
    );
    let made_up: Vec<_> = described.difference(&in_source).collect();
    assert!(made_up.is_empty(), "no route of the source is {made_up:?}");
}

#[test]
fn every_operation_of_the_document_is_known_to_a_server() {
    let site = Site::new();
    site.configure("[[source]]\nname = \"any\"\nkind = \"esputnik\"\n");
    let broker = site.start(&[]);
    for (path, method, _) in operations() {
        if ["/v1/stream", "/v1/export"].contains(&path) {
            // Sent as they are made; tests/stream and tests/carry have them.
            continue;
        }
        let asked = path.replace("{source}", "any").replace(['{', '}'], "");
        let asked = asked.replace("/v1/wait", "/v1/wait?timeout=1ms");
        let answer = broker.send(&method.to_uppercase(), &asked, &[], b"");
        let text = answer.text();
        assert_ne!(answer.status, 405, "{method} {asked}: {text}");
        assert!(
            !text.contains("there is nothing at"),
            "{method} {asked}: {text}"
        );
        let media = Some(answer.header("content-type"));
        crate::conform::check(method, path, answer.status, media, &text);
    }
}

#[test]
fn every_route_of_ours_refuses_a_parameter_that_it_does_not_know() {
    let broker_site = Site::new();
    let broker = broker_site.start(&["--clock", "manual"]);
    let json = ("content-type", "application/json");
    for (path, method, _) in operations() {
        // Zebline's API is spoken in its own words.
        if !path.starts_with("/v1/") || path.starts_with("/v1/accounts/") {
            continue;
        }
        let asked = path.replace(['{', '}'], "");
        let asked = format!("{asked}?nonsense=1");
        let media = match path {
            "/v1/import" => ("content-type", "application/x-ndjson"),
            _ => json,
        };
        let answer = broker.send(&method.to_uppercase(), &asked, &[media], b"{}");
        let text = answer.text();
        assert_eq!(answer.status, 422, "{method} {asked}: {text}");
        let told = answer.json()["errors"][0]["at"].clone();
        assert_eq!(told, "?nonsense", "{method} {asked}: {text}");
    }
    let taken = broker.send("GET", "/v1/events", &[], b"");
    assert_eq!(taken.json()["data"].as_array().unwrap().len(), 0);
    broker.stop();
}
