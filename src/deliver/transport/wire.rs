//! What lies between HTTP and the socket: the request's body, and a bound on what is read.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::dial::{self, Socket};

/// The request body is handed over in pieces of this size, so that it is known how far it came.
const PIECE: usize = 64 * 1024;

/// What the connection's three parts tell one another; they are polled by one task.
#[derive(Default)]
pub(super) struct Meter {
    /// Bytes that may still be read.
    pub(super) left: AtomicUsize,
    /// More came than may be read.
    pub(super) overrun: AtomicBool,
    /// The last piece of the request was handed over.
    pub(super) handed_over: AtomicBool,
}

/// A request's body, which says when it has been handed over.
pub(super) struct Payload {
    pub(super) rest: Bytes,
    pub(super) meter: Option<Arc<Meter>>,
}

impl Payload {
    pub(super) fn new(body: Bytes) -> Self {
        Self {
            rest: body,
            meter: None,
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let size = self.rest.len().min(PIECE);
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

/// What the bytes go over.
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl From<Socket> for Stream {
    fn from(socket: Socket) -> Self {
        Self::Plain(socket)
    }
}

impl From<TlsStream<Socket>> for Stream {
    fn from(tls: TlsStream<Socket>) -> Self {
        Self::Tls(Box::new(tls))
    }
}

/// A stream that lets no more be read than the attempt allows.
pub(super) struct Wire {
    pub(super) stream: Stream,
    pub(super) meter: Arc<Meter>,
}

impl Wire {
    fn io(&mut self) -> Pin<&mut dyn dial::Stream> {
        match &mut self.stream {
            Stream::Plain(socket) => Pin::new(&mut **socket),
            Stream::Tls(tls) => Pin::new(&mut **tls),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.meter.left.load(Ordering::Relaxed);
        if left == 0 {
            self.meter.overrun.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let before = buf.filled().len();
        let read = self.io().poll_read(cx, buf);
        let count = buf.filled().len() - before;
        self.meter
            .left
            .store(left.saturating_sub(count), Ordering::Relaxed);
        read
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
        match &self.stream {
            Stream::Plain(socket) => socket.is_write_vectored(),
            Stream::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_shutdown(cx)
    }
}
