//! A relay without a store: answers 202 when the event is in memory, and passes it on from there.
//! A crash loses whatever it holds; it is what the broker's durability is measured against.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::server::{accepted, listen, serve, status};

/// Events that wait for one connection; whoever posts more waits.
const QUEUED_MAX: usize = 1024;

/// The connections to one receiver, used in turn.
struct Target {
    connections: Vec<mpsc::Sender<Bytes>>,
    next: AtomicUsize,
}

/// Serves for ever; passes each event on to every one of `targets` over `connections` each.
pub async fn run(address: SocketAddr, targets: Vec<Uri>, connections: usize) -> io::Result<()> {
    let targets: Vec<Target> = targets
        .iter()
        .map(|to| Target::new(to, connections))
        .collect();
    let targets = Arc::new(targets);
    serve(listen(address).await?, move |_, body| {
        let targets = targets.clone();
        async move {
            for target in &*targets {
                if !target.put(body.clone()).await {
                    return status(StatusCode::BAD_GATEWAY);
                }
            }
            accepted()
        }
    })
    .await
}

impl Target {
    fn new(to: &Uri, connections: usize) -> Self {
        let connect = |_| {
            let (sender, waiting) = mpsc::channel(QUEUED_MAX);
            tokio::spawn(pass_on(to.clone(), waiting));
            sender
        };
        Self {
            connections: (0..connections).map(connect).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// False if its connection has failed.
    async fn put(&self, body: Bytes) -> bool {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        self.connections[turn].send(body).await.is_ok()
    }
}

/// Posts what waits over one connection, until something fails.
async fn pass_on(to: Uri, mut waiting: mpsc::Receiver<Bytes>) -> Option<()> {
    let authority = to.authority()?.as_str().to_owned();
    let stream = TcpStream::connect(&authority).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    while let Some(body) = waiting.recv().await {
        let request = Request::post(to.path())
            .header(HOST, &authority)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .ok()?;
        sender.ready().await.ok()?;
        let answer = sender.send_request(request).await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.into_body().collect().await.ok()?;
    }
    Some(())
}
