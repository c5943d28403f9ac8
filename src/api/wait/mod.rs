//! `GET /v1/wait`: made for tests, which otherwise sleep and hope.
//!
//! Its time is the machine's own, whatever the broker's clock is: on a manual clock that nobody
//! moves, a wait by the broker's would never end.

mod waiter;
mod wanted;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use self::waiter::Waiter;
use self::wanted::Wanted;
use super::answer::objects::Delivery;
use super::events;
use super::gate::auth::LetIn;
use super::request::params::Params;
use super::request::statuses::STATUSES;
use super::streaming::over::Over;
use super::{Admin, Shared};
use crate::delivery::Status;
use crate::duration::{format_duration, parse_duration};
use crate::inbound::problem::Problem;
use crate::store::{DeliveryQuery, DeliveryView};
use crate::words::{listed, quoted};

/// How long is waited, unless it is said.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest that may be waited: the connection is held as long.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// As many as a list shows in one part.
const COUNT_MAX: usize = 1000;

/// How many of the newest deliveries are counted for the one who waited in vain.
const SEEN_MAX: usize = 500;

/// How many of them are shown.
const NEAREST_MAX: usize = 5;

/// What was waited for.
#[derive(Serialize, JsonSchema)]
pub(super) struct Found {
    data: Vec<Delivery>,
    count: usize,
}

/// What is waited for, and for how long.
struct Asked {
    wanted: Wanted,
    count: usize,
    timeout: Duration,
    /// In words, for the one who waits in vain.
    words: String,
}

/// `GET /v1/wait?endpoint=&type=&event=&status=&count=&timeout=`.
pub(super) async fn wait(
    State(admin): State<Shared>,
    Extension(let_in): Extension<LetIn>,
    RawQuery(query): RawQuery,
) -> Result<Json<Found>, Problem> {
    let asked = Asked::read(&admin, query.as_deref()).await?;
    // A connection for each, as a stream has.
    let _place = admin.streams.open_private().ok_or_else(|| {
        Problem::unavailable("too many wait already; end one, or raise limits.streams_max")
    })?;
    let deadline = tokio::time::sleep(asked.timeout);
    let mut waiter = Waiter::new(&admin, &asked.wanted, asked.count);
    tokio::select! {
        biased;
        found = waiter.until(deadline) => match found? {
            Some(views) => Ok(Json(Found::of(&admin, &views))),
            None => Err(in_vain(&admin, &asked).await?),
        },
        over = admin.over(let_in) => Err(match over {
            Over::Draining => Problem::unavailable(over.words()),
            Over::Withdrawn => Problem::new(StatusCode::UNAUTHORIZED, over.words()),
        }),
    }
}

impl Found {
    fn of(admin: &Admin, views: &[DeliveryView]) -> Self {
        let data = shown(admin, views);
        Self {
            count: data.len(),
            data,
        }
    }
}

fn shown(admin: &Admin, views: &[DeliveryView]) -> Vec<Delivery> {
    let now = admin.clock.now();
    let views = views.iter();
    views
        .map(|view| {
            Delivery::of(view, &admin.policies.get(), now).with_evidence(view, &admin.courier)
        })
        .collect()
}

impl Asked {
    async fn read(admin: &Admin, query: Option<&str>) -> Result<Self, Problem> {
        let known = ["endpoint", "type", "event", "status", "count", "timeout"];
        let mut params = Params::read(query, &known);
        let statuses = params.choices("status", &STATUSES);
        let count = params.value("count", "a whole number from 1 to 1000", |count| {
            (1..=COUNT_MAX).contains(count)
        });
        let timeout = params.text("timeout").map(parse_duration);
        let timeout = match timeout {
            None => TIMEOUT,
            Some(Ok(timeout)) if timeout <= TIMEOUT_MAX => timeout,
            Some(Ok(_)) => {
                params.add("timeout", "timeout is longer than 5m; give a shorter time");
                TIMEOUT
            }
            Some(Err(error)) => {
                params.add("timeout", format!("timeout {error}"));
                TIMEOUT
            }
        };
        let events_wanted = params.types();
        let text = |name: &str| params.text(name).map(str::to_owned);
        let kind = params.types_text().map(|(_, kind)| kind.to_owned());
        let (endpoint, event) = (text("endpoint"), text("event"));
        let wanted = admin.filtered_endpoint(&mut params);
        let words = words(&statuses, [&endpoint, &kind, &event]);
        params.check()?;
        let seq = match event {
            Some(event) => {
                let found = events::find(admin, &event).await;
                Some(found.map_err(as_mistake)?.seq)
            }
            None => None,
        };
        Ok(Self {
            wanted: Wanted {
                endpoint: wanted.map(|endpoint| endpoint.number),
                events: events_wanted,
                seq,
                statuses,
            },
            count: count.unwrap_or(1),
            timeout,
            words,
        })
    }
}

/// What is not there is a mistake of the query, as in every filter.
fn as_mistake(problem: Problem) -> Problem {
    match problem.status {
        StatusCode::NOT_FOUND => Problem::field("?event", problem.detail),
        _ => problem,
    }
}

fn words(statuses: &[Status], [endpoint, kind, event]: [&Option<String>; 3]) -> String {
    let mut words = String::new();
    if !statuses.is_empty() {
        let names: Vec<_> = statuses.iter().map(|status| status.as_str()).collect();
        words += &format!(" {}", names.join(" or "));
    }
    for (what, named) in [
        ("to endpoint", endpoint),
        ("of type", kind),
        ("of event", event),
    ] {
        if let Some(named) = named {
            words += &format!(" {what} {}", quoted(named));
        }
    }
    words
}

/// 408: what there is instead.
async fn in_vain(admin: &Admin, asked: &Asked) -> Result<Problem, Problem> {
    let wanted = &asked.wanted;
    let query = DeliveryQuery {
        statuses: STATUSES.map(|(_, status)| status).into(),
        limit: SEEN_MAX,
        ..wanted.query()
    };
    let page = admin.ask(move |store| store.deliveries(&query)).await?;
    let mut by_status = BTreeMap::<&str, usize>::new();
    for view in &page.items {
        *by_status.entry(view.status.as_str()).or_default() += 1;
    }
    let got = page.items.iter().filter(|view| wanted.takes(view.status));
    let got = got.count();
    let mut nearest = page.items;
    nearest.retain(|view| !wanted.takes(view.status));
    // What was never to be delivered explains the least.
    nearest.sort_by_key(|view| view.status == Status::Filtered);
    let others = nearest.is_empty() && got == 0;
    if others {
        let newest = DeliveryQuery {
            limit: NEAREST_MAX,
            ..DeliveryQuery::default()
        };
        let page = admin.ask(move |store| store.deliveries(&newest)).await?;
        nearest = page.items;
    }
    nearest.truncate(NEAREST_MAX);
    let nearest = shown(admin, &nearest);
    let mut detail = format!(
        "within {} there were {got} of {} deliveries{}",
        format_duration(asked.timeout),
        asked.count,
        asked.words
    );
    if others {
        let mut kinds: Vec<_> = nearest.iter().map(Delivery::event_type).collect();
        kinds.dedup();
        detail += &match kinds.is_empty() {
            true => "; nothing has come in that was to be delivered".to_owned(),
            false => format!("; the newest deliveries are of {}", listed(kinds)),
        };
    } else {
        let counts: Vec<_> = by_status.iter().map(|(s, n)| format!("{n} {s}")).collect();
        detail += &format!("; seen instead: {}", counts.join(", "));
        if let Some(near) = nearest.first() {
            detail += &format!("; {near}");
        }
    }
    let seen = json!({
        "matching": got,
        "by_status": by_status,
        "newest_only": page.next.is_some(),
    });
    Ok(Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
        .with_member("seen", seen)
        .with_member("nearest", json!(nearest)))
}
