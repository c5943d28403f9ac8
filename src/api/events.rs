//! `GET /v1/events`: the log.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use hyper::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};

use super::answer::objects::{self, Delivery};
use super::request::input::{Alone, Named};
use super::request::page::{CURSOR, LIMIT, Listed, Part};
use super::request::params::Params;
use super::request::statuses::STATUSES;
use super::{Admin, Shared};
use crate::clock::Timestamp;
use crate::delivery::Status;
use crate::endpoint::Filter;
use crate::event::Event;
use crate::id::{EventId, Seq};
use crate::inbound::problem::Problem;
use crate::store::{DeliveryView, Page, Store, StoreError};
use crate::words::quoted;

const LIST: u8 = b'e';
const DELIVERIES: u8 = b'f';

/// How many events are read at once.
const READ_AT_ONCE: u64 = 32;

/// How many events one page looks at, so that a rare type in a long log gives a short page and a
/// cursor instead of a long wait.
const LOOKED_AT_MAX: u64 = 5_000;

/// After this many bytes of bodies a page ends, so that no list takes the memory.
const BYTES_MAX: usize = 4 << 20;

/// Which events are asked for.
struct Query {
    kinds: Option<Filter>,
    source: Option<String>,
    subject: Option<String>,
    /// What made it idempotent.
    key: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    ascending: bool,
    after: Option<Seq>,
    limit: usize,
}

/// `GET /v1/events`: newest first, unless `order=asc`.
pub(super) async fn list(
    State(admin): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let known = [
        "type", "source", "subject", "key", "since", "until", "order", LIMIT, CURSOR,
    ];
    let mut params = Params::read(query.as_deref(), &known);
    let part = Part::read(&mut params, LIST);
    let kinds = params.types();
    let [source, subject, key] =
        ["source", "subject", "key"].map(|name| params.text(name).map(str::to_owned));
    let query = Query {
        kinds,
        source,
        subject,
        key,
        since: params.time("since"),
        until: params.time("until"),
        ascending: params
            .choice("order", &[("desc", false), ("asc", true)])
            .unwrap_or(false),
        after: part.after.map(|(seq, _)| seq),
        limit: part.limit,
    };
    params.check()?;
    let found = admin.ask(move |store| read(store, &query)).await?;
    let listed = Listed {
        data: found
            .items
            .iter()
            .map(|event| objects::Event::of(event))
            .collect(),
        next: found.next.map(|seq| part.next((seq, 0))),
    };
    Ok(Json(listed).into_response())
}

/// `GET /v1/events/{id}`.
pub(super) async fn show(
    State(admin): State<Shared>,
    Alone(id): Alone,
) -> Result<Response, Problem> {
    let event = find(&admin, &id).await?;
    Ok(Json(objects::Event::of(&event)).into_response())
}

/// `GET /v1/events/{id}/body`: the bytes as they came in. Whatever they claim to be, no browser is
/// to take them for a page of this origin.
pub(super) async fn body(
    State(admin): State<Shared>,
    Alone(id): Alone,
) -> Result<Response, Problem> {
    let event = find(&admin, &id).await?;
    let name = format!("attachment; filename=\"{}\"", event.id);
    let headers = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CONTENT_DISPOSITION, &name),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "sandbox"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, event.content.body.clone()).into_response())
}

/// `GET /v1/events/{id}/deliveries`: in the order in which the endpoints were made.
pub(super) async fn deliveries(
    State(admin): State<Shared>,
    Named(id): Named,
    RawQuery(query): RawQuery,
) -> Result<Json<Listed<Delivery>>, Problem> {
    let mut params = Params::read(query.as_deref(), &["status", LIMIT, CURSOR]);
    let part = Part::read(&mut params, DELIVERIES);
    let statuses = params.choices("status", &STATUSES);
    let after = part.after.map(|(_, number)| number);
    params.check()?;
    let seq = find(&admin, &id).await?.seq;
    let found = admin
        .ask(move |store| deliveries_of(store, seq, &statuses, after, part.limit))
        .await?;
    let now = admin.clock.now();
    let data = found.items.iter();
    Ok(Json(Listed {
        data: data
            .map(|view| Delivery::of(view, &admin.policies.get(), now))
            .collect(),
        next: found.next.map(|number| part.next((seq, number))),
    }))
}

/// The deliveries of the event at `seq` that have one of `statuses`, or that any endpoint wants.
pub(super) fn deliveries_of(
    store: &dyn Store,
    seq: Seq,
    statuses: &[Status],
    after: Option<u32>,
    limit: usize,
) -> Result<Page<DeliveryView, u32>, StoreError> {
    let (mut items, mut next) = (Vec::new(), None);
    for view in store.endpoints()? {
        let number = view.endpoint.number;
        if after.is_some_and(|after| number <= after) {
            continue;
        }
        if items.len() == limit {
            return Ok(Page { items, next });
        }
        next = Some(number);
        items.extend(store.delivery(number, seq)?.filter(|view| {
            if statuses.is_empty() {
                view.status != Status::Filtered
            } else {
                statuses.contains(&view.status)
            }
        }));
    }
    Ok(Page { items, next: None })
}

/// The event with this id, or at this position.
pub(super) async fn find(admin: &Admin, text: &str) -> Result<Arc<Event>, Problem> {
    let none = || Problem::not_found(format!("there is no event {}", quoted(text)));
    let id = text.parse::<EventId>().ok();
    let seq = match id {
        Some(id) => id.seq(),
        None => text.parse::<Seq>().map_err(|_| none())?,
    };
    let found = admin.ask(move |store| store.event(seq)).await?;
    let found = found.filter(|event| id.is_none_or(|id| event.id == id));
    found.ok_or_else(|| expired(admin, seq, "event", text).unwrap_or_else(none))
}

/// 410, if what was asked for has expired with the event at `seq`.
pub(super) fn expired(admin: &Admin, seq: Seq, what: &str, text: &str) -> Option<Problem> {
    let at = admin.store.expired_at(seq)?.to_string();
    let day = at.get(..10).unwrap_or(&at);
    let text = quoted(text);
    Some(Problem::gone(format!(
        "{what} {text} expired by retention on {day}; what is kept for how long is set under [retention]"
    )))
}

fn read(store: &dyn Store, query: &Query) -> Result<Page<Arc<Event>, Seq>, StoreError> {
    let last = *store.tail().borrow();
    let mut low = match query.since {
        Some(since) => store.position_at(since)?,
        None => 1,
    };
    let mut high = match query.until {
        Some(until) => store.position_at(until)? - 1,
        None => last,
    };
    match query.after {
        Some(after) if query.ascending => low = low.max(after.saturating_add(1)),
        Some(after) => high = high.min(after.saturating_sub(1)),
        None => {}
    }
    let (mut items, mut looked_at, mut bytes) = (Vec::new(), 0, 0);
    while low <= high {
        let count = READ_AT_ONCE.min(high - low + 1) as usize;
        let events = match query.ascending {
            true => store.read(low, count)?,
            false => store.read_back(high, count)?,
        };
        if events.is_empty() {
            break;
        }
        for event in events {
            let seq = event.seq;
            // What has expired is passed over, perhaps beyond the end.
            if !(low..=high).contains(&seq) {
                return Ok(Page { items, next: None });
            }
            if query.selects(&event) {
                bytes += event.content.body.len();
                items.push(event);
            }
            looked_at += 1;
            if query.ascending {
                low = seq + 1;
            } else {
                high = seq - 1;
            }
            if items.len() >= query.limit || looked_at >= LOOKED_AT_MAX || bytes >= BYTES_MAX {
                let next = (low <= high).then_some(seq);
                return Ok(Page { items, next });
            }
        }
    }
    Ok(Page { items, next: None })
}

impl Query {
    fn selects(&self, event: &Event) -> bool {
        let content = &event.content;
        let is = |wanted: &Option<String>, given: Option<&str>| match wanted {
            Some(wanted) => given == Some(wanted),
            None => true,
        };
        self.kinds
            .as_ref()
            .is_none_or(|kinds| kinds.selects(Some(&content.kind)))
            && is(&self.source, Some(&*content.source))
            && is(&self.subject, content.subject.as_deref())
            && is(&self.key, content.idempotency_key.as_deref())
    }
}
