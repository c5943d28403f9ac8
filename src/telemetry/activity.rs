//! What came in and what was attempted over the last hour, day and week, since the start.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::past::{Past, Window};
use crate::clock::Timestamp;
use crate::endpoint::Endpoint;

/// How many endpoints are kept, at 2 KiB each. For one more, the quarter of them that has rested
/// the longest is forgotten.
const ENDPOINTS_MAX: usize = 2048;

/// How attempts have ended within a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Answered with success.
    pub delivered: u32,
    /// Failed.
    pub failed: u32,
}

/// One endpoint's activity.
#[derive(Clone, Debug)]
pub struct OfEndpoint {
    /// The endpoint as it was at its latest attempt.
    pub endpoint: Arc<Endpoint>,
    /// The ends of its attempts in each step, the newest last.
    pub ends: Vec<Ends>,
}

/// All that happened within a window.
#[derive(Clone, Debug)]
pub struct View {
    /// Events that came into the log in each step, the newest last.
    pub ingested: Vec<u64>,
    /// Endpoints at which something was attempted, the latest first.
    pub endpoints: Vec<OfEndpoint>,
    /// How many more there are.
    pub more: usize,
}

/// Counts over time, by the broker's clock.
#[derive(Debug, Default)]
pub struct Activity(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ingested: Past<u64>,
    endpoints: HashMap<u32, Kept>,
}

#[derive(Debug)]
struct Kept {
    endpoint: Arc<Endpoint>,
    latest: Timestamp,
    past: Past<Ends>,
    failing: Option<Streak>,
}

/// Attempts in a row that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streak {
    /// When the first of them ended.
    pub since: Timestamp,
    /// How many.
    pub attempts: u64,
}

impl Activity {
    /// Counts events that were received at `at`.
    pub fn ingested(&self, events: u64, at: Timestamp) {
        self.lock().ingested.count(at, |count| *count += events);
    }

    /// Counts an attempt that ended at `at`.
    pub fn attempted(&self, endpoint: &Arc<Endpoint>, delivered: bool, at: Timestamp) {
        let mut inner = self.lock();
        if inner.endpoints.len() >= ENDPOINTS_MAX && !inner.endpoints.contains_key(&endpoint.number)
        {
            inner.forget_a_quarter();
        }
        let kept = inner
            .endpoints
            .entry(endpoint.number)
            .or_insert_with(|| Kept {
                endpoint: endpoint.clone(),
                latest: at,
                past: Past::default(),
                failing: None,
            });
        kept.latest = at;
        if kept.endpoint.revision != endpoint.revision {
            kept.endpoint = endpoint.clone();
        }
        kept.failing = (!delivered).then(|| match kept.failing {
            Some(Streak { since, attempts }) => Streak {
                // A clock that was set back must not hide it for as long.
                since: since.min(at),
                attempts: attempts + 1,
            },
            None => Streak {
                since: at,
                attempts: 1,
            },
        });
        kept.past.count(at, |ends| match delivered {
            true => ends.delivered += 1,
            false => ends.failed += 1,
        });
    }

    /// The numbers of endpoints whose attempts have all failed of late, as `is_failing` has it.
    pub fn failing(&self, is_failing: impl Fn(Streak) -> bool) -> HashSet<u32> {
        let inner = self.lock();
        let each = inner.endpoints.iter();
        let failing = each.filter(|(_, kept)| kept.failing.is_some_and(&is_failing));
        failing.map(|(number, _)| *number).collect()
    }

    /// What happened in the window that ends at `now`, at up to `limit` endpoints.
    pub fn view(&self, window: Window, now: Timestamp, limit: usize) -> View {
        let inner = self.lock();
        let from = window.from(now);
        let mut active: Vec<&Kept> = inner.endpoints.values().collect();
        active.retain(|kept| kept.latest >= from);
        active.sort_unstable_by_key(|kept| (Reverse(kept.latest), kept.endpoint.number));
        let shown = active.iter().take(limit);
        View {
            ingested: inner.ingested.read(window, now).collect(),
            endpoints: shown.map(|kept| kept.view(window, now)).collect(),
            more: active.len().saturating_sub(limit),
        }
    }

    /// As [`view`](Self::view), of one endpoint, at which nothing may have happened.
    pub fn view_of(&self, endpoint: &Arc<Endpoint>, window: Window, now: Timestamp) -> View {
        let inner = self.lock();
        let kept = inner.endpoints.get(&endpoint.number);
        let ends = kept.map(|kept| kept.past.read(window, now).collect());
        View {
            ingested: inner.ingested.read(window, now).collect(),
            endpoints: vec![OfEndpoint {
                endpoint: endpoint.clone(),
                ends: ends.unwrap_or_else(|| vec![Ends::default(); window.steps()]),
            }],
            more: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn view(&self, window: Window, now: Timestamp) -> OfEndpoint {
        OfEndpoint {
            endpoint: self.endpoint.clone(),
            ends: self.past.read(window, now).collect(),
        }
    }
}

impl Inner {
    /// Many at once, so that finding them costs next to nothing for each.
    fn forget_a_quarter(&mut self) {
        let each = self.endpoints.iter();
        let mut latest: Vec<_> = each.map(|(number, kept)| (kept.latest, *number)).collect();
        let (rested, ..) = latest.select_nth_unstable(ENDPOINTS_MAX / 4);
        for (_, number) in rested {
            self.endpoints.remove(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::tests::endpoint;

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn the_endpoint_that_was_active_last_comes_first_and_one_that_rested_does_not_come_at_all() {
        let activity = Activity::default();
        let minutes = |n: i64| AT.moved(n * 60_000);
        activity.attempted(&endpoint(1), true, minutes(0));
        activity.attempted(&endpoint(2), false, minutes(1));
        activity.attempted(&endpoint(3), true, minutes(2));
        let numbers = |window, now, limit| {
            let view = activity.view(window, now, limit);
            let numbers = view.endpoints.iter().map(|of| of.endpoint.number);
            (numbers.collect::<Vec<_>>(), view.more)
        };
        assert_eq!(numbers(Window::Hour, minutes(2), 9), (vec![3, 2, 1], 0));
        assert_eq!(numbers(Window::Hour, minutes(2), 1), (vec![3], 2));
        assert_eq!(numbers(Window::Hour, minutes(60), 9), (vec![3, 2], 0));
        assert_eq!(numbers(Window::Day, minutes(100), 9).0.len(), 3);
    }

    #[test]
    fn a_streak_is_no_shorter_for_a_clock_that_was_set_back() {
        let activity = Activity::default();
        activity.attempted(&endpoint(1), false, AT);
        activity.attempted(&endpoint(1), false, AT.moved(-60_000));
        let since = AT.moved(-60_000);
        let failing = activity.failing(|streak| streak == Streak { since, attempts: 2 });
        assert_eq!(failing.len(), 1);
    }

    #[test]
    fn ten_thousand_endpoints_are_kept_within_a_few_mebibytes_and_the_active_ones_stay() {
        let activity = Activity::default();
        for number in 0..10_000 {
            activity.attempted(&endpoint(0), true, AT.moved(i64::from(number)));
            activity.attempted(&endpoint(number), true, AT.moved(i64::from(number)));
            assert!(activity.lock().endpoints.len() <= ENDPOINTS_MAX);
        }
        let kept = Window::ALL.map(|window| window.steps() * size_of::<Ends>());
        let bytes = ENDPOINTS_MAX * (kept.iter().sum::<usize>() + size_of::<Kept>());
        assert!(bytes < 5 << 20, "{bytes}");
        let view = activity.view(Window::Hour, AT.moved(9_999), 2);
        let numbers: Vec<u32> = view.endpoints.iter().map(|of| of.endpoint.number).collect();
        assert_eq!(numbers, [0, 9_999]);
        let delivered = |ends: &[Ends]| ends.iter().map(|ends| ends.delivered).sum::<u32>();
        assert_eq!(delivered(&view.endpoints[0].ends), 10_001);
    }
}
