//! What a website is asked: figures of a range, at a moment.

use std::cmp::Reverse;

use super::by_name::ByName;
use super::counts::{Counts, Sum};
use super::names::{Name, OTHER, UNKNOWN};
use super::site::{DAY_MS, HOUR_MS, Site};
use super::uuid::{Made, uuid};
use super::view::Visit;
use crate::clock::Timestamp;
use crate::vendor::zenovay::Range;
use crate::vendor::zenovay::bodies::{
    Country, DailyStat, ErrorGroup, PageViews, Score, Share, Summary, Technology, Visitor,
};

/// What is shown for a text that is not known, where a text has to stand.
const UNKNOWN_TEXT: &str = "Unknown";

/// How many words of a message are in a fingerprint.
const FINGERPRINT_WORDS: usize = 5;

/// The first and the last moment of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What was received exactly then counts.
    pub from: Timestamp,
    /// The present.
    pub to: Timestamp,
}

impl Span {
    /// `range` at `now`: the last day to the millisecond, else whole UTC days with today.
    pub fn of(range: Range, now: Timestamp) -> Self {
        let from = match range.days() {
            None => now.moved(-DAY_MS),
            Some(days) => Timestamp::from_millis((day(now) - i64::from(days) + 1) * DAY_MS),
        };
        Self { from, to: now }
    }

    fn has(self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }

    fn days(self) -> std::ops::RangeInclusive<i64> {
        day(self.from)..=day(self.to)
    }
}

/// The number of its UTC day.
pub(super) fn day(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MS)
}

/// Such as `2026-02-07`.
pub fn date(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate("2026-02-07".len());
    text
}

impl Site {
    /// How many visitors were seen within the last five minutes.
    pub fn live(&self, now: Timestamp) -> u64 {
        self.presence.live(now)
    }

    /// When its first event was received.
    pub fn first_at(&self) -> Option<Timestamp> {
        self.first_at
    }

    fn sum(&self, range: Range, now: Timestamp) -> Sum {
        let span = Span::of(range, now);
        let mut sum = Sum::default();
        if range.days().is_some() {
            for (_, tally) in self.days.range(span.days()) {
                sum.join(tally);
            }
            return sum;
        }
        for view in self.recent.iter().filter(|view| span.has(view.at)) {
            sum.add(view);
        }
        // An hour that the range begins in counts as a whole.
        let hour = |at: Timestamp| at.as_millis().div_euclid(HOUR_MS);
        for (_, tally) in self.hours.range(hour(span.from)..=hour(span.to)) {
            sum.join(tally);
        }
        sum
    }

    fn counts(&self, range: Range, now: Timestamp) -> Counts {
        self.sum(range, now).count().0
    }

    /// The totals.
    pub fn summary(&self, range: Range, now: Timestamp) -> Summary {
        let (counts, known, anonymous) = self.sum(range, now).count();
        Summary {
            total_visitors: counts.visits,
            total_page_views: counts.views,
            unique_visitors: known + anonymous,
            known_visitors: known,
            anonymous_visitors: anonymous,
        }
    }

    /// Each day that the range touches, whole, the oldest first and today last (ZRT-15).
    pub fn daily_stats(&self, website: &str, range: Range, now: Timestamp) -> Vec<DailyStat> {
        let days = Span::of(range, now).days();
        days.map(|day| {
            let tally = self.days.get(&day);
            DailyStat {
                date: date(Timestamp::from_millis(day * DAY_MS)),
                website_id: website.to_owned(),
                total_visitors: tally.map_or(0, |tally| tally.counts.visits),
                unique_visitors: tally.map_or(0, super::counts::Tally::visitors),
                page_views: tally.map_or(0, |tally| tally.counts.views),
            }
        })
        .collect()
    }

    /// As [`daily_stats`](Self::daily_stats), without the days that had begun before anything was
    /// known of the website: what is not known of them is no calm (ZRT-17). Today stays.
    pub fn whole_days(&self, range: Range, now: Timestamp) -> Vec<DailyStat> {
        let days = Span::of(range, now).days();
        let known = self.first_at.map_or(i64::MAX, |first| {
            // The first millisecond of a day is all of it.
            day(first.moved(-1)) + 1
        });
        let unknown = known.clamp(*days.start(), *days.end()) - days.start();
        let mut stats = self.daily_stats("", range, now);
        stats.drain(..unknown as usize);
        stats
    }

    /// The `limit` pages that were looked at most.
    pub fn pages(&self, range: Range, now: Timestamp, limit: usize) -> Vec<PageViews> {
        let pages = self.counts(range, now).pages;
        self.sorted(pages, limit)
            .map(|(url, views)| PageViews { url, views })
            .collect()
    }

    /// The `limit` countries from which most visits came.
    pub fn countries(&self, range: Range, now: Timestamp, limit: usize) -> Vec<Country> {
        let countries = self.counts(range, now).countries;
        let mut countries: Vec<_> = countries
            .into_iter()
            .filter(|(_, country)| country.visits > 0)
            .map(|(name, country)| Country {
                country_code: self.text(name),
                country_name: self.country_name(name),
                visitors: country.visits,
                avg_value_score: (country.scores > 0)
                    .then(|| Score(country.score / country.scores as f64)),
            })
            .collect();
        countries.sort_by(|a, b| {
            let code = |c: &Country| (c.country_code.is_none(), c.country_code.clone());
            b.visitors
                .cmp(&a.visitors)
                .then_with(|| code(a).cmp(&code(b)))
        });
        countries.truncate(limit);
        countries
    }

    /// Visits by browser, operating system and type of device.
    pub fn technology(&self, range: Range, now: Timestamp) -> Technology {
        let [browsers, operating_systems, device_types] =
            self.counts(range, now).technology.map(|shares| {
                self.sorted(shares, usize::MAX)
                    .map(|(name, visitors)| Share { name, visitors })
                    .collect()
            });
        Technology {
            browsers,
            operating_systems,
            device_types,
        }
    }

    /// Visits that began in the range, the newest first (ZRT-42), and whether there are more.
    pub fn visitors(
        &self,
        range: Range,
        now: Timestamp,
        offset: usize,
        limit: usize,
    ) -> (Vec<Visitor>, bool) {
        let span = Span::of(range, now);
        let visits = self.visits.iter().rev();
        let mut visits: Vec<&Visit> = visits.filter(|visit| span.has(visit.at)).collect();
        // They are in order already, unless the clock was set.
        visits.sort_by_key(|visit| Reverse(visit.at));
        let rest = visits.get(offset..).unwrap_or_default();
        let shown = &rest[..limit.min(rest.len())];
        let shown = shown.iter().map(|visit| self.visitor(visit)).collect();
        (shown, rest.len() > limit)
    }

    /// Visits that began from `since` on, in the order in which they came.
    pub fn visits_since(&self, since: Timestamp, now: Timestamp) -> impl Iterator<Item = &Visit> {
        let span = Span {
            from: since,
            to: now,
        };
        self.visits.iter().filter(move |visit| span.has(visit.at))
    }

    /// What stands for a visit's visitor.
    pub fn visitor_id(&self, visit: &Visit) -> String {
        uuid(Made::Hashed, visit.id)
    }

    /// A visit, as it is shown.
    pub fn visitor(&self, visit: &Visit) -> Visitor {
        let [browser, system, device] = visit.technology;
        Visitor {
            id: self.visitor_id(visit),
            country_code: self.text(visit.country),
            country_name: self.country_name(visit.country),
            city: self.text(visit.city),
            device_type: self.text(device),
            browser: self.text(browser),
            os: self.text(system),
            value_score: (!visit.score.is_nan()).then(|| Score(visit.score.into())),
            visited_at: visit.at,
            landing_page: self.text(visit.landing),
            referrer: self.text(visit.referrer),
            had_interaction: visit.interacted,
        }
    }

    /// The `limit` groups of errors that happened most (ZRT-29).
    pub fn error_groups(&self, limit: usize) -> Vec<ErrorGroup> {
        let groups = self.failures.sorted().into_iter().take(limit);
        groups
            .map(|group| {
                let bits = self.hasher.text(&group.kind, &group.message);
                let words = group.message.split(|c: char| !c.is_alphanumeric());
                let words = words
                    .filter(|word| !word.is_empty())
                    .take(FINGERPRINT_WORDS);
                let words: Vec<&str> = std::iter::once(&*group.kind).chain(words).collect();
                ErrorGroup {
                    id: format!("eg_{}", uuid(Made::Hashed, bits)),
                    fingerprint: format!("{}_{:06x}", words.join("_"), bits & 0xff_ffff),
                    message: group.message.clone(),
                    r#type: group.kind.clone(),
                    status: "unresolved",
                    occurrence_count: group.count,
                    first_seen_at: group.first,
                    last_seen_at: group.last,
                    affected_users_count: group.affected.count(),
                }
            })
            .collect()
    }

    /// The greatest counters, with their texts; what there was no room for stands last.
    fn sorted(&self, counters: ByName<u64>, limit: usize) -> impl Iterator<Item = (String, u64)> {
        let mut counters: Vec<_> = counters
            .into_iter()
            .map(|(name, count)| {
                let text = self.names.text(name).unwrap_or(UNKNOWN_TEXT);
                (name == OTHER, Reverse(count), text.to_owned())
            })
            .collect();
        counters.sort();
        let sorted = counters.into_iter().take(limit);
        sorted.map(|(_, Reverse(count), text)| (text, count))
    }

    fn text(&self, name: Name) -> Option<String> {
        self.names.text(name).map(str::to_owned)
    }

    fn country_name(&self, country: Name) -> Option<String> {
        self.text(*self.country_names.get(&country).unwrap_or(&UNKNOWN))
    }
}
