//! A page view and a visit, as compact as they are kept.

use super::names::Name;
use crate::clock::Timestamp;

/// A page view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// When.
    pub at: Timestamp,
    /// The visitor's hash; of no meaning where he is [nobody](Visitor::Nobody).
    pub hash: u64,
    /// Which page.
    pub page: Name,
    /// From where.
    pub country: Name,
    /// With what: browser, operating system, type of device.
    pub technology: [Name; 3],
    /// `value_score`; not a number where there is none, which takes no room of its own.
    pub score: f32,
    /// Whose it is.
    pub visitor: Visitor,
    /// Whether it begins a visit.
    pub begins: bool,
}

/// What is known of a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visitor {
    /// The event names nobody.
    Nobody,
    /// He has a name that a browser was given.
    Anonymous,
    /// He is a user.
    Known,
}

impl View {
    /// The texts that it names.
    pub fn names(&self) -> impl Iterator<Item = Name> {
        [self.page, self.country].into_iter().chain(self.technology)
    }
}

/// A visit: its beginning, and what came to be known since.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// When it began.
    pub at: Timestamp,
    /// The hash that stands for the visitor outside.
    pub id: u128,
    /// The first page.
    pub landing: Name,
    /// Where the visitor came from.
    pub referrer: Name,
    /// From where, as a code.
    pub country: Name,
    /// From which city.
    pub city: Name,
    /// With what: browser, operating system, type of device.
    pub technology: [Name; 3],
    /// The last score that was told; not a number where none was.
    pub score: f32,
    /// Whether anything followed the first page view.
    pub interacted: bool,
}

impl Visit {
    /// The texts that it names.
    pub fn names(&self) -> impl Iterator<Item = Name> {
        [self.landing, self.referrer, self.country, self.city]
            .into_iter()
            .chain(self.technology)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_view_takes_48_bytes_and_a_visit_64() {
        assert_eq!(size_of::<View>(), 48);
        assert_eq!(size_of::<Visit>(), 64);
    }
}
