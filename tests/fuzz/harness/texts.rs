//! Texts that stand for values: ids, times, durations, clocks, scripts of answers.
//!
//! What is read is written again and read as the same value; of ids there is one spelling but for
//! case, so that no two texts name one thing.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use redeliver::cli::listen::script::{Reply, Script};
use redeliver::clock::{ClockKind, Timestamp};
use redeliver::duration::{self, format_duration, parse_duration};
use redeliver::id::{DeliveryId, EndpointId, EventId, MAX_SEQ};

/// Reads one text as everything that it might be.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    time(text);
    duration(text);
    clock(text);
    script(text);
    one_spelling::<EndpointId>(text);
    if let Some(id) = one_spelling::<EventId>(text) {
        assert!(id.seq() <= MAX_SEQ && id.time().as_millis() >= 0, "{text}");
        let delivery = DeliveryId::new(id, 7);
        assert_eq!((delivery.seq(), delivery.endpoint()), (id.seq(), 7));
    }
    if let Some(id) = one_spelling::<DeliveryId>(text) {
        assert!(id.seq() <= MAX_SEQ && id.time().as_millis() >= 0, "{text}");
        let ulid = &text.to_ascii_uppercase()[4..];
        assert_eq!(id.attempt(3), format!("att_{ulid}_3"));
    }
}

fn one_spelling<T: FromStr + Display + PartialEq + Debug + Copy>(text: &str) -> Option<T>
where
    T::Err: Display,
{
    match text.parse::<T>() {
        Ok(id) => {
            let written = id.to_string();
            assert!(written.eq_ignore_ascii_case(text), "{text:?} is {written}");
            assert_eq!(written.parse().ok(), Some(id));
            Some(id)
        }
        Err(error) => {
            let error = error.to_string();
            // 64 characters of the text, each as an escape at worst.
            assert!(error.len() < 64 * r"\u{10ffff}".len() + 100, "{error:?}");
            None
        }
    }
}

fn time(text: &str) {
    match Timestamp::parse(text) {
        Ok(time) => {
            let written = time.to_string();
            assert_eq!(
                Timestamp::parse(&written),
                Ok(time),
                "{text:?} is {written}"
            );
            let json = serde_json::to_string(&time).unwrap();
            assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
        }
        Err(error) => assert!(text.starts_with(&error.0) && error.0.chars().count() <= 64),
    }
}

fn duration(text: &str) {
    match parse_duration(text) {
        Ok(duration) => {
            assert!(!duration.is_zero() && duration <= duration::MAX, "{text:?}");
            let written = format_duration(duration);
            assert_eq!(
                parse_duration(&written),
                Ok(duration),
                "{text:?} is {written}"
            );
            let bare = text.trim();
            assert!(bare.parse::<f64>().is_err(), "{text:?} has no unit");
        }
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains("; ") && !error.contains('\n'), "{error:?}");
        }
    }
}

fn clock(text: &str) {
    if let Ok(kind) = text.parse::<ClockKind>() {
        if let ClockKind::Scaled(factor) = kind {
            assert!(factor.is_finite() && factor > 0.0, "{text:?}");
        }
        assert_eq!(
            kind.to_string().parse(),
            Ok(kind),
            "{text:?} is written {kind}"
        );
    }
}

/// Told again from the text alone, item by item.
fn script(text: &str) {
    let Ok(script) = text.parse::<Script>() else {
        return;
    };
    let mut index = 0_u64;
    let mut last = None;
    for item in text.split(',').map(str::trim) {
        let (reply, times) = item.split_once(['x', 'X']).unwrap_or((item, "1"));
        let expected = match reply {
            "hang" => Reply::Hang,
            status => Reply::Status(status.parse().unwrap()),
        };
        let times: u64 = times.parse().unwrap();
        assert!(times > 0, "{text:?}");
        if let Reply::Status(status) = expected {
            assert!((200..600).contains(&status), "{text:?}");
        }
        assert_eq!(script.reply(index), expected, "{text:?} at {index}");
        last = Some(expected);
        match index.checked_add(times) {
            Some(next) => index = next,
            None => return,
        }
        assert_eq!(script.reply(index - 1), expected, "{text:?} at {index}");
    }
    assert_eq!(Some(script.reply(u64::MAX)), last, "{text:?} repeats");
}
