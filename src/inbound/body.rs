//! Reading a request's body, within its size, its time and the memory for all of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::header::EXPECT;
use hyper::{HeaderMap, StatusCode};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::patience;
use super::problem::Problem;
use super::unread::linger;
use crate::config::Limits;

/// What each body may hold without asking: events are small, and are taken even while large bodies
/// have all the room.
const SMALL_BYTES: usize = 16 * 1024;

/// Reads bodies. Each has its size and its time, and all of them together the memory that they may
/// take while they are coming in.
#[derive(Clone, Debug)]
pub struct Bodies {
    max_bytes: usize,
    // On the machine's own clock: it bounds what a client may hold, not what events mean.
    timeout: Duration,
    room: Arc<Semaphore>,
}

/// What a line of an export has beside its body.
const LINE_BYTES: usize = 64 * 1024;

impl Bodies {
    /// Bodies within these limits.
    pub fn new(limits: &Limits) -> Self {
        Self {
            max_bytes: limits.max_body_bytes,
            timeout: limits.body_timeout,
            room: Arc::new(Semaphore::new(limits.incoming_bytes)),
        }
    }

    /// For lines that hold whole bodies, in base64 at worst: twice as large, and the rest of a line.
    pub fn of_lines(&self) -> Self {
        Self {
            max_bytes: self.max_bytes.saturating_mul(2).saturating_add(LINE_BYTES),
            ..self.clone()
        }
    }

    /// The whole body: 413 if it is too large, which `Content-Length` says before a byte is read;
    /// 408 if it does not come in time; 503 if others that are coming in have taken the room.
    pub async fn read<B>(&self, headers: &HeaderMap, mut body: B) -> Result<Bytes, Problem>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let announced = body.size_hint().lower();
        if announced > self.max_bytes as u64 {
            // Reading would tell a client that asks first (`Expect: 100-continue`) to go on.
            if !headers.contains_key(EXPECT) {
                linger(&mut body).await;
            }
            return Err(self.too_large());
        }
        let read = patience::within(self.timeout, self.collect(&mut body)).await;
        let read = read.unwrap_or_else(|| Err(self.too_late()));
        if let Err(problem) = &read
            && problem.status == StatusCode::PAYLOAD_TOO_LARGE
        {
            linger(&mut body).await;
        }
        read
    }

    fn too_late(&self) -> Problem {
        let seconds = self.timeout.as_secs_f64();
        let detail = format!("the body did not arrive within {seconds} s");
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail).closing()
    }

    async fn collect(
        &self,
        body: &mut (impl Body<Data = Bytes> + Unpin),
    ) -> Result<Bytes, Problem> {
        let whole = body.size_hint().exact().and_then(|n| n.try_into().ok());
        let whole = whole.map_or(self.max_bytes, |n: usize| n.min(self.max_bytes));
        // A small body comes in one piece, which is then taken as it is.
        let mut first = Bytes::new();
        let mut rest = Vec::new();
        let mut held = self.hold(0)?;
        let mut covered = SMALL_BYTES;
        while let Some(frame) = body.frame().await {
            let frame = frame
                .map_err(|_| Problem::malformed("the body broke off before its end").closing())?;
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            let length = first.len() + rest.len() + piece.len();
            if length > self.max_bytes {
                return Err(self.too_large());
            }
            let is_first = first.is_empty() && rest.is_empty();
            let room = match is_first {
                true => length,
                false => grown(rest.capacity(), length, whole),
            };
            // Nothing is reserved that is not covered, whatever the client announces.
            held.merge(self.hold(room.saturating_sub(covered))?);
            covered = covered.max(room);
            if is_first {
                first = piece;
                continue;
            }
            rest.reserve_exact(room - rest.len());
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&piece);
        }
        rest.shrink_to_fit();
        Ok(if rest.is_empty() { first } else { rest.into() })
    }

    /// Room for so many bytes, until the body is handed on to a queue with a bound of its own.
    fn hold(&self, bytes: usize) -> Result<SemaphorePermit<'_>, Problem> {
        let permits = u32::try_from(bytes).ok();
        let room = permits.and_then(|permits| self.room.try_acquire_many(permits).ok());
        room.ok_or_else(|| {
            Problem::unavailable(
                "other large bodies are still coming in and take all the room; send it again in a \
                 moment, or raise limits.incoming_bytes",
            )
            .closing()
        })
    }

    fn too_large(&self) -> Problem {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "the body is larger than {} bytes; send less, or raise limits.max_body_bytes",
                self.max_bytes
            ),
        )
        .closing()
    }
}

/// How much is to be reserved for what has come, `needed`, of a body that is no longer than `whole`:
/// by doubling, a body is copied but a few times.
fn grown(reserved: usize, needed: usize, whole: usize) -> usize {
    if needed <= reserved {
        return reserved;
    }
    (2 * reserved).max(SMALL_BYTES).min(whole).max(needed)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn bodies(max_bytes: usize) -> Bodies {
        Bodies {
            max_bytes,
            timeout: Duration::from_millis(50),
            room: Arc::new(Semaphore::new(max_bytes)),
        }
    }

    #[tokio::test]
    async fn a_body_of_the_limit_is_read_and_one_byte_more_is_413() {
        let (none, bodies) = (HeaderMap::new(), bodies(10));
        let read = |len| bodies.read(&none, Body::from(vec![7; len]));
        assert_eq!(read(10).await.unwrap().len(), 10);
        assert_eq!(read(11).await.unwrap_err().status.as_u16(), 413);
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_408() {
        let body = Body::new(http_body_util::combinators::BoxBody::new(Never(None)));
        let read = bodies(10).read(&HeaderMap::new(), body).await;
        assert_eq!(read.unwrap_err().status.as_u16(), 408);
    }

    #[tokio::test]
    async fn large_bodies_share_their_room_give_it_back_and_leave_small_ones_alone() {
        let (none, bodies) = (HeaderMap::new(), bodies(3 * SMALL_BYTES));
        let never = || Body::new(Never(Some(vec![7; 3 * SMALL_BYTES - 1].into())));
        let hoard = || async {
            tokio::join!(bodies.read(&none, never()), async {
                let read = |len| bodies.read(&none, Body::from(vec![7; len]));
                tokio::task::yield_now().await;
                assert_eq!(read(SMALL_BYTES).await.unwrap().len(), SMALL_BYTES);
                let refused = read(3 * SMALL_BYTES).await.unwrap_err();
                assert_eq!(refused.status.as_u16(), 503);
            })
        };
        for _ in 0..2 {
            assert_eq!(hoard().await.0.unwrap_err().status.as_u16(), 408);
            let large = bodies.read(&none, Body::from(vec![7; 3 * SMALL_BYTES]));
            assert!(large.await.is_ok());
        }
    }

    #[test]
    fn what_is_reserved_grows_with_what_has_come_and_ends_where_the_body_does() {
        const MIB: usize = 1 << 20;
        assert_eq!(grown(0, 2, MIB), SMALL_BYTES);
        assert_eq!(grown(0, 2, 100), 100);
        assert_eq!(grown(SMALL_BYTES, SMALL_BYTES, MIB), SMALL_BYTES);
        assert_eq!(grown(SMALL_BYTES, SMALL_BYTES + 1, MIB), 2 * SMALL_BYTES);
        assert_eq!(grown(SMALL_BYTES, MIB / 2, MIB), MIB / 2);
        assert_eq!(grown(MIB / 2, MIB / 2 + 1, MIB - 1), MIB - 1);
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_put_together_and_takes_no_more_than_its_length() {
        for announced in [true, false] {
            for length in [2, SMALL_BYTES, SMALL_BYTES + 1, 10 * SMALL_BYTES + 7] {
                let sent: Vec<u8> = (0..length).map(|n| n as u8).collect();
                let body = InPieces(sent.clone().into(), announced);
                let bodies = bodies(11 * SMALL_BYTES);
                let read = bodies.read(&HeaderMap::new(), Body::new(body)).await;
                assert!(read.unwrap() == sent, "{length}");
                assert_eq!(bodies.room.available_permits(), 11 * SMALL_BYTES);
            }
        }
    }

    /// In pieces of up to 1000 bytes; whether it says how many there are in all.
    struct InPieces(Bytes, bool);

    impl hyper::body::Body for InPieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            let next = self.0.len().min(1000);
            let piece = self.0.split_to(next);
            let piece = (next > 0).then(|| Ok(hyper::body::Frame::data(piece)));
            std::task::Poll::Ready(piece)
        }
        fn size_hint(&self) -> hyper::body::SizeHint {
            match self.1 {
                true => hyper::body::SizeHint::with_exact(self.0.len() as u64),
                false => hyper::body::SizeHint::default(),
            }
        }
    }

    /// Has one piece, perhaps, and no end.
    struct Never(Option<Bytes>);

    impl hyper::body::Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            match self.0.take() {
                Some(piece) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(piece)))),
                None => std::task::Poll::Pending,
            }
        }
    }
}
