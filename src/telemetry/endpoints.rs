//! How many attempts ended how, endpoint by endpoint, for a bounded number of endpoints.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::instruments::{OUTCOMES, outcome_number};
use crate::delivery::GivenUp;
use crate::store::Outcome;

/// Why deliveries become dead letters: their policy gave up, they had waited for too long, or an
/// operator's wish.
pub const CAUSES: [&str; 3] = ["policy", "waiting_max_age", "operator"];

/// Attempts that have ended in each of the ways of [`OUTCOMES`], and dead letters by their
/// [`CAUSES`].
#[derive(Debug, Default)]
pub struct Counts {
    attempts: [AtomicU64; OUTCOMES.len()],
    dead: [AtomicU64; CAUSES.len()],
}

impl Counts {
    fn add(&self, outcome: &Outcome) {
        self.attempts[outcome_number(outcome)].fetch_add(1, Ordering::Relaxed);
        if *outcome == Outcome::Dead {
            self.dead[0].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn give_up(&self, why: GivenUp, count: u64) {
        let cause = match why {
            GivenUp::Waited => 1,
            GivenUp::ByOperator => 2,
        };
        self.dead[cause].fetch_add(count, Ordering::Relaxed);
    }

    /// Each way in which attempts ended, and how often.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
        OUTCOMES.into_iter().zip(loaded(&self.attempts))
    }

    /// Each cause of dead letters, and how many there were.
    pub fn dead(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CAUSES.into_iter().zip(loaded(&self.dead))
    }
}

fn loaded(counts: &[AtomicU64]) -> impl Iterator<Item = u64> {
    counts.iter().map(|count| count.load(Ordering::Relaxed))
}

/// Who is shown by name, and what was counted. Whoever comes first is shown as long as it is there;
/// what is counted of the others stays with them, so that no counter ever falls.
#[derive(Debug)]
pub struct Endpoints {
    max: usize,
    shown: RwLock<HashMap<u32, Arc<Counts>>>,
    /// Of all others together.
    pub others: Counts,
}

impl Endpoints {
    /// Shows up to `max` by name.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            shown: RwLock::default(),
            others: Counts::default(),
        }
    }

    /// Counts the end of an attempt at endpoint `number`.
    pub fn count(&self, number: u32, outcome: &Outcome) {
        self.at(number, |counts| counts.add(outcome));
    }

    /// Counts dead letters of endpoint `number` that no attempt ended.
    pub fn give_up(&self, number: u32, why: GivenUp, count: u64) {
        self.at(number, |counts| counts.give_up(why, count));
    }

    fn at(&self, number: u32, add: impl FnOnce(&Counts)) {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = shown.get(&number) {
            return add(counts);
        }
        let full = shown.len() >= self.max;
        drop(shown);
        match self.show(number).filter(|_| !full) {
            Some(counts) => add(&counts),
            None => add(&self.others),
        }
    }

    /// The counts of endpoint `number`, which is shown from now on, if there is room for it.
    pub fn show(&self, number: u32) -> Option<Arc<Counts>> {
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        let room = shown.len() < self.max;
        match shown.get(&number) {
            Some(counts) => Some(counts.clone()),
            None => room.then(|| shown.entry(number).or_default().clone()),
        }
    }

    /// Makes room: only those that are `present` stay.
    pub fn retain(&self, present: impl Fn(u32) -> bool) {
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        shown.retain(|number, _| present(*number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(counts: &Counts) -> u64 {
        counts.each().next().unwrap().1
    }

    #[test]
    fn beyond_the_bound_endpoints_are_counted_together_and_no_count_ever_falls() {
        let endpoints = Endpoints::new(2);
        for number in [7, 8, 9, 9, 7] {
            endpoints.count(number, &Outcome::Delivered);
        }
        let seven = endpoints.show(7).unwrap();
        assert_eq!((delivered(&seven), delivered(&endpoints.others)), (2, 2));
        assert!(endpoints.show(9).is_none());
        // 8 is removed: 9 is shown from here on, and what was counted before stays where it was.
        endpoints.retain(|number| number != 8);
        endpoints.count(9, &Outcome::Dead);
        let nine: Vec<_> = endpoints.show(9).unwrap().each().collect();
        assert_eq!(nine[2], ("dead", 1));
        endpoints.give_up(9, GivenUp::Waited, 3);
        let dead: Vec<_> = endpoints.show(9).unwrap().dead().collect();
        assert_eq!(
            dead,
            [("policy", 1), ("waiting_max_age", 3), ("operator", 0)]
        );
        assert_eq!(delivered(&endpoints.others), 2);
    }

    #[test]
    fn with_no_room_at_all_everything_is_counted_together() {
        let endpoints = Endpoints::new(0);
        endpoints.count(1, &Outcome::Delivered);
        assert_eq!(delivered(&endpoints.others), 1);
    }
}
