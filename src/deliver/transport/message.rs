//! From what is to be sent to a message that can be.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Uri};
use url::{Position, Url};

use super::error::SendError;
use super::wire::Payload;

/// One request.
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

/// The request as it goes out.
pub(super) fn of(request: Request) -> Result<hyper::Request<Payload>, SendError> {
    let url = &request.url;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(SendError::Unusable("its scheme is neither http nor https"));
    }
    let target = Uri::try_from(&url[Position::BeforePath..Position::AfterQuery])
        .map_err(|_| SendError::Unusable("its path or query cannot be sent"))?;
    let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])
        .map_err(|_| SendError::Unusable("its host cannot be sent"))?;
    let mut message = hyper::Request::new(Payload::new(request.body));
    *message.method_mut() = request.method;
    *message.uri_mut() = target;
    let mut headers = request.headers;
    // A second opinion about where the message ends would let one request smuggle another.
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
    *message.headers_mut() = headers;
    Ok(message)
}
