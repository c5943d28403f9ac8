//! Traces, where somebody asked for them: who tells them, and whom they are told.

use std::sync::Arc;

use rand::RngExt;

use crate::config::Otel;
use crate::deliver::propagation::Propagation;
use crate::inbound;
use crate::telemetry::spans::Spans;
use crate::traces::{Settings, Traces};

/// The traces of one broker, if it exports any.
#[derive(Clone)]
pub(super) struct Tracer(Option<Arc<Traces>>);

impl Tracer {
    /// As `settings` say.
    pub fn start(settings: Option<Settings>, spans: &Arc<Spans>) -> Self {
        let start = |settings| Traces::start(settings, rand::rng().random(), spans.clone());
        Self(settings.and_then(start))
    }

    /// What tells receivers, if any is to be told: a trace that is recorded nowhere is told nobody.
    pub fn propagation(&self, config: Otel) -> Option<Propagation> {
        if config.traceparent.is_empty() {
            return None;
        }
        let Some(traces) = self.0.clone() else {
            tracing::warn!("[otel] traceparent is not sent, as no traces are exported");
            return None;
        };
        let sampled = Box::new(move |context: &_| traces.is_sampled(context));
        Some(Propagation::new(config.traceparent, sampled))
    }

    /// Who wants to know of attempts.
    pub fn traces(&self) -> Option<Arc<Traces>> {
        self.0.clone()
    }

    /// Who wants to know of events that come in.
    pub fn observer(&self) -> Option<Arc<dyn inbound::observer::Observer>> {
        let traces = self.0.clone()?;
        Some(traces)
    }

    /// Sends what waits, as long as that may take.
    pub async fn stop(&self) {
        if let Some(traces) = &self.0 {
            traces.stop().await;
        }
    }
}
