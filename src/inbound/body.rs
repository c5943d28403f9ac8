//! Reading a request's body, within its size and its time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use hyper::header::{CONNECTION, EXPECT, HeaderValue};
use hyper::{HeaderMap, StatusCode};

use super::problem::Problem;
use crate::config::Limits;

/// How much of a body that is too large is still read, and for how long: a client that is busy
/// sending would otherwise see a reset connection and never our answer.
const LINGER_BYTES: usize = 1 << 20;
const LINGER: Duration = Duration::from_millis(500);

/// What one body may take.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Bytes.
    pub max_bytes: usize,
    /// Time, on the machine's own clock: it bounds what a client may hold, not what events mean.
    pub timeout: Duration,
}

impl From<&Limits> for BodyLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            max_bytes: limits.max_body_bytes,
            timeout: limits.body_timeout,
        }
    }
}

/// The whole body: 413 if it is too large, which `Content-Length` says before a byte is read; 408
/// if it does not come in time.
pub async fn read(
    headers: &HeaderMap,
    mut body: Body,
    limits: BodyLimits,
) -> Result<Bytes, Problem> {
    let announced = body.size_hint().lower();
    if announced > limits.max_bytes as u64 {
        // Reading would tell a client that asks first (`Expect: 100-continue`) to go on.
        if !headers.contains_key(EXPECT) {
            linger(&mut body).await;
        }
        return Err(too_large(limits.max_bytes));
    }
    match tokio::time::timeout(limits.timeout, collect(&mut body, limits.max_bytes)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(problem)) => {
            if problem.status == StatusCode::PAYLOAD_TOO_LARGE {
                linger(&mut body).await;
            }
            Err(problem)
        }
        Err(_) => Err(closing(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the body did not arrive within {} s",
                limits.timeout.as_secs_f64()
            ),
        ))),
    }
}

async fn collect(body: &mut Body, max_bytes: usize) -> Result<Bytes, Problem> {
    // A small body comes in one piece, which is then taken as it is.
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| closing(Problem::malformed("the body broke off before its end")))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if first.len() + rest.len() + piece.len() > max_bytes {
            return Err(too_large(max_bytes));
        }
        if first.is_empty() && rest.is_empty() {
            first = piece;
        } else {
            if rest.is_empty() {
                rest.reserve(first.len() + piece.len().max(body.size_hint().lower() as usize));
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&piece);
        }
    }
    Ok(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    })
}

async fn linger(body: &mut Body) {
    let drain = async {
        let mut left = LINGER_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(after) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else {
                break;
            };
            left = after;
        }
    };
    // The answer is the same, whether the client has finished or not.
    let _ = tokio::time::timeout(LINGER, drain).await;
}

fn too_large(max_bytes: usize) -> Problem {
    closing(Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!(
            "the body is larger than {max_bytes} bytes; send less, or raise limits.max_body_bytes"
        ),
    ))
}

/// What is left of the body would be taken for the next request.
fn closing(problem: Problem) -> Problem {
    problem.with_header(CONNECTION, HeaderValue::from_static("close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_bytes: usize) -> BodyLimits {
        BodyLimits {
            max_bytes,
            timeout: Duration::from_millis(50),
        }
    }

    #[tokio::test]
    async fn a_body_of_the_limit_is_read_and_one_byte_more_is_413() {
        let none = HeaderMap::new();
        let read = |len| read(&none, Body::from(vec![7; len]), limits(10));
        assert_eq!(read(10).await.unwrap().len(), 10);
        assert_eq!(read(11).await.unwrap_err().status.as_u16(), 413);
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_408() {
        let body = Body::new(http_body_util::combinators::BoxBody::new(Never));
        let read = read(&HeaderMap::new(), body, limits(10)).await;
        assert_eq!(read.unwrap_err().status.as_u16(), 408);
    }

    struct Never;

    impl hyper::body::Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
}
