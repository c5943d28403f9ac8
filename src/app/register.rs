//! Bringing the registry into line with the configuration, at start and at each reload.
//!
//! | in the file | in the registry | what happens |
//! |---|---|---|
//! | yes | no | added |
//! | yes | active or paused | updated, if it differs; its queue stays |
//! | yes | removed by a 410, same URL | left removed, with a warning (HOT-28 survives a restart) |
//! | no | active, from the file | paused with its queue, with a warning: nothing is lost by an edit |

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use url::Url;

use super::AppError;
use crate::config::EndpointEntry;
use crate::deliver::courier::Courier;
use crate::deliver::guard::GuardError;
use crate::endpoint::{Endpoint, EndpointSettings, EndpointState, Origin};
use crate::policy::Policies;
use crate::store::{EndpointCommand, Store};
use crate::vendor::Profile;

/// Why an endpoint that has left the file is paused; the same words let it go on when it is back.
const NOT_IN_FILE: &str = "it is no longer in the configuration";

/// Refuses entries that cannot be used, all of them at once.
pub(super) async fn check_all(
    entries: &[EndpointEntry],
    courier: &Courier,
) -> Result<(), AppError> {
    let mut mistakes = Vec::new();
    for entry in entries {
        if let Err(mistake) = check(&entry.settings, courier).await {
            let name = &entry.settings.name;
            mistakes.push(format!("endpoint {name} (line {}): {mistake}", entry.line));
        }
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(AppError::Endpoints(mistakes))
    }
}

/// The names of the endpoints that the file states.
pub(super) fn names(entries: &[EndpointEntry]) -> BTreeSet<String> {
    let names = entries.iter().map(|entry| entry.settings.name.clone());
    names.collect()
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

/// See the module's documentation. Says how much there was to change.
pub(super) async fn bring_into_line(
    store: &dyn Store,
    entries: &[EndpointEntry],
    policies: &Policies,
    courier: &Arc<Courier>,
) -> Result<usize, AppError> {
    let known: Vec<Arc<Endpoint>> = store
        .endpoints()?
        .into_iter()
        .map(|view| view.endpoint)
        .collect();
    // The latest of each name: those before it were removed.
    let by_name: HashMap<&str, &Arc<Endpoint>> = known
        .iter()
        .map(|endpoint| (endpoint.settings.name.as_str(), endpoint))
        .collect();
    // Asked for in one go: ten thousand endpoints must not wait for as many syncs.
    let mut asked = Vec::new();
    for entry in entries {
        let before = by_name.get(entry.settings.name.as_str());
        for command in bring_in(&entry.settings, before.map(|e| &***e)) {
            asked.push(store.endpoint(command)?);
            warn_if_unanswered(courier, &entry.settings);
        }
    }
    let in_file: HashSet<&str> = entries.iter().map(|e| e.settings.name.as_str()).collect();
    for endpoint in &known {
        let in_file = in_file.contains(endpoint.settings.name.as_str());
        for command in let_go(endpoint, in_file, policies) {
            asked.push(store.endpoint(command)?);
        }
    }
    let changed = asked.len();
    for ticket in asked {
        if let Ok(done) = ticket.await {
            done?;
        }
    }
    Ok(changed)
}

async fn check(settings: &EndpointSettings, courier: &Courier) -> Result<(), String> {
    Profile::of(&settings.policy)
        .check_key(settings)
        .map_err(|error| error.to_string())?;
    let url = Url::parse(&settings.url).map_err(|error| error.to_string())?;
    match courier.check_url(&url).await {
        // A name that does not resolve yet may do so later.
        Ok(()) | Err(GuardError::Unresolvable { .. }) => Ok(()),
        Err(refused) => Err(refused.to_string()),
    }
}

/// What makes the registry hold `settings`. Pure.
fn bring_in(settings: &EndpointSettings, before: Option<&Endpoint>) -> Vec<EndpointCommand> {
    let name = &settings.name;
    match before {
        Some(before) if before.state == EndpointState::Removed => {
            let by_receiver = before.state_reason.as_deref();
            if let Some(reason) = by_receiver.filter(|_| before.settings.url == settings.url) {
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
            let waits = before.state == EndpointState::Paused;
            if waits && before.state_reason.as_deref() == Some(NOT_IN_FILE) {
                let active = EndpointState::Active;
                commands.push(EndpointCommand::SetState(before.number, active, None));
            }
            commands
        }
        None => vec![add(settings)],
    }
}

fn add(settings: &EndpointSettings) -> EndpointCommand {
    EndpointCommand::Add(Box::new(settings.clone()), EndpointState::Active)
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
    match policies.get(&settings.policy) {
        Some(policy)
            if policy.order != settings.order || policy.filter_on != settings.filter.on =>
        {
            let mut settings = settings.clone();
            settings.order = policy.order;
            settings.filter.on = policy.filter_on;
            vec![EndpointCommand::Update(endpoint.number, Box::new(settings))]
        }
        _ => Vec::new(),
    }
}

/// Why an active endpoint that is not in the file has to be paused, if it has to. Pure.
fn pausing(endpoint: &Endpoint, policies: &Policies) -> Option<String> {
    let settings = &endpoint.settings;
    if endpoint.state != EndpointState::Active {
        return None;
    }
    match policies.get(&settings.policy) {
        _ if settings.origin == Origin::Config => Some(NOT_IN_FILE.to_owned()),
        None => Some(format!(
            "its policy {} is not in the configuration",
            settings.policy
        )),
        Some(_) => None,
    }
}

/// The GET on save (ESP-07) must not keep a broker from starting while its receiver is down.
fn warn_if_unanswered(courier: &Arc<Courier>, settings: &EndpointSettings) {
    let (courier, settings) = (courier.clone(), settings.clone());
    tokio::spawn(async move {
        if let Err(error) = courier.check(&settings).await {
            tracing::warn!(endpoint = settings.name, %error, "the check of the endpoint failed");
        }
    });
}
