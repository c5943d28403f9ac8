//! From an endpoint and the vendor's part of a request to the request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::Method;
use hyper::header::{
    CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, USER_AGENT,
};
use url::Url;

use super::courier::AGENT;
use super::transport::Request;
use crate::endpoint::{Endpoint, EndpointSettings};
use crate::event::Event;
use crate::id::DeliveryId;
use crate::vendor::{KeyError, Outbound};

/// Endpoints whose parsed form is kept; more are parsed again at each attempt.
const PREPARED_LIMIT: usize = 16_384;

/// What comes to the endpoint's own headers: ours, the vendor's, and those that frame the message.
const HEADERS_OF_ATTEMPT: usize = 12;

const EVENT_ID: HeaderName = HeaderName::from_static("redeliver-event-id");
const DELIVERY_ID: HeaderName = HeaderName::from_static("redeliver-delivery-id");
const SOURCE: HeaderName = HeaderName::from_static("redeliver-event-source");
const ATTEMPT: HeaderName = HeaderName::from_static("redeliver-attempt");

/// Makes requests.
#[derive(Default)]
pub(super) struct Outgoing {
    prepared: Mutex<HashMap<u32, Arc<Prepared>>>,
}

/// What is the same for every attempt at one revision of an endpoint.
struct Prepared {
    revision: u64,
    url: Arc<Url>,
    headers: HeaderMap,
    ca_pem: Option<Arc<str>>,
}

/// A request that cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsendable {
    #[error("the endpoint's URL cannot be used: {0}")]
    Url(#[from] url::ParseError),
    #[error("a header of the endpoint cannot be sent")]
    Header,
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<InvalidHeaderValue> for Unsendable {
    fn from(_: InvalidHeaderValue) -> Self {
        Self::Header
    }
}

impl Outgoing {
    /// The request of attempt `number` at bringing `event` to `endpoint`.
    pub(super) fn request(
        &self,
        endpoint: &Endpoint,
        event: &Event,
        number: u32,
        outbound: Outbound,
    ) -> Result<Request, Unsendable> {
        let prepared = self.prepare(endpoint)?;
        // With room for all, the framing too: a map that grows is laid out anew.
        let mut headers = HeaderMap::with_capacity(prepared.headers.len() + HEADERS_OF_ATTEMPT);
        headers.extend(prepared.headers.clone());
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::try_from(&*outbound.content_type)?,
        );
        let delivery = DeliveryId::new(event.id, endpoint.number);
        headers.insert(EVENT_ID, value(&event.id)?);
        // By its type alone nobody could tell it from one that a sender has made up.
        if let Some(source) = event.content.own_source() {
            headers.insert(SOURCE, HeaderValue::from_static(source));
        }
        headers.insert(DELIVERY_ID, value(&delivery)?);
        headers.insert(ATTEMPT, HeaderValue::from(number));
        for (name, text) in outbound.headers {
            headers.insert(name, HeaderValue::try_from(text)?);
        }
        Ok(Request {
            method: Method::POST,
            url: prepared.url.clone(),
            headers,
            body: outbound.body,
            ca_pem: prepared.ca_pem.clone(),
        })
    }

    fn prepare(&self, endpoint: &Endpoint) -> Result<Arc<Prepared>, Unsendable> {
        let mut kept = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = kept.get(&endpoint.number)
            && prepared.revision == endpoint.revision
        {
            return Ok(prepared.clone());
        }
        let settings = &endpoint.settings;
        let prepared = Arc::new(Prepared {
            revision: endpoint.revision,
            url: Arc::new(Url::parse(&settings.url)?),
            headers: own_headers(settings)?,
            ca_pem: settings.ca_pem.as_deref().map(Arc::from),
        });
        if kept.len() >= PREPARED_LIMIT {
            kept.clear();
        }
        kept.insert(endpoint.number, prepared.clone());
        Ok(prepared)
    }
}

fn value(id: &impl ToString) -> Result<HeaderValue, InvalidHeaderValue> {
    HeaderValue::try_from(id.to_string())
}

/// Those that every request to the endpoint carries.
pub(super) fn own_headers(settings: &EndpointSettings) -> Result<HeaderMap, Unsendable> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, text) in &settings.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| Unsendable::Header)?;
        headers.append(name, HeaderValue::try_from(text.as_str())?);
    }
    Ok(headers)
}
