//! From what is to be sent to a message that can be.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use url::{Position, Url};

use super::error::SendError;
use super::wire::Payload;

/// One request.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to; `http` or `https`. User name, password and fragment are never sent.
    pub url: Arc<Url>,
    /// The headers. Those that frame the message are the transport's own and are replaced.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// A certificate authority (PEM) trusted for this request, beside the system's.
    pub ca_pem: Option<Arc<str>>,
}

impl Request {
    /// Its headers as they go out, in their order, with those that frame it.
    ///
    /// # Errors
    /// Where it cannot be sent at all.
    pub fn head(&self) -> Result<Vec<(HeaderName, HeaderValue)>, SendError> {
        let mut headers = framed(&self.url, self.headers.clone())?;
        if !self.body.is_empty() {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        let headers = headers.iter();
        Ok(headers.map(|(n, v)| (n.clone(), v.clone())).collect())
    }

    /// The path and query that it asks for.
    pub(super) fn target(&self) -> Result<Uri, SendError> {
        let url = &self.url;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SendError::Unusable("its scheme is neither http nor https"));
        }
        Uri::try_from(&url[Position::BeforePath..Position::AfterQuery])
            .map_err(|_| SendError::Unusable("its path or query cannot be sent"))
    }
}

/// The request as it goes out.
pub(super) fn of(request: Request) -> Result<hyper::Request<Payload>, SendError> {
    let target = request.target()?;
    let headers = framed(&request.url, request.headers)?;
    let mut message = hyper::Request::new(Payload::new(request.body));
    *message.method_mut() = request.method;
    *message.uri_mut() = target;
    *message.headers_mut() = headers;
    Ok(message)
}

/// The headers without a second opinion about where the message ends, which would let one request
/// smuggle another; with the host.
fn framed(url: &Url, mut headers: HeaderMap) -> Result<HeaderMap, SendError> {
    let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])
        .map_err(|_| SendError::Unusable("its host cannot be sent"))?;
    for framing in [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::EXPECT,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ] {
        headers.remove(framing);
    }
    headers.entry(header::HOST).or_insert(host);
    Ok(headers)
}
