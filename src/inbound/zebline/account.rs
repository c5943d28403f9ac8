//! Whose request it is: the checks that come before its body.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::{ALLOW, AUTHORIZATION, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode};

use super::answer;
use crate::clock::Timestamp;
use crate::config::{Source, SourceKind, Zebline as Settings};
use crate::current::Current;
use crate::inbound::problem::Problem;
use crate::inbound::tally::{Seen, Tally};
use crate::secret::Tokens;
use crate::vendor::window::Window;
use crate::vendor::zebline::{RESOURCES, Refusal};

/// What every path of the API starts with.
pub const PREFIX: &str = "/v1/accounts/";

/// Every account of the configuration.
pub(super) struct Accounts(Vec<Account>);

/// The account of one license.
pub(super) struct Account {
    pub(super) source: Arc<str>,
    pub(super) settings: Settings,
    license: String,
    tokens: Arc<Current<Tokens>>,
    window: Mutex<Window>,
    pub(super) tally: Tally,
}

impl Accounts {
    pub(super) fn of(sources: &[Source]) -> Self {
        let accounts = sources.iter().filter_map(|source| {
            Some(Account {
                source: source.name.as_str().into(),
                settings: source.zebline.clone()?,
                license: source.license.clone()?,
                tokens: Arc::new(Current::new(source.access_tokens())),
                window: Mutex::default(),
                tally: Tally::default(),
            })
        });
        Self(accounts.collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens of each account, by its source's name.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (String, Arc<Current<Tokens>>)> {
        let accounts = self.0.iter();
        accounts.map(|account| (account.source.to_string(), account.tokens.clone()))
    }

    /// Whether `source` is one of theirs.
    pub(super) fn have(&self, source: &str) -> bool {
        self.0.iter().any(|account| *account.source == *source)
    }

    /// The account that `path` names, whoever asks.
    pub(super) fn at(&self, path: &str) -> Option<&Account> {
        let (license, _) = self.path(path).ok()?;
        self.0.iter().find(|account| account.license == license)
    }

    /// Each account, as the administration sees it.
    pub(super) fn seen(&self) -> impl Iterator<Item = Seen<'_>> {
        self.0.iter().map(|account| Seen {
            name: &account.source,
            kind: SourceKind::Zebline.name(),
            path: format!("{PREFIX}{}/events", account.license),
            counts: account.tally.counts(),
        })
    }

    /// The account of a request: path (404), then key (401), then license and resource (400).
    pub(super) fn of_request(&self, head: &Parts) -> Result<&Account, Problem> {
        let (license, resource) = self.path(head.uri.path())?;
        let account = self.with_key(&head.headers, license)?;
        check_resource(resource, &head.method)?;
        Ok(account)
    }

    fn path<'a>(&self, path: &'a str) -> Result<(&'a str, &'a str), Problem> {
        let parts = path.strip_prefix(PREFIX);
        let parts = parts.and_then(|rest| rest.split_once('/'));
        parts
            .filter(|(license, resource)| !license.is_empty() && !resource.is_empty())
            .filter(|_| !self.is_empty())
            .ok_or_else(|| answer::refused(Refusal::NoSuchPath, ""))
    }

    /// The account whose key it is, if its license is the one in the path: a wrong license with a
    /// right key is 400, not 404 (ZEB-33, A-40).
    fn with_key(&self, headers: &HeaderMap, license: &str) -> Result<&Account, Problem> {
        let given = headers.get(AUTHORIZATION);
        let given = given.and_then(|value| value.to_str().ok()?.split_once(' '));
        let token = given
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map_or("", |(_, token)| token.trim());
        let theirs = |account: &&Account| account.tokens.get().match_one(token);
        let theirs: Vec<_> = self.0.iter().filter(theirs).collect();
        if theirs.is_empty() {
            return Err(answer::refused(Refusal::Unauthorized, ""));
        }
        let mut theirs = theirs.into_iter();
        theirs
            .find(|account| account.license == license)
            .ok_or_else(|| answer::refused(Refusal::Invalid, "this key is of another license"))
    }
}

impl Account {
    /// What success is answered with.
    pub(super) fn success_status(&self) -> StatusCode {
        match self.settings.success_status {
            200 => StatusCode::OK,
            _ => StatusCode::CREATED,
        }
    }

    /// Counts a request against the minute's bound: 429 behind the last (ZEB-04).
    pub(super) fn count(&self, now: Timestamp) -> Result<(), Problem> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let allowance = window.take(self.settings.requests_per_minute, now);
        allowance
            .wait
            .map_or(Ok(()), |wait| Err(answer::too_many(wait)))
    }
}

fn check_resource(resource: &str, method: &Method) -> Result<(), Problem> {
    let resource = resource.strip_suffix('/').unwrap_or(resource);
    if resource != "events" {
        let known = RESOURCES.contains(&resource) || resource.starts_with("survey/response/");
        let detail = match known {
            true => "of this account, only events are taken here; send them to …/events",
            false => "there is no such resource; send events to …/events",
        };
        return Err(answer::refused(Refusal::Invalid, detail));
    }
    if method != Method::POST {
        let detail = format!("events are sent by POST, not by {method}");
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        return Err(problem.with_header(ALLOW, HeaderValue::from_static("POST")));
    }
    Ok(())
}
