//! What lies between HTTP and the socket: the request's body, and the bytes with or without TLS.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::answer::ANSWER_LIMIT;
use super::dial::{self, Socket};
use super::drip::Drip;
use super::metered::Metered;

/// The request body is handed over in pieces of this size, so that it is known how far it came.
const PIECE: usize = 64 * 1024;

/// What the connection's parts tell one another; they are polled by one task.
pub(super) struct Meter {
    /// Bytes that may still be read.
    pub(super) left: AtomicUsize,
    /// More came than may be read.
    pub(super) overrun: AtomicBool,
    /// The last piece of the request was handed over.
    pub(super) handed_over: AtomicBool,
    /// The receiver takes no more of the request.
    pub(super) cut_short: AtomicBool,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            left: AtomicUsize::new(ANSWER_LIMIT),
            overrun: AtomicBool::new(false),
            handed_over: AtomicBool::new(false),
            cut_short: AtomicBool::new(false),
        }
    }
}

/// A request's body, which says when it has been handed over.
pub(super) struct Payload {
    pub(super) rest: Bytes,
    pub(super) meter: Option<Arc<Meter>>,
    pub(super) drip: Option<Drip>,
}

impl Payload {
    pub(super) fn new(body: Bytes) -> Self {
        Self {
            rest: body,
            meter: None,
            drip: None,
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let most = match &mut self.drip {
            Some(drip) => ready!(drip.poll_piece(context)),
            None => PIECE,
        };
        let size = self.rest.len().min(most);
        let piece = self.rest.split_to(size);
        if let (true, Some(meter)) = (self.rest.is_empty(), &self.meter) {
            meter.handed_over.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// What HTTP goes over.
pub(super) enum Wire {
    Plain(Metered<Socket>),
    Tls(Box<TlsStream<Metered<Socket>>>),
}

impl Wire {
    fn io(&mut self) -> Pin<&mut dyn dial::Stream> {
        match self {
            Self::Plain(socket) => Pin::new(socket),
            Self::Tls(tls) => Pin::new(&mut **tls),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.io().poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_shutdown(cx)
    }
}
