//! What is left of a request's body when the request has been answered. The next request begins
//! behind it: it is read as far as that is cheap, or the connection ends.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::EXPECT;
use tokio::sync::oneshot;

/// How much of a body that nobody wants is still read, and for how long: a client that is busy
/// sending would otherwise see a reset connection and never our answer.
const LINGER_BYTES: usize = 1 << 20;
const LINGER: Duration = Duration::from_millis(500);

/// A request's body, which comes back if whoever answers has no use for it.
#[derive(Debug)]
pub struct Lent {
    body: Option<Incoming>,
    is_read: bool,
    back: Option<oneshot::Sender<Incoming>>,
}

/// What comes back of it.
pub(super) struct Rest {
    back: Option<oneshot::Receiver<Incoming>>,
    asks_first: bool,
}

/// Lends the request's body.
pub(super) fn lend(request: Request<Incoming>) -> (Request<Lent>, Rest) {
    let asks_first = request.headers().contains_key(EXPECT);
    // Most requests that ask for something have none.
    let (back, come) = match request.body().is_end_stream() {
        true => (None, None),
        false => Some(oneshot::channel()).unzip(),
    };
    let request = request.map(|body| Lent {
        body: Some(body),
        is_read: false,
        back,
    });
    let rest = Rest {
        back: come,
        asks_first,
    };
    (request, rest)
}

impl Rest {
    /// Now that the request has an answer, reads what is left. Whether the next request can follow.
    pub(super) async fn read_on(self) -> bool {
        // One that is not back yet is being read by somebody who goes on behind the answer.
        let Some(mut body) = self.back.and_then(|mut back| back.try_recv().ok()) else {
            return true;
        };
        // Reading would tell a client that asks first (`Expect: 100-continue`) to go on.
        !self.asks_first && linger(&mut body).await
    }
}

/// Reads on for a moment. Whether it came to the end.
pub(super) async fn linger(body: &mut (impl Body<Data = Bytes> + Unpin)) -> bool {
    let drain = async {
        let mut left = LINGER_BYTES;
        loop {
            let Some(frame) = body.frame().await else {
                return true;
            };
            let length = frame.map(|frame| frame.data_ref().map_or(0, Bytes::len));
            let Some(after) = length.ok().and_then(|length| left.checked_sub(length)) else {
                return false;
            };
            left = after;
        }
    };
    // The answer is the same, whether the client has finished or not.
    tokio::time::timeout(LINGER, drain).await.unwrap_or(false)
}

impl Drop for Lent {
    fn drop(&mut self) {
        let body = self.body.take();
        let body = body.filter(|body| !self.is_read && !body.is_end_stream());
        if let (Some(body), Some(back)) = (body, self.back.take()) {
            // The connection may have ended meanwhile.
            let _ = back.send(body);
        }
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = self.body.as_mut() else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(context);
        // A chunked body does not say by itself that it has been read to its end.
        self.is_read |= matches!(&frame, Poll::Ready(None | Some(Err(_))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, Incoming::size_hint)
    }
}
