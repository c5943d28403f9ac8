//! `redeliver event tail`: follows the log.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::Failure;
use super::super::client::{Call, Client, lenient};
use super::super::moment::{Moment, now};
use super::super::output::{self, text};
use super::super::remote::Remote;
use crate::clock::Timestamp;
use crate::id::Seq;

/// Below what a person notices, and no load for a server.
const PAUSE: Duration = Duration::from_millis(300);

/// What to follow.
#[derive(Debug, clap::Args)]
pub struct Tail {
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,

    /// Begin with events received at this time or later: RFC 3339, or how long ago such as 2h
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,

    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// A part of a list, each event as it was written.
#[derive(Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    next: Option<String>,
}

/// What of an event is needed to go on behind it.
#[derive(Deserialize)]
struct Place {
    seq: Seq,
    received_at: Timestamp,
}

/// Where the log has been read to.
struct Follower<'a> {
    kind: Option<&'a str>,
    since: Timestamp,
    last: Seq,
}

impl Tail {
    pub(super) async fn run(self, remote: &Remote) -> Result<(), Failure> {
        tokio::select! {
            done = self.follow(remote) => done,
            // The normal end.
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    }

    async fn follow(&self, remote: &Remote) -> Result<(), Failure> {
        let mut client = remote.client()?;
        let since = match self.since {
            Some(moment) => moment.resolve(&mut client).await?,
            None => now(&mut client).await?,
        };
        let mut follower = Follower {
            kind: self.kind.as_deref(),
            since,
            last: 0,
        };
        if self.since.is_none() {
            // Those of this very moment were there before; a manual clock may stand still.
            follower.read(&mut client).await?;
        }
        let mut left = self.count.unwrap_or(u64::MAX);
        loop {
            for event in follower.read(&mut client).await? {
                show(&event, remote.json)?;
                left -= 1;
                if left == 0 {
                    return Ok(());
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Follower<'_> {
    /// The events that came since, oldest first, whichever way round the server lists them.
    async fn read(&mut self, client: &mut Client) -> Result<Vec<Box<RawValue>>, Failure> {
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let call = Call::get(["v1", "events"])
                .query("type", self.kind)
                .query("since", Some(self.since))
                .query("cursor", cursor);
            let answer = client.call(call).await?;
            let page: Page = answer.read()?;
            for event in page.data {
                let place: Place = serde_json::from_str(event.get())
                    .map_err(|_| client.not_ours("it lists events without a position"))?;
                if place.seq > self.last {
                    found.push((place, event));
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        found.sort_by_key(|(place, _)| place.seq);
        if let Some((place, _)) = found.last() {
            // Never back: the clock may have been.
            self.since = self.since.max(place.received_at);
            self.last = place.seq;
        }
        Ok(found.into_iter().map(|(_, event)| event).collect())
    }
}

fn show(event: &RawValue, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(event.get());
    }
    let event: Value = lenient::tree(event.get()).unwrap_or_default();
    let cell = |key| text(&event, key);
    let body = if event["data"].is_null() {
        format!("{} bytes", cell("size"))
    } else {
        cell("data").chars().take(200).collect()
    };
    output::line(&format!(
        "{}  {}  {}  {}  {body}",
        cell("received_at"),
        cell("seq"),
        cell("id"),
        cell("type"),
    ))
}
