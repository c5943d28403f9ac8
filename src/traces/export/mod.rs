//! From what happened to a collector: spans in batches, by OTLP over HTTP.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | the task: batches, and what becomes of them |
//! | `span` | a fact as spans, by the semantic conventions: pure |
//! | `sampler` | which traces are recorded: pure |
//! | `collector` | the exporter's HTTP client, over the transport of deliver |

mod collector;
mod sampler;
mod span;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::{mpsc, watch};

use self::collector::{Collector, CollectorError};
pub use self::sampler::Sampler;
use super::fact::Fact;
use super::observing::Waiting;
use super::settings::Settings;
use crate::clock::{Clock, RealClock, Sleep};
use crate::telemetry::spans::Spans;
use crate::trace::TraceContext;

/// Repeats of a batch, as far as its time goes: a collector that restarts is back by then.
const REPEATS_MAX: usize = 32;
const REPEAT_AFTER: Duration = Duration::from_millis(200);
const REPEAT_AFTER_MAX: Duration = Duration::from_secs(2);

/// The name of the service where nobody gives one.
const SERVICE: &str = "redeliver";

/// Why nothing can be exported. A header of the collector's is in none of them.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no way to the collector.
    #[error(transparent)]
    Collector(#[from] CollectorError),
    /// The exporter does not like a variable.
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

/// Makes spans and sends them.
pub struct Export {
    exporter: SpanExporter,
    collector: Arc<Collector>,
    sampler: Sampler,
    spans: Arc<Spans>,
    batch_max: usize,
    delay: Duration,
    /// As many as had found no room when that was last told.
    overflowed: u64,
}

impl Export {
    /// To the collector of `settings`.
    ///
    /// # Errors
    /// If there is no way to it, or the exporter does not like a variable.
    pub fn new(
        settings: &Settings,
        sampler: Sampler,
        spans: Arc<Spans>,
    ) -> Result<Self, ExportError> {
        let collector = Arc::new(Collector::new(settings)?);
        let repeats = RetryPolicy::default()
            .with_max_retries(REPEATS_MAX)
            .with_initial_delay(REPEAT_AFTER)
            .with_max_delay(REPEAT_AFTER_MAX);
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_shared_http_client(collector.clone())
            .with_retry_policy(repeats)
            .with_endpoint(settings.endpoint.as_str())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(settings.timeout)
            .build()?;
        exporter.set_resource(&resource());
        Ok(Self {
            exporter,
            collector,
            sampler,
            spans,
            batch_max: settings.batch_max,
            delay: settings.delay,
            overflowed: 0,
        })
    }

    fn spans_of(&self, fact: &Fact, context: TraceContext) -> impl Iterator<Item = SpanData> {
        let spans = span::of(fact, context).into_iter();
        spans.filter(|span| {
            let trace = span.span_context.trace_id();
            self.sampler.takes(u128::from_be_bytes(trace.to_bytes()))
        })
    }

    /// Sends all of `batch`, which is empty then; a list of events may be more than one.
    async fn send_all(&mut self, batch: &mut Vec<SpanData>) {
        while !batch.is_empty() {
            let rest = batch.split_off(batch.len().min(self.batch_max));
            self.send(std::mem::replace(batch, rest)).await;
        }
    }

    async fn send(&mut self, batch: Vec<SpanData>) {
        let count = batch.len() as u64;
        let is_failing = match self.exporter.export(batch).await {
            Ok(()) => {
                let rejected = self.collector.take_rejected().min(count);
                self.spans.refuse(rejected);
                self.spans.export(count - rejected);
                rejected > 0
            }
            Err(_) => {
                self.spans.refuse(count);
                true
            }
        };
        let is_news = self.spans.fail(is_failing);
        match (is_news, is_failing) {
            (true, true) => tracing::warn!(
                cause = self.collector.trouble(),
                "the collector does not take spans, which are dropped; everything else goes on"
            ),
            (true, false) => tracing::info!("the collector takes spans again"),
            (false, _) => {}
        }
        let overflowed = self.spans.counts().overflowed;
        if overflowed > 0 && self.overflowed == 0 {
            tracing::warn!(
                "more spans than can be sent: some are dropped; see redeliver_trace_spans_dropped_total, \
                 and raise OTEL_BSP_MAX_QUEUE_SIZE or sample"
            );
        }
        self.overflowed = overflowed;
    }
}

/// What every span is told to be of: the variables' word counts more than ours.
fn resource() -> Resource {
    let given = Resource::builder().build();
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let name = KeyValue::new("service.name", SERVICE);
    let is_named = |name: &KeyValue| {
        let given = given.get(&name.key);
        given.is_some_and(|given| !given.as_str().starts_with("unknown_service"))
    };
    let ours = [version, name].into_iter().filter(|it| !is_named(it));
    Resource::builder().with_attributes(ours).build()
}

/// Sends what comes until `stopping` turns true, and then what is left.
pub async fn run(
    mut export: Export,
    mut facts: mpsc::Receiver<Waiting>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut batch = Vec::new();
    let mut full_by: Option<Sleep> = None;
    loop {
        let due = async {
            match &mut full_by {
                Some(due) => due.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = due => {}
            fact = facts.recv() => match fact {
                Some(waiting) => {
                    batch.extend(export.spans_of(&waiting.fact, waiting.context));
                    if full_by.is_none() && !batch.is_empty() {
                        full_by = Some(RealClock.sleep(export.delay));
                    }
                    if batch.len() < export.batch_max {
                        continue;
                    }
                }
                None => break,
            },
            // Behind it what waits is given out, and then nothing.
            _ = stopping.wait_for(|stop| *stop), if !facts.is_closed() => {
                facts.close();
                continue;
            }
        }
        full_by = None;
        export.send_all(&mut batch).await;
    }
    export.send_all(&mut batch).await;
}
