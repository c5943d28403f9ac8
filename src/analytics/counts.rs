//! What is counted of page views: of one day, of one hour, or of a range. Sums are exact, however
//! many are put together.

use super::by_name::ByName;
use super::distinct::{Distinct, Union};
use super::names::{Name, OTHER};
use super::view::{View, Visitor};

/// How many pages of one day are counted each by itself; the rest is counted together.
const PAGES_MAX: usize = 1000;

/// How many countries, browsers, operating systems and types of devices. There are some 250
/// countries, and of the others a hundred are a page of noise.
const GROUPS_MAX: usize = 300;

/// The plain counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Page views.
    pub views: u64,
    /// Visits that began.
    pub visits: u64,
    /// Page views by page.
    pub pages: ByName<u64>,
    /// By country.
    pub countries: ByName<Country>,
    /// Visits by browser, by operating system, by type of device.
    pub technology: [ByName<u64>; 3],
}

/// What is counted of a country.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Country {
    /// Visits that began.
    pub visits: u64,
    /// The sum of all scores.
    pub score: f64,
    /// How many scores that are.
    pub scores: u64,
}

impl Counts {
    fn add(&mut self, view: &View, pages_max: usize) {
        self.views += 1;
        *of(&mut self.pages, view.page, pages_max) += 1;
        let country = of(&mut self.countries, view.country, GROUPS_MAX);
        if !view.score.is_nan() {
            country.score += f64::from(view.score);
            country.scores += 1;
        }
        if view.begins {
            self.visits += 1;
            country.visits += 1;
            for (counter, name) in self.technology.iter_mut().zip(view.technology) {
                *of(counter, name, GROUPS_MAX) += 1;
            }
        }
    }

    fn join(&mut self, more: &Self) {
        self.views += more.views;
        self.visits += more.visits;
        join(&mut self.pages, &more.pages);
        for (name, country) in &more.countries {
            let sum = self.countries.entry(*name).or_default();
            sum.visits += country.visits;
            sum.score += country.score;
            sum.scores += country.scores;
        }
        for (sum, more) in self.technology.iter_mut().zip(&more.technology) {
            join(sum, more);
        }
    }

    fn names(&self) -> impl Iterator<Item = Name> {
        let technology = self.technology.iter().flat_map(ByName::keys);
        let pages = self.pages.keys();
        pages
            .chain(self.countries.keys())
            .chain(technology)
            .copied()
    }
}

/// The counter of `key`, or where there is no room for another one, that of all others.
fn of<T: Default>(counters: &mut ByName<T>, name: Name, max: usize) -> &mut T {
    let has_room = counters.len() < max || counters.contains_key(&name);
    counters
        .entry(if has_room { name } else { OTHER })
        .or_default()
}

fn join(sum: &mut ByName<u64>, more: &ByName<u64>) {
    for (name, count) in more {
        *sum.entry(*name).or_default() += count;
    }
}

/// One day, or one hour.
#[derive(Debug, Default)]
pub struct Tally {
    /// The counters.
    pub counts: Counts,
    known: Distinct,
    anonymous: Distinct,
}

impl Tally {
    /// With this page view.
    pub fn add(&mut self, view: &View) {
        self.counts.add(view, PAGES_MAX);
        match view.visitor {
            Visitor::Nobody => {}
            Visitor::Known => self.known.add(view.hash),
            Visitor::Anonymous => self.anonymous.add(view.hash),
        }
    }

    /// How many visitors there were.
    pub fn visitors(&self) -> u64 {
        self.known.count() + self.anonymous.count()
    }

    /// Keeps the `max` pages that were seen most; the rest is counted together.
    pub fn trim(&mut self, max: usize) {
        let pages = std::mem::take(&mut self.counts.pages);
        let mut pages: Vec<_> = pages.into_iter().collect();
        pages.sort_unstable_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        for (place, (name, count)) in pages.into_iter().enumerate() {
            let name = if place < max { name } else { OTHER };
            *self.counts.pages.entry(name).or_default() += count;
        }
    }

    /// Gives back the memory for more.
    pub fn shrink(&mut self) {
        self.counts.pages.shrink_to_fit();
        self.known.shrink();
        self.anonymous.shrink();
    }

    /// The texts that it names.
    pub fn names(&self) -> impl Iterator<Item = Name> {
        self.counts.names()
    }
}

/// A range: page views, days and hours together.
#[derive(Debug, Default)]
pub struct Sum {
    /// The counters.
    pub counts: Counts,
    known: Union,
    anonymous: Union,
}

impl Sum {
    /// With this page view.
    pub fn add(&mut self, view: &View) {
        self.counts.add(view, usize::MAX);
        match view.visitor {
            Visitor::Nobody => {}
            Visitor::Known => self.known.add(view.hash),
            Visitor::Anonymous => self.anonymous.add(view.hash),
        }
    }

    /// With this day or hour.
    pub fn join(&mut self, tally: &Tally) {
        self.counts.join(&tally.counts);
        self.known.join(&tally.known);
        self.anonymous.join(&tally.anonymous);
    }

    /// The counters, and how many known and how many anonymous visitors there were.
    pub fn count(self) -> (Counts, u64, u64) {
        (self.counts, self.known.count(), self.anonymous.count())
    }
}
