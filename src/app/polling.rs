//! The pollers of the configuration: their tasks, and what they show.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::config::Source;
use crate::poll::gauge::Gauge;
use crate::poll::{Poller, Tools};

/// Tasks that poll, until the server stops.
pub(super) struct Polling {
    /// One for each source.
    pub gauges: Vec<Arc<Gauge>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Polling {
    /// Starts to poll every source that is polled.
    pub(super) fn start(sources: &[Source], tools: &dyn Fn() -> Tools) -> Self {
        let (mut gauges, mut tasks) = (Vec::new(), Vec::new());
        for source in sources {
            let Some(config) = &source.poller else {
                continue;
            };
            let poller = Poller::new(&source.name, config, tools());
            if let Some(interval) = config.interval {
                warn_if_short(source, &poller, interval);
            }
            gauges.push(poller.gauge());
            tasks.push(tokio::spawn(poller.run()));
        }
        Self { gauges, tasks }
    }

    /// Waits until they have stopped.
    pub(super) async fn stopped(self) {
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

fn warn_if_short(source: &Source, poller: &Poller, interval: Duration) {
    for resource in poller
        .resources()
        .filter(|resource| interval < resource.least())
    {
        tracing::warn!(
            source = source.name,
            line = source.line,
            what = resource.name(),
            interval_s = interval.as_secs_f64(),
            least_s = resource.least().as_secs(),
            "the interval is shorter than Zenovay allows; polling at its least instead"
        );
    }
}
