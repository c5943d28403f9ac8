//! Which clock a server runs on, as it is named on the command line.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{InvalidFactor, ManualClock, ScaledClock, SharedClock, WatchedClock};

/// Which clock a server runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ClockKind {
    /// The machine's.
    #[default]
    Real,
    /// So many times as fast as the machine's.
    Scaled(f64),
    /// One that moves only when told to.
    Manual,
}

/// A text that names no clock.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidClock {
    /// Not in the form.
    #[error("write real, manual, or a factor with an x such as 60x")]
    Malformed,
    /// A factor that no clock can run at.
    #[error(transparent)]
    Factor(#[from] InvalidFactor),
}

impl FromStr for ClockKind {
    type Err = InvalidClock;

    fn from_str(text: &str) -> Result<Self, InvalidClock> {
        match text {
            "real" => return Ok(Self::Real),
            "manual" => return Ok(Self::Manual),
            _ => {}
        }
        let factor = text.strip_suffix('x').ok_or(InvalidClock::Malformed)?;
        let factor = factor.parse().map_err(|_| InvalidClock::Malformed)?;
        ScaledClock::new(factor)?;
        Ok(Self::Scaled(factor))
    }
}

impl fmt::Display for ClockKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real => f.write_str("real"),
            Self::Scaled(factor) => write!(f, "{factor}x"),
            Self::Manual => f.write_str("manual"),
        }
    }
}

impl ClockKind {
    /// What the API calls it: `real`, `scaled` or `manual`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Scaled(_) => "scaled",
            Self::Manual => "manual",
        }
    }

    /// A clock of this kind that starts now.
    pub fn start(self) -> Result<SharedClock, InvalidFactor> {
        Ok(match self {
            Self::Real => Arc::new(WatchedClock::default()),
            Self::Scaled(factor) => Arc::new(ScaledClock::new(factor)?),
            Self::Manual => Arc::new(ManualClock::starting_now()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_named_as_it_is_printed() {
        for (text, kind) in [
            ("real", ClockKind::Real),
            ("manual", ClockKind::Manual),
            ("60x", ClockKind::Scaled(60.0)),
            ("0.5x", ClockKind::Scaled(0.5)),
        ] {
            assert_eq!(text.parse(), Ok(kind));
            assert_eq!(kind.to_string(), text);
            assert_eq!(
                kind.start().unwrap().manual().is_some(),
                kind == ClockKind::Manual
            );
        }
    }

    #[test]
    fn what_names_no_clock_is_refused_with_an_example() {
        for text in ["60", "", "x", "fast", "Real", "60 x"] {
            assert_eq!(text.parse::<ClockKind>(), Err(InvalidClock::Malformed));
        }
        for text in ["0x", "-1x", "infx", "NaNx", "1e9x"] {
            let error = text.parse::<ClockKind>().unwrap_err();
            assert!(error.to_string().contains("such as 60x"), "{error}");
        }
    }
}
