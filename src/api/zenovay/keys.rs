//! Who may read which websites, and how often.

use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName};
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::config::Website;
use crate::secret::Secret;
use crate::vendor::window::{Allowance, Window};
use crate::vendor::zenovay::Refusal;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Every key of the configuration, each once.
pub(super) struct Keys(Vec<Key>);

/// A key.
pub(super) struct Key {
    secret: Secret,
    id: String,
    name: String,
    /// The numbers of the websites that list it.
    pub websites: Vec<usize>,
    /// The least that any of them allows.
    requests_per_minute: Option<u32>,
    used: Mutex<Used>,
}

/// How often a key was used since the start.
#[derive(Default)]
struct Used {
    window: Window,
    /// Such as `2026-02`.
    month: String,
    monthly: u64,
    total: u64,
}

impl Keys {
    pub(super) fn of(websites: &[Website]) -> Self {
        let mut keys: Vec<Key> = Vec::new();
        for (number, website) in websites.iter().enumerate() {
            for secret in &website.api_keys {
                // Nobody has an empty key; it would let in whoever sends an empty header.
                if secret.matches("") {
                    continue;
                }
                let place = keys.iter().position(|key| key.secret == *secret);
                let place = place.unwrap_or_else(|| {
                    keys.push(Key::new(secret, keys.len() + 1));
                    keys.len() - 1
                });
                let key = &mut keys[place];
                if key.websites.last() != Some(&number) {
                    key.websites.push(number);
                }
                let limits = [key.requests_per_minute, website.requests_per_minute];
                key.requests_per_minute = limits.into_iter().flatten().min();
            }
        }
        Self(keys)
    }

    /// Whose request this is, by `X-API-Key`, or where there is none by a bearer token.
    pub(super) fn find(&self, headers: &HeaderMap) -> Result<&Key, Refusal> {
        let given = match headers.get(X_API_KEY) {
            Some(key) => key.to_str().ok(),
            None => headers.get(AUTHORIZATION).and_then(|value| {
                let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            }),
        };
        let given = given.unwrap_or_default();
        // All of them are looked at: how long it takes does not tell which one it was.
        let found = self.0.iter().fold(None, |found, key| {
            let matches = key.secret.matches(given);
            if matches { Some(key) } else { found }
        });
        found.ok_or_else(Refusal::no_key)
    }
}

impl Key {
    fn new(secret: &Secret, number: usize) -> Self {
        Self {
            secret: secret.clone(),
            id: format!("ak_{number}"),
            name: format!("API key {number}"),
            websites: Vec::new(),
            requests_per_minute: None,
            used: Mutex::default(),
        }
    }

    /// Counts a request at `now`, if there may be one.
    pub(super) fn take(&self, now: Timestamp) -> (Option<Allowance>, Result<(), Refusal>) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = self.requests_per_minute;
        let allowance = limit.map(|limit| used.window.take(limit, now));
        let wait = allowance.and_then(|allowance| Some((allowance.limit, allowance.wait?)));
        let taken = match wait {
            Some((limit, wait)) => Err(Refusal::too_many(limit, wait)),
            None => Ok(()),
        };
        if taken.is_ok() {
            let month = month(now);
            if used.month != month {
                used.month = month;
                used.monthly = 0;
            }
            used.monthly += 1;
            used.total += 1;
        }
        (allowance, taken)
    }

    /// The vendor's body of usage. There is no monthly limit here, so what depends on one is
    /// null.
    pub(super) fn usage(&self, websites: &[Website], now: Timestamp) -> Value {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let website = match *self.websites {
            [only] => websites.get(only).map(|website| &*website.id),
            _ => None,
        };
        json!({
            "api_key": {
                "id": self.id,
                "name": self.name,
                "permission": "read_only",
                "website_id": website,
            },
            "usage": {
                "monthly_requests": used.monthly,
                "monthly_limit": null,
                "monthly_remaining": null,
                "monthly_reset_at": next_month(now),
                "total_requests": used.total,
            },
            "rate_limits": { "requests_per_minute": self.requests_per_minute },
            "subscription": { "tier": "self_hosted" },
        })
    }
}

fn month(now: Timestamp) -> String {
    let mut text = now.to_string();
    text.truncate("2026-02".len());
    text
}

fn next_month(now: Timestamp) -> Option<Timestamp> {
    let text = month(now);
    let (year, month) = text.split_once('-')?;
    let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    let (year, month) = (year + month / 12, month % 12 + 1);
    Timestamp::parse(&format!("{year:04}-{month:02}-01T00:00:00Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn website(id: &str, keys: &[&str], requests_per_minute: Option<u32>) -> Website {
        Website {
            id: id.to_owned(),
            tracking_code: id.to_owned(),
            domain: id.to_owned(),
            name: id.to_owned(),
            sources: Vec::new(),
            api_keys: keys.iter().map(|key| Secret::new(*key)).collect(),
            requests_per_minute,
            initial_snapshot: false,
            line: 1,
        }
    }

    fn sent(name: &'static str, value: &'static str) -> HeaderMap {
        [(HeaderName::from_static(name), value.parse().unwrap())]
            .into_iter()
            .collect()
    }

    #[test]
    fn x_08_a_key_is_found_in_either_header_and_an_empty_one_is_nobodys() {
        let keys = Keys::of(&[
            website("a", &["one", ""], None),
            website("b", &["one", "two"], None),
        ]);
        let find = |name, value| {
            keys.find(&sent(name, value))
                .map(|key| key.websites.clone())
        };
        assert_eq!(find("x-api-key", "one"), Ok(vec![0, 1]));
        assert_eq!(find("authorization", "Bearer two"), Ok(vec![1]));
        for (name, value) in [
            ("x-api-key", "three"),
            ("x-api-key", ""),
            ("authorization", "two"),
            ("authorization", "Basic two"),
            ("authorization", "Bearer "),
            ("x-other", "one"),
        ] {
            assert!(find(name, value).is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn a_key_of_two_websites_has_the_smaller_of_their_limits() {
        let keys = Keys::of(&[
            website("a", &["one"], Some(5)),
            website("b", &["one"], Some(3)),
        ]);
        let key = keys.find(&sent("x-api-key", "one")).ok();
        assert_eq!(key.unwrap().requests_per_minute, Some(3));
    }

    #[test]
    fn the_month_after_december_is_january() {
        let next = |text| {
            next_month(Timestamp::parse(text).unwrap())
                .unwrap()
                .to_string()
        };
        assert_eq!(next("2026-02-07T12:00:00Z"), "2026-03-01T00:00:00.000Z");
        assert_eq!(next("2026-11-30T12:00:00Z"), "2026-12-01T00:00:00.000Z");
        assert_eq!(next("2026-12-31T23:59:59Z"), "2027-01-01T00:00:00.000Z");
    }
}
