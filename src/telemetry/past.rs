//! Counts of the last hour, day and week, in steps. Pure.

use crate::clock::Timestamp;

const MINUTE_MS: i64 = 60_000;

/// How far back is looked, and how finely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// An hour in minutes.
    Hour,
    /// A day in quarters of an hour.
    Day,
    /// A week in steps of two hours.
    Week,
}

impl Window {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// How it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    /// How long a step is, in words.
    pub const fn step(self) -> &'static str {
        match self {
            Self::Hour => "1m",
            Self::Day => "15m",
            Self::Week => "2h",
        }
    }

    /// How long a step is.
    pub const fn step_ms(self) -> i64 {
        match self {
            Self::Hour => MINUTE_MS,
            Self::Day => 15 * MINUTE_MS,
            Self::Week => 120 * MINUTE_MS,
        }
    }

    /// How many steps there are.
    pub const fn steps(self) -> usize {
        match self {
            Self::Hour => 60,
            Self::Day => 96,
            Self::Week => 84,
        }
    }

    /// When the oldest step of the window that ends at `now` begins.
    pub fn from(self, now: Timestamp) -> Timestamp {
        let oldest = self.number(now) - (self.steps() as i64 - 1);
        Timestamp::from_millis(oldest.saturating_mul(self.step_ms()))
    }

    /// The number of the step that holds `at`, from the Unix epoch on.
    fn number(self, at: Timestamp) -> i64 {
        at.as_millis().div_euclid(self.step_ms())
    }
}

/// The latest steps of one window.
#[derive(Clone, Debug)]
struct Ring<T> {
    newest: i64,
    slots: Box<[T]>,
}

impl<T: Copy + Default> Ring<T> {
    fn new(steps: usize) -> Self {
        Self {
            newest: i64::MIN,
            slots: vec![T::default(); steps].into(),
        }
    }

    fn place(&self, step: i64) -> usize {
        step.rem_euclid(self.slots.len() as i64) as usize
    }

    fn holds(&self, step: i64) -> bool {
        step <= self.newest && self.newest.saturating_sub(step) < self.slots.len() as i64
    }

    fn slot(&mut self, step: i64) -> &mut T {
        let follows = step > self.newest;
        let skipped = step
            .saturating_sub(self.newest)
            .min(self.slots.len() as i64);
        if follows {
            for behind in 0..skipped {
                self.slots[self.place(step - behind)] = T::default();
            }
            self.newest = step;
        } else if !self.holds(step) {
            // The clock was set back behind everything that is kept: that lies ahead now.
            self.slots.fill(T::default());
            self.newest = step;
        }
        &mut self.slots[self.place(step)]
    }

    fn read(&self, newest: i64) -> impl Iterator<Item = T> {
        let oldest = newest - (self.slots.len() as i64 - 1);
        (oldest..=newest).map(|step| match self.holds(step) {
            true => self.slots[self.place(step)],
            false => T::default(),
        })
    }
}

/// What was counted over every window.
#[derive(Clone, Debug)]
pub struct Past<T>([Ring<T>; 3]);

impl<T: Copy + Default> Default for Past<T> {
    fn default() -> Self {
        Self(Window::ALL.map(|window| Ring::new(window.steps())))
    }
}

impl<T: Copy + Default> Past<T> {
    /// Counts something that happened at `at`.
    pub fn count(&mut self, at: Timestamp, count: impl Fn(&mut T)) {
        for (window, ring) in Window::ALL.into_iter().zip(&mut self.0) {
            count(ring.slot(window.number(at)));
        }
    }

    /// Each step of the window that ends at `now`, the newest last.
    pub fn read(&self, window: Window, now: Timestamp) -> impl Iterator<Item = T> {
        self.0[window as usize].read(window.number(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 60 * MINUTE_MS;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_699_999_200_000 + ms)
    }

    fn hits(past: &Past<u32>, window: Window, now: Timestamp) -> Vec<(usize, u32)> {
        let steps: Vec<u32> = past.read(window, now).collect();
        assert_eq!(steps.len(), window.steps());
        let all = steps.into_iter().enumerate();
        all.filter(|(_, count)| *count > 0).collect()
    }

    fn counted(times: &[i64]) -> Past<u32> {
        let mut past = Past::default();
        for ms in times {
            past.count(at(*ms), |count| *count += 1);
        }
        past
    }

    #[test]
    fn what_happened_is_in_the_step_that_began_before_it_and_leaves_the_window_behind_it() {
        let past = counted(&[0, 59_999, 60_000]);
        let hour = |ms| hits(&past, Window::Hour, at(ms));
        assert_eq!(hour(60_000), [(58, 2), (59, 1)]);
        assert_eq!(hour(HOUR_MS - 1), [(0, 2), (1, 1)]);
        assert_eq!(hour(HOUR_MS), [(0, 1)]);
        assert_eq!(hour(HOUR_MS + 60_000), []);
        assert_eq!(hits(&past, Window::Day, at(HOUR_MS)).len(), 1);
        assert_eq!(hits(&past, Window::Week, at(6 * 24 * HOUR_MS)).len(), 1);
    }

    #[test]
    fn steps_in_which_nothing_happened_are_empty_however_many_were_skipped() {
        for skipped in [2, 59, 60, 61, 1_000_000] {
            let past = counted(&[0, skipped * MINUTE_MS]);
            let now = at(skipped * MINUTE_MS);
            let found = hits(&past, Window::Hour, now);
            assert_eq!(found.last(), Some(&(59, 1)));
            assert_eq!(found.len(), 1 + usize::from(skipped < 60), "{skipped}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_counts_on_and_shows_nothing_that_lies_ahead() {
        let past = counted(&[10 * MINUTE_MS, 0]);
        assert_eq!(hits(&past, Window::Hour, at(0)), [(59, 1)]);
        let past = counted(&[0, 1000 * HOUR_MS, MINUTE_MS]);
        assert_eq!(hits(&past, Window::Hour, at(MINUTE_MS)), [(59, 1)]);
        assert_eq!(hits(&past, Window::Week, at(1000 * HOUR_MS)), []);
    }

    #[test]
    fn a_window_begins_where_its_oldest_step_begins() {
        for window in Window::ALL {
            let from = window.from(at(0)).as_millis();
            assert_eq!(from % window.step_ms(), 0);
            let span = window.steps() as i64 * window.step_ms();
            assert!((0..span).contains(&(at(0).as_millis() - from)));
            assert!(at(0).as_millis() - from >= span - window.step_ms());
        }
    }
}
