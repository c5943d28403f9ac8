//! Bringing the registry into line with the configuration, at start and at each reload.
//!
//! | in the file | in the registry | what happens |
//! |---|---|---|
//! | yes | no | added |
//! | yes | active or paused | updated, if it differs; its queue stays |
//! | yes | removed by a 410, same URL | left removed, with a warning (HOT-28 survives a restart) |
//! | no | active, from the file | paused with its queue, with a warning: nothing is lost by an edit |

use std::collections::{HashMap, HashSet};
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
    let pause = |reason: String| {
        tracing::warn!(endpoint = settings.name, reason, "pausing the endpoint");
        let paused = EndpointState::Paused;
        vec![EndpointCommand::SetState(
            endpoint.number,
            paused,
            Some(reason),
        )]
    };
    let active = endpoint.state == EndpointState::Active;
    match policies.get(&settings.policy) {
        _ if settings.origin == Origin::Config && active => pause(NOT_IN_FILE.to_owned()),
        None if active => pause(format!(
            "its policy {} is not in the configuration",
            settings.policy
        )),
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

/// The GET on save (ESP-07) must not keep a broker from starting while its receiver is down.
fn warn_if_unanswered(courier: &Arc<Courier>, settings: &EndpointSettings) {
    let (courier, settings) = (courier.clone(), settings.clone());
    tokio::spawn(async move {
        if let Err(error) = courier.check(&settings).await {
            tracing::warn!(endpoint = settings.name, %error, "the check of the endpoint failed");
        }
    });
}
