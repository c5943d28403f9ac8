//! Server-sent events: frames, and an answer that goes on until its reader leaves or the server
//! stops.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Frame;
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use crate::config::Limits;

/// How many streams may be open, of whichever kind.
#[derive(Clone, Debug)]
pub struct Streams {
    max: usize,
    all: Arc<Semaphore>,
    public: Arc<Semaphore>,
}

/// The place of a stream that is open.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "they are held")] Vec<OwnedSemaphorePermit>);

impl Streams {
    /// As many as the limits allow. The other connections are for those who bring events: streams
    /// stay as long as they like.
    pub fn new(limits: &Limits) -> Self {
        let connections = limits.max_connections - limits.max_connections / 4;
        let streams = limits.streams_max.min(connections);
        Self {
            max: streams,
            all: Arc::new(Semaphore::new(streams)),
            public: Arc::new(Semaphore::new(streams.div_ceil(2))),
        }
    }

    /// How many are open, and how many may be.
    pub fn count(&self) -> (usize, usize) {
        (self.max - self.all.available_permits(), self.max)
    }

    /// The place of one more for somebody who was let in, if there is one.
    pub fn open_private(&self) -> Option<Place> {
        let place = self.all.clone().try_acquire_owned().ok()?;
        Some(Place(vec![place]))
    }

    /// The place of one more for anybody: strangers may have half of all, so that they keep nobody
    /// out who was let in.
    pub fn open_public(&self) -> Option<Place> {
        let public = self.public.clone().try_acquire_owned().ok()?;
        let place = self.all.clone().try_acquire_owned().ok()?;
        Some(Place(vec![public, place]))
    }
}

/// How many frames wait for a reader: whoever makes them waits with the next. How long a reader may
/// take over them is the connection's business.
const FRAMES_MAX: usize = 4;

/// Where the frames of a stream go.
#[derive(Debug)]
pub struct Frames(mpsc::Sender<Bytes>);

/// The reader has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reader has left")]
pub struct Gone;

impl Frames {
    /// Sends an event as soon as there is room for it. Neither its name nor its data, which is
    /// compact JSON, may have more than one line.
    pub async fn send(&self, event: &str, data: &str) -> Result<(), Gone> {
        self.send_text(frame(event, data)).await
    }

    /// Sends whole frames that somebody else has laid out.
    pub async fn send_text(&self, text: impl Into<Bytes>) -> Result<(), Gone> {
        self.0.send(text.into()).await.map_err(|_| Gone)
    }
}

/// Nothing but the name and the data: an id or a retry would change what a client does (ZRT-34).
fn frame(event: &str, data: &str) -> Bytes {
    format!("event: {event}\ndata: {data}\n\n").into()
}

/// An answer that lasts as long as `feed` runs. It is dropped, with whatever it waits for, when the
/// reader leaves or `over` resolves.
pub fn stream<F>(
    over: impl Future<Output = ()> + Send + 'static,
    feed: impl FnOnce(Frames) -> F,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(FRAMES_MAX);
    let left = sender.clone();
    let feeding = feed(Frames(sender));
    tokio::spawn(async move {
        tokio::select! {
            () = feeding => {}
            () = left.closed() => {}
            () = over => {}
        }
    });
    let mut response = Response::new(Body::new(Reader(receiver)));
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
        (CONNECTION, "keep-alive"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Resolves when the server begins to stop.
pub(in crate::api) async fn drained(mut draining: watch::Receiver<bool>) {
    // No sender: the server is gone, which is a stop too.
    let _ = draining.wait_for(|draining| *draining).await;
}

/// The body of a stream. The connection drops it when its other side goes.
struct Reader(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Reader {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = self.get_mut().0.poll_recv(context);
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn streams_leave_a_quarter_of_the_connections_and_strangers_half_of_the_streams() {
        let streams = Streams::new(&Limits {
            max_connections: 10,
            ..Limits::default()
        });
        let public: Vec<_> = (0..4).map(|_| streams.open_public().unwrap()).collect();
        assert!(streams.open_public().is_none());
        let private: Vec<_> = (0..4).map(|_| streams.open_private().unwrap()).collect();
        assert!(streams.open_private().is_none());
        drop((public, private));
        assert!(streams.open_private().is_some() && streams.open_public().is_some());
    }

    #[tokio::test]
    async fn zrt_34_a_frame_is_an_event_line_a_data_line_and_an_empty_one() {
        let (_keep, draining) = watch::channel(false);
        let response = stream(drained(draining), |frames| async move {
            let _ = frames.send("live", r#"{"visitors":42}"#).await;
        });
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(&*body, b"event: live\ndata: {\"visitors\":42}\n\n");
    }

    #[tokio::test]
    async fn a_stream_ends_when_the_server_drains_behind_what_it_had_sent() {
        let (drain, draining) = watch::channel(false);
        let (sent, mut was_sent) = mpsc::channel(1);
        let response = stream(drained(draining), |frames| async move {
            let _ = frames.send("live", "1").await;
            let _ = sent.send(()).await;
            std::future::pending().await
        });
        was_sent.recv().await.unwrap();
        drain.send(true).unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(&*body, b"event: live\ndata: 1\n\n");
    }

    #[tokio::test]
    async fn nobody_makes_frames_for_a_reader_who_has_left_and_few_for_one_who_does_not_read() {
        let (_keep, draining) = watch::channel(false);
        let made = Arc::new(AtomicUsize::new(0));
        let (count, (ended, has_ended)) = (made.clone(), tokio::sync::oneshot::channel::<()>());
        let response = stream(drained(draining), |frames| async move {
            let _ended = ended;
            while frames.send("live", "1").await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(made.load(Ordering::Relaxed), FRAMES_MAX);
        drop(response);
        assert!(has_ended.await.is_err());
    }
}
