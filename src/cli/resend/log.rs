//! What a running server took in for a source.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::recorded::Recorded;
use crate::cli::Failure;
use crate::cli::client::Call;
use crate::cli::moment::Moment;
use crate::cli::remote::Remote;

/// As many events as one page has.
const PAGE: u32 = 100;
/// The most requests of one run: they are held in memory.
const EVENTS_MAX: usize = 100_000;

/// Which part of which server's log.
#[derive(Debug, clap::Args)]
pub(super) struct Log {
    /// Of --source: received at this time or later: RFC 3339, or how long ago such as 2h
    #[arg(
        long,
        value_name = "TIME",
        requires = "source",
        conflicts_with = "file"
    )]
    since: Option<Moment>,

    /// Of --source: received before this time: RFC 3339, or how long ago such as 30m
    #[arg(
        long,
        value_name = "TIME",
        requires = "source",
        conflicts_with = "file"
    )]
    until: Option<Moment>,

    #[command(flatten)]
    remote: Remote,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Event<'a>>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    content_type: String,
    received_at: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    body_base64: Option<String>,
}

impl Log {
    /// Whether JSON is printed.
    pub(super) fn is_json(&self) -> bool {
        self.remote.json
    }

    /// The bodies of the source's requests, oldest first. Of their headers the log keeps the
    /// Content-Type alone.
    pub(super) async fn read(&self, source: &str) -> Result<Vec<Recorded>, Failure> {
        let mut client = self.remote.client()?;
        let since = Moment::resolve_some(self.since, &mut client).await?;
        let until = Moment::resolve_some(self.until, &mut client).await?;
        let (mut found, mut cursor): (Vec<Recorded>, Option<String>) = (Vec::new(), None);
        loop {
            let call = Call::get(["v1", "events"])
                .query("source", Some(source))
                .query("order", Some("asc"))
                .query("since", since)
                .query("until", until)
                .query("limit", Some(PAGE))
                .query("cursor", cursor.take());
            let answer = client.call(call).await?;
            let page: Page<'_> = answer.read()?;
            for event in &page.data {
                let recorded = event.recorded();
                found.push(recorded.map_err(|what| client.not_ours(&what))?);
            }
            if found.len() > EVENTS_MAX {
                return Err(Failure::Usage(format!(
                    "source {source} has more than {EVENTS_MAX} events; choose fewer by --since and --until"
                )));
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(found),
            }
        }
    }
}

impl Event<'_> {
    fn recorded(&self) -> Result<Recorded, String> {
        let body = match (&self.data, &self.body_base64) {
            (Some(data), _) => Bytes::copy_from_slice(data.get().as_bytes()),
            (None, Some(base64)) => {
                let bytes = STANDARD.decode(base64);
                bytes
                    .map_err(|_| format!("the body of {} is not base64", self.id))?
                    .into()
            }
            (None, None) => Bytes::new(),
        };
        let headers = [("content-type".to_owned(), self.content_type.clone())];
        Recorded::new("POST", headers, body, Some(&self.received_at))
    }
}
