//! Sends one request and brings back what the receiver said: once, over HTTP/1.1, in time.
//!
//! The verdict is the status line and the headers. Whatever the body does after them, be it
//! slow, broken or endless, the status stands. Redirects are not followed (A-04b), bodies are not
//! decompressed, and an attempt reads at most 64 KiB in all.
//!
//! An attempt owns its connection and drives it in its own task. A connection that is not given
//! back idle and clean is closed by being dropped, so that no receiver can hold a task, a socket
//! or a half-sent body beyond the deadline.

mod answer;
mod bell;
mod connection;
mod dial;
mod error;
mod metered;
mod network;
mod pool;
mod tls;
mod tls_problem;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Response, Uri};
use url::{Position, Url};

use self::answer::Excerpt;
use self::connection::Connection;
use self::metered::Metered;
use self::pool::Realm;
use self::wire::{Meter, Payload, Wire};
use super::guard::{AddressGuard, GuardError};
use crate::clock::Sleep;

pub use self::answer::{ANSWER_LIMIT, Answer, EXCERPT_LIMIT};
pub use self::dial::{Dial, Dialing, Socket};
pub use self::error::{Broken, Phase, Problem, SendError};
pub use self::network::Network;
pub use self::tls::{InvalidCa, TransportError, check_ca};
pub use self::tls_problem::TlsProblem;

/// Clients for custom certificate authorities that are kept; each holds a copy of the roots.
const REALM_LIMIT: usize = 64;

/// Pieces of a body that are read. Each costs as much work whether it is a byte or a page, and one
/// answer in bytes would cost as much as ten others.
const PIECES_MAX: usize = 1024;

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

/// Sends requests, and keeps connections for those that follow. Cheap to clone.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    guard: AddressGuard,
    network: Network,
    system: Arc<Realm>,
    // The most recently used is last.
    custom: Mutex<Vec<(Arc<str>, Arc<Realm>)>>,
}

/// How far an attempt has come. Outlives the attempt's future, to say where the deadline met it.
struct Progress {
    phase: Phase,
    connection: Option<Box<Connection>>,
}

impl Progress {
    fn phase(&self) -> Phase {
        match &self.connection {
            Some(connection) if connection.handed_over() => Phase::Answer,
            Some(_) => Phase::Send,
            None => self.phase,
        }
    }
}

impl Transport {
    /// A transport over the machine's own network that sends only where `guard` lets it.
    pub fn new(guard: AddressGuard) -> Result<Self, TransportError> {
        Self::over(guard, Network::system())
    }

    /// A transport over `network` that sends only where `guard` lets it.
    pub fn over(guard: AddressGuard, network: Network) -> Result<Self, TransportError> {
        let system = Arc::new(Realm::new(tls::config(network.roots.clone())?));
        Ok(Self(Arc::new(Inner {
            guard,
            network,
            system,
            custom: Mutex::default(),
        })))
    }

    /// Whether requests may be sent to `url`, as its host resolves now: every address of it is
    /// judged, and one that is refused refuses them all.
    ///
    /// [`GuardError::Unresolvable`] may be tolerated when an endpoint is made: the addresses are
    /// checked again at each connect.
    pub async fn check_url(&self, url: &Url) -> Result<(), GuardError> {
        let addresses = self.0.guard.addresses(url, &*self.0.network.resolver);
        addresses.await.map(drop)
    }

    /// Sends `request` and waits for its answer until `deadline`, which covers everything:
    /// resolving, connecting, TLS, sending, the answer's head and its body.
    ///
    /// The request is sent at most once. It is put on another connection only where a kept one
    /// turned out closed before the first byte was written. Dropping the future closes the
    /// connection.
    pub async fn send(&self, request: Request, mut deadline: Sleep) -> Result<Answer, SendError> {
        let realm = self.0.realm(request.ca_pem.as_ref())?;
        let mut progress = Progress {
            phase: Phase::Resolve,
            connection: None,
        };
        let url = request.url.clone();
        let message = message(request)?;
        // Work comes first: an answer that is there in time counts, even if this task was late.
        let head = tokio::select! {
            biased;
            head = self.0.exchange(&realm, &url, message, &mut progress) => Some(head),
            () = &mut deadline => None,
        };
        let Some(head) = head else {
            return Err(SendError::Timeout {
                during: progress.phase(),
            });
        };
        let (head, body) = head?.into_parts();
        let mut excerpt = Excerpt::new(&head.headers);
        if let Some(mut connection) = progress.connection {
            let complete = body.is_end_stream()
                || tokio::select! {
                    biased;
                    complete = read(&mut connection, body, &mut excerpt) => complete,
                    () = &mut deadline => false,
                };
            excerpt.truncated = !complete;
            if complete && connection.is_idle().await {
                realm.pool.put(origin(&url), connection);
            }
        }
        Ok(excerpt.into_answer(head.status.as_u16(), &head.headers))
    }
}

/// What distinguishes one receiver's connections from another's.
fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

fn message(request: Request) -> Result<hyper::Request<Payload>, SendError> {
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

impl Inner {
    fn realm(&self, ca_pem: Option<&Arc<str>>) -> Result<Arc<Realm>, SendError> {
        let Some(pem) = ca_pem else {
            return Ok(self.system.clone());
        };
        let mut realms = self.custom.lock().unwrap_or_else(PoisonError::into_inner);
        let found = realms
            .iter()
            .rposition(|(known, _)| Arc::ptr_eq(known, pem) || known == pem);
        let entry = match found {
            Some(place) => realms.remove(place),
            None => {
                if realms.len() >= REALM_LIMIT {
                    realms.remove(0);
                }
                let config = tls::config_with_ca(&self.network.roots, pem)?;
                (pem.clone(), Arc::new(Realm::new(config)))
            }
        };
        let realm = entry.1.clone();
        realms.push(entry);
        Ok(realm)
    }

    /// Everything up to the answer's head.
    async fn exchange(
        &self,
        realm: &Realm,
        url: &Url,
        mut message: hyper::Request<Payload>,
        progress: &mut Progress,
    ) -> Result<Response<Incoming>, SendError> {
        loop {
            let (connection, reused) = match realm.pool.take(origin(url)).await {
                Some(kept) => (kept, true),
                None => match self.open(realm, url, &mut progress.phase).await {
                    // Connections that nobody uses give way to one that is needed.
                    Err(SendError::Starved(_)) if realm.pool.clear() => continue,
                    opened => (opened?, false),
                },
            };
            connection.begin(message.body_mut());
            let connection = progress.connection.insert(connection);
            match connection.exchange(message).await {
                Ok(response) => return Ok(response),
                // Nothing of it was written, so nobody can have seen it.
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) if reused => {
                        progress.connection = None;
                        message = unsent;
                    }
                    _ => return Err(connection.explain(failed.error())),
                },
            }
        }
    }

    async fn open(
        &self,
        realm: &Realm,
        url: &Url,
        phase: &mut Phase,
    ) -> Result<Box<Connection>, SendError> {
        let addresses = self.network.addresses(&self.guard, url).await?;
        *phase = Phase::Connect;
        let (socket, peer) = dial::connect(&self.network.dial, addresses).await?;
        let meter = Arc::new(Meter::default());
        let socket = Metered::new(socket, meter.clone());
        let wire = if url.scheme() == "https" {
            *phase = Phase::Tls;
            tls::handshake(&realm.tls, url, socket, peer, &meter).await?
        } else {
            Wire::Plain(socket)
        };
        Connection::open(wire, meter).await
    }
}

/// Reads the body as far as it may; says whether that was its end.
async fn read(connection: &mut Connection, mut body: Incoming, excerpt: &mut Excerpt) -> bool {
    for _ in 0..PIECES_MAX {
        match connection.drive(body.frame()).await {
            None => return true,
            Some(Err(_)) => return false,
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    excerpt.take(data);
                }
            }
        }
    }
    false
}
