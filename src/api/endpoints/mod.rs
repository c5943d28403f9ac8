//! `/v1/endpoints`: making, changing and removing endpoints.

pub mod actions;
mod in_file;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{HeaderValue, LOCATION};
use url::Url;

use super::answer::objects;
use super::request::input::{self, Alone, Named};
use super::request::page::{CURSOR, LIMIT, Listed, Part};
use super::request::params::Params;
use super::{Admin, Shared};
use crate::deliver::guard::GuardError;
use crate::deliver::transport::check_ca;
use crate::endpoint::draft::{apply, build};
use crate::endpoint::{
    Check, Endpoint, EndpointDraft, EndpointSettings, EndpointState, FieldError,
};
use crate::inbound::problem::Problem;
use crate::store::{EndpointCommand, EndpointError, EndpointView};
use crate::vendor::{KeyError, Profile};

const LIST: u8 = b'p';

/// So that the deadline by the broker's clock, which knows more, comes first where it runs.
const PATIENCE_MARGIN: Duration = Duration::from_millis(500);

/// Says that an attempt came to nothing within `patience`.
pub(super) fn no_answer(what: &str, patience: Duration) -> String {
    format!(
        "the receiver did not answer {what} within {} s",
        patience.as_secs_f64()
    )
}

/// `GET /v1/endpoints`: in the order of their making.
pub(super) async fn list(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Listed<objects::Endpoint>>, Problem> {
    let states = [
        ("active", Some(EndpointState::Active)),
        ("paused", Some(EndpointState::Paused)),
        ("removed", Some(EndpointState::Removed)),
        ("all", None),
    ];
    let mut params = Params::read(query.as_deref(), &["state", "policy", LIMIT, CURSOR]);
    let part = Part::read(&mut params, LIST);
    let state = params.choice("state", &states);
    let after = part.after.map(|(_, number)| number);
    let policy = admin.filtered_policy(&mut params);
    params.check()?;
    let selects = |view: &EndpointView| {
        let (is, settings) = (view.endpoint.state, &view.endpoint.settings);
        let in_state = match state {
            None => is != EndpointState::Removed,
            Some(state) => state.is_none_or(|state| is == state),
        };
        in_state
            && policy
                .as_ref()
                .is_none_or(|policy| *policy == settings.policy)
    };
    let views = admin.ask(|store| store.endpoints()).await?;
    let mut behind = views
        .iter()
        .filter(|view| after.is_none_or(|after| view.endpoint.number > after) && selects(view))
        .peekable();
    let (mut data, mut last) = (Vec::new(), 0);
    for view in behind.by_ref().take(part.limit) {
        data.push(objects::Endpoint::of(view, &admin.policies.get()));
        last = view.endpoint.number;
    }
    Ok(Json(Listed {
        data,
        next: behind.peek().map(|_| part.next((0, last))),
    }))
}

/// `POST /v1/endpoints`.
pub(super) async fn create(
    State(admin): State<Shared>,
    request: Request,
) -> Result<Response, Problem> {
    let members = input::members(&admin.bodies, request).await?;
    let policies = admin.policies.get();
    let settings = EndpointDraft::checked(&members, |draft| build(draft, &policies));
    let settings = settings.map_err(Problem::invalid)?;
    admin.check_name_is_free(&settings.name, None)?;
    admin.check_settings(&settings, true).await?;
    let command = EndpointCommand::Add(Box::new(settings), EndpointState::Active);
    let endpoint = admin.command(command).await?;
    let location = format!("/v1/endpoints/{}", endpoint.id);
    let object = admin.shown(&endpoint).await?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], object).into_response())
}

/// `GET /v1/endpoints/{id or name}`.
pub(super) async fn show(
    State(admin): State<Shared>,
    Alone(wanted): Alone,
) -> Result<Json<objects::Endpoint>, Problem> {
    let endpoint = admin.endpoint(&wanted)?;
    admin.shown(&endpoint).await
}

/// `PATCH /v1/endpoints/{id or name}`: what is given changes; null goes back to the default.
pub(super) async fn change(
    State(admin): State<Shared>,
    Named(wanted): Named,
    request: Request,
) -> Result<Json<objects::Endpoint>, Problem> {
    let members = input::members(&admin.bodies, request).await?;
    let before = admin.present_endpoint(&wanted)?;
    let policies = admin.policies.get();
    let settings =
        EndpointDraft::checked(&members, |draft| apply(draft, &before.settings, &policies));
    let settings = settings.map_err(Problem::invalid)?;
    let after = admin.update(&before, settings).await?;
    admin.shown(&after).await
}

/// `DELETE /v1/endpoints/{id or name}`: gone for good; its history stays.
pub(super) async fn remove(
    State(admin): State<Shared>,
    Alone(wanted): Alone,
) -> Result<StatusCode, Problem> {
    let endpoint = admin.endpoint(&wanted)?;
    if endpoint.state != EndpointState::Removed {
        admin.check_may_remove(&endpoint)?;
        let removed = EndpointState::Removed;
        admin
            .command(EndpointCommand::SetState(endpoint.number, removed, None))
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

impl Admin {
    /// The endpoint with this name or id; a removed one by its id only.
    pub(super) fn endpoint(&self, wanted: &str) -> Result<Arc<Endpoint>, Problem> {
        self.store
            .find_endpoint(wanted)
            .ok_or_else(|| self.unknown_endpoint(wanted))
    }

    /// As [`endpoint`](Self::endpoint); a removed one is 409.
    pub(super) fn present_endpoint(&self, wanted: &str) -> Result<Arc<Endpoint>, Problem> {
        let endpoint = self.endpoint(wanted)?;
        if endpoint.state == EndpointState::Removed {
            return Err(EndpointError::Removed(endpoint.settings.name.clone()).into());
        }
        Ok(endpoint)
    }

    /// The endpoint as it is answered.
    pub(super) async fn shown(
        &self,
        endpoint: &Endpoint,
    ) -> Result<Json<objects::Endpoint>, Problem> {
        let number = endpoint.number;
        let view = self.ask(move |store| store.endpoint_view(number)).await?;
        view.map(|view| Json(objects::Endpoint::of(&view, &self.policies.get())))
            .ok_or_else(|| Problem::internal("the endpoint is not in the registry"))
    }

    /// Changes the registry, and waits until that is on disk.
    pub(super) async fn command(&self, command: EndpointCommand) -> Result<Arc<Endpoint>, Problem> {
        let ticket = self.store.endpoint(command)?;
        let answer = ticket
            .await
            .map_err(|_| Problem::unavailable("the server is shutting down"))?;
        Ok(answer?)
    }

    /// Replaces the settings of the endpoint that was `before`.
    pub(super) async fn update(
        &self,
        before: &Endpoint,
        settings: EndpointSettings,
    ) -> Result<Arc<Endpoint>, Problem> {
        self.check_may_change(before, &settings)?;
        let old = &before.settings;
        self.check_name_is_free(&settings.name, Some(before.number))?;
        let elsewhere = old.url != settings.url
            || old.basic_auth != settings.basic_auth
            || old.policy != settings.policy;
        self.check_settings(&settings, elsewhere).await?;
        // The checks take their time, and somebody else may have been faster.
        let now = self.present_endpoint(&before.id.to_string())?;
        if now.revision != before.revision {
            return Err(Problem::conflict(
                "the endpoint was changed by somebody else meanwhile; look at it and try again",
            ));
        }
        let command = EndpointCommand::Update(before.number, Box::new(settings));
        self.command(command).await
    }

    /// How long a request waits, on the machine's own clock, for an attempt made on its behalf:
    /// the attempt's own deadline is by the broker's clock, which may stand still.
    pub(super) fn patience(&self, settings: &EndpointSettings) -> Duration {
        self.courier.timeout(settings) + PATIENCE_MARGIN
    }

    fn check_name_is_free(&self, name: &str, own: Option<u32>) -> Result<(), Problem> {
        match self.store.find_endpoint(name) {
            Some(other) if Some(other.number) != own => {
                let taken = Problem::from(EndpointError::NameTaken(name.to_owned()));
                // Whoever has not had the answer to its first request finds there what it made.
                let location = HeaderValue::try_from(format!("/v1/endpoints/{}", other.id));
                Err(match location {
                    Ok(location) => taken.with_header(LOCATION, location),
                    Err(_) => taken,
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether attempts can be made with `settings`; with `reach`, whether the address may be sent
    /// to, and whether it passes the GET on save (ESP-07).
    async fn check_settings(
        &self,
        settings: &EndpointSettings,
        reach: bool,
    ) -> Result<(), Problem> {
        let mut errors = Vec::new();
        let mut add = |at: &str, detail: String| {
            errors.push(FieldError {
                at: at.to_owned(),
                detail,
            });
        };
        if let Err(error) = Profile::of(&settings.policy).check_key(settings) {
            let at = match error {
                KeyError::SignatureEncoding => "/signature_encoding",
                KeyError::ColonInUser => "/basic_auth/user",
                _ => "/signing_key",
            };
            add(at, error.to_string());
        }
        if let Some(Err(error)) = settings.ca_pem.as_deref().map(check_ca) {
            add("/ca_pem", error.to_string());
        }
        if reach {
            let url = Url::parse(&settings.url);
            match url {
                Ok(url) => match self.courier.check_url(&url).await {
                    // It may resolve later; every connect asks again.
                    Ok(()) | Err(GuardError::Unresolvable { .. }) => {}
                    Err(error) => add("/url", error.to_string()),
                },
                Err(error) => add("/url", error.to_string()),
            }
        }
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        if reach && settings.check != Check::Off {
            let patience = self.patience(settings);
            match tokio::time::timeout(patience, self.courier.check(settings)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(Problem::field("/url", error.to_string())),
                Err(_) => return Err(Problem::field("/url", no_answer("the GET", patience))),
            }
        }
        Ok(())
    }
}
