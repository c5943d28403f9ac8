//! The body of an answer that is sent as it is made. One that ends in an error breaks the connection
//! off, so that nobody takes it for whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

/// The chunks of a body. The connection drops it when its other side goes.
pub(in crate::api) struct Chunks(pub mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = self.get_mut().0.poll_recv(context);
        next.map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}
