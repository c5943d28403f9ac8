//! Who is told what the store does.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::backend::Backend;
use super::log::Log;
use crate::delivery::GivenUp;
use crate::endpoint::Endpoint;
use crate::event::Event;

/// A group that has been written.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// Its events, which can be read and claimed from now on.
    pub events: &'a [Arc<Event>],
    /// The sources of further events, which were there already.
    pub duplicates: &'a [Arc<str>],
    /// How many ids are remembered behind it.
    pub remembered: usize,
    /// Ends of attempts and changes of endpoints in it.
    pub transitions: usize,
    /// Whether a change of an endpoint is among these.
    pub endpoints_changed: bool,
    /// Whether it survives a power cut, or only the death of the process.
    pub synced: bool,
    /// How long the disk took, in the machine's own time.
    pub took: Duration,
}

/// Deliveries of one endpoint that became dead letters without another attempt.
#[derive(Clone, Copy, Debug)]
pub struct GaveUp<'a> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// How many.
    pub count: u64,
    /// How many of them are of operational events.
    pub operational: u64,
    /// Why.
    pub why: GivenUp,
    /// The same in words.
    pub words: &'a str,
    /// The newest of them, and how many attempts it had; none if all are of operational events,
    /// or cannot be read.
    pub last: Option<(&'a Event, u32)>,
}

/// Is told what the store does, on the store's own thread: it must neither wait nor panic.
pub trait Observer: Send + Sync + 'static {
    /// A group has been written.
    fn written(&self, group: Written<'_>);

    /// Deliveries were given up without an attempt, which the store shows from now on.
    fn gave_up(&self, _: GaveUp<'_>) {}

    /// Dead letters have expired with their events: endpoints count fewer from now on.
    fn buried(&self) {}
}

/// Who is told, if anybody is.
#[derive(Default)]
pub(super) struct Observed(OnceLock<Arc<dyn Observer>>);

impl Observed {
    pub(super) fn tell(&self, group: Written<'_>) {
        if let Some(observer) = self.0.get() {
            observer.written(group);
        }
    }

    pub(super) fn tell_given_up(&self, given_up: GaveUp<'_>) {
        if let Some(observer) = self.0.get() {
            observer.gave_up(given_up);
        }
    }

    pub(super) fn tell_buried(&self) {
        if let Some(observer) = self.0.get() {
            observer.buried();
        }
    }
}

impl<B: Backend> Log<B> {
    /// From now on `observer` is told what the store does.
    pub fn observe_by(&self, observer: Arc<dyn Observer>) {
        // The first one stays.
        let _ = self.observed.0.set(observer);
    }
}
