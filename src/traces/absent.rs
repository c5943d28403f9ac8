//! Without the feature `otel` there are no traces.

use std::sync::Arc;
use std::time::Duration;

use super::Settings;
use crate::deliver::Observer as ObservesDelivery;
use crate::inbound::observer::{Answered, Observer, Taken};
use crate::store::{Claim, Settlement};
use crate::telemetry::spans::Spans;
use crate::trace::TraceContext;

/// There are none.
#[derive(Debug)]
pub enum Traces {}

impl Traces {
    /// Starts nothing. Whoever asks for traces has been told that they are not built.
    pub fn start(_: Settings, _: u64, _: Arc<Spans>) -> Option<Arc<Self>> {
        None
    }

    /// Never called.
    pub fn is_sampled(&self, _: &TraceContext) -> bool {
        match *self {}
    }

    /// Never called.
    pub async fn stop(&self) {
        match *self {}
    }
}

impl Observer for Traces {
    fn answered(&self, _: Answered) {
        match *self {}
    }

    fn came(&self, _: Vec<Taken>) {
        match *self {}
    }
}

impl ObservesDelivery for Traces {
    fn began(&self, _: &Claim, _: Duration) {
        match *self {}
    }

    fn ended(&self, _: &Claim, _: &Settlement, _: Duration) {
        match *self {}
    }
}
