//! A time of the day, in UTC.

use std::fmt;
use std::str::FromStr;

use super::Timestamp;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Once a day at this minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daily {
    minute: i64,
}

/// A text that is no time of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a time of the day such as \"02:00\"")]
pub struct InvalidDaily;

impl Daily {
    /// The vendor's own: two o'clock (ZSS-26).
    pub const TWO: Self = Self { minute: 120 };

    /// Its last moment up to `now`.
    pub fn last(self, now: Timestamp) -> Timestamp {
        let offset = self.minute * MINUTE_MS;
        let day = (now.as_millis() - offset).div_euclid(DAY_MS);
        Timestamp::from_millis(day * DAY_MS + offset)
    }

    /// Its first moment behind `moment`.
    pub fn after(self, moment: Timestamp) -> Timestamp {
        self.last(moment).moved(DAY_MS)
    }
}

impl FromStr for Daily {
    type Err = InvalidDaily;

    fn from_str(text: &str) -> Result<Self, InvalidDaily> {
        let number = |part: &str, end: i64| {
            let is_pair = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            let number = is_pair.then(|| part.parse::<i64>().ok()).flatten();
            number.filter(|number| *number < end).ok_or(InvalidDaily)
        };
        let (hour, minute) = text.split_once(':').ok_or(InvalidDaily)?;
        Ok(Self {
            minute: number(hour, 24)? * 60 + number(minute, 60)?,
        })
    }
}

impl fmt::Display for Daily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_last_moment_is_of_today_from_that_minute_on_and_of_yesterday_before_it() {
        let two = Daily::TWO;
        for (now, last) in [
            ("2026-02-07T02:00:00Z", "2026-02-07T02:00:00Z"),
            ("2026-02-07T01:59:59.999Z", "2026-02-06T02:00:00Z"),
            ("2026-02-07T23:59:59Z", "2026-02-07T02:00:00Z"),
            ("1969-12-31T03:00:00Z", "1969-12-31T02:00:00Z"),
        ] {
            assert_eq!(two.last(at(now)), at(last), "{now}");
        }
        let next = two.after(at("2026-02-28T02:00:00Z"));
        assert_eq!(next, at("2026-03-01T02:00:00Z"));
    }

    #[test]
    fn a_time_of_the_day_has_two_digits_each_and_ends_before_midnight() {
        for text in ["00:00", "02:00", "23:59"] {
            assert_eq!(text.parse::<Daily>().unwrap().to_string(), text);
        }
        for text in ["24:00", "2:00", "02:60", "0200", "02:00:00", "", "+2:00"] {
            assert_eq!(text.parse::<Daily>(), Err(InvalidDaily), "{text}");
        }
    }
}
