//! Moments as people name them: a time, or how long ago.

use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::Failure;
use super::client::{Call, Client};
use crate::clock::Timestamp;
use crate::duration::parse_duration;

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At this time.
    At(Timestamp),
    /// So long before now, by the server's clock.
    Ago(Duration),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = Timestamp::parse(text) {
            return Ok(Self::At(at));
        }
        parse_duration(text).map(Self::Ago).map_err(|_| {
            "write a time such as 2026-01-31T09:30:00Z, or how long ago such as 2h".to_owned()
        })
    }
}

impl Moment {
    /// The time. The server's clock counts, because it may be a virtual one.
    pub async fn resolve(self, client: &mut Client) -> Result<Timestamp, Failure> {
        match self {
            Self::At(at) => Ok(at),
            Self::Ago(_) => Ok(self.seen_from(now(client).await?)),
        }
    }

    /// The time, where it is `now`.
    pub fn seen_from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => {
                let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_millis(now.as_millis().saturating_sub(ago))
            }
        }
    }

    /// The time, where a moment is given.
    pub async fn resolve_some(
        moment: Option<Self>,
        client: &mut Client,
    ) -> Result<Option<Timestamp>, Failure> {
        match moment {
            Some(moment) => moment.resolve(client).await.map(Some),
            None => Ok(None),
        }
    }
}

/// What time it is by the server's clock.
pub async fn now(client: &mut Client) -> Result<Timestamp, Failure> {
    let clock = client.call(Call::get(["v1", "clock"])).await?;
    let now = clock.json()?;
    let now = now.get("now").and_then(Value::as_str).unwrap_or_default();
    Timestamp::parse(now).map_err(|_| client.not_ours("its clock shows no time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        assert_eq!("2023-11-14T22:13:20Z".parse(), Ok(Moment::At(at)));
        assert_eq!("2h".parse(), Ok(Moment::Ago(Duration::from_secs(7200))));
        for text in ["yesterday", "2", "-2h", "2023-11-14", ""] {
            let error = text.parse::<Moment>().unwrap_err();
            assert!(error.contains("such as 2h"), "{error}");
        }
    }
}
