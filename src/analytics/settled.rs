//! Until when figures stay as they are if nothing comes: the first moment at which one may differ.
//! What is asked again and again need not be asked until then.

use super::figures::{Span, day};
use super::presence::LIVE_FOR;
use super::site::{DAY_MS, HOUR_MS, Site};
use crate::clock::Timestamp;
use crate::vendor::zenovay::Range;

/// Later than any moment.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

impl Site {
    /// Until when the live count stays.
    pub fn live_settled_until(&self, now: Timestamp) -> Timestamp {
        let live_ms = LIVE_FOR.as_millis() as i64;
        let seen = self.presence.seen_since(now.moved(-live_ms));
        changes(seen, now, live_ms)
    }

    /// Until when the visits stay that began up to now.
    pub fn visits_settled_until(&self, now: Timestamp) -> Timestamp {
        let begun = self.visits.iter().map(|visit| visit.at);
        begun.filter(|at| *at > now).min().unwrap_or(NEVER)
    }

    /// Until when the figures of `range` stay.
    pub fn settled_until(&self, range: Range, now: Timestamp) -> Timestamp {
        let span = Span::of(range, now);
        if range.days().is_some() {
            let has_days = self.days.range(day(span.from)..).next().is_some();
            return if has_days { begins(DAY_MS, now) } else { NEVER };
        }
        let views = self.recent.iter().map(|view| view.at);
        let views = changes(views.filter(|at| *at >= span.from), now, DAY_MS);
        let hour = span.from.as_millis().div_euclid(HOUR_MS);
        match self.hours.range(hour..).next() {
            Some(_) => views.min(begins(HOUR_MS, now)),
            None => views,
        }
    }
}

/// When the first of these moments comes, or is longer ago than `kept_ms`.
fn changes(each: impl Iterator<Item = Timestamp>, now: Timestamp, kept_ms: i64) -> Timestamp {
    each.map(|at| match at > now {
        // By a clock that was set back.
        true => at,
        false => at.moved(kept_ms + 1),
    })
    .min()
    .unwrap_or(NEVER)
}

/// When the next of the spans of `length_ms` begins.
fn begins(length_ms: i64, now: Timestamp) -> Timestamp {
    let number = now.as_millis().div_euclid(length_ms) + 1;
    Timestamp::from_millis(number.saturating_mul(length_ms))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analytics::facts::{Facts, Page, What, Who};

    const START: Timestamp = Timestamp::from_millis(1_770_465_600_000);

    fn site(views_max: usize, views: &[i64]) -> Site {
        let mut site = Site::new("w", views_max);
        for (number, minutes) in views.iter().enumerate() {
            let at = START.moved(minutes * 60_000 + number as i64);
            let facts = Facts {
                at,
                who: Some(Who {
                    name: format!("v{}", number % 5).into(),
                    known: true,
                }),
                what: What::View(Box::<Page<'_>>::default()),
            };
            site.fold(facts, at);
        }
        site
    }

    proptest! {
        #[test]
        fn no_figure_changes_before_it_is_said_to(
            views_max in prop_oneof![Just(3_usize), Just(1000)],
            views in prop::collection::vec(0_i64..5000, 0..20),
            now in 0_i64..8000,
            after in 0_i64..20_000,
        ) {
            let site = site(views_max, &views);
            let (now, later) = (START.moved(now * 60_000), START.moved((now + after) * 60_000));
            for range in [Range::LastDay, Range::Week, Range::Month] {
                let until = site.settled_until(range, now);
                prop_assert!(until > now);
                if later < until {
                    prop_assert_eq!(site.summary(range, now), site.summary(range, later));
                }
                let just_before = until.moved(-1).min(START.moved(400 * DAY_MS));
                prop_assert_eq!(site.summary(range, now), site.summary(range, just_before));
            }
            let just_before = site.live_settled_until(now).moved(-1);
            prop_assert_eq!(site.live(now), site.live(just_before));
            let before = site.visits_settled_until(now).moved(-1);
            let begun = |now| site.visits_since(START, now).count();
            prop_assert_eq!(begun(now), begun(before));
        }
    }

    #[test]
    fn where_nothing_is_nothing_changes_and_where_something_was_it_ends() {
        let empty = site(10, &[]);
        assert_eq!(empty.live_settled_until(START), NEVER);
        assert_eq!(empty.settled_until(Range::Year, START), NEVER);
        let one = site(10, &[0]);
        assert_eq!(one.live_settled_until(START), START.moved(300_001));
        assert_eq!(
            one.settled_until(Range::LastDay, START),
            START.moved(DAY_MS + 1)
        );
        assert_eq!(one.visits_settled_until(START), NEVER);
    }
}
