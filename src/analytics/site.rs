//! The fold: what is kept of a website's events. It is given the events and the time, and nothing
//! else; read again from the start, the same log gives the same state.
//!
//! ```text
//!   event ─▶ presence: who is live, which visit it belongs to
//!         ─▶ days:     a tally of each UTC day                  (7d, 30d, 90d, 1y)
//!         ─▶ recent:   the page view itself, for two days       (24h)
//!               └─▶ hours: a tally of what it has no room for
//!         ─▶ visits:   the list of visitors
//!         ─▶ failures: groups of errors
//! ```

use std::collections::{BTreeMap, VecDeque};

use super::by_name::ByName;
use super::counts::Tally;
use super::facts::{Facts, Page, What};
use super::failures::Failures;
use super::hash::{Hashed, Hasher};
use super::names::{Name, Names, UNKNOWN};
use super::presence::Presence;
use super::view::{View, Visit, Visitor};
use super::visits::Visits;
use crate::clock::Timestamp;

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3600 * 1000;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// How long page views are kept one by one: twice the range that needs them, in case that the clock
/// is set back.
const RECENT_MS: i64 = 2 * DAY_MS;

/// How many days are kept: today and a year.
const DAYS_MAX: usize = 366;

/// How many hours are kept of what had no room: two days and a bit.
const HOURS_MAX: usize = 50;

/// How many pages of a day that is over are left to it where texts need room.
const PAGES_OF_OLD_DAYS: usize = 100;

/// One website.
#[derive(Debug)]
pub struct Site {
    pub(super) hasher: Hasher,
    views_max: usize,
    pub(super) names: Names,
    pub(super) presence: Presence,
    pub(super) recent: VecDeque<View>,
    pub(super) hours: BTreeMap<i64, Tally>,
    pub(super) days: BTreeMap<i64, Tally>,
    pub(super) visits: Visits,
    pub(super) failures: Failures,
    /// The last name that was told with a country's code.
    pub(super) country_names: ByName<Name>,
    /// When its first event was received.
    pub(super) first_at: Option<Timestamp>,
}

impl Site {
    /// The website `id`, which keeps up to `views_max` page views, visits and live visitors each.
    pub fn new(id: &str, views_max: usize) -> Self {
        Self {
            hasher: Hasher::new(id),
            views_max,
            names: Names::default(),
            presence: Presence::new(views_max),
            recent: VecDeque::new(),
            hours: BTreeMap::new(),
            days: BTreeMap::new(),
            visits: Visits::new(views_max),
            failures: Failures::default(),
            country_names: ByName::default(),
            first_at: None,
        }
    }

    /// Takes in an event of this website; `now` says only what is too old to be kept.
    pub fn fold(&mut self, facts: Facts<'_>, now: Timestamp) {
        let Facts { at, who, what } = facts;
        self.first_at.get_or_insert(at);
        let who = who.map(|who| self.hasher.hash(&who));
        let seen = who.map(|who| *self.presence.see(who.short(), at));
        match what {
            What::View(page) => self.view(at, who, &page, now),
            What::Failure { message, kind } => {
                let visitor = who.map(Hashed::short);
                self.failures.add(kind, message, visitor, at);
            }
            What::Activity => {}
        }
        // Whatever follows the first page view of a visit is more than a look.
        if let Some(seen) = seen.filter(|seen| !seen.is_new(at))
            && let Some(visit) = self.visits.get_mut(seen.visit)
        {
            visit.interacted = true;
        }
    }

    fn view(&mut self, at: Timestamp, who: Option<Hashed>, page: &Page<'_>, now: Timestamp) {
        if self.names.needs_room() {
            self.make_room();
        }
        let names = &mut self.names;
        let mut view = View {
            at,
            hash: who.map(Hashed::short).unwrap_or_default(),
            page: names.name(page.url.as_deref()),
            country: names.name(page.country.as_deref()),
            technology: [&page.browser, &page.system, &page.device]
                .map(|text| names.name(text.as_deref())),
            score: page.score.unwrap_or(f32::NAN),
            visitor: match who {
                None => Visitor::Nobody,
                Some(who) if who.known => Visitor::Known,
                Some(_) => Visitor::Anonymous,
            },
            begins: false,
        };
        if let Some(name) = page
            .country_name
            .as_deref()
            .filter(|_| view.country != UNKNOWN)
        {
            let name = names.name(Some(name));
            self.country_names.insert(view.country, name);
        }
        if let Some(who) = who {
            self.visit(&mut view, who, page);
        }
        self.keep(view, now);
    }

    /// Puts the view into a visit of its visitor.
    fn visit(&mut self, view: &mut View, who: Hashed, page: &Page<'_>) {
        let seen = self.presence.see(who.short(), view.at);
        view.begins = seen.is_new(view.at);
        seen.viewed = Some(view.at);
        if view.begins {
            let landing = page.landing.as_deref().or(page.url.as_deref());
            seen.visit = self.visits.begin(Visit {
                at: view.at,
                id: who.bits,
                landing: self.names.name(landing),
                referrer: self.names.name(page.referrer.as_deref()),
                country: view.country,
                city: self.names.name(page.city.as_deref()),
                technology: view.technology,
                score: view.score,
                interacted: false,
            });
        } else if let Some(visit) = self.visits.get_mut(seen.visit) {
            if !view.score.is_nan() {
                visit.score = view.score;
            }
            if view.country == UNKNOWN {
                // A score that comes with a later page view is one of the same country.
                view.country = visit.country;
            }
        }
    }

    fn keep(&mut self, view: View, now: Timestamp) {
        let day = view.at.as_millis().div_euclid(DAY_MS);
        if !self.days.contains_key(&day) {
            // The day before is over.
            if let Some(mut last) = self.days.last_entry() {
                last.get_mut().shrink();
            }
        }
        self.days.entry(day).or_default().add(&view);
        while self.days.len() > DAYS_MAX {
            self.days.pop_first();
        }
        let oldest = now.moved(-RECENT_MS);
        if view.at < oldest {
            return;
        }
        while self.recent.front().is_some_and(|view| view.at < oldest) {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.views_max
            && let Some(view) = self.recent.pop_front()
        {
            let hour = view.at.as_millis().div_euclid(HOUR_MS);
            self.hours.entry(hour).or_default().add(&view);
            while self.hours.len() > HOURS_MAX {
                self.hours.pop_first();
            }
        }
        self.recent.push_back(view);
    }

    /// Forgets texts that nothing names any more; where that is not enough, old days lose their
    /// rarer pages, and old visits go.
    fn make_room(&mut self) {
        if self.sweep() {
            return;
        }
        let today = self.days.last_key_value().map(|(day, _)| *day);
        for (day, tally) in &mut self.days {
            if Some(*day) != today {
                tally.trim(PAGES_OF_OLD_DAYS);
            }
        }
        if !self.sweep() {
            self.visits.halve();
            self.sweep();
        }
    }

    fn sweep(&mut self) -> bool {
        let mut marks = self.names.marks();
        let tallies = self.days.values().chain(self.hours.values());
        marks.add(tallies.flat_map(Tally::names));
        marks.add(self.recent.iter().flat_map(View::names));
        marks.add(self.visits.names());
        self.country_names.retain(|country, _| marks.has(*country));
        marks.add(self.country_names.values().copied());
        self.names.sweep(&marks)
    }
}

#[cfg(test)]
mod tests;
