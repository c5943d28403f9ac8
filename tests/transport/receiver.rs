//! Receivers that do as a test says, and requests to them.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderMap;
use redeliver::clock::{Clock, ManualClock, RealClock, Sleep, Timestamp};
use redeliver::deliver::guard::AddressGuard;
use redeliver::deliver::transport::{Answer, Request, SendError, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A receiver on loopback that treats each connection as `script` says, and counts them.
pub async fn receiver<F>(script: impl Fn(TcpStream) -> F + Send + 'static) -> Receiver
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            count.fetch_add(1, SeqCst);
            tokio::spawn(script(socket));
        }
    });
    Receiver { at, connections }
}

pub struct Receiver {
    pub at: SocketAddr,
    pub connections: Arc<AtomicUsize>,
}

impl Receiver {
    pub fn url(&self) -> String {
        format!("http://{}/hook?key=s3cret", self.at)
    }
}

/// Reads one request, body and all.
pub async fn read_request(socket: &mut TcpStream) -> io::Result<String> {
    let mut seen = Vec::new();
    loop {
        if socket.read_buf(&mut seen).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&seen);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |n| n.parse().unwrap());
            if body.len() >= length {
                return Ok(text.into_owned());
            }
        }
    }
}

/// A receiver that reads the request, answers with `bytes` and closes.
pub async fn answering(bytes: &'static str) -> Receiver {
    receiver(move |mut socket| async move {
        read_request(&mut socket).await?;
        socket.write_all(bytes.as_bytes()).await
    })
    .await
}

pub fn transport() -> Transport {
    Transport::new(AddressGuard {
        allow: vec![],
        allow_loopback: true,
    })
    .unwrap()
}

pub fn request(url: &str, body: impl Into<Bytes>) -> Request {
    Request {
        method: hyper::Method::POST,
        url: Arc::new(url.parse().unwrap()),
        headers: HeaderMap::new(),
        body: body.into(),
        ca_pem: None,
    }
}

/// A deadline that no test that passes ever meets.
pub fn far() -> Sleep {
    RealClock.sleep_until(RealClock.now().plus(Duration::from_secs(20)))
}

pub async fn post(url: &str) -> Result<Answer, SendError> {
    transport().send(request(url, "{}"), far()).await
}

/// Sends, and lets the ten seconds pass as soon as the receiver says so.
pub async fn post_until(url: &str, body: Bytes, pass: &Notify) -> Result<Answer, SendError> {
    let clock = ManualClock::new(Timestamp::from_millis(0));
    let deadline = clock.sleep_until(Timestamp::from_millis(10_000));
    let transport = transport();
    let (answer, ()) = tokio::join!(transport.send(request(url, body), deadline), async {
        pass.notified().await;
        clock.set(Timestamp::from_millis(10_000));
    });
    answer
}
