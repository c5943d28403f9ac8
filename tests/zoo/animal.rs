//! An animal: a receiver with a name, a habit, and the end that an attempt at it must come to.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redeliver::clock::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;

use crate::process::now;

/// All that an attempt reads.
pub const READ_MAX: usize = 64 * 1024;

/// The patience with an animal that is not waited for, however busy the machine is.
const PATIENT_MS: u64 = 60_000;

/// The patience with one that takes all there is.
pub const SHORT_MS: u64 = 2500;

/// What a flood is written in.
const WAVE: usize = 80 * 1024;

thread_local! {
    /// Where the animals of this test live: another test's floods must not make them late.
    static GROUNDS: &'static Runtime = {
        let mut grounds = tokio::runtime::Builder::new_multi_thread();
        let grounds = grounds.worker_threads(2).enable_all().build().unwrap();
        Box::leak(Box::new(grounds))
    };
}

fn grounds() -> &'static Runtime {
    GROUNDS.with(|grounds| *grounds)
}

/// How an attempt must end.
#[derive(Clone, Copy, Debug)]
pub enum Ends {
    /// With this status.
    Answered(u16),
    /// Without an answer, in these words; `{at}` is the animal's address.
    Failed(&'static str),
    /// Without an answer, in words that begin with one of these: which end notices it first, or
    /// how much the kernel takes off our hands, is not for us to say.
    FailedLike(&'static [&'static str]),
}

/// One connection, as the animal saw it.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    pub began: Timestamp,
    pub ended: Option<Timestamp>,
}

pub type Habit =
    dyn Fn(Guest) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> + Send + Sync;

/// A listening receiver; it listens until the test's process ends.
pub struct Animal {
    pub name: &'static str,
    pub ends: Ends,
    pub timeout_ms: u64,
    pub url: String,
    /// The authority that its certificate is to be checked against.
    pub ca_pem: Option<String>,
    pub at: SocketAddr,
    brims: Arc<AtomicBool>,
    visits: Arc<Mutex<Vec<Visit>>>,
}

impl Animal {
    pub fn new<F>(
        name: &'static str,
        ends: Ends,
        habit: impl Fn(Guest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let habit: Arc<Habit> = Arc::new(move |guest| Box::pin(habit(guest)));
        let (brims, visits) = (Arc::new(AtomicBool::default()), Arc::default());
        let listener = listener(1024);
        let at = listener.local_addr().unwrap();
        grounds().spawn(keep(listener, habit, brims.clone(), Arc::clone(&visits)));
        Self {
            name,
            ends,
            timeout_ms: PATIENT_MS,
            url: format!("http://{at}/hook?key=s3cret-query"),
            ca_pem: None,
            at,
            brims,
            visits,
        }
    }

    /// Says `answer` to every request, until the visitor leaves.
    pub fn saying(name: &'static str, ends: Ends, answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(name, ends, move |mut guest| {
            let answer = answer.clone();
            async move {
                loop {
                    guest.request().await?;
                    guest.say(&answer).await?;
                }
            }
        })
    }

    /// Reads the request, says `answer` and hangs up.
    pub fn saying_last(name: &'static str, ends: Ends, answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(name, ends, move |mut guest| {
            let answer = answer.clone();
            async move {
                guest.request().await?;
                guest.say(&answer).await
            }
        })
    }

    /// A receiver that is no listener of ours.
    pub fn absent(name: &'static str, ends: Ends, at: SocketAddr) -> Self {
        Self {
            name,
            ends,
            timeout_ms: PATIENT_MS,
            url: format!("http://{at}/hook?key=s3cret-query"),
            ca_pem: None,
            at,
            brims: Arc::default(),
            visits: Arc::default(),
        }
    }

    /// With a shorter patience, for one that takes all there is.
    pub fn within(self, timeout_ms: u64) -> Self {
        Self { timeout_ms, ..self }
    }

    /// Under another URL, with an authority to check it by.
    pub fn under(self, url: String, ca_pem: Option<String>) -> Self {
        Self {
            url,
            ca_pem,
            ..self
        }
    }

    pub fn visits(&self) -> Vec<Visit> {
        self.visits.lock().unwrap().clone()
    }

    /// With floods that stop just above what may be read.
    pub fn brimming(self) -> Self {
        self.brims.store(true, Ordering::Relaxed);
        self
    }
}

/// A listener with this many places in its queue, whose connections have small buffers.
pub fn listener(backlog: u32) -> TcpListener {
    let _here = grounds().enter();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(64 * 1024).unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(backlog).unwrap()
}

/// A listener at this address.
pub fn listener_at(address: &str) -> TcpListener {
    let _here = grounds().enter();
    let socket = std::net::TcpListener::bind(address).unwrap();
    socket.set_nonblocking(true).unwrap();
    TcpListener::from_std(socket).unwrap()
}

/// Treats whoever connects to `listener` by `habit`.
pub fn receive<F>(listener: TcpListener, habit: impl Fn(Guest) -> F + Send + Sync + 'static)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let habit: Arc<Habit> = Arc::new(move |guest| Box::pin(habit(guest)));
    grounds().spawn(keep(listener, habit, Arc::default(), Arc::default()));
}

async fn keep(
    listener: TcpListener,
    habit: Arc<Habit>,
    brims: Arc<AtomicBool>,
    visits: Arc<Mutex<Vec<Visit>>>,
) {
    while let Ok((socket, _)) = listener.accept().await {
        let number = {
            let mut visits = visits.lock().unwrap();
            visits.push(Visit {
                began: now(),
                ended: None,
            });
            visits.len() - 1
        };
        let guest = Guest {
            socket,
            brims: brims.load(Ordering::Relaxed),
        };
        let (visit, visits) = (habit(guest), visits.clone());
        tokio::spawn(async move {
            // A visitor that leaves in the middle is what most of these are about.
            let _ = visit.await;
            let mut visits = visits.lock().unwrap();
            visits[number].ended = Some(now());
        });
    }
}

/// A connection of the broker to an animal.
pub struct Guest {
    pub socket: TcpStream,
    brims: bool,
}

impl Guest {
    /// Reads one request, body and all.
    pub async fn request(&mut self) -> io::Result<String> {
        read_request(&mut self.socket).await
    }

    pub async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await
    }

    /// Waits until the visitor has closed or reset the connection.
    pub async fn until_gone(&mut self) -> io::Result<()> {
        let mut rest = [0; 4096];
        while self.socket.read(&mut rest).await? > 0 {}
        Ok(())
    }

    /// One piece after the other, with a pause before each, until the visitor leaves.
    pub async fn drip(&mut self, pieces: &[u8], size: usize, pause: Duration) -> io::Result<()> {
        for piece in pieces.chunks(size) {
            self.say(piece).await?;
            if let Ok(gone) = tokio::time::timeout(pause, self.until_gone()).await {
                return gone;
            }
        }
        self.until_gone().await
    }

    /// `start`, then `more` again and again: until the visitor leaves, or for just one byte more
    /// than it may read, which is waited out by a visitor that would read on.
    pub async fn flood(&mut self, start: &[u8], more: &[u8]) -> io::Result<()> {
        let wave = more.repeat(WAVE.div_ceil(more.len()));
        if self.brims {
            let whole = [start, &wave].concat();
            self.say(&whole[..=READ_MAX]).await?;
            return self.until_gone().await;
        }
        self.say(start).await?;
        loop {
            self.say(&wave).await?;
        }
    }
}

/// Reads one request, body and all.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut seen = Vec::new();
    loop {
        if stream.read_buf(&mut seen).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&seen);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Ok(text.into_owned());
            }
        }
    }
}
