//! A connection's bytes, written in time.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::refusal;
use super::seats::Seat;

/// A stream whose other side has to read what it is answered. The HTTP library bounds how long a
/// head may take to come, but not how long an answer may take to go.
pub(super) struct Wire<S> {
    stream: S,
    seat: Arc<Seat>,
    patience: Duration,
    /// Runs from the first byte that the other side had no room for until nothing is left to write:
    /// a reader who takes a byte now and then is as late as one who takes none.
    late: Option<Pin<Box<Sleep>>>,
    /// What is still to be written of a refusal in our words.
    refusal: Option<Bytes>,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S, seat: Arc<Seat>, patience: Duration) -> Self {
        Self {
            stream,
            seat,
            patience,
            late: None,
            refusal: None,
        }
    }

    fn in_time<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            let patience = self.patience;
            let late = self.late.get_or_insert_with(|| Box::pin(sleep(patience)));
            ready!(late.as_mut().poll(context));
            let reason = "the client does not read its answer";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, reason)));
        }
        written
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Whether `bytes` are a refusal of the HTTP library's own, ours being written in its place.
    fn refuses(&mut self, bytes: &[u8]) -> bool {
        if self.refusal.is_none() && self.seat.is_waiting() {
            self.refusal = refusal::instead_of(bytes);
        }
        self.refusal.is_some()
    }

    fn poll_refusal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.refusal.as_mut().filter(|rest| !rest.is_empty()) {
            let written = Pin::new(&mut self.stream).poll_write(context, rest);
            if let Poll::Ready(Ok(count)) = written {
                rest.advance(count);
            }
            if ready!(self.in_time(context, written))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.refuses(bytes) {
            ready!(this.poll_refusal(context))?;
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.in_time(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first = pieces.iter().find(|piece| !piece.is_empty());
        if first.is_some_and(|first| this.refuses(first)) {
            ready!(this.poll_refusal(context))?;
            return Poll::Ready(Ok(pieces.iter().map(|piece| piece.len()).sum()));
        }
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, pieces);
        this.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // The HTTP library asks for it when nothing is left that it has to write.
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        if let Poll::Ready(Ok(())) = flushed {
            this.late = None;
            this.seat.is_written();
        }
        this.in_time(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::seats::Seats;
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_reader_is_given_its_time_from_the_first_byte_it_has_no_room_for() {
        for pause in [Duration::from_secs(1), PATIENCE * 2] {
            let (near, mut far) = tokio::io::duplex(4);
            let mut wire = Wire::new(near, Seats::new(1).take().await, PATIENCE);
            let reader = tokio::spawn(async move {
                let mut byte = [0];
                while far.read(&mut byte).await.is_ok_and(|n| n > 0) {
                    tokio::time::sleep(pause).await;
                }
            });
            let start = tokio::time::Instant::now();
            let error = wire.write_all(&[7; 100]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            let taken = start.elapsed();
            assert!(PATIENCE <= taken && taken <= PATIENCE + pause, "{taken:?}");
            reader.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_taken_does_not_count_against_the_next() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut wire = Wire::new(near, Seats::new(1).take().await, PATIENCE);
        let reader = tokio::spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(PATIENCE / 2).await;
                far.read_exact(&mut [0; 5]).await.unwrap();
            }
        });
        for _ in 0..10 {
            wire.write_all(&[7; 5]).await.unwrap();
            wire.flush().await.unwrap();
        }
        reader.await.unwrap();
    }
}
