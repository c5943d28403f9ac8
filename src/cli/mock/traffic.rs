//! Visitors of a website who do not exist. The same seed brings the same visitors at the same
//! times. Pure.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::clock::Timestamp;

const COUNTRIES: [(&str, &str); 8] = [
    ("US", "United States"),
    ("GB", "United Kingdom"),
    ("DE", "Germany"),
    ("CZ", "Czechia"),
    ("FR", "France"),
    ("IN", "India"),
    ("BR", "Brazil"),
    ("JP", "Japan"),
];
const PAGES: [&str; 8] = [
    "/",
    "/pricing",
    "/features",
    "/docs",
    "/blog",
    "/about",
    "/signup",
    "/contact",
];
const MACHINES: [(&str, &str, &str); 6] = [
    ("desktop", "Chrome", "Windows"),
    ("desktop", "Firefox", "Linux"),
    ("desktop", "Safari", "macOS"),
    ("mobile", "Safari", "iOS"),
    ("mobile", "Chrome", "Android"),
    ("tablet", "Safari", "iPadOS"),
];
const FAULTS: [(&str, &str); 3] = [
    (
        "TypeError",
        "Cannot read properties of undefined (reading 'length')",
    ),
    ("ReferenceError", "analytics is not defined"),
    ("NetworkError", "Failed to fetch"),
];

/// A time in which more come than usual.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surge {
    begin: Duration,
    end: Duration,
}

impl Surge {
    /// How many times as many events there are.
    pub(super) const FACTOR: f64 = 5.0;

    /// One that begins after so long.
    pub(super) fn at(begin: Duration) -> Self {
        Self {
            begin,
            end: begin.saturating_add(Duration::from_secs(300)),
        }
    }

    fn holds(&self, passed: Duration) -> bool {
        (self.begin..self.end).contains(&passed)
    }
}

/// Everybody who may come.
pub(super) struct Traffic {
    chance: StdRng,
    visitors: u32,
    rate: f64,
    surge: Option<Surge>,
}

impl Traffic {
    /// So many visitors, who make `rate` events in a second together.
    pub(super) fn new(seed: u64, visitors: u32, rate: f64, surge: Option<Surge>) -> Self {
        Self {
            chance: StdRng::seed_from_u64(seed),
            visitors,
            rate,
            surge,
        }
    }

    /// How long until the next event, `passed` since the start; none where nobody comes.
    pub(super) fn next_after(&mut self, passed: Duration) -> Option<Duration> {
        if self.visitors == 0 {
            return None;
        }
        let rate = self.rate
            * if self.is_surge(passed) {
                Surge::FACTOR
            } else {
                1.0
            };
        // Independent of one another, as people are; never zero, for zero has no logarithm.
        let chance = 1.0 - self.chance.random::<f64>();
        Some(Duration::from_secs_f64(-chance.ln() / rate))
    }

    /// An event as a client of Zebline sends it at `now`.
    pub(super) fn event(&mut self, passed: Duration, now: Timestamp) -> Value {
        // In a surge there are others, too, who were never here before.
        let people = match self.is_surge(passed) {
            true => self.visitors.saturating_mul(Surge::FACTOR as u32),
            false => self.visitors,
        };
        let number = self.chance.random_range(0..people);
        // What somebody is like is the same each time.
        let mut person = StdRng::seed_from_u64(u64::from(number));
        let (code, country) = COUNTRIES[person.random_range(0..COUNTRIES.len())];
        let (device, browser, os) = MACHINES[person.random_range(0..MACHINES.len())];
        let score: u32 = person.random_range(0..=100);
        let who = match number % 3 {
            0 => ("userId", format!("user-{number}")),
            _ => ("anonymousId", format!("anonymous-{number}")),
        };
        let (name, data) = match self.chance.random_range(0..100) {
            0..=1 => {
                let (kind, message) = FAULTS[self.chance.random_range(0..FAULTS.len())];
                ("error", json!({"type": kind, "message": message}))
            }
            2..=9 => ("button_click", json!({"button": "buy"})),
            _ => {
                // The first pages are visited the most.
                let page = self.chance.random_range(0..PAGES.len());
                let page = PAGES[self.chance.random_range(0..=page)];
                let data = json!({
                    "page_url": page, "landing_page": "/", "device": device, "browser": browser,
                    "os": os, "country_code": code, "country_name": country,
                    "value_score": score,
                });
                ("page_view", data)
            }
        };
        // The vendor's form: an offset without a colon (ZEB-22).
        let time = now.to_string().replace('Z', "+0000");
        json!({who.0: who.1, "eventName": name, "eventTime": time, "eventData": data})
    }

    fn is_surge(&self, passed: Duration) -> bool {
        self.surge.is_some_and(|surge| surge.holds(passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// Every event of an hour, and when.
    fn hour(seed: u64, surge: Option<Surge>) -> Vec<(Duration, Value)> {
        let mut traffic = Traffic::new(seed, 50, 1.0, surge);
        let mut passed = Duration::ZERO;
        let mut events = Vec::new();
        loop {
            passed += traffic.next_after(passed).unwrap();
            if passed > HOUR {
                return events;
            }
            events.push((passed, traffic.event(passed, Timestamp::from_millis(0))));
        }
    }

    #[test]
    fn the_same_seed_brings_the_same_visitors_and_another_one_others() {
        assert_eq!(hour(7, None), hour(7, None));
        assert_ne!(hour(7, None), hour(8, None));
        let count = hour(7, None).len();
        assert!((3300..3900).contains(&count), "{count}");
    }

    #[test]
    fn in_a_surge_five_times_as_many_come_for_five_minutes() {
        let begin = Duration::from_secs(600);
        let events = hour(7, Some(Surge::at(begin)));
        let within = |from: Duration, to: Duration| {
            let counted = events.iter().filter(|(at, _)| (from..to).contains(at));
            counted.count()
        };
        let (surge, usual) = (
            within(begin, begin + Duration::from_secs(300)),
            within(begin + Duration::from_secs(300), 2 * begin),
        );
        assert!(surge > 3 * usual, "{surge} {usual}");
    }

    #[test]
    fn where_nobody_is_nobody_comes() {
        assert_eq!(Traffic::new(7, 0, 1.0, None).next_after(HOUR), None);
    }

    #[test]
    fn every_event_is_one_that_zebline_takes() {
        use crate::vendor::zebline::time;
        for (_, event) in hour(7, None) {
            assert!(event["eventName"].as_str().unwrap().len() < 50);
            assert!(time::parse(event["eventTime"].as_str().unwrap()).is_ok());
            assert!(event["eventData"].is_object());
            assert!(event.get("userId").or(event.get("anonymousId")).is_some());
        }
    }
}
