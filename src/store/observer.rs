//! Who is told what the store does.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::backend::Backend;
use super::log::Log;
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

/// Is told what the store does, on the store's own thread: it must neither wait nor panic.
pub trait Observer: Send + Sync + 'static {
    /// A group has been written.
    fn written(&self, group: Written<'_>);
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
}

impl<B: Backend> Log<B> {
    /// From now on `observer` is told what the store does.
    pub fn observe_by(&self, observer: Arc<dyn Observer>) {
        // The first one stays.
        let _ = self.observed.0.set(observer);
    }
}
