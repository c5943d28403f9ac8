//! The way to the receiver: the guarded transport of `deliver`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use ipnet::{Ipv4Net, Ipv6Net};
use url::Url;

use super::crafted::Crafted;
use super::judge::{Reply, Silence};
use crate::clock::SharedClock;
use crate::deliver::courier::AGENT;
use crate::deliver::guard::AddressGuard;
use crate::deliver::transport::{Network, Phase, Request, SendError, Transport, TransportError};

/// A guard that lets everything through: whoever runs the check names the URL, and may reach it
/// without us.
pub fn open_guard() -> AddressGuard {
    AddressGuard {
        allow: vec![Ipv4Net::default().into(), Ipv6Net::default().into()],
        allow_loopback: true,
    }
}

/// Sends to one receiver.
#[derive(Clone)]
pub struct Link {
    transport: Transport,
    clock: SharedClock,
    url: Arc<Url>,
    timeout: Duration,
    ca_pem: Option<Arc<str>>,
}

impl Link {
    /// A link to `url`, over which a request may take `timeout`; `ca_pem` is trusted beside the
    /// system's authorities.
    pub fn new(
        url: Url,
        timeout: Duration,
        ca_pem: Option<Arc<str>>,
        clock: SharedClock,
    ) -> Result<Self, TransportError> {
        Ok(Self {
            transport: Transport::over(open_guard(), Network::system())?,
            clock,
            url: Arc::new(url),
            timeout,
            ca_pem,
        })
    }

    /// Where it leads.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How long a request may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends `crafted` once.
    pub async fn send(&self, crafted: &Crafted) -> Reply {
        match self.attempt(crafted).await {
            Ok(status) => Reply::Status(status),
            Err(error) => silence(&error),
        }
    }

    /// As [`send`](Self::send), with the error itself.
    pub async fn attempt(&self, crafted: &Crafted) -> Result<u16, SendError> {
        let deadline = self.clock.sleep(self.timeout);
        let sent = self.transport.send(self.request(crafted)?, deadline);
        sent.await.map(|answer| answer.status)
    }

    /// The body of the answer to a GET of `url`, of at most `limit` bytes.
    pub async fn fetch(&self, url: &Url, limit: usize) -> Result<(u16, Bytes), SendError> {
        let request = Request {
            method: Method::GET,
            url: Arc::new(url.clone()),
            headers: own_headers(),
            body: Bytes::new(),
            ca_pem: self.ca_pem.clone(),
        };
        let deadline = self.clock.sleep(self.timeout);
        let answer = self.transport.fetch(request, deadline, limit).await?;
        Ok((answer.status().as_u16(), answer.into_body()))
    }

    fn request(&self, crafted: &Crafted) -> Result<Request, SendError> {
        let mut headers = own_headers();
        for (name, value) in &crafted.headers {
            let value = HeaderValue::try_from(value.as_str())
                .map_err(|_| SendError::Unusable("a header of it cannot be sent"))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(Request {
            method: if crafted.is_get {
                Method::GET
            } else {
                Method::POST
            },
            url: self.url.clone(),
            headers,
            body: crafted.body.clone(),
            ca_pem: self.ca_pem.clone(),
        })
    }
}

fn own_headers() -> HeaderMap {
    HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(AGENT))])
}

/// No answer, as `error` has it.
pub(super) fn silence(error: &SendError) -> Reply {
    Reply::Silence(Silence {
        why: error.to_string(),
        is_late: matches!(error, SendError::Timeout { .. }),
    })
}

/// Whether `error` means that nobody is there to be checked: a matter of the environment.
pub(super) fn is_out_of_reach(error: &SendError) -> bool {
    match error {
        SendError::Timeout { during } => {
            matches!(during, Phase::Resolve | Phase::Connect | Phase::Tls)
        }
        SendError::Broken { .. } | SendError::Protocol { .. } | SendError::Cut { .. } => false,
        SendError::Unusable(_)
        | SendError::Refused(_)
        | SendError::Resolve { .. }
        | SendError::Starved(_)
        | SendError::Connect { .. }
        | SendError::Tls { .. }
        | SendError::Ca(_)
        | SendError::Setup(_) => true,
    }
}
