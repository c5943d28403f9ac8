//! Who is there: the live count, and where one visit ends and the next begins.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::clock::Timestamp;

/// How long a visitor counts as live (ZRT-06). Seen exactly so long ago he still does.
pub const LIVE_FOR: Duration = Duration::from_secs(5 * 60);

/// A page view after so long without one begins a visit.
pub const VISIT_ENDS_AFTER: Duration = Duration::from_secs(30 * 60);

/// The visitors of the last half hour. By the log alone, never by the present time: read again from
/// the start, the same log gives the same visits.
#[derive(Debug)]
pub struct Presence {
    each: HashMap<u64, Seen>,
    order: BTreeSet<(Timestamp, u64)>,
    max: usize,
}

/// A visitor.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    last: Timestamp,
    /// His last page view.
    pub viewed: Option<Timestamp>,
    /// The number of the visit that it belongs to.
    pub visit: u64,
}

impl Seen {
    /// Whether a page view at `at` begins a visit.
    pub fn is_new(&self, at: Timestamp) -> bool {
        self.viewed
            // Either way: a clock that was set back does not make one visit of a day's.
            .is_none_or(|viewed| at.since(viewed).max(viewed.since(at)) >= VISIT_ENDS_AFTER)
    }
}

impl Presence {
    /// Of as many visitors as `max`; those who were seen longest ago are forgotten for others.
    pub fn new(max: usize) -> Self {
        Self {
            each: HashMap::new(),
            order: BTreeSet::new(),
            max,
        }
    }

    /// Takes note that a visitor was seen.
    pub fn see(&mut self, visitor: u64, at: Timestamp) -> &mut Seen {
        if let Some(seen) = self.each.get(&visitor) {
            self.order.remove(&(seen.last, visitor));
        }
        while let Some(&(last, oldest)) = self.order.first() {
            if at.since(last) < VISIT_ENDS_AFTER && self.order.len() < self.max {
                break;
            }
            self.order.pop_first();
            self.each.remove(&oldest);
        }
        let seen = self.each.entry(visitor).or_insert(Seen {
            last: at,
            viewed: None,
            visit: 0,
        });
        self.order.insert((at, visitor));
        seen.last = at;
        seen
    }

    /// How many were seen within the last five minutes.
    pub fn live(&self, now: Timestamp) -> u64 {
        let since =
            Timestamp::from_millis(now.as_millis().saturating_sub(LIVE_FOR.as_millis() as i64));
        self.order.range((since, 0)..=(now, u64::MAX)).count() as u64
    }

    /// The times at which visitors were last seen who are live at `now`, and who will be.
    pub fn seen_since(&self, since: Timestamp) -> impl Iterator<Item = Timestamp> {
        self.order.range((since, 0)..).map(|(last, _)| *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
    }

    #[test]
    fn zrt_06_a_visitor_last_seen_4_59_or_5_00_ago_counts_and_5_01_ago_no_longer() {
        let mut presence = Presence::new(10);
        presence.see(1, at(0));
        assert_eq!(presence.live(at(0)), 1);
        assert_eq!(presence.live(at(299)), 1);
        assert_eq!(presence.live(at(300)), 1);
        assert_eq!(presence.live(at(300).moved(1)), 0);
        assert_eq!(presence.live(at(301)), 0);
        presence.see(1, at(299));
        presence.see(2, at(299));
        assert_eq!(presence.live(at(301)), 2);
    }

    #[test]
    fn a_page_view_half_an_hour_after_the_last_one_begins_a_visit() {
        let mut presence = Presence::new(10);
        assert!(presence.see(1, at(0)).is_new(at(0)));
        presence.see(1, at(0)).viewed = Some(at(0));
        // He does something else meanwhile.
        presence.see(1, at(1000));
        assert!(!presence.see(1, at(1799)).is_new(at(1799)));
        assert!(presence.see(1, at(1800)).is_new(at(1800)));
    }

    #[test]
    fn no_more_visitors_are_kept_than_there_is_room_for() {
        let mut presence = Presence::new(10);
        for visitor in 0..100 {
            presence.see(visitor, at(0));
        }
        assert_eq!((presence.each.len(), presence.order.len()), (10, 10));
        presence.see(99, at(1));
        assert_eq!((presence.each.len(), presence.order.len()), (10, 10));
        presence.see(100, at(1801));
        assert_eq!((presence.each.len(), presence.order.len()), (1, 1));
    }
}
