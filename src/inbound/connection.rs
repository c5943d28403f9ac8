//! One connection: its requests, one after the other, and how it ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;

use super::framing::{self, After};
use super::seats::Seat;
use super::server::{Answers, Peer};
use super::unread;
use super::wire::Wire;

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// Serves until the connection ends, or has to give way to another.
pub(super) fn serve<F: Answers>(
    http: &http1::Builder,
    graceful: &GracefulShutdown,
    wire: Wire<TcpStream>,
    front: F,
    seat: Arc<Seat>,
    peer: Peer,
) -> impl Future<Output = ()> + Send + use<F> {
    let present = Present::of(front.clone());
    let asked = seat.clone();
    let service = service_fn(move |request| {
        let (front, seat) = (front.clone(), asked.clone());
        // Now: what is read of it is not to be waited for any more.
        let taken = seat.asks();
        async move {
            if !taken {
                // The connection is being dropped.
                std::future::pending::<()>().await;
            }
            let response = answer(&front, request, peer).await;
            Ok::<_, Infallible>(response.map(|body| Answer { body, seat }))
        }
    });
    let connection = http.serve_connection(TokioIo::new(wire), service);
    let connection = graceful.watch(connection);
    async move {
        let _present = present;
        tokio::select! {
            biased;
            () = seat.must_go() => tracing::debug!("an idle connection gave way to another"),
            ended = connection => if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke off");
            },
        }
    }
}

/// Says that a connection is there, for as long as it is.
struct Present<F: Answers>(F);

impl<F: Answers> Present<F> {
    fn of(front: F) -> Self {
        front.came();
        Self(front)
    }
}

impl<F: Answers> Drop for Present<F> {
    fn drop(&mut self) {
        self.0.left();
    }
}

async fn answer(front: &impl Answers, request: Request<Incoming>, peer: Peer) -> Response<Body> {
    let after = match framing::check(&request) {
        Ok(after) => after,
        Err(problem) => return problem.into_response(),
    };
    let (request, rest) = unread::lend(request);
    let mut response = front.answer(request, peer).await;
    let closes = response
        .headers()
        .get(CONNECTION)
        .is_some_and(|it| it == CLOSE);
    if !closes && (after == After::Closed || !rest.read_on().await) {
        response.headers_mut().insert(CONNECTION, CLOSE);
    }
    response
}

/// The body of an answer, which tells when it has been taken whole.
struct Answer {
    body: Body,
    seat: Arc<Seat>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.seat.is_answered();
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
