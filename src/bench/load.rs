//! The sender: connections that each post one event after another, as fast as they are answered.
//!
//! It writes ready-made bytes and reads as little as it can, on one thread, so that what is
//! measured is the server.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::BenchError;
use super::http::{self, Connection};
use super::spread::{Counted, Spread};
use super::stopwatch::{now_ns, since};
use super::template::Template;

/// How long one that was told "not now" waits before it asks again.
const TURNED_AWAY: Duration = Duration::from_millis(1);

/// What is posted.
#[derive(Clone, Debug)]
pub struct Load {
    pub address: SocketAddr,
    pub template: Template,
    pub connections: usize,
    /// How many events, numbered from `first` on.
    pub events: u64,
    pub first: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Posted {
    pub took: Duration,
    pub events: u64,
    /// From post to answer.
    pub latency: Spread,
    /// How often one was told to come again (429, 503); it did.
    pub turned_away: u64,
}

impl Posted {
    pub fn per_second(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }
}

struct Shared {
    load: Load,
    next: Cell<u64>,
    turned_away: Cell<u64>,
    latency: RefCell<Counted>,
}

impl Load {
    /// Posts all events.
    pub fn run(&self) -> Result<Posted, BenchError> {
        let failed = || BenchError::system(format!("posting to {}", self.address));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(failed())?;
        let shared = Rc::new(Shared {
            load: self.clone(),
            next: Cell::new(0),
            turned_away: Cell::new(0),
            latency: RefCell::default(),
        });
        let work = LocalSet::new();
        let took = runtime.block_on(work.run_until(async {
            let mut streams = Vec::new();
            for _ in 0..self.connections {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                streams.push(stream);
            }
            let start = now_ns();
            let sending = streams
                .into_iter()
                .map(|stream| tokio::task::spawn_local(shared.clone().post(stream)));
            for sent in sending.collect::<Vec<_>>() {
                sent.await.map_err(io::Error::other)??;
            }
            io::Result::Ok(since(start))
        }));
        let took = took.map_err(failed())?;
        let latency = shared.latency.borrow().spread();
        Ok(Posted {
            took,
            events: self.events,
            latency,
            turned_away: shared.turned_away.get(),
        })
    }
}

impl Shared {
    async fn post(self: Rc<Self>, mut stream: TcpStream) -> io::Result<()> {
        let mut template = self.load.template.clone();
        let mut read = vec![0; 16 * 1024];
        loop {
            let number = self.next.get();
            if number == self.load.events {
                return Ok(());
            }
            self.next.set(number + 1);
            loop {
                let sent = now_ns();
                stream
                    .write_all(template.fill(self.load.first + number, sent))
                    .await?;
                match answer(&mut stream, &mut read).await? {
                    200..300 => {
                        self.latency.borrow_mut().add(since(sent));
                        break;
                    }
                    429 | 503 => {
                        self.turned_away.set(self.turned_away.get() + 1);
                        tokio::time::sleep(TURNED_AWAY).await;
                    }
                    status => {
                        let words = String::from_utf8_lossy(&read).into_owned();
                        let words = words.trim_end_matches('\0');
                        return Err(io::Error::other(format!("answered {status}: {words}")));
                    }
                }
            }
        }
    }
}

async fn answer(stream: &mut TcpStream, read: &mut [u8]) -> io::Result<u16> {
    let mut length = 0;
    loop {
        let count = stream.read(&mut read[length..]).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        length += count;
        if let Some(head) = http::head(&read[..length])?
            && length >= head.whole
        {
            return Ok(head.status);
        }
    }
}

/// Does `one` for each of `events`, `per_second` of them, one after the other. It is told the
/// number and when its time began: if the one before took too long, that is when it should have
/// been, so that a slow server cannot hide behind its own slowness.
pub fn steadily(
    events: u64,
    per_second: u64,
    mut one: impl FnMut(u64, u64) -> io::Result<()>,
) -> io::Result<()> {
    let start = now_ns();
    for number in 0..events {
        let due = start + number * 1_000_000_000 / per_second;
        let early = due.saturating_sub(now_ns());
        std::thread::sleep(Duration::from_nanos(early));
        let began = if early > 0 { now_ns() } else { due };
        one(number, began)?;
    }
    Ok(())
}

/// Posts one event; anything but a 2xx is an error.
pub fn post_one(connection: &mut Connection, request: &[u8]) -> io::Result<()> {
    match connection.ask(request)? {
        (200..300, _) => Ok(()),
        (status, _) => Err(io::Error::other(format!("answered {status}"))),
    }
}
