//! Answers 202 after a group commit to a plain file: what HTTP and the disk cost, without a store.

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytes::Bytes;
use hyper::StatusCode;
use tokio::sync::oneshot;

use super::server::{accepted, listen, serve, status};

type Waiting = Vec<(Bytes, oneshot::Sender<()>)>;

#[derive(Default)]
struct Inbox {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

/// Serves for ever; what comes goes to `file`.
pub async fn run(address: SocketAddr, file: &Path) -> io::Result<()> {
    let file = File::create(file)?;
    let inbox = Arc::new(Inbox::default());
    let committer = inbox.clone();
    std::thread::Builder::new()
        .name("committer".to_owned())
        .spawn(move || committer.commit(file))?;
    serve(listen(address).await?, move |_, body| {
        let inbox = inbox.clone();
        async move {
            match inbox.put(body).await {
                Ok(()) => accepted(),
                // The committer has ended.
                Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
            }
        }
    })
    .await
}

impl Inbox {
    fn put(&self, body: Bytes) -> oneshot::Receiver<()> {
        let (reply, committed) = oneshot::channel();
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((body, reply));
        self.bell.notify_one();
        committed
    }

    /// One group after the other: what has come while one is written is the next.
    fn commit(&self, mut file: File) -> io::Result<()> {
        let mut group = Vec::new();
        loop {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = self.bell.wait_while(waiting, |waiting| waiting.is_empty());
            let taken = std::mem::take(&mut *waiting.unwrap_or_else(PoisonError::into_inner));
            group.clear();
            for (body, _) in &taken {
                group.extend_from_slice(&(body.len() as u32).to_le_bytes());
                group.extend_from_slice(&crc32c::crc32c(body).to_le_bytes());
                group.extend_from_slice(body);
            }
            file.write_all(&group)?;
            file.sync_data()?;
            for (_, reply) in taken {
                // A client that has gone away is answered by nobody.
                let _ = reply.send(());
            }
        }
    }
}
