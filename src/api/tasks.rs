//! `/v1/tasks`: bulk operations that go on by themselves.

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::LOCATION;
use schemars::JsonSchema;
use serde::Serialize;

use super::request::input::{self, Alone, Named, Reader};
use super::request::page::{CURSOR, LIMIT, Listed, Part};
use super::request::params::Params;
use super::{Admin, Shared};
use crate::clock::Timestamp;
use crate::endpoint::EndpointState;
use crate::id::TaskId;
use crate::inbound::events::idempotency_key;
use crate::inbound::problem::Problem;
use crate::tasks::{self, Kind, Statuses, TaskError, Tasks};
use crate::words::quoted;

const LIST: u8 = b't';

/// Every state by its name.
const STATES: [(&str, tasks::State); 4] = [
    ("running", tasks::State::Running),
    ("done", tasks::State::Done),
    ("cancelled", tasks::State::Cancelled),
    ("failed", tasks::State::Failed),
];

/// As many as an endpoint may have; each event that is looked at is matched against all.
const PATTERNS_MAX: usize = 100;

/// A bulk operation that goes on by itself, also over restarts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Task {
    id: TaskId,
    kind: Kind,
    state: tasks::State,
    /// How many deliveries it has found.
    matched: u64,
    /// How many of them it has put back, or given up; none in a dry run.
    done: u64,
    /// How many there are in all; null until everything has been looked through.
    total: Option<u64>,
    /// The share of the log that it has looked through, from 0 to 1.
    progress: f64,
    /// How many events had expired by retention, when it was made, that may be of that time: of these
    /// nothing can be put back. With `since`, some of them may be older: when they were received is
    /// not known any more.
    expired: u64,
    /// Whether it only counts.
    dry_run: bool,
    request: tasks::Request,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// Why it failed.
    error: Option<String>,
}

impl Task {
    fn of(task: tasks::Task) -> Self {
        Self {
            id: task.id,
            kind: task.request.kind,
            state: task.state,
            matched: task.matched,
            done: task.done,
            total: task.total(),
            progress: task.progress(),
            expired: task.span.expired,
            dry_run: task.request.dry_run,
            created_at: task.created_at,
            ended_at: task.ended_at,
            error: task.error,
            request: task.request,
        }
    }
}

/// `GET /v1/tasks`: newest first.
pub(super) async fn list(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Listed<Task>>, Problem> {
    let mut params = Params::read(query.as_deref(), &["state", LIMIT, CURSOR]);
    let part = Part::read(&mut params, LIST);
    let states = params.choices("state", &STATES);
    let before = part.after.map(|(number, _)| number);
    params.check()?;
    let mut found = admin.work(|tasks| Ok(tasks.list())).await?;
    found.retain(|task| {
        before.is_none_or(|before| task.id.number() < before)
            && (states.is_empty() || states.contains(&task.state))
    });
    let more = found.len() > part.limit;
    found.truncate(part.limit);
    let last = found.last().filter(|_| more);
    Ok(Json(Listed {
        next: last.map(|last| part.next((last.id.number(), 0))),
        data: found.into_iter().map(Task::of).collect(),
    }))
}

/// `POST /v1/tasks`.
pub(super) async fn create(
    State(admin): State<Shared>,
    request: Request,
) -> Result<Response, Problem> {
    let key = idempotency_key(request.headers())?;
    let members = input::members(&admin.bodies, request).await?;
    let wanted = read(&admin, Reader::new(members, &KNOWN))?;
    let task = admin.work(move |tasks| tasks.create(wanted, key)).await?;
    let location = format!("/v1/tasks/{}", task.id);
    let task = Json(Task::of(task));
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], task).into_response())
}

/// `GET /v1/tasks/{id}`.
pub(super) async fn show(
    State(admin): State<Shared>,
    Alone(id): Alone,
) -> Result<Json<Task>, Problem> {
    let id = id_of(&id)?;
    let task = admin.work(move |tasks| tasks.get(id)).await?;
    Ok(Json(Task::of(task)))
}

/// `POST /v1/tasks/{id}/cancel`: answered when nothing more is done.
pub(super) async fn cancel(
    State(admin): State<Shared>,
    Named(id): Named,
    request: Request,
) -> Result<Json<Task>, Problem> {
    Reader::new(input::members(&admin.bodies, request).await?, &[]).check()?;
    let id = id_of(&id)?;
    let task = admin.work(move |tasks| tasks.cancel(id)).await?;
    Ok(Json(Task::of(task)))
}

const KNOWN: [&str; 8] = [
    "kind", "endpoint", "status", "type", "since", "until", "limit", "dry_run",
];

fn read(admin: &Admin, mut reader: Reader) -> Result<tasks::Request, Problem> {
    let kind = read_kind(&mut reader);
    let endpoint: Option<String> = reader.get("endpoint", "a text; write a name or an id");
    if let Some(wanted) = &endpoint {
        match admin.store.find_endpoint(wanted).map(|found| found.state) {
            Some(EndpointState::Removed) => {
                reader.add(
                    "endpoint",
                    format!("endpoint {} is removed", quoted(wanted)),
                );
            }
            Some(_) => {}
            None => reader.add(
                "endpoint",
                format!("{}; leave it out for all", admin.no_endpoint(wanted)),
            ),
        }
    }
    let status = read_status(&mut reader, kind);
    let kinds: Option<String> = reader.get("type", "a text; write for example \"order.*\"");
    if let Some(kinds) = &kinds
        && (kinds.trim().is_empty() || kinds.split(',').count() > PATTERNS_MAX)
    {
        let detail = format!(
            "type has no pattern, or more than {PATTERNS_MAX}; write for example \"order.*\", or leave it out for all"
        );
        reader.add("type", detail);
    }
    let since = reader.time("since");
    let until = reader.time("until");
    let limit = reader.count("limit");
    let dry_run = reader.flag("dry_run");
    reader.check()?;
    Ok(tasks::Request {
        kind: kind.unwrap_or(Kind::Replay),
        endpoint,
        status,
        kinds,
        since,
        until,
        limit,
        dry_run,
    })
}

/// Where it is none, the reader says so.
fn read_kind(reader: &mut Reader) -> Option<Kind> {
    const CHOICE: &str = "write \"replay\" or \"discard\"";
    let kind: Option<String> = reader.get("kind", "a text; write \"replay\" or \"discard\"");
    match kind.as_deref() {
        Some("replay") => return Some(Kind::Replay),
        Some("discard") => return Some(Kind::Discard),
        Some(_) => reader.add("kind", format!("kind is none that there is; {CHOICE}")),
        None if reader.is_wrong("kind") => {}
        None => reader.add("kind", format!("kind is missing; {CHOICE}")),
    }
    None
}

/// A discard has to say what it gives up: without it all that is queued anywhere would go.
fn read_status(reader: &mut Reader, kind: Option<Kind>) -> Option<Statuses> {
    const CHOICE: &str = "some of \"pending\", \"waiting\" and \"dead\", with commas between them";
    let text: Option<String> = reader.get("status", "a text; write \"dead\"");
    let read = text.as_deref().map(Statuses::read);
    match (kind, read) {
        (Some(Kind::Replay), Some(Ok(statuses))) if !statuses.is_dead() => {
            reader.add(
                "status",
                "only \"dead\" can be replayed by status; leave it out for all",
            );
        }
        (Some(Kind::Replay), Some(Err(_))) => {
            reader.add("status", "status is not \"dead\"; leave it out for all");
        }
        (_, Some(Ok(statuses))) => return Some(statuses),
        (_, Some(Err(_))) => reader.add("status", format!("status is not {CHOICE}")),
        (Some(Kind::Discard), None) if !reader.is_wrong("status") => {
            reader.add("status", format!("status is missing; write {CHOICE}"));
        }
        (_, None) => {}
    }
    None
}

fn id_of(text: &str) -> Result<TaskId, Problem> {
    text.parse()
        .map_err(|_| Problem::not_found(format!("there is no task {}", quoted(text))))
}

impl Admin {
    /// Asks the tasks something that may wait for the disk.
    async fn work<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Tasks) -> Result<T, TaskError> + Send + 'static,
    ) -> Result<T, Problem> {
        let tasks = self.tasks.clone();
        match tokio::task::spawn_blocking(move || question(&tasks)).await {
            Ok(answer) => Ok(answer?),
            Err(error) => {
                tracing::error!(%error, "a question to the tasks ended in a panic");
                Err(Problem::internal(
                    "the tasks could not be read; see the server's log",
                ))
            }
        }
    }
}

impl From<TaskError> for Problem {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Unknown(_) => Self::not_found(error.to_string()),
            TaskError::Ended(..) | TaskError::TooMany | TaskError::OtherRequest(_) => {
                Self::conflict(error.to_string())
            }
            TaskError::File(error) => {
                // The path is the operator's business, and stands in the log.
                tracing::error!(%error, "a task cannot be written down");
                Self::new(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "the task could not be written down; see the server's log",
                )
            }
            TaskError::Store(error) => error.into(),
        }
    }
}
