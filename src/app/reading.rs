//! Zenovay's read side: its projection, its tasks and its routes.

use std::sync::Arc;

use axum::Router;
use rand::RngExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::analytics::{Analytics, follow};
use crate::api::streaming::sse::Streams;
use crate::api::zenovay::{self, ReadSide};
use crate::clock::SharedClock;
use crate::config::{self, Website};
use crate::deliver::agenda::Agenda;
use crate::exports::{Export, Exporter};
use crate::store::Store;

/// The read side's routes.
pub(super) struct Shown {
    /// Those that the admin token guards.
    pub guarded: Router,
    /// Those with keys of their own, or open to all.
    pub open: Router,
}

/// Starts to read the log for these websites, and to export them, until `stopping` turns true. Where
/// there is none, nothing is read, and the routes have a key for nobody.
pub(super) fn start(
    (websites, exports): (Vec<Website>, Vec<config::Export>),
    analytics: Arc<Analytics>,
    store: Arc<dyn Store>,
    clock: SharedClock,
    agenda: Agenda,
    stopping: watch::Receiver<bool>,
    streams: Streams,
) -> (Shown, Option<JoinHandle<()>>) {
    let (tail, is_read) = (store.tail(), !websites.is_empty());
    let exporter = Exporter {
        analytics: analytics.clone(),
        clock: clock.clone(),
        agenda,
        tail: store.tail(),
        draining: stopping.clone(),
    };
    for export in exports
        .into_iter()
        .filter_map(|export| planned(&websites, export))
    {
        tokio::spawn(exporter.clone().run(export));
    }
    let side = ReadSide::new(
        analytics.clone(),
        websites,
        clock.clone(),
        tail,
        stopping.clone(),
        streams,
        rand::rng().random(),
    );
    let reader = is_read.then(|| tokio::spawn(follow::follow(analytics, store, clock, stopping)));
    let side = Arc::new(side);
    let shown = Shown {
        guarded: zenovay::guarded(side.clone()),
        open: zenovay::router(side),
    };
    (shown, reader)
}

fn planned(websites: &[Website], export: config::Export) -> Option<Export> {
    let mut all = websites.iter();
    let website = all.position(|website| website.id == export.website)?;
    Some(Export {
        website,
        domain: websites[website].domain.clone(),
        daily: export.at,
        dir: export.dir,
    })
}
