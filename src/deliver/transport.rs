//! Sends one request and brings back what the receiver said: once, over HTTP/1.1, in time.
//!
//! The verdict is the status line and the headers. Whatever the body does after them, be it
//! slow, broken or endless, the status stands. Redirects are not followed (A-04b), bodies are not
//! decompressed, and an attempt reads at most 64 KiB in all.
//!
//! An attempt owns its connection and drives it in its own task. A connection that is not given
//! back idle and clean is closed by being dropped, so that no receiver can hold a task, a socket
//! or a half-sent body beyond the deadline.

mod abandon;
mod answer;
mod bell;
mod connection;
mod dial;
mod drip;
mod error;
mod lookups;
mod message;
mod metered;
mod network;
mod pool;
mod tls;
mod tls_problem;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Body, Incoming};
use hyper::http::response::Parts;
use url::{Position, Url};

use self::answer::{Excerpt, Take, read};
use self::connection::Connection;
use self::metered::Metered;
use self::pool::Realm;
use self::wire::{Meter, Payload, Wire};
use super::guard::{AddressGuard, GuardError};
use crate::clock::Sleep;

pub use self::answer::{ANSWER_LIMIT, Answer, EXCERPT_LIMIT};
pub use self::dial::{Dial, Dialing, Socket};
pub use self::drip::Drip;
pub use self::error::{Broken, Phase, Problem, SendError};
pub use self::message::Request;
pub use self::network::Network;
pub use self::tls::{InvalidCa, TransportError, check_ca, client_config};
pub use self::tls_problem::{TlsProblem, tls_problem};

/// Clients for custom certificate authorities that are kept; each holds a copy of the roots.
const REALM_LIMIT: usize = 64;

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
    pub async fn send(&self, request: Request, deadline: Sleep) -> Result<Answer, SendError> {
        let excerpt = |head: &Parts| Excerpt::new(&head.headers);
        let (head, mut excerpt, complete) = self
            .converse(request, None, deadline, ANSWER_LIMIT, excerpt)
            .await?;
        excerpt.truncated = !complete;
        Ok(excerpt.into_answer(head.status.as_u16(), head.headers))
    }

    /// As [`send`](Self::send), for an answer that is wanted whole, of at most `limit` bytes with
    /// its head.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`SendError::Cut`] for an answer that is longer, or breaks
    /// off, or is not there in time.
    pub async fn fetch(
        &self,
        request: Request,
        deadline: Sleep,
        limit: usize,
    ) -> Result<Response<Bytes>, SendError> {
        let (head, body, complete) = self
            .converse(request, None, deadline, limit, |_| Vec::new())
            .await?;
        match complete {
            true => Ok(Response::from_parts(head, body.into())),
            false => Err(SendError::Cut {
                status: head.status.as_u16(),
                read: body.len(),
            }),
        }
    }

    /// The answer's head, what `taking` made of its body, and whether that was all of it.
    async fn converse<T: Take>(
        &self,
        request: Request,
        drip: Option<Drip>,
        mut deadline: Sleep,
        limit: usize,
        taking: impl FnOnce(&Parts) -> T,
    ) -> Result<(Parts, T, bool), SendError> {
        let realm = self.0.realm(request.ca_pem.as_ref())?;
        let mut progress = Progress {
            phase: Phase::Resolve,
            connection: None,
        };
        let url = request.url.clone();
        let mut message = message::of(request)?;
        message.body_mut().drip = drip;
        // Work comes first: an answer that is there in time counts, even if this task was late.
        let head = tokio::select! {
            biased;
            head = self.0.exchange(&realm, &url, message, limit, &mut progress) => Some(head),
            () = &mut deadline => None,
        };
        let Some(head) = head else {
            return Err(SendError::Timeout {
                during: progress.phase(),
            });
        };
        let (head, body) = head?.into_parts();
        let mut taken = taking(&head);
        let mut complete = true;
        if let Some(mut connection) = progress.connection {
            complete = body.is_end_stream()
                || tokio::select! {
                    biased;
                    complete = read(&mut connection, body, limit, &mut taken) => complete,
                    () = &mut deadline => false,
                };
            if complete && connection.is_idle().await {
                realm.pool.put(origin(&url), connection);
            }
        }
        Ok((head, taken, complete))
    }
}

/// What distinguishes one receiver's connections from another's.
fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
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
        limit: usize,
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
            connection.begin(message.body_mut(), limit);
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
        let (wire, meter) = self.dial(realm, url, phase).await?;
        Connection::open(wire, meter).await
    }

    /// A connection that nothing has been said over.
    async fn dial(
        &self,
        realm: &Realm,
        url: &Url,
        phase: &mut Phase,
    ) -> Result<(Wire, Arc<Meter>), SendError> {
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
        Ok((wire, meter))
    }
}
