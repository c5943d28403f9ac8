//! Bringing the registry into line with the configuration, at start and at each reload.
//!
//! | in the file | in the registry | what happens |
//! |---|---|---|
//! | yes | no | added |
//! | yes | active or paused | updated, if it differs; its queue stays |
//! | yes | removed by a 410, same URL | left removed, with a warning (HOT-28 survives a restart) |
//! | no | active, from the file | paused with its queue, with a warning: nothing is lost by an edit |
//! | any | active, its policy gone | the same; it goes on when the policy is back |

mod asking;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::AppError;
use crate::config::{Config, EndpointEntry};
use crate::current::Current;
use crate::deliver::courier::Courier;
use crate::deliver::dispatcher::without_policy;
use crate::endpoint::{Endpoint, EndpointSettings, EndpointState, Origin};
use crate::policy::Policies;
use crate::store::{EndpointCommand, EndpointError, Store};

pub(super) use asking::{check_all, mistake};

/// Why an endpoint that has left the file is paused; the same words let it go on when it is back.
const NOT_IN_FILE: &str = "it is no longer in the configuration";

/// The names of the endpoints that the file states.
pub(super) fn names(entries: &[EndpointEntry]) -> BTreeSet<String> {
    let names = entries.iter().map(|entry| entry.settings.name.clone());
    names.collect()
}

/// Has the registry hold what the configuration says, at a start; gives the names that it states.
pub(super) async fn begin(
    store: &dyn Store,
    config: &Config,
    policies: &Policies,
    courier: &Arc<Courier>,
) -> Result<Arc<Current<BTreeSet<String>>>, AppError> {
    let (entries, max) = (&config.endpoints, config.server.limits.endpoints_max);
    check_all(entries, courier).await?;
    bring_into_line(store, entries, policies, max, courier).await?;
    Ok(Arc::new(Current::new(names(entries))))
}

/// Refuses a file without endpoints that would stop deliveries which are going on: it may be one
/// that is being written, of which there is only the beginning.
pub(super) fn check_not_emptied(
    store: &dyn Store,
    entries: &[EndpointEntry],
    policies: &Policies,
) -> Result<(), AppError> {
    if !entries.is_empty() {
        return Ok(());
    }
    let queues = store.queues().into_iter().map(|queue| queue.endpoint);
    let stopped = queues.filter(|endpoint| pausing(endpoint, policies).is_some());
    let stopped: Vec<String> = stopped
        .map(|endpoint| endpoint.settings.name.clone())
        .collect();
    match stopped.is_empty() {
        true => Ok(()),
        false => Err(AppError::Emptied(stopped)),
    }
}

/// What there was to change.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// How many changes there were.
    pub count: usize,
    /// The endpoints that were paused by them.
    pub paused: Vec<String>,
}

/// See the module's documentation.
///
/// # Errors
/// [`EndpointError::TooMany`] if there would be more than `endpoints_max`: then nothing has changed.
pub(super) async fn bring_into_line(
    store: &dyn Store,
    entries: &[EndpointEntry],
    policies: &Policies,
    endpoints_max: usize,
    courier: &Arc<Courier>,
) -> Result<Changes, AppError> {
    let known: Vec<Arc<Endpoint>> = store
        .endpoints()?
        .into_iter()
        .map(|view| view.endpoint)
        .collect();
    // The latest of each name: those before it were removed.
    let by_name: HashMap<&str, &Endpoint> = known
        .iter()
        .map(|endpoint| (endpoint.settings.name.as_str(), &**endpoint))
        .collect();
    let before = |entry: &EndpointEntry| by_name.get(entry.settings.name.as_str()).copied();
    let is_new = |entry: &&EndpointEntry| is_new(&entry.settings, before(entry));
    let new = entries.iter().filter(is_new).count();
    let present = known.iter().filter(|it| it.state != EndpointState::Removed);
    let present = present.count();
    if new > 0 && present + new > endpoints_max {
        return Err(EndpointError::TooMany(present).into());
    }
    // Asked for in one go: ten thousand endpoints must not wait for as many syncs.
    let (mut asked, mut changed, mut paused) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let commands = bring_in(&entry.settings, before(entry));
        if !commands.is_empty() {
            changed.push(entry.settings.clone());
        }
        for command in commands {
            asked.push(store.endpoint(command)?);
        }
    }
    asking::warn_of_unanswered(courier, changed);
    let in_file: HashSet<&str> = entries.iter().map(|e| e.settings.name.as_str()).collect();
    for endpoint in &known {
        let name = &endpoint.settings.name;
        let in_file = in_file.contains(name.as_str());
        for command in let_go(endpoint, in_file, policies) {
            if matches!(
                command,
                EndpointCommand::SetState(_, EndpointState::Paused, _)
            ) {
                paused.push(name.clone());
            }
            asked.push(store.endpoint(command)?);
        }
    }
    let count = asked.len();
    for ticket in asked {
        if let Ok(done) = ticket.await {
            done?;
        }
    }
    Ok(Changes { count, paused })
}

/// Whether the registry has to have another endpoint for these settings. Pure.
fn is_new(settings: &EndpointSettings, before: Option<&Endpoint>) -> bool {
    match before {
        None => true,
        Some(before) => {
            before.state == EndpointState::Removed && stays_removed(settings, before).is_none()
        }
    }
}

/// Why its receiver had it removed, if it is the same as then. Pure.
fn stays_removed<'e>(settings: &EndpointSettings, before: &'e Endpoint) -> Option<&'e str> {
    let reason = before.state_reason.as_deref();
    reason.filter(|_| before.settings.url == settings.url)
}

/// What makes the registry hold `settings`. Pure.
fn bring_in(settings: &EndpointSettings, before: Option<&Endpoint>) -> Vec<EndpointCommand> {
    let name = &settings.name;
    match before {
        Some(before) if before.state == EndpointState::Removed => {
            if let Some(reason) = stays_removed(settings, before) {
                tracing::warn!(
                    endpoint = name,
                    reason,
                    "stays removed; give it another name or URL to add it again"
                );
                return Vec::new();
            }
            vec![add(settings)]
        }
        Some(before) => {
            let mut commands = Vec::new();
            let mut settings = settings.clone();
            settings.rotation = before.settings.rotation_of(&settings);
            if before.settings != settings {
                let changed = before.settings.differences(&settings).join(", ");
                tracing::info!(
                    endpoint = name,
                    changed,
                    "the endpoint is made what the configuration says"
                );
                let settings = Box::new(settings);
                commands.push(EndpointCommand::Update(before.number, settings));
            }
            // Its policy is there: the file would be refused otherwise.
            commands.extend(goes_on(before).filter(|_| waits_for_the_file(before)));
            commands
        }
        None => vec![add(settings)],
    }
}

fn add(settings: &EndpointSettings) -> EndpointCommand {
    EndpointCommand::Add(Box::new(settings.clone()), EndpointState::Active)
}

/// Whether it is paused by what the file did not have. Pure.
fn waits_for_the_file(endpoint: &Endpoint) -> bool {
    let reason = endpoint.state_reason.as_deref();
    reason.is_some_and(|reason| {
        reason == NOT_IN_FILE || reason == without_policy(&endpoint.settings.policy)
    })
}

/// What makes a paused endpoint go on. Pure.
fn goes_on(endpoint: &Endpoint) -> Option<EndpointCommand> {
    let active = EndpointCommand::SetState(endpoint.number, EndpointState::Active, None);
    (endpoint.state == EndpointState::Paused).then_some(active)
}

/// What the registry's own endpoints need when the file has changed. Pure.
fn let_go(endpoint: &Endpoint, in_file: bool, policies: &Policies) -> Vec<EndpointCommand> {
    let settings = &endpoint.settings;
    if endpoint.state == EndpointState::Removed || in_file {
        return Vec::new();
    }
    if let Some(reason) = pausing(endpoint, policies) {
        tracing::warn!(endpoint = settings.name, reason, "pausing the endpoint");
        let paused = EndpointState::Paused;
        let command = EndpointCommand::SetState(endpoint.number, paused, Some(reason));
        return vec![command];
    }
    let Some(policy) = policies.get(&settings.policy) else {
        return Vec::new();
    };
    let mut commands = Vec::new();
    if policy.order != settings.order || policy.filter_on != settings.filter.on {
        let mut settings = settings.clone();
        settings.order = policy.order;
        settings.filter.on = policy.filter_on;
        let settings = Box::new(settings);
        commands.push(EndpointCommand::Update(endpoint.number, settings));
    }
    if settings.origin != Origin::Config && waits_for_the_file(endpoint) {
        tracing::info!(endpoint = settings.name, "its policy is back: it goes on");
        commands.extend(goes_on(endpoint));
    }
    commands
}

/// Why an active endpoint that is not in the file has to be paused, if it has to. Pure.
fn pausing(endpoint: &Endpoint, policies: &Policies) -> Option<String> {
    let settings = &endpoint.settings;
    if endpoint.state != EndpointState::Active {
        return None;
    }
    match policies.get(&settings.policy) {
        _ if settings.origin == Origin::Config => Some(NOT_IN_FILE.to_owned()),
        None => Some(without_policy(&settings.policy)),
        Some(_) => None,
    }
}
