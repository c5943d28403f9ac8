//! Durations as people write them: `30s`, `38m30s`, `1h`, `30d`.

use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::{SignedDuration, Span, SpanRelativeTo};

use crate::words::quoted;

/// The longest duration that is accepted anywhere.
pub const MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A text that is no usable duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    /// A number alone: nobody should have to guess whether it means seconds or milliseconds.
    #[error("{0} has no unit; write for example \"{1}s\"")]
    NoUnit(String, String),
    /// Not in the form.
    #[error("{0} is not a duration; write for example \"30s\", \"10m\" or \"1h30m\"")]
    Malformed(String),
    /// Zero.
    #[error("{0} is not above zero; give a longer time")]
    Zero(String),
    /// Below zero.
    #[error("{0} is not above zero; give a longer time")]
    Negative(String),
    /// More than [`MAX`].
    #[error("{0} is longer than 366 days; give a shorter time")]
    TooLong(String),
}

/// Reads a duration above zero and at most [`MAX`]. A bare number is refused; a day has 24 hours.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let shown = || quoted(text);
    let trimmed = text.trim();
    if trimmed.parse::<f64>().is_ok() {
        return Err(InvalidDuration::NoUnit(
            shown(),
            trimmed.chars().take(20).collect(),
        ));
    }
    let span = trimmed
        .parse::<Span>()
        .map_err(|_| InvalidDuration::Malformed(shown()))?;
    let signed: SignedDuration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| InvalidDuration::Malformed(shown()))?;
    match Duration::try_from(signed) {
        Ok(duration) if duration > MAX => Err(InvalidDuration::TooLong(shown())),
        Ok(duration) if duration.is_zero() => Err(InvalidDuration::Zero(shown())),
        Ok(duration) => Ok(duration),
        Err(_) => Err(InvalidDuration::Negative(shown())),
    }
}

/// Writes a duration in the form that [`parse_duration`] reads.
pub fn format_duration(duration: Duration) -> String {
    SpanPrinter::new()
        .designator(Designator::Compact)
        .spacing(Spacing::None)
        .unsigned_duration_to_string(&duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("1s", 1),
            ("10m", 600),
            ("38m30s", 2310),
            ("38m 30s", 2310),
            ("1h", 3600),
            ("30d", 2_592_000),
            ("366d", 31_622_400),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_no_duration_is_refused_with_an_example() {
        for (text, expected) in [
            ("10", r#""10" has no unit; write for example "10s""#),
            ("1.5", r#""1.5" has no unit; write for example "1.5s""#),
            ("0s", r#""0s" is not above zero; give a longer time"#),
            ("-5s", r#""-5s" is not above zero; give a longer time"#),
            (
                "367d",
                r#""367d" is longer than 366 days; give a shorter time"#,
            ),
            (
                "soon",
                r#""soon" is not a duration; write for example "30s", "10m" or "1h30m""#,
            ),
            (
                "1y",
                r#""1y" is not a duration; write for example "30s", "10m" or "1h30m""#,
            ),
            (
                "",
                r#""" is not a duration; write for example "30s", "10m" or "1h30m""#,
            ),
        ] {
            assert_eq!(parse_duration(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_written_duration_reads_back_as_itself() {
        for millis in [1, 999, 1_000, 61_500, 2_310_000, 90_000_000, 31_622_400_000] {
            let duration = Duration::from_millis(millis);
            let text = format_duration(duration);
            assert_eq!(parse_duration(&text), Ok(duration), "{text}");
        }
        assert_eq!(format_duration(Duration::from_secs(2310)), "38m30s");
    }
}
