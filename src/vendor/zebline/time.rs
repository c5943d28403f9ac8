//! `eventTime`: `yyyy-MM-ddTHH:mm:ss` with an offset, and what else the vendor's own pages send.

use self::InvalidTime::{Form, Range};
use crate::clock::Timestamp;

/// Why a time cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// Of another form.
    #[error("is not a time such as 2024-01-01T09:30:00+0200")]
    Form,
    /// Of the form, yet no day has it, or no year from 0 to 9999 has it in UTC.
    #[error("is no day and time of the years 0 to 9999 in UTC, such as 2024-01-01T09:30:00+0200")]
    Range,
}

/// Reads a time (ZEB-22, ZEB-23, A-35): a fraction of 1 to 9 digits may follow the seconds, and
/// then `+hhmm`, `+hh:mm`, `Z` or nothing, which means UTC.
pub fn parse(text: &str) -> Result<Timestamp, InvalidTime> {
    const PATTERN: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let (start, rest) = text.split_at_checked(PATTERN.len()).ok_or(Form)?;
    if !fits(start, PATTERN) {
        return Err(Form);
    }
    let digits = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&digits) {
                return Err(Form);
            }
            digits + 1
        }
        None => 0,
    };
    let (fraction, offset) = rest.split_at(digits);
    let (sign, digits) = match offset {
        "" | "Z" => ("+", "0000"),
        _ => offset.split_at_checked(1).ok_or(Form)?,
    };
    let is_offset = fits(digits, b"dddd") || fits(digits, b"dd:dd");
    if !is_offset || !matches!(sign, "+" | "-") {
        return Err(Form);
    }
    let (hours, minutes) = (&digits[..2], &digits[digits.len() - 2..]);
    Timestamp::parse(&format!("{start}{fraction}{sign}{hours}:{minutes}")).map_err(|_| Range)
}

/// Whether `text` is `pattern`, in which a `d` stands for a digit.
fn fits(text: &str, pattern: &[u8]) -> bool {
    let same = |(byte, like): (u8, &u8)| match like {
        b'd' => byte.is_ascii_digit(),
        _ => byte == *like,
    };
    text.len() == pattern.len() && text.bytes().zip(pattern).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_the_vendor_shows_is_read_a_35() {
        for (text, utc) in [
            ("2024-01-01T00:00:00+0330", "2023-12-31T20:30:00.000Z"),
            ("2024-01-01T00:00:00-0800", "2024-01-01T08:00:00.000Z"),
            ("2024-01-01T00:00:00.000000", "2024-01-01T00:00:00.000Z"),
            ("2024-01-01T00:00:00", "2024-01-01T00:00:00.000Z"),
            (
                "2024-02-29T23:59:59.123456789+01:00",
                "2024-02-29T22:59:59.123Z",
            ),
            ("2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00.500Z"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), utc, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_wherever_it_is_cut() {
        for text in [
            "",
            "2024-01-01",
            "2024-01-01 00:00:00",
            "2024-01-01T00:00:00.",
            "2024-01-01T00:00:00.1234567890",
            "2024-01-01T00:00:00+03",
            "2024-01-01T00:00:00 0330",
            "2024-01-01T00:00:00ZZ",
            "2024-01-01T00:00:00é0330",
            "2024-01-01T00:00:0é",
            "1704067200",
        ] {
            assert_eq!(parse(text), Err(Form), "{text}");
        }
        for text in [
            "2024-13-01T00:00:00",
            "2023-02-29T00:00:00",
            "2024-01-01T25:00:00",
            "2024-01-01T00:00:00+9900",
            "9999-12-31T23:59:59-2359",
        ] {
            assert_eq!(parse(text), Err(Range), "{text}");
        }
    }
}
