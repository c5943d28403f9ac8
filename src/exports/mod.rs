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
            match self.write(export, moment).await {
                Ok(()) => moment = export.daily.after(moment),
                Err(error) => {
                    let path = export.path(moment);
                    tracing::error!(path = %path.display(), %error, "an export cannot be written; trying again in a minute");
                    self.clock.sleep(AGAIN).await;
                }
            }
        }
    }

    /// What came before the moment counts, however long the log takes to be read.
    async fn read_up_to_now(&self) {
        let end = *self.tail.borrow();
        let mut reached = self.analytics.reached();
        // No sender: the reader has gone, and the server with it.
        let _ = reached.wait_for(|reached| *reached >= end).await;
    }

    async fn write(&self, export: &Export, moment: Timestamp) -> std::io::Result<()> {
        let path = export.path(moment);
        let content = {
            let site = self.analytics.site(export.website);
            // Before its first event there is nothing to make up for.
            if site.first_at().is_none_or(|first| first > moment) {
                return Ok(());
            }
            Content {
                website: &export.domain,
                date: figures::date(moment),
                analytics: site.summary(RANGE, moment),
                countries: site.countries(RANGE, moment, COUNTRIES_MAX),
            }
        };
        let json = serde_json::to_vec_pretty(&content)?;
        let written = tokio::task::spawn_blocking(move || {
            file::write_once(&path, &json).map(|is_new| (is_new, path))
        });
        let (is_new, path) = written.await.map_err(std::io::Error::other)??;
        if is_new {
            tracing::info!(path = %path.display(), "exported");
        }
        Ok(())
    }
}

impl Export {
    fn path(&self, moment: Timestamp) -> PathBuf {
        let name = format!("{}_{}.json", self.domain, figures::date(moment));
        Path::new(&self.dir).join(name)
    }
}
