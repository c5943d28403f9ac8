//! What an endpoint can be told to do.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::no_answer;
use crate::api::answer::objects;
use crate::api::request::input::{self, Named, Reader};
use crate::api::{Admin, Shared};
use crate::delivery::Attempt;
use crate::duration::parse_duration;
use crate::endpoint::draft::apply;
use crate::endpoint::{
    EndpointDraft, EndpointSettings, EndpointState, Field, PreviousKey, Rotation,
};
use crate::inbound::problem::Problem;
use crate::secret::Secret;
use crate::store::{EndpointCommand, ReplayRequest};
use crate::tasks;
use crate::vendor::Profile;

/// A key that was replaced because somebody had seen it should not count for ever.
const OVERLAP_MAX: Duration = Duration::from_secs(90 * 24 * 3600);

/// How a test message fared.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct Tested {
    /// Whether the policy takes the answer for a success.
    delivered: bool,
    attempt: objects::Attempt,
}

/// What a replay came to.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct Replayed {
    /// How many deliveries were found, as a task says it.
    matched: u64,
    /// How many of them were put back, or would be in a dry run: all that were found.
    replayed: u64,
    /// How many events have expired by retention that may be of that time: of these nothing can be
    /// put back. With `since`, some of them may be older: when they were received is not known any
    /// more.
    expired: u64,
    dry_run: bool,
}

/// What a retry of all that waits came to.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct Retried {
    /// How many deliveries are due now that waited for their retry.
    retried: u64,
}

/// `POST …/pause`.
pub(in crate::api) async fn pause(
    State(admin): State<Shared>,
    Named(wanted): Named,
    request: Request,
) -> Result<Json<objects::Endpoint>, Problem> {
    set_state(&admin, &wanted, EndpointState::Paused, request).await
}

/// `POST …/resume`.
pub(in crate::api) async fn resume(
    State(admin): State<Shared>,
    Named(wanted): Named,
    request: Request,
) -> Result<Json<objects::Endpoint>, Problem> {
    set_state(&admin, &wanted, EndpointState::Active, request).await
}

async fn set_state(
    admin: &Admin,
    wanted: &str,
    state: EndpointState,
    request: Request,
) -> Result<Json<objects::Endpoint>, Problem> {
    Reader::new(input::members(&admin.bodies, request).await?, &[]).check()?;
    let endpoint = admin.present_endpoint(wanted)?;
    // Told twice is told once: a resume starts schedules anew, and should not do so by accident.
    if endpoint.state != state {
        admin
            .command(EndpointCommand::SetState(endpoint.number, state, None))
            .await?;
    }
    admin.shown(&endpoint).await
}

/// `POST …/test`: the vendor's test message, once, now (HOT-58).
pub(in crate::api) async fn test(
    State(admin): State<Shared>,
    Named(wanted): Named,
    request: Request,
) -> Result<Json<Tested>, Problem> {
    Reader::new(input::members(&admin.bodies, request).await?, &[]).check()?;
    let endpoint = admin.present_endpoint(&wanted)?;
    let started_at = admin.clock.now();
    let patience = admin.patience(&endpoint.settings);
    let tested = tokio::time::timeout(patience, admin.courier.test(&endpoint)).await;
    let (attempt, delivered) = tested.unwrap_or_else(|_| {
        let attempt = Attempt {
            number: 1,
            started_at,
            ended_at: admin.clock.now(),
            status: None,
            error: Some(no_answer("the test message", patience)),
            response_excerpt: None,
        };
        (attempt, false)
    });
    Ok(Json(Tested {
        delivered,
        attempt: objects::Attempt::of(&attempt),
    }))
}

/// `POST …/rotate-key`.
pub(in crate::api) async fn rotate_key(
    State(admin): State<Shared>,
    Named(wanted): Named,
    request: Request,
) -> Result<Json<objects::Endpoint>, Problem> {
    let members = input::members(&admin.bodies, request).await?;
    let before = admin.present_endpoint(&wanted)?;
    let mut reader = Reader::new(members, &["signing_key", "overlap"]);
    let key: Option<Secret> = reader.get("signing_key", "a text; write it in quotation marks");
    let Some(key) = key else {
        if !reader.is_wrong("signing_key") {
            reader.add("signing_key", "signing_key is missing; give the new key");
        }
        return Err(reader.into_problem());
    };
    let overlap = overlap(&mut reader, &before.settings);
    reader.check()?;
    admin.check_may_rotate(&before)?;
    let change = EndpointDraft {
        signing_key: Field::Set(key),
        ..EndpointDraft::default()
    };
    let mut settings =
        apply(change, &before.settings, &admin.policies.get()).map_err(Problem::invalid)?;
    let now = admin.clock.now();
    let previous = before.settings.signing_key.clone().zip(overlap);
    settings.rotation = Some(Rotation {
        rotated_at: now,
        previous: previous.map(|(key, overlap)| PreviousKey {
            key,
            until: now.plus(overlap),
        }),
    });
    let after = admin.update(&before, settings).await?;
    admin.shown(&after).await
}

/// How long the key before counts as well. Only where a request has room for two signatures.
fn overlap(reader: &mut Reader, settings: &EndpointSettings) -> Option<Duration> {
    let wanted = "a duration; write for example \"24h\"";
    let text: Option<String> = reader.get("overlap", wanted);
    let overlap = match parse_duration(&text?) {
        Ok(overlap) if overlap <= OVERLAP_MAX => Some(overlap),
        Ok(_) => {
            let detail = "overlap is longer than 90 days; write a shorter one";
            reader.add("overlap", detail);
            None
        }
        Err(error) => {
            reader.add("overlap", format!("overlap {error}"));
            None
        }
    };
    if !Profile::of(&settings.policy).signs_with_several_keys() {
        let policy = &settings.policy;
        let detail = format!(
            "policy {policy} has room for one signature, so two keys cannot count at once; have the receiver accept both keys, then rotate without an overlap"
        );
        reader.add("overlap", detail);
    }
    overlap
}

/// `POST …/replay`.
pub(in crate::api) async fn replay(
    State(admin): State<Shared>,
    Named(wanted): Named,
    request: Request,
) -> Result<Json<Replayed>, Problem> {
    let members = input::members(&admin.bodies, request).await?;
    let endpoint = admin.present_endpoint(&wanted)?;
    let known = ["since", "until", "status", "limit", "dry_run"];
    let mut reader = Reader::new(members, &known);
    let since = reader.time("since");
    let until = reader.time("until");
    let only_dead = reader.dead_only();
    let limit = reader.count("limit");
    let dry_run = reader.flag("dry_run");
    reader.check()?;
    let request = ReplayRequest {
        endpoint: endpoint.number,
        since,
        until,
        seq: None,
        only_dead,
        limit: limit.unwrap_or(u64::MAX),
        dry_run,
    };
    let (replayed, expired) = admin
        .ask(move |store| {
            let (from, to) = tasks::positions(store, since, until)?;
            let expired = store.expired_within(from, to).map_or(0, |it| it.events);
            Ok((store.replay(request)?, expired))
        })
        .await?;
    Ok(Json(Replayed {
        matched: replayed,
        replayed,
        expired,
        dry_run,
    }))
}

/// `POST …/retry`: everything that waits is due now.
pub(in crate::api) async fn retry(
    State(admin): State<Shared>,
    Named(wanted): Named,
    request: Request,
) -> Result<Json<Retried>, Problem> {
    Reader::new(input::members(&admin.bodies, request).await?, &[]).check()?;
    let number = admin.present_endpoint(&wanted)?.number;
    let retried = admin.ask(move |store| store.retry_waiting(number)).await?;
    Ok(Json(Retried { retried }))
}
