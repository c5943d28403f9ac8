//! The bodies of administrative requests.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request};
use hyper::HeaderMap;
use hyper::body::Body as _;
use hyper::http::request::Parts;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::endpoint::FieldError;
use crate::endpoint::json::Members;
use crate::endpoint::validate::pointer_part;
use crate::inbound::body::Bodies;
use crate::inbound::checks::check_no_query;
use crate::inbound::json::Object;
use crate::inbound::media::{self, Media};
use crate::inbound::problem::Problem;
use crate::words::{mend, quoted};

/// What a path names: the part of it that stands for an id or a name.
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name))
            .map_err(|_| Problem::malformed("the path is not UTF-8 once it is percent-decoded"))
    }
}

/// What a path names, where nothing else can be asked.
pub struct Alone(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Alone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        check_no_query(parts.uri.query())?;
        let Named(name) = Named::from_request_parts(parts, state).await?;
        Ok(Self(name))
    }
}

/// The members of the request's JSON object; none where there is no body. What is asked stands in
/// it, and nothing in the query.
pub async fn members(bodies: &Bodies, request: Request) -> Result<Members, Problem> {
    let (head, body) = request.into_parts();
    check_no_query(head.uri.query())?;
    check_media(&head.headers, &body)?;
    let body = bodies.read(&head.headers, body).await?;
    if body.is_empty() {
        return Ok(Members::new());
    }
    let mut members: Members = BTreeMap::new();
    for (key, value) in Object::parse(&body)?.0 {
        if members.contains_key(&*key) {
            return Err(Problem::field(
                format!("/{}", pointer_part(&key)),
                format!("{} is given twice; keep one of the two", quoted(&key)),
            ));
        }
        members.insert(key.into_owned(), value.to_owned());
    }
    Ok(members)
}

/// Refuses a body, if there is one, that is not JSON: a web form of a foreign page cannot send
/// that type.
pub fn check_media(headers: &HeaderMap, body: &Body) -> Result<(), Problem> {
    let is_json = || Media::of(headers).map(|media| media.is_some_and(|m| m.is(media::JSON)));
    if body.is_end_stream() || is_json()? {
        Ok(())
    } else {
        Err(Problem::unsupported(
            "the body's Content-Type is not accepted; send application/json",
        ))
    }
}

/// Takes the members named, each read by its own rule, and refuses others.
pub struct Reader {
    members: Members,
    errors: Vec<FieldError>,
}

impl Reader {
    /// Refuses members that are not `known`.
    pub fn new(members: Members, known: &[&'static str]) -> Self {
        let mut reader = Self {
            members,
            errors: Vec::new(),
        };
        let unknown: Vec<String> = reader
            .members
            .keys()
            .filter(|key| !known.contains(&key.as_str()))
            .cloned()
            .collect();
        for key in unknown {
            let mend = if known.is_empty() {
                "there are none here".to_owned()
            } else {
                mend(&key, known.iter().copied())
            };
            reader.add(
                &pointer_part(&key),
                format!("unknown field {}; {mend}", quoted(&key)),
            );
        }
        reader
    }

    /// Notes a mistake in the member `name`.
    pub fn add(&mut self, name: &str, detail: impl Into<String>) {
        self.errors.push(FieldError {
            at: format!("/{name}"),
            detail: detail.into(),
        });
    }

    /// The member as a `T`; null is as good as absent. `wanted` says what it should be.
    pub fn get<T: for<'de> Deserialize<'de>>(&mut self, name: &str, wanted: &str) -> Option<T> {
        let raw: &RawValue = self.members.get(name)?;
        // Serde's own text would repeat the value, which may be a key.
        match serde_json::from_str(raw.get()) {
            Ok(value) => value,
            Err(_) => {
                self.add(name, format!("{name} is not {wanted}"));
                None
            }
        }
    }

    /// The member as a moment.
    pub fn time(&mut self, name: &str) -> Option<Timestamp> {
        let text: String = self.get(name, "a text; write for example \"2026-01-31T09:30:00Z\"")?;
        match Timestamp::parse(&text) {
            Ok(time) => Some(time),
            Err(error) => {
                self.add(name, error.to_string());
                None
            }
        }
    }

    /// The member as a whole number from 1 on; absent means without a bound.
    pub fn count(&mut self, name: &str) -> Option<u64> {
        let count: Option<u64> = self.get(name, "a whole number; write for example 100");
        if count == Some(0) {
            self.add(name, format!("{name} is 0; leave it out for all"));
        }
        count
    }

    /// The member as a truth value; absent means false.
    pub fn flag(&mut self, name: &str) -> bool {
        let flag = self.get(name, "a truth value; write true or false");
        flag.unwrap_or(false)
    }

    /// Whether `status` restricts to dead letters, which is all that it can say.
    pub fn dead_only(&mut self) -> bool {
        let wanted = "a text; leave it out, or write \"dead\"";
        let status: Option<String> = self.get("status", wanted);
        if status.as_ref().is_some_and(|status| status != "dead") {
            self.add("status", "status is not \"dead\"; leave it out for all");
        }
        status.is_some()
    }

    /// Whether a mistake in the member `name` has been noted.
    pub fn is_wrong(&self, name: &str) -> bool {
        self.errors.iter().any(|error| error.at[1..] == *name)
    }

    /// Everything that was wrong.
    pub fn into_problem(self) -> Problem {
        Problem::invalid(self.errors)
    }

    /// Everything that was wrong, as one problem, if there is anything.
    pub fn check(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.into_problem())
        }
    }
}
