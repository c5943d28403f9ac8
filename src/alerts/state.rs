//! An alert between its checks, and what a check finds.

use std::collections::VecDeque;

use super::memory::Memory;
use super::notice::{Notice, kind};
use super::rule::{Finding, Side, is_valuable, range, spike};
use crate::analytics::site::{DAY_MS, Site};
use crate::clock::Timestamp;
use crate::config::alert::{Bound, Metric, Rule};
use crate::event::NewEvent;
use crate::vendor::zenovay::Range;

/// How many visits wait in the outbox at once; the others follow right behind.
const AT_ONCE: usize = 100;

/// How an alert stands.
#[derive(Debug)]
pub struct State {
    /// What it has told.
    pub memory: Memory,
    /// What is to be told, and is not on disk yet.
    pub outbox: VecDeque<NewEvent>,
    /// When it last looked; before the first time, when the log's last event was received, so that
    /// what came right before a stop is not too old when the next start looks.
    pub looked_at: Option<Timestamp>,
    /// When it last looked, since the start, with everything told that it found.
    pub checked_at: Option<Timestamp>,
    /// Whether looks are left out that would find the same.
    pub rests: bool,
    /// What it last found.
    pub value: Option<f64>,
}

impl State {
    /// Of an alert that remembers up to `told_max` visits.
    pub fn new(told_max: usize) -> Self {
        Self {
            memory: Memory::new(told_max),
            outbox: VecDeque::new(),
            looked_at: None,
            checked_at: None,
            rests: false,
            value: None,
        }
    }

    /// Looks at the figures, and puts what is to be told into the empty outbox. Whether it has to
    /// look again when that was told, as there may be more.
    pub fn look(&mut self, notice: &Notice<'_>, site: &Site) -> bool {
        let now = notice.now;
        let finding = match notice.alert.rule {
            Rule::HighValueVisitor { threshold } => {
                return self.look_for_visits(notice, site, threshold);
            }
            Rule::TrafficSpike { factor } => {
                let current = site.summary(Range::LastDay, now).total_visitors;
                let days = site.whole_days(Range::Week, now);
                let days: Vec<u64> = days.iter().map(|day| day.total_visitors).collect();
                spike(current, &days, factor)
            }
            Rule::Above(bound) => figure(site, bound, Side::Above, now),
            Rule::Below(bound) => figure(site, bound, Side::Below, now),
        };
        self.value = Some(finding.value() as f64);
        let key = self.memory.next_key(&notice.alert.name);
        let event = match (self.memory.firing_since(), finding.holds()) {
            (None, true) => notice.fires(&finding, key),
            (Some(since), false) => notice.clears(&finding, since, key),
            _ => return false,
        };
        self.outbox.push_back(event);
        false
    }

    /// A score may be told long after a visit began, so that visits of a whole day are looked at
    /// again and again.
    fn look_for_visits(&mut self, notice: &Notice<'_>, site: &Site, threshold: f64) -> bool {
        let now = notice.now;
        let looked_at = self.looked_at.unwrap_or(now).min(now);
        let visits = site.visits_since(looked_at.moved(-DAY_MS), now);
        let visits = visits.filter(|visit| is_valuable(visit.score, threshold));
        let visits =
            visits.filter(|visit| !self.memory.has_told(&site.visitor_id(visit), visit.at));
        for visit in visits.take(AT_ONCE) {
            self.value = Some(f64::from(visit.score));
            let event = notice.visitor(&site.visitor(visit), threshold);
            self.outbox.push_back(event);
        }
        self.outbox.len() == AT_ONCE
    }

    /// Takes note that the first of the outbox is on disk.
    pub fn told(&mut self) {
        if let Some(event) = self.outbox.pop_front() {
            self.memory.take(&event, event.time.unwrap_or_default());
        }
    }

    /// Begins with what the log says, the last event of which was received at `at`.
    pub fn begin(&mut self, rule: Rule, at: Option<Timestamp>) {
        self.memory.keep_only(kind(rule));
        self.looked_at = at;
    }

    /// Takes note of a check at `now`, all of which was told.
    pub fn checked(&mut self, now: Timestamp) {
        self.looked_at = Some(now);
        self.checked_at = Some(now);
        self.rests = false;
    }
}

/// Until when a look finds what one at `now` has found, unless something comes.
pub fn settled_until(rule: Rule, site: &Site, now: Timestamp) -> Timestamp {
    match rule {
        Rule::HighValueVisitor { .. } => site.visits_settled_until(now),
        Rule::TrafficSpike { .. } => {
            let days = site.settled_until(Range::Week, now);
            days.min(site.settled_until(Range::LastDay, now))
        }
        Rule::Above(bound) | Rule::Below(bound) => match bound.metric {
            Metric::Live => site.live_settled_until(now),
            Metric::TotalVisitors(period) | Metric::TotalPageViews(period) => {
                site.settled_until(range(period), now)
            }
        },
    }
}

fn figure(site: &Site, bound: Bound, side: Side, now: Timestamp) -> Finding {
    let value = match bound.metric {
        Metric::Live => site.live(now),
        Metric::TotalVisitors(period) => site.summary(range(period), now).total_visitors,
        Metric::TotalPageViews(period) => site.summary(range(period), now).total_page_views,
    };
    Finding::Figure { bound, value, side }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::analytics::facts::{Facts, Page, What, Who};
    use crate::config::alert::{Period, Shape};
    use crate::config::{Alert, Website};

    const NOW: Timestamp = Timestamp::from_millis(1_770_465_600_000);

    fn view(site: &mut Site, who: &str, score: f32) {
        let page = Page {
            score: Some(score),
            ..Page::default()
        };
        let facts = Facts {
            at: NOW,
            who: Some(Who {
                name: who.into(),
                known: true,
            }),
            what: What::View(Box::new(page)),
        };
        site.fold(facts, NOW);
    }

    fn look(state: &mut State, rule: Rule, site: &Site, now: Timestamp) -> bool {
        let alert = Alert {
            name: "a".to_owned(),
            website: "w".to_owned(),
            rule,
            every: Duration::from_secs(60),
            shape: Shape::Slack,
            line: 1,
        };
        let website = Website {
            id: "w".to_owned(),
            tracking_code: "t".to_owned(),
            domain: "d".to_owned(),
            name: "d".to_owned(),
            sources: Vec::new(),
            api_keys: Vec::new(),
            requests_per_minute: None,
            initial_snapshot: false,
            line: 1,
        };
        let notice = Notice {
            alert: &alert,
            website: &website,
            now,
        };
        state.look(&notice, site)
    }

    #[test]
    fn what_is_not_on_disk_yet_stays_in_the_outbox_and_counts_as_not_told() {
        let (mut state, mut site) = (State::new(10), Site::new("w", 10));
        let rule = Rule::Above(Bound {
            metric: Metric::TotalVisitors(Period::LastDay),
            threshold: 0.0,
        });
        view(&mut site, "ann", 1.0);
        assert!(!look(&mut state, rule, &site, NOW));
        assert_eq!(state.outbox.len(), 1);
        assert_eq!(state.memory.firing_since(), None);
        state.told();
        assert_eq!(state.memory.firing_since(), Some(NOW));
        // Told once: it holds still.
        assert!(!look(&mut state, rule, &site, NOW.moved(60_000)));
        assert!(state.outbox.is_empty());
        // The visitor was here too long ago.
        look(&mut state, rule, &site, NOW.moved(DAY_MS + 1));
        assert_eq!(state.outbox.len(), 1);
        state.told();
        assert_eq!(state.memory.firing_since(), None);
        assert_eq!(state.memory.fired_at(), Some(NOW));
    }

    #[test]
    fn zrt_43_more_visits_than_fit_the_outbox_are_looked_for_again_and_none_twice() {
        let (mut state, mut site) = (State::new(1000), Site::new("w", 1000));
        let rule = Rule::HighValueVisitor { threshold: 70.0 };
        for number in 0..AT_ONCE + 1 {
            view(&mut site, &format!("v{number}"), 70.0);
            view(&mut site, &format!("w{number}"), 69.99);
        }
        assert!(look(&mut state, rule, &site, NOW));
        assert_eq!(state.outbox.len(), AT_ONCE);
        while !state.outbox.is_empty() {
            state.told();
        }
        assert!(!look(&mut state, rule, &site, NOW));
        assert_eq!(state.outbox.len(), 1);
        state.told();
        assert!(!look(&mut state, rule, &site, NOW));
        assert!(state.outbox.is_empty());
    }

    #[test]
    fn visits_of_the_day_before_the_last_look_are_looked_at_however_long_ago_that_was() {
        let (mut state, mut site) = (State::new(10), Site::new("w", 10));
        let rule = Rule::HighValueVisitor { threshold: 70.0 };
        view(&mut site, "ann", 70.0);
        state.begin(rule, Some(NOW));
        let much_later = NOW.moved(100 * DAY_MS);
        look(&mut state, rule, &site, much_later);
        assert_eq!(state.outbox.len(), 1);
        state.outbox.clear();
        state.checked(much_later);
        look(&mut state, rule, &site, much_later);
        assert!(state.outbox.is_empty());
    }
}
