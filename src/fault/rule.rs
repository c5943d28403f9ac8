//! One rule: which attempts suffer a fault. On the command line it is written
//! `KIND[=TIME][@PROBABILITY]`, or `KIND=PROBABILITY`: what has a unit is a time.

use std::str::FromStr;
use std::time::Duration;

use super::{Fault, UnknownFault};
use crate::duration::{InvalidDuration, parse_duration};
use crate::endpoint::{Filter, FilterOn};
use crate::id::Seq;
use crate::words::quoted;

/// The longest time of a fault: beyond it no test waits, and no retry either.
pub const TIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// Which attempts suffer a fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which.
    pub fault: Fault,
    /// Its time, where it has one; none means its usual one.
    pub time: Option<Duration>,
    /// At bringing which events.
    pub events: Events,
    /// Of events that this selects.
    pub filter: Option<Filter>,
    /// At which attempts.
    pub attempts: Attempts,
    /// How probable it is at each of them, 0.0 to 1.0.
    pub probability: f64,
}

/// Which events, counted in the order of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// All.
    All,
    /// The one at this place, from 1.
    One(Seq),
    /// Each that is so many behind the last: 3 is the third, the sixth and so on.
    Every(Seq),
}

/// Which attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// The one with this number, from 1.
    One(u32),
    /// All.
    Every,
}

/// A text that is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// Of no kind.
    #[error(transparent)]
    Fault(#[from] UnknownFault),
    /// A kind that takes no time has one.
    #[error("{0} takes no time; write {0}, or {0}@0.2 for one attempt in five")]
    NoTime(Fault),
    /// Not a time of use.
    #[error("the time of {0}: {1}")]
    Time(Fault, InvalidDuration),
    /// Longer than [`TIME_MAX`].
    #[error("the time of {0} is longer than 24h; give a shorter one")]
    TooLong(Fault),
    /// Not a probability.
    #[error("{0} is not a probability; write a number above 0, up to 1, such as 0.2")]
    Probability(String),
}

impl Rule {
    /// The rule of a kind of which nothing else is said: at each first attempt.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            time: None,
            events: Events::All,
            filter: None,
            attempts: Attempts::One(1),
            probability: 1.0,
        }
    }

    /// With a time, if the kind takes one.
    pub fn with_time(mut self, time: Option<Duration>) -> Result<Self, InvalidRule> {
        if time.is_some() && self.fault.default_time().is_none() {
            return Err(InvalidRule::NoTime(self.fault));
        }
        if time.is_some_and(|time| time > TIME_MAX) {
            return Err(InvalidRule::TooLong(self.fault));
        }
        self.time = time;
        Ok(self)
    }

    /// Of events of this type; a prefix such as `order.*` will do.
    #[must_use]
    pub fn with_type(mut self, pattern: Option<&str>) -> Self {
        self.filter = pattern.map(|pattern| Filter {
            on: FilterOn::Kind,
            patterns: vec![pattern.to_owned()],
        });
        self
    }

    /// At these attempts, each with this probability. Where nothing is said it is the first, but
    /// with a probability each.
    #[must_use]
    pub fn with_attempts(mut self, attempts: Option<Attempts>, probability: Option<f64>) -> Self {
        self.attempts = attempts.unwrap_or(match probability {
            Some(_) => Attempts::Every,
            None => Attempts::One(1),
        });
        self.probability = probability.unwrap_or(1.0);
        self
    }

    /// The time of the fault.
    pub fn time(&self) -> Duration {
        let time = self.time.or(self.fault.default_time());
        time.unwrap_or_default()
    }
}

impl FromStr for Rule {
    type Err = InvalidRule;

    fn from_str(text: &str) -> Result<Self, InvalidRule> {
        let (text, chance) = match text.split_once('@') {
            Some((text, chance)) => (text, Some(probability(chance)?)),
            None => (text, None),
        };
        let (kind, value) = match text.split_once('=') {
            Some((kind, value)) => (kind, Some(value)),
            None => (text, None),
        };
        let rule = Self::new(kind.parse()?);
        let (time, chance) = match value {
            None => (None, chance),
            // Without a unit, and not one of two.
            Some(value) if chance.is_none() && value.parse::<f64>().is_ok() => {
                (None, Some(probability(value)?))
            }
            Some(_) if rule.fault.default_time().is_none() => {
                return Err(InvalidRule::NoTime(rule.fault));
            }
            Some(value) => {
                let time = parse_duration(value);
                let time = time.map_err(|error| InvalidRule::Time(rule.fault, error))?;
                (Some(time), chance)
            }
        };
        Ok(rule.with_time(time)?.with_attempts(None, chance))
    }
}

fn probability(text: &str) -> Result<f64, InvalidRule> {
    let number = text.parse().ok();
    number
        .filter(|number| *number > 0.0 && *number <= 1.0)
        .ok_or_else(|| InvalidRule::Probability(quoted(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap()
    }

    #[test]
    fn a_rule_is_a_kind_with_a_time_a_probability_or_both() {
        let plain = rule("wrong-signature");
        assert_eq!(plain, Rule::new(Fault::WrongSignature));
        for text in ["cut=0.2", "cut@0.2"] {
            let chance = rule(text);
            assert_eq!(
                (chance.attempts, chance.probability),
                (Attempts::Every, 0.2)
            );
        }
        let timed = rule("delay=500ms");
        assert_eq!(timed.time(), Duration::from_millis(500));
        assert_eq!((timed.attempts, timed.probability), (Attempts::One(1), 1.0));
        let both = rule("stale=1h@0.5");
        assert_eq!(both.time(), Duration::from_secs(3600));
        assert_eq!((both.attempts, both.probability), (Attempts::Every, 0.5));
        assert_eq!(rule("stale").time(), Duration::from_secs(600));
        assert_eq!(rule("stale@1").attempts, Attempts::Every);
    }

    #[test]
    fn a_text_that_is_no_rule_says_why() {
        for (text, words) in [
            ("", "fault \"\" is not known"),
            ("cuts", "did you mean \"cut\"?"),
            ("cut=2s", "cut takes no time"),
            ("delay=25h", "longer than 24h"),
            ("delay=-1s", "above zero"),
            ("delay=", "is not a duration"),
            ("delay=2", "\"2\" is not a probability"),
            ("delay=2@0.5", "no unit"),
            ("cut=0", "above 0"),
            ("cut@1.5", "up to 1"),
            ("cut@NaN", "is not a probability"),
            ("cut@", "is not a probability"),
        ] {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
