//! One request and its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{
    ACCEPT, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT,
};
use hyper::{Method, StatusCode};
use url::Url;

use crate::clock::Sleep;
use crate::config::Poller as Settings;
use crate::deliver::courier::AGENT;
use crate::deliver::transport::{Request, Transport};
use crate::endpoint::url::shown_text;
use crate::inbound::json::check_value;
use crate::vendor::zenovay::polling::{Resource, lifetime, retry_after};

/// The largest answer, with its head: a hundred visitors are some 50 KiB.
const ANSWER_MAX_BYTES: usize = 4 << 20;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Whom one source asks, and as whom.
pub(super) struct Asker {
    base: Url,
    tracking_code: Option<String>,
    website_id: Option<String>,
    api_key: Option<HeaderValue>,
}

/// What came of a request.
pub(super) enum Reply {
    /// An answer that is there whole, how long it is fresh, and what its status says where that is
    /// no success.
    Answer(Bytes, Duration, Option<String>),
    /// 429, and how long to wait.
    Limited(Duration),
    /// No answer, or one that says by its status that there is nothing in it.
    Failed(String),
}

impl Asker {
    pub(super) fn new(config: &Settings) -> Self {
        let api_key = config.api_key.as_ref().and_then(|key| {
            // The configuration takes no key that could not stand in a header.
            let mut value = HeaderValue::from_str(key.expose()).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Self {
            base: config.url.clone(),
            tracking_code: config.tracking_code.clone(),
            website_id: config.website_id.clone(),
            api_key,
        }
    }

    /// What there is to be asked.
    pub(super) fn resources(&self) -> impl Iterator<Item = Resource> {
        let all = Resource::ALL.into_iter();
        all.filter(|resource| self.of(*resource).is_some())
    }

    fn of(&self, resource: Resource) -> Option<&str> {
        match resource.wants_key() {
            true => self.website_id.as_deref(),
            false => self.tracking_code.as_deref(),
        }
    }

    /// Asks for `resource`, from item `offset` on if it is a list, and waits until `deadline`.
    pub(super) async fn ask(
        &self,
        transport: &Transport,
        resource: Resource,
        offset: usize,
        deadline: Sleep,
    ) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(key) = self.api_key.as_ref().filter(|_| resource.wants_key()) {
            headers.insert(API_KEY, key.clone());
        }
        let url = resource.url(&self.base, self.of(resource).unwrap_or_default(), offset);
        let request = Request {
            method: Method::GET,
            url: Arc::new(url),
            headers,
            body: Bytes::new(),
            ca_pem: None,
        };
        let answer = match transport.fetch(request, deadline, ANSWER_MAX_BYTES).await {
            Ok(answer) => answer,
            Err(error) => return Reply::Failed(error.to_string()),
        };
        let header = |name| {
            answer
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Reply::Limited(retry_after(header(RETRY_AFTER)));
        }
        // The envelope says by itself whether it is a success (ZSS-10); the live count has none
        // (ZRT-05), and an error without a count would be nobody.
        let trouble = trouble(resource, status, header(LOCATION));
        if let Some(trouble) = trouble.as_ref().filter(|_| !resource.wants_key()) {
            return Reply::Failed(trouble.clone());
        }
        let fresh = lifetime(header(CACHE_CONTROL));
        Reply::Answer(answer.into_body(), fresh, trouble)
    }
}

/// What a status says that is no success, and where to mend it.
fn trouble(resource: Resource, status: StatusCode, location: Option<&str>) -> Option<String> {
    let code = status.as_u16();
    let (id, has_key) = match resource.wants_key() {
        true => ("website_id", true),
        false => ("tracking_code", false),
    };
    Some(match code {
        200..=299 => return None,
        300..=399 => {
            let to = location.map(|to| format!(" to {}", shown_text(to)));
            let to = to.unwrap_or_default();
            format!("it was answered {code}{to}, and no redirect is followed (check url)")
        }
        401 | 403 if has_key => format!("it was answered {code} (check api_key)"),
        404 => format!("it was answered {code} (check url and {id})"),
        _ => format!("it was answered {code}"),
    })
}

/// What went wrong, the status first: what is wrong with the body mostly follows from it.
pub(super) fn told(trouble: Option<String>, error: String) -> String {
    match trouble {
        Some(trouble) => format!("{trouble}: {error}"),
        None => error,
    }
}

/// Refuses what is no JSON, or nested deeper than what goes out may be.
pub(super) fn check_json(body: &[u8]) -> Result<(), String> {
    check_value(body)
        .map(drop)
        .map_err(|problem| problem.detail)
}
