//! The script of answers: `500x3,410,hang`. Pure.

use std::str::FromStr;

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This HTTP status.
    Status(u16),
    /// None, ever.
    Hang,
}

/// Answers in order; the last one is repeated for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script(Vec<(Reply, u64)>);

/// A text that is no script.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{item}` is no answer: {problem}; write for example 500x3,410 or 200 or hang")]
pub struct InvalidScript {
    item: String,
    problem: &'static str,
}

impl Script {
    /// The answer to the request numbered `index`, from 0.
    pub fn reply(&self, index: u64) -> Reply {
        let mut left = index;
        for &(reply, times) in &self.0 {
            if left < times {
                return reply;
            }
            left -= times;
        }
        // Parsing makes sure of at least one.
        self.0
            .last()
            .map_or(Reply::Status(200), |(reply, _)| *reply)
    }
}

impl FromStr for Script {
    type Err = InvalidScript;

    fn from_str(text: &str) -> Result<Self, InvalidScript> {
        text.split(',')
            .map(|item| parse(item.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn parse(item: &str) -> Result<(Reply, u64), InvalidScript> {
    let invalid = |problem| InvalidScript {
        item: item.chars().take(64).collect(),
        problem,
    };
    let (reply, times) = match item.split_once(['x', 'X']) {
        Some((reply, times)) => {
            let times = times.parse().ok().filter(|times| *times > 0);
            (
                reply,
                times.ok_or_else(|| invalid("after x stands how often, 1 or more"))?,
            )
        }
        None => (item, 1),
    };
    if reply == "hang" {
        return Ok((Reply::Hang, times));
    }
    // 1xx is no final answer: hyper could not send it as one.
    reply
        .parse()
        .ok()
        .filter(|status| (200..=599).contains(status))
        .map(|status| (Reply::Status(status), times))
        .ok_or_else(|| invalid("a status is a number from 200 to 599"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replies(text: &str, count: u64) -> Vec<Reply> {
        let script: Script = text.parse().unwrap();
        (0..count).map(|index| script.reply(index)).collect()
    }

    #[test]
    fn answers_come_in_order_and_the_last_repeats_for_ever() {
        use Reply::{Hang, Status};
        assert_eq!(
            replies("500x3,410", 6),
            [500, 500, 500, 410, 410, 410].map(Status)
        );
        assert_eq!(replies("200", 2), [Status(200), Status(200)]);
        assert_eq!(
            replies(" hangx2 , 204x1 ", 4),
            [Hang, Hang, Status(204), Status(204)]
        );
        assert_eq!(replies("503x2", 5), [Status(503); 5]);
        let script: Script = format!("500x{0},410x{0},200", u64::MAX).parse().unwrap();
        assert_eq!(script.reply(u64::MAX), Status(410));
    }

    #[test]
    fn what_is_no_answer_is_refused_with_an_example() {
        for text in [
            "", "200,", "20", "100", "600", "500x", "500x0", "500x-1", "ok", "x3", "2 00",
        ] {
            let error = text.parse::<Script>().unwrap_err();
            assert!(error.to_string().contains("500x3,410"), "{text}: {error}");
        }
    }
}
