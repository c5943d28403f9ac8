//! How long whoever moves a manual clock waits, in real time, for what is under way: pure.
//!
//! Whoever is waited for in vain hangs: the clock goes on without him until his deadline. Each
//! wait in vain for the same one makes the next one shorter, so that all of them together are
//! bounded however often he is asked; what can still answer is waited for. Work of our own ends: it
//! is waited for at each moment anew.

use std::collections::BTreeMap;
use std::mem::take;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::Token;

/// Something under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Errand {
    /// An attempt.
    Attempt(Token),
    /// A piece of work of our own; its number tells it from any other.
    Work(u64),
    /// A question of a slot of the agenda to a stranger, with a number likewise.
    Question { slot: u64, number: u64 },
}

/// A stranger, who may hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stranger {
    Receiver(u32),
    Asked(u64),
}

impl Errand {
    fn stranger(self) -> Option<Stranger> {
        match self {
            Self::Attempt(token) => Some(Stranger::Receiver(token.endpoint)),
            Self::Question { slot, .. } => Some(Stranger::Asked(slot)),
            Self::Work(_) => None,
        }
    }
}

#[derive(Debug)]
struct UnderWay {
    deadline: Timestamp,
    /// Which one it was to begin.
    place: u64,
    wait: Option<Wait>,
    left: Option<Left>,
}

/// A wait for an errand.
#[derive(Clone, Copy, Debug)]
struct Wait {
    since: Duration,
    /// It should have been given up by its deadline, and is only to be settled.
    is_late: bool,
}

/// An errand was waited for in vain.
#[derive(Clone, Copy, Debug)]
struct Left {
    until: Timestamp,
    /// How patient we were; never enough with what ends by itself.
    patience: Duration,
}

/// Somebody was waited for in vain, so often in a row.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    times: u32,
    at: Duration,
}

/// What is under way, and how long it is waited for. Real time counts from any moment.
#[derive(Debug, Default)]
pub(super) struct Patience {
    patience: Duration,
    errands: BTreeMap<Errand, UnderWay>,
    begun: u64,
    doubts: BTreeMap<Stranger, Doubt>,
    /// Something has ended since the last look.
    has_ended: bool,
    ended_at: Duration,
    /// The one that began first of those that are waited for, and since when it is.
    first: Option<(Errand, Duration)>,
}

impl Patience {
    /// An errand begins, which is given up at `deadline`.
    pub(super) fn begin(&mut self, errand: Errand, deadline: Timestamp) {
        self.begun += 1;
        let under_way = UnderWay {
            deadline,
            place: self.begun,
            wait: None,
            left: None,
        };
        self.errands.insert(errand, under_way);
    }

    /// It has ended, if it had not. One that was waited for in vain has not answered, however late
    /// it did; any other one restores trust, but for the whole of it in the same advance.
    pub(super) fn end(&mut self, errand: Errand) {
        let Some(ended) = self.errands.remove(&errand) else {
            return;
        };
        self.has_ended = true;
        if ended.left.is_none()
            && let Some(stranger) = errand.stranger()
            && let Some(doubt) = self.doubts.get_mut(&stranger)
        {
            doubt.times = 1;
        }
    }

    /// An advance begins at `at`. It trusts everybody anew, who may have been mended since the last
    /// one; what hung then goes on hanging, unless this one is more patient.
    pub(super) fn renew(&mut self, patience: Duration, at: Duration) {
        self.patience = patience;
        self.doubts.clear();
        self.ended_at = at;
        self.first = None;
        for errand in self.errands.values_mut() {
            errand.wait = None;
            errand.left = errand.left.filter(|left| left.patience >= patience);
        }
    }

    /// Leaves what has been waited for in vain at `at`, by a broker's clock that shows `now`. Those
    /// that are `held` wait for that clock alone. Says when to look again, if there is anything to
    /// wait for.
    pub(super) fn look(
        &mut self,
        now: Timestamp,
        at: Duration,
        held: impl Fn(Errand) -> bool,
    ) -> Option<Duration> {
        if take(&mut self.has_ended) {
            self.ended_at = at;
        }
        loop {
            let waits = self.waits(now, at, &held);
            let in_vain: Vec<_> = waits.iter().filter(|(_, until)| *until <= at).collect();
            if in_vain.is_empty() {
                return waits.into_iter().map(|(_, until)| until).min();
            }
            for (errand, _) in in_vain {
                self.leave(*errand, now, at);
            }
        }
    }

    /// What is waited for, each with the end of the patience with it.
    fn waits(
        &mut self,
        now: Timestamp,
        at: Duration,
        held: impl Fn(Errand) -> bool,
    ) -> Vec<(Errand, Duration)> {
        let mut waited = Vec::new();
        for (errand, under_way) in &mut self.errands {
            if held(*errand) {
                under_way.wait = None;
                continue;
            }
            let is_late = under_way.deadline <= now;
            if under_way.left.is_some_and(|left| left.until > now) {
                continue;
            }
            let wait = under_way.wait.filter(|wait| wait.is_late == is_late);
            let wait = *under_way
                .wait
                .insert(wait.unwrap_or(Wait { since: at, is_late }));
            waited.push((under_way.place, *errand, wait));
        }
        let first = waited.iter().min_by_key(|(place, ..)| *place);
        let first = first.map(|(_, errand, _)| *errand);
        self.first = match (self.first, first) {
            (Some((was, since)), Some(is)) if was == is => Some((is, since)),
            (_, is) => is.map(|is| (is, at)),
        };
        let ends = waited
            .into_iter()
            .map(|(_, errand, wait)| (errand, self.until(errand, wait)));
        ends.collect()
    }

    /// As long as others end beside it, its turn may be still to come: a receiver of many that are
    /// slow together has not hung. But whoever began first is owed no more than his own wait, or
    /// else endless traffic beside one that hangs would hold the clock for ever.
    fn until(&self, errand: Errand, wait: Wait) -> Duration {
        let patience = match errand.stranger() {
            Some(stranger) if !wait.is_late => self.patience_with(stranger),
            _ => self.patience,
        };
        let first = self.first.filter(|(first, _)| *first == errand);
        let undisturbed = first.map_or(self.ended_at, |(_, since)| since.min(self.ended_at));
        wait.since.max(undisturbed).saturating_add(patience)
    }

    /// After n waits in vain in a row a part of 1/(n+1)²: all of them together never come to
    /// 1⅔ of the patience, and of a second the seventh is still 20 ms.
    fn patience_with(&self, stranger: Stranger) -> Duration {
        let times = self.doubts.get(&stranger).map_or(0, |doubt| doubt.times);
        let waits = times.saturating_add(1);
        self.patience / waits.saturating_mul(waits)
    }

    fn leave(&mut self, errand: Errand, now: Timestamp, at: Duration) {
        let Some(under_way) = self.errands.get_mut(&errand) else {
            return;
        };
        let wait = under_way.wait.take();
        let stranger = errand.stranger();
        let stranger = stranger.filter(|_| wait.is_some_and(|wait| !wait.is_late));
        under_way.left = Some(Left {
            until: match stranger {
                Some(_) => under_way.deadline,
                // It ends without the clock: at its next moment it is waited for again.
                None => now.moved(1),
            },
            patience: stranger.map_or(Duration::ZERO, |_| self.patience),
        });
        let Some(stranger) = stranger else {
            return;
        };
        let doubt = self.doubts.entry(stranger);
        let doubt = doubt.or_insert(Doubt { times: 0, at });
        // Those that he has had all the while were waited for together, and count once.
        let since = wait.map_or(at, |wait| wait.since);
        if doubt.times == 0 || since >= doubt.at {
            *doubt = Doubt {
                times: doubt.times.saturating_add(1),
                at,
            };
        }
    }

    /// Attempts that are waited for no more before their deadlines.
    pub(super) fn left(&self, now: Timestamp) -> impl Iterator<Item = Token> {
        let left = self
            .errands
            .iter()
            .filter(move |(_, under_way)| under_way.is_left(now));
        left.filter_map(|(errand, _)| match errand {
            Errand::Attempt(token) => Some(*token),
            Errand::Work(_) | Errand::Question { .. } => None,
        })
    }

    /// Whether there is something besides attempts to wait for.
    pub(super) fn has_work(&self, now: Timestamp) -> bool {
        let mut works = self.errands.iter();
        works.any(|(errand, under_way)| {
            !matches!(errand, Errand::Attempt(_)) && !under_way.is_left(now)
        })
    }

    /// The nearest deadline later than `now`.
    pub(super) fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let deadlines = self.errands.values().map(|under_way| under_way.deadline);
        deadlines.filter(|deadline| *deadline > now).min()
    }
}

impl UnderWay {
    fn is_left(&self, now: Timestamp) -> bool {
        self.left.is_some_and(|left| left.until > now)
    }
}

#[cfg(test)]
mod tests;
