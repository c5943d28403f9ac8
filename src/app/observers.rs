//! Who is told of what happens in the store and at receivers: everybody who wants to know.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::SharedClock;
use crate::config;
use crate::deliver::Observer as ObservesDelivery;
use crate::deliver::agenda::Agenda;
use crate::deliver::outcomes::Outcomes;
use crate::operations::Operations;
use crate::operations::run::{self, Parts};
use crate::store::{self, Claim, GaveUp, Settlement, Written};
use crate::telemetry::Telemetry;
use crate::traces::Traces;

/// Tells each of them.
pub(super) struct Observers {
    telemetry: Arc<Telemetry>,
    /// If operational events are told.
    operations: Option<Arc<Operations>>,
    /// If traces are exported.
    traces: Option<Arc<Traces>>,
    /// Those who watch deliveries, once there are any.
    outcomes: OnceLock<Outcomes>,
}

impl Observers {
    /// With operational events, if there is a `config` for them: from now on the `agenda` waits for
    /// what they are to tell.
    pub fn new(
        telemetry: Arc<Telemetry>,
        traces: Option<Arc<Traces>>,
        config: Option<config::Operations>,
        agenda: &Agenda,
        clock: &SharedClock,
    ) -> Self {
        let operations = config.map(|config| {
            let slot = agenda.join(clock.now());
            Arc::new(Operations::new(config, slot, clock.clone()))
        });
        Self {
            telemetry,
            operations,
            traces,
            outcomes: OnceLock::new(),
        }
    }

    /// From now on those who watch `outcomes` hear of what ends without an attempt, too.
    pub fn tell_watchers(&self, outcomes: &Outcomes) {
        // There is one dispatcher.
        let _ = self.outcomes.set(outcomes.clone());
    }

    /// Starts to tell operational events, if they are to be told.
    pub fn tell(&self, parts: Parts) -> Option<JoinHandle<()>> {
        let operations = self.operations.clone()?;
        Some(tokio::spawn(run::run(operations, parts)))
    }
}

impl store::Observer for Observers {
    fn written(&self, group: Written<'_>) {
        self.telemetry.written(group);
        if let Some(operations) = &self.operations {
            operations.written(group);
        }
    }

    fn gave_up(&self, given_up: GaveUp<'_>) {
        self.telemetry.gave_up(given_up);
        if let Some(outcomes) = self.outcomes.get() {
            outcomes.miss();
        }
        if let Some(operations) = &self.operations {
            operations.gave_up(given_up);
        }
    }

    fn buried(&self) {
        if let Some(operations) = &self.operations {
            operations.buried();
        }
    }
}

impl ObservesDelivery for Observers {
    fn began(&self, claim: &Claim, waited: Duration) {
        self.telemetry.began(claim, waited);
    }

    fn ended(&self, claim: &Claim, settlement: &Settlement, took: Duration) {
        self.telemetry.ended(claim, settlement, took);
        if let Some(traces) = &self.traces {
            traces.ended(claim, settlement, took);
        }
        if let Some(operations) = &self.operations {
            operations.ended(claim, settlement, took);
        }
    }

    fn settled(&self, claim: &Claim) {
        if let Some(operations) = &self.operations {
            operations.settled(claim);
        }
    }
}
