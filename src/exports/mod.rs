//! Exports: once a day a website's figures as a file, as the vendor's own sample writes them
//! (ZSS-26).
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | waiting for the moment, and what is written |
//! | `file` | a file that is there whole or not at all |

mod file;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use crate::analytics::{Analytics, figures};
use crate::clock::{Daily, SharedClock, Timestamp};
use crate::id::Seq;
use crate::vendor::zenovay::Range;
use crate::vendor::zenovay::bodies::{Country, Summary};

/// What the figures are of.
const RANGE: Range = Range::LastDay;

/// As many countries as the API gives at once.
const COUNTRIES_MAX: usize = 100;

/// How late a file may be. Page views are kept one by one for two days, and its moment looks back
/// on one.
const LATE: Duration = Duration::from_secs(24 * 3600);

/// How long a file that could not be written rests before it is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// One website's daily file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The website's number among all of them.
    pub website: usize,
    /// Its domain, which the file is called by (ZSS-20).
    pub domain: String,
    /// When.
    pub daily: Daily,
    /// Where. It is made when it is not there.
    pub dir: PathBuf,
}

/// The file, in the vendor's order.
#[derive(Serialize)]
struct Content<'a> {
    website: &'a str,
    date: String,
    analytics: Summary,
    countries: Vec<Country>,
}

/// What every export needs.
#[derive(Clone)]
pub struct Exporter {
    /// The figures.
    pub analytics: Arc<Analytics>,
    /// Their time.
    pub clock: SharedClock,
    /// Where the log ends.
    pub tail: watch::Receiver<Seq>,
    /// Turns true when the server begins to stop.
    pub draining: watch::Receiver<bool>,
}

impl Exporter {
    /// Writes the file of each day until the server stops. The last one that was due while no
    /// server ran is made up for; it tells the day as it was at its moment.
    pub async fn run(self, export: Export) {
        let mut draining = self.draining.clone();
        tokio::select! {
            () = self.write_each_day(&export) => {}
            _ = draining.wait_for(|draining| *draining) => {}
        }
    }

    async fn write_each_day(&self, export: &Export) {
        let mut moment = export.daily.last(self.clock.now());
        loop {
            self.clock.sleep_until(moment).await;
            self.read_up_to_now().await;
            let path = export.path(moment);
            if self.clock.now().since(moment) > LATE {
                // The clock has jumped: not each page view of that day is kept any more.
                tracing::warn!(path = %path.display(), "an export is left out: it is more than a day late");
            } else if let Some(content) = self.content(export, moment) {
                self.write(path, content).await;
            }
            moment = export.daily.after(moment);
        }
    }

    /// What came before the moment counts, however long the log takes to be read.
    async fn read_up_to_now(&self) {
        let end = *self.tail.borrow();
        let mut reached = self.analytics.reached();
        // No sender: the reader has gone, and the server with it.
        let _ = reached.wait_for(|reached| *reached >= end).await;
    }

    /// What is in the file of this moment, unless nothing had come by then.
    fn content(&self, export: &Export, moment: Timestamp) -> Option<Vec<u8>> {
        let site = self.analytics.site(export.website);
        site.first_at().filter(|first| *first <= moment)?;
        let content = Content {
            website: &export.domain,
            date: figures::date(moment),
            analytics: site.summary(RANGE, moment),
            countries: site.countries(RANGE, moment, COUNTRIES_MAX),
        };
        // Texts and numbers: nothing in there can fail to be JSON.
        serde_json::to_vec_pretty(&content).ok()
    }

    /// Tries until it is done: what was computed stays, however long the disk takes.
    async fn write(&self, path: PathBuf, content: Vec<u8>) {
        loop {
            let (to, bytes) = (path.clone(), content.clone());
            let writing = tokio::task::spawn_blocking(move || file::write_once(&to, &bytes));
            match writing.await.map_err(std::io::Error::other).flatten() {
                Ok(is_new) => {
                    if is_new {
                        tracing::info!(path = %path.display(), "exported");
                    }
                    return;
                }
                Err(error) => {
                    tracing::error!(path = %path.display(), %error, "an export cannot be written; trying again in a minute");
                    self.clock.sleep(AGAIN).await;
                }
            }
        }
    }
}

impl Export {
    fn path(&self, moment: Timestamp) -> PathBuf {
        let name = format!("{}_{}.json", self.domain, figures::date(moment));
        Path::new(&self.dir).join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::facts::PAGE_VIEW;
    use crate::clock::ManualClock;
    use crate::config::Website;
    use crate::event::{Event, Form, NewEvent};
    use crate::id::EventId;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// The figures of one website, with a page view at each of these times.
    fn analytics(views: &[&str]) -> Analytics {
        let website = Website {
            id: "w".to_owned(),
            tracking_code: "t".to_owned(),
            domain: "example.com".to_owned(),
            name: "n".to_owned(),
            sources: vec!["api".to_owned()],
            api_keys: Vec::new(),
            requests_per_minute: None,
            initial_snapshot: false,
            line: 1,
        };
        let analytics = Analytics::new(&[website], 1000);
        for view in views {
            let event = Event {
                id: EventId::new(at(view), 1, 1),
                seq: 1,
                received_at: at(view),
                content: NewEvent {
                    source: "api".into(),
                    kind: PAGE_VIEW.into(),
                    subject: Some("ann".to_owned()),
                    time: None,
                    content_type: "application/json".into(),
                    form: Form::Data,
                    body: bytes::Bytes::from_static(b"{\"page_url\":\"/\"}"),
                    status: None,
                    idempotency_key: None,
                },
            };
            analytics.take(&event, at(view));
        }
        analytics
    }

    #[tokio::test]
    async fn a_file_that_was_due_while_no_server_ran_tells_the_day_as_it_was_at_its_moment() {
        let dir = tempfile::tempdir().unwrap();
        let views = [
            "2026-02-06T12:00:00Z",
            "2026-02-07T01:00:00Z",
            "2026-02-07T09:00:00Z",
        ];
        let (_tail, tail) = watch::channel(0);
        let (drain, draining) = watch::channel(false);
        let exporter = Exporter {
            analytics: Arc::new(analytics(&views)),
            clock: Arc::new(ManualClock::new(at("2026-02-07T10:00:00Z"))),
            tail,
            draining,
        };
        let running = tokio::spawn(exporter.run(Export {
            website: 0,
            domain: "example.com".to_owned(),
            daily: Daily::TWO,
            dir: dir.path().join("exports"),
        }));
        let path = dir.path().join("exports/example.com_2026-02-07.json");
        while !path.exists() {
            tokio::task::yield_now().await;
        }
        let json = std::fs::read_to_string(path).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["date"], "2026-02-07");
        assert_eq!(json["analytics"]["total_page_views"], 2);
        drain.send(true).unwrap();
        running.await.unwrap();
    }
}
