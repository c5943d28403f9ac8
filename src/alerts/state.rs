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
                let days = site.daily_stats("", Range::Week, now);
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
