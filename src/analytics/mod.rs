//! Zenovay's read side: figures of each `[[website]]`, computed from the log.
//!
//! What feeds them is every event of a website's sources: its type `page_view` is one page view,
//! its type `error` one error, and any other only shows that its visitor is there. Nothing of it is
//! on disk: it is read from the log again at each start. `docs/analytics.md` says which figure is
//! how exact.
//!
//! | file | what is in it |
//! |---|---|
//! | [`facts`] | what an event says: when, who, what |
//! | `hash`, [`mod@uuid`] | visitors' names, which nobody sees again |
//! | `names`, [`view`], `visits` | texts, page views and visits, as compact as they are kept |
//! | `presence` | who is live, and where a visit ends |
//! | `distinct`, `counts`, `by_name`, `failures` | visitors, page views and errors, counted |
//! | [`site`] | the fold: pure |
//! | [`figures`], `settled` | what is asked, and until when the answer stays: pure |
//! | [`follow`] | reads the log, and goes on reading |

mod by_name;
mod counts;
mod distinct;
pub mod facts;
mod failures;
pub mod figures;
pub mod follow;
mod hash;
mod names;
mod presence;
mod settled;
pub mod site;
pub mod uuid;
pub mod view;
mod visits;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::config::Website;
use crate::event::Event;
use crate::id::Seq;
use facts::Facts;
use site::Site;

/// The state of every website, in the configuration's order.
#[derive(Debug)]
pub struct Analytics {
    sites: Vec<RwLock<Site>>,
    /// Which websites a source's events count for.
    by_source: HashMap<String, Vec<usize>>,
    reached: watch::Sender<Seq>,
}

impl Analytics {
    /// Of these websites, nothing read yet; each keeps up to `views_max` page views.
    pub fn new(websites: &[Website], views_max: usize) -> Self {
        let mut by_source: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, website) in websites.iter().enumerate() {
            for source in &website.sources {
                let numbers = by_source.entry(source.clone()).or_default();
                // A source that is named twice does not count twice.
                if numbers.last() != Some(&number) {
                    numbers.push(number);
                }
            }
        }
        let sites = websites.iter();
        Self {
            sites: sites
                .map(|website| RwLock::new(Site::new(&website.id, views_max)))
                .collect(),
            by_source,
            reached: watch::channel(0).0,
        }
    }

    /// Takes in an event, each once and in the log's order.
    pub fn take(&self, event: &Event, now: Timestamp) {
        // Most logs have many events of no website: those cost one look.
        for number in self
            .by_source
            .get(&*event.content.source)
            .into_iter()
            .flatten()
        {
            let facts = Facts::of(event);
            let mut site = self.sites[*number]
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            site.fold(facts, now);
        }
    }

    /// The website with this number, to be asked.
    pub fn site(&self, number: usize) -> RwLockReadGuard<'_, Site> {
        // A fold that panicked has at worst left out one event.
        self.sites[number]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that everything up to `seq` was taken in.
    pub fn reach(&self, seq: Seq) {
        self.reached.send_replace(seq);
    }

    /// Up to where the log was taken in, as it grows.
    pub fn reached(&self) -> watch::Receiver<Seq> {
        self.reached.subscribe()
    }
}
