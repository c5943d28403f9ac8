//! The accept loop: bounded connections, header time-out, drain.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::connection;
use super::head::{HEAD_MAX_BYTES, HEADERS_MAX};
use super::seats::Seats;
use super::unread::Lent;
use super::wire::Wire;
use crate::config::Limits;

/// How long accepting rests after an error such as "too many open files", which would otherwise
/// come back at once, as fast as the processor can ask.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What connections may take. All times are the machine's own.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Open connections. For one more, the one that has waited the longest without a request is
    /// closed; where none has, it waits in the listen queue.
    pub max_connections: usize,
    /// Time for a request's head, from the moment that the connection is ready for it; so it ends
    /// idle connections, too.
    pub header_timeout: Duration,
    /// Time for a client to read what it is answered.
    pub answer_timeout: Duration,
    /// How long requests that are under way may take after the shutdown.
    pub drain: Duration,
}

impl From<&Limits> for ServerLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            max_connections: limits.max_connections,
            header_timeout: limits.header_timeout,
            answer_timeout: limits.answer_timeout,
            drain: limits.drain_timeout,
        }
    }
}

/// Who sent a request: the other side of its connection, which may be a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Answers requests.
pub trait Answers: Clone + Send + Sync + 'static {
    /// The answer to a request.
    fn answer(
        &self,
        request: Request<Lent>,
        peer: Peer,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// A connection was opened.
    fn came(&self) {}

    /// One was closed.
    fn left(&self) {}
}

/// Has `front` answer on `listener` until `shutdown` resolves; then takes no more connections, lets
/// the requests that are under way finish within the drain bound, and cuts off the rest.
pub async fn serve(
    listener: TcpListener,
    front: impl Answers,
    limits: ServerLimits,
    shutdown: impl Future,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(HEAD_MAX_BYTES)
        .max_header_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX);
    let seats = Seats::new(limits.max_connections);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            let (stream, peer) = accept(&listener).await;
            (seats.take().await, stream, peer)
        };
        let (seat, stream, peer) = tokio::select! {
            _ = &mut shutdown => break,
            next = next => next,
        };
        // No more than there are places, so they can be forgotten by and by.
        while connections.try_join_next().is_some() {}
        let front = front.clone();
        let wire = Wire::new(stream, seat.clone(), limits.answer_timeout);
        let connection = connection::serve(&http, &graceful, wire, front, seat, peer);
        connections.spawn(connection);
    }
    drop(listener);
    let open = graceful.count();
    if tokio::time::timeout(limits.drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(open, "connections were cut off at the end of the drain");
    }
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, Peer) {
    let mut told = false;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // An answer is one small packet, which Nagle's algorithm would hold back.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "no TCP_NODELAY");
                }
                return (stream, Peer(address.ip()));
            }
            // It was that client's connection, which went before it was taken.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Once each time: a shortage that lasts must not fill the disk with its log.
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "cannot accept connections; trying again and again");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
