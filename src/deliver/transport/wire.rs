//! What lies between HTTP and the socket: the request's body, and a bound on what is read.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::answer::ANSWER_LIMIT;

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
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            left: AtomicUsize::new(ANSWER_LIMIT),
            overrun: AtomicBool::new(false),
            handed_over: AtomicBool::new(false),
        }
    }
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

/// A socket of which no more is read than the attempt allows. It lies below TLS, so that what a
/// receiver says there counts as well: session tickets alone could go on for ever.
pub(super) struct Metered<T> {
    io: T,
    meter: Arc<Meter>,
}

impl<T> Metered<T> {
    pub(super) fn new(io: T, meter: Arc<Meter>) -> Self {
        Self { io, meter }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
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
        if buf.remaining() <= left {
            ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        } else {
            let mut allowed = ReadBuf::new(buf.initialize_unfilled_to(left));
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut allowed))?;
            let count = allowed.filled().len();
            buf.advance(count);
        }
        let count = buf.filled().len() - before;
        self.meter.left.store(left - count, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// What HTTP goes over.
pub(super) enum Wire {
    Plain(Metered<TcpStream>),
    Tls(Box<TlsStream<Metered<TcpStream>>>),
}

trait Io: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

impl Wire {
    fn io(&mut self) -> Pin<&mut dyn Io> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp),
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
            Self::Plain(tcp) => tcp.is_write_vectored(),
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    /// Gives as much as it is asked for, and counts it.
    struct Endless(usize);

    impl AsyncRead for Endless {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let count = buf.remaining().min(5000);
            buf.put_slice(&[b'x'; 5000][..count]);
            self.0 += count;
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn not_one_byte_is_read_beyond_what_is_allowed() {
        let meter = Arc::new(Meter::default());
        let mut metered = Metered::new(Endless(0), meter.clone());
        let mut taken = Vec::new();
        let error = metered.read_to_end(&mut taken).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!((taken.len(), metered.io.0), (ANSWER_LIMIT, ANSWER_LIMIT));
        assert!(taken.iter().all(|byte| *byte == b'x'));
        assert!(meter.overrun.load(Ordering::Relaxed));
    }
}
