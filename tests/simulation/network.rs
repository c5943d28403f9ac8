//! The network, in memory, and the receivers at its other end.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redeliver::clock::{Clock, ManualClock};
use redeliver::deliver::guard::{Resolve, Resolving};
use redeliver::deliver::transport::{Dial, Dialing, Socket};
use redeliver::id::DeliveryId;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::ledger::{Arrival, Ledger};
use super::plan::Reply;

/// Everything outside of the product; it outlives every crash.
pub struct Outside {
    pub clock: Arc<ManualClock>,
    ledger: Mutex<Ledger>,
    /// Receivers that refuse connections, by their place in the plan.
    unreachable: Mutex<BTreeSet<usize>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outside {
    pub fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            ledger: Mutex::default(),
            unreachable: Mutex::default(),
        }
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    /// Takes a receiver off the network, or puts it back.
    pub fn toggle(&self, index: usize) {
        let mut unreachable = lock(&self.unreachable);
        if !unreachable.remove(&index) {
            unreachable.insert(index);
        }
    }

    pub fn reconnect_all(&self) {
        lock(&self.unreachable).clear();
    }
}

/// The network as the transport knows it.
pub struct Network(pub Arc<Outside>);

impl Resolve for Network {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(async { Err(io::ErrorKind::NotFound.into()) })
    }
}

impl Dial for Network {
    fn dial(&self, peer: SocketAddr) -> Dialing<'_> {
        let index = usize::from(peer.port()) - 10_000;
        let refused = lock(&self.0.unreachable).contains(&index);
        if refused {
            let mut ledger = self.0.ledger();
            let watched = ledger.watched.values_mut();
            for watched in watched.filter(|watched| watched.planned.index == index) {
                watched.refused += 1;
            }
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        }
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(receive(far, index, self.0.clone()));
        Box::pin(async { Ok(Box::new(near) as Socket) })
    }
}

/// Serves one connection until it ends.
async fn receive(mut stream: DuplexStream, index: usize, outside: Arc<Outside>) {
    while let Some(arrival) = read(&mut stream).await {
        let now = outside.clock.now();
        let reply = outside.ledger().arrive(index, &arrival, now);
        let Some(reply) = reply else { return };
        if !answer(&mut stream, &arrival, reply, &outside).await {
            return;
        }
    }
}

/// Does with a request what is to be done; says whether the connection goes on.
async fn answer(
    stream: &mut DuplexStream,
    arrival: &Arrival,
    reply: Reply,
    outside: &Outside,
) -> bool {
    let (delivery, number) = (arrival.delivery, arrival.number);
    if let Reply::After(pause, _) = reply {
        let until = outside.clock.now().plus(pause);
        outside.ledger().moments.insert(until);
        outside.clock.sleep_until(until).await;
    }
    let now = || outside.clock.now();
    let head = |status| format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n");
    let (bytes, goes_on) = match reply {
        Reply::Status(status) | Reply::After(_, status) => (head(status) + "\r\nok", true),
        Reply::Closing(status) => (head(status) + "connection: close\r\n\r\nok", false),
        Reply::HalfBody(status) => (head(status) + "\r\no", false),
        Reply::Torn => ("HTTP/1.1 20".to_owned(), false),
        Reply::Reset => (String::new(), false),
        Reply::Hang => {
            // Its end is the sender's.
            let _ = stream.read(&mut [0]).await;
            outside.ledger().given_up(delivery, number, now());
            return false;
        }
    };
    // Noted before it is written: whoever reads it may act on it at once.
    outside
        .ledger()
        .end(delivery, number, reply.status(), now());
    stream.write_all(bytes.as_bytes()).await.is_ok() && goes_on
}

/// One request, or none if the connection ends first.
async fn read(stream: &mut DuplexStream) -> Option<Arrival> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let header = |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
    };
    let length: usize = header("content-length")?.parse().ok()?;
    while bytes.len() < head + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Arrival {
        delivery: header("redeliver-delivery-id")?
            .parse::<DeliveryId>()
            .ok()?,
        event: header("redeliver-event-id")?.to_owned(),
        number: header("redeliver-attempt")?.parse().ok()?,
        body: String::from_utf8(bytes[head + 4..].to_vec()).ok()?,
    })
}
