//! `/openapi.json`: the API, described. Schemas come from the types that are answered; each route
//! is described in the file of its noun, and a test compares those with the routes that there are.
//!
//! | file | what is in it |
//! |---|---|
//! | `operation`, `status` | how a route is described; the errors that it can refer to |
//! | `nouns` | the schemas of what writes itself |
//! | `mocks` | what only mocks and their servers have |
//! | the others | the routes, by noun |

mod alerts;
mod clock;
mod dashboard;
mod deliveries;
mod endpoints;
mod events;
mod ingest;
mod mocks;
mod nouns;
mod operation;
mod server;
mod shapes;
mod sources;
mod status;
mod store;
mod stream;
mod tasks;
mod zebline;
mod zenovay;

use std::sync::LazyLock;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use hyper::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::operation::{Operation, Schemas};
use super::Shared;
use super::request::params::Params;
use crate::inbound::media::JSON;
use crate::inbound::problem::Problem;

/// Whose API a document describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// A broker's.
    #[default]
    Broker,
    /// A broker's that plays a vendor: one that can be told to send, too.
    Mock,
    /// A server's of many mocks; each of those has its own.
    Mocks,
}

/// Made once each; a server answers with the same bytes every time.
static BROKER: LazyLock<Served> = LazyLock::new(|| Served::of(Subject::Broker));
static MOCK: LazyLock<Served> = LazyLock::new(|| Served::of(Subject::Mock));
static MOCKS: LazyLock<Served> = LazyLock::new(|| Served::of(Subject::Mocks));

struct Served {
    json: Bytes,
    tag: Option<HeaderValue>,
}

impl Served {
    fn of(subject: Subject) -> Self {
        let json = document_of(subject).to_string();
        let digest = hex::encode(&Sha256::digest(json.as_bytes())[..16]);
        Self {
            // Hexadecimal digits in quotation marks are a header's value.
            tag: HeaderValue::try_from(format!("\"{digest}\"")).ok(),
            json: json.into(),
        }
    }
}

/// Every noun's name, what it is about, and its routes.
type Noun = (
    &'static str,
    &'static str,
    fn(&mut Schemas) -> Vec<Operation>,
);

const NOUNS: [Noun; 14] = [
    ("ingest", "Events come in.", ingest::operations),
    ("events", "The log.", events::operations),
    (
        "endpoints",
        "Where events are delivered.",
        endpoints::operations,
    ),
    (
        "deliveries",
        "What became of each event at each endpoint.",
        deliveries::operations,
    ),
    (
        "tasks",
        "Bulk operations that go on by themselves, also over restarts.",
        tasks::operations,
    ),
    (
        "stream",
        "The log as it grows, and waiting for deliveries.",
        stream::operations,
    ),
    ("clock", "The broker's clock.", clock::operations),
    ("sources", "Where events come from.", sources::operations),
    (
        "alerts",
        "Conditions over websites, and faults on demand.",
        alerts::operations,
    ),
    (
        "zebline",
        "Zebline's API, as its own clients call it.",
        zebline::operations,
    ),
    (
        "zenovay",
        "Zenovay's read side over this log, as its own clients call it.",
        zenovay::operations,
    ),
    (
        "store",
        "The log as a whole, for another machine.",
        store::operations,
    ),
    (
        "dashboard",
        "What the dashboard reads beside everything else.",
        dashboard::operations,
    ),
    ("server", "The server itself.", server::operations),
];

/// What a mock can be told beside.
const TRIGGER: Noun = (
    "trigger",
    "A mock is told to send.",
    mocks::trigger_operations,
);

const MOCKS_NOUN: Noun = (
    "mocks",
    "Many mocks, each under its name.",
    mocks::operations,
);

/// A broker's document as JSON, for people to read, too.
pub fn json() -> String {
    // It is made of texts, numbers, lists and objects with text keys.
    serde_json::to_string_pretty(&document()).unwrap_or_default()
}

/// A broker's document.
pub fn document() -> Value {
    document_of(Subject::Broker)
}

/// The document of one of this kind.
pub fn document_of(subject: Subject) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    let mut tags = Vec::new();
    let (nouns, description) = match subject {
        Subject::Broker => (NOUNS.to_vec(), include_str!("description.md")),
        Subject::Mock => (
            [&[TRIGGER], &NOUNS[..]].concat(),
            include_str!("description.md"),
        ),
        Subject::Mocks => (vec![MOCKS_NOUN], include_str!("mocks.md")),
    };
    for (name, description, operations) in nouns {
        tags.push(json!({ "name": name, "description": description }));
        for operation in operations(&mut schemas) {
            let (path, method) = (operation.path, operation.method);
            let item = paths.entry(path).or_insert_with(|| json!({}));
            item[method] = operation.into_value(name);
        }
    }
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    let responses = status::responses(&problem);
    let mut components = schemas.into_components();
    components.insert("Problem".to_owned(), status::problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "redeliver",
            "version": env!("CARGO_PKG_VERSION"),
            "description": description,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "This server." }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": responses,
            "securitySchemes": security_schemes(),
        },
    })
}

fn security_schemes() -> Value {
    json!({
        "adminToken": {
            "type": "http", "scheme": "bearer",
            "description": "`server.admin_token`. A server that listens on loopback may have none; then nothing is asked for.",
        },
        "zeblineToken": {
            "type": "http", "scheme": "bearer",
            "description": "`access_token` of the source whose license is in the path (ZEB-03).",
        },
        "zenovayKey": {
            "type": "apiKey", "in": "header", "name": "X-API-Key",
            "description": "One of the website's `api_keys` (X-08).",
        },
        "zenovayBearer": {
            "type": "http", "scheme": "bearer",
            "description": "The same key as a bearer token (X-08).",
        },
        "sourceToken": {
            "type": "http", "scheme": "bearer",
            "description": "`access_token` of the source.",
        },
        "sourceLogin": {
            "type": "http", "scheme": "basic",
            "description": "`basic_auth` of the source.",
        },
        "hotjarSignature": {
            "type": "apiKey", "in": "header", "name": "com-hotjar-signature",
            "description": "HMAC-SHA3-256 of the body under the source's `key` (HOT-31).",
        },
        "standardSignature": {
            "type": "apiKey", "in": "header", "name": "webhook-signature",
            "description": "Standard Webhooks, with `webhook-id` and `webhook-timestamp`.",
        },
    })
}

/// `GET /openapi.json`.
pub(super) async fn serve(
    State(admin): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    answer(admin.document, &headers, query.as_deref())
}

/// The answer to `GET /openapi.json` at a server of this kind.
pub fn answer(
    subject: Subject,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response, Problem> {
    Params::read(query, &[]).check()?;
    let Served { json, tag } = match subject {
        Subject::Broker => &*BROKER,
        Subject::Mock => &*MOCK,
        Subject::Mocks => &*MOCKS,
    };
    let known = headers.get(IF_NONE_MATCH);
    let mut response = match known.is_some() && known == tag.as_ref() {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(CONTENT_TYPE, JSON)], json.clone()).into_response(),
    };
    let headers = response.headers_mut();
    headers.extend(tag.clone().map(|tag| (ETAG, tag)));
    // Another version of the server may answer the next time.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}
