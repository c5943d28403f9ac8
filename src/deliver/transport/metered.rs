//! A bound on what is read from a receiver, and patience with one that stops reading.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::wire::Meter;

/// A socket of which no more is read than the attempt allows. It lies below TLS, so that what a
/// receiver says there counts as well: session tickets alone could go on for ever.
///
/// A receiver that answers and closes without having read the whole request resets the connection.
/// Its answer is still there to be read, so a write that fails for that is not the end: the rest
/// of the request is dropped, and the error kept for where no answer is found.
pub(super) struct Metered<T> {
    io: T,
    meter: Arc<Meter>,
    cut_short: Option<io::ErrorKind>,
}

impl<T> Metered<T> {
    pub(super) fn new(io: T, meter: Arc<Meter>) -> Self {
        Self {
            io,
            meter,
            cut_short: None,
        }
    }

    /// What a write of `size` bytes comes to.
    fn written(&mut self, result: io::Result<usize>, size: usize) -> io::Result<usize> {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match result.as_ref().map_err(io::Error::kind) {
            Err(kind @ (BrokenPipe | ConnectionAborted | ConnectionReset)) => {
                self.cut_short = Some(kind);
                self.meter.cut_short.store(true, Ordering::Relaxed);
                Ok(size)
            }
            _ => result,
        }
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
        match self.cut_short {
            Some(kind) if count == 0 => Poll::Ready(Err(kind.into())),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cut_short.is_some() {
            return Poll::Ready(Ok(buf.len()));
        }
        let result = ready!(Pin::new(&mut self.io).poll_write(cx, buf));
        Poll::Ready(self.written(result, buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let size = bufs.iter().map(|buf| buf.len()).sum();
        if self.cut_short.is_some() {
            return Poll::Ready(Ok(size));
        }
        let result = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs));
        Poll::Ready(self.written(result, size))
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::super::answer::ANSWER_LIMIT;
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
