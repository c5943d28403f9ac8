//! The configuration read again while the broker runs: endpoints, policies, alerts and tokens follow
//! it, everything else waits for the next start.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::alerting::Alerting;
use super::locks::Locks;
use super::{AppError, register};
use crate::alerts::Alerts;
use crate::config::{Config, Fixed};
use crate::current::Current;
use crate::deliver::courier::Courier;
use crate::policy::{Policies, Policy};
use crate::store::Store;
use crate::vendor;

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Endpoints that were added, changed, paused or taken back.
    pub endpoints_changed: usize,
    /// Those that were paused, because they, or their policies, are not in the file any more.
    pub endpoints_paused: Vec<String>,
    /// Doors, of administrators and of sources, that have other tokens now.
    pub tokens_changed: usize,
    /// Tables that differ from what the broker was started with, and wait for the next start.
    pub wait_for_a_start: Vec<&'static str>,
}

/// The parts that follow the configuration.
pub(super) struct Reloading {
    pub fixed: Fixed,
    /// The names of the endpoints that the file states.
    pub in_file: Arc<Current<BTreeSet<String>>>,
    pub store: Arc<dyn Store>,
    pub courier: Arc<Courier>,
    pub policies: Arc<Current<Policies>>,
    pub alerting: Alerting,
    pub locks: Locks,
    /// Visits that an alert remembers.
    pub views_max: usize,
    /// Held by a reload, so that the later one wins.
    pub turn: Mutex<()>,
}

/// The built-in policies, and `own`.
pub(super) fn policies(own: &[Policy]) -> Policies {
    with(vendor::builtin_policies(), own)
}

fn with(mut all: Policies, more: &[Policy]) -> Policies {
    for policy in more {
        all.insert(policy.clone());
    }
    all
}

impl Reloading {
    /// Brings the broker into line with `config`. Attempts under way end under the rules that they
    /// began with, and what waits stays in its queue.
    ///
    /// # Errors
    /// [`AppError::Endpoints`] if an endpoint cannot be used, [`AppError::Emptied`] if there is none
    /// any more, [`EndpointError::TooMany`](crate::store::EndpointError) if there are too many: then
    /// nothing has changed. Others if the registry cannot be written.
    pub async fn reload(&self, config: Config) -> Result<Reloaded, AppError> {
        let _turn = self.turn.lock().await;
        let fixed = Fixed::of(&config);
        let after = policies(&config.policies);
        register::check_all(&config.endpoints, &self.courier).await?;
        register::check_not_emptied(&*self.store, &config.endpoints, &after)?;
        let before = self.policies.get();
        // Both, until no endpoint names one that is gone: it would be paused.
        self.policies.replace(with((*before).clone(), &after.all()));
        let (entries, max) = (&config.endpoints, self.fixed.limits().endpoints_max);
        let registered =
            register::bring_into_line(&*self.store, entries, &after, max, &self.courier);
        let changes = match registered.await {
            Ok(changes) => changes,
            Err(error) => {
                // As they were, and those that an endpoint may have been given before it failed.
                self.policies.replace(with(after, &before.all()));
                return Err(error);
            }
        };
        self.policies.replace(after);
        let tokens_changed = self.locks.follow(&config);
        self.in_file.replace(register::names(&config.endpoints));
        let websites = &self.fixed.websites;
        let (alerts, waiting): (Vec<_>, Vec<_>) = config
            .alerts
            .into_iter()
            .partition(|alert| websites.iter().any(|site| site.id == alert.website));
        for alert in waiting {
            tracing::warn!(
                alert = alert.name,
                website = alert.website,
                "the alert's website is new: it waits for the next start"
            );
        }
        let alerts = Alerts::new(alerts, websites, self.views_max);
        self.alerting.replace(alerts).await;
        Ok(Reloaded {
            endpoints_changed: changes.count,
            endpoints_paused: changes.paused,
            tokens_changed,
            wait_for_a_start: self.fixed.differences(&fixed),
        })
    }
}
