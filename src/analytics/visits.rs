//! The latest visits, for the list of visitors.

use std::collections::VecDeque;

use super::names::Name;
use super::view::Visit;

/// Visits in the order in which they began, each with a number for good.
#[derive(Debug)]
pub struct Visits {
    each: VecDeque<Visit>,
    /// The number of the first that is still here.
    first: u64,
    max: usize,
}

impl Visits {
    /// As many as `max`; the oldest are forgotten for others.
    pub fn new(max: usize) -> Self {
        Self {
            each: VecDeque::new(),
            first: 0,
            max,
        }
    }

    /// Takes one in, and gives its number.
    pub fn begin(&mut self, visit: Visit) -> u64 {
        if self.each.len() >= self.max {
            self.forget(1);
        }
        self.each.push_back(visit);
        self.first + self.each.len() as u64 - 1
    }

    /// The visit with this number, if it is still here.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut Visit> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.each.get_mut(place)
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Visit> {
        self.each.iter()
    }

    /// Forgets the older half.
    pub fn halve(&mut self) {
        self.forget(self.each.len() / 2);
        self.each.shrink_to_fit();
    }

    /// The texts that they name.
    pub fn names(&self) -> impl Iterator<Item = Name> {
        self.each.iter().flat_map(Visit::names)
    }

    fn forget(&mut self, count: usize) {
        self.each.drain(..count);
        self.first += count as u64;
    }
}
