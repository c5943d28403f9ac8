//! A receiver that sees every byte, and how each request ends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redeliver::endpoint::TextEncoding;
use redeliver::vendor::hotjar;
use serde_json::Value;

/// A request, as far as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether all of the body came that was promised.
    pub is_whole: bool,
    /// Whether the other side closed the connection where an answer should have been read.
    pub was_cut: bool,
    /// The end of the connection came inside the request, or right behind it.
    pub connection: usize,
}

/// What is done with a whole request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Do {
    Answer(u16),
    /// Waits until the other side closes.
    SeeItClosed,
    /// Waits until so many requests have come, then answers.
    AwaitThen(usize, u16),
}

type Script = dyn Fn(&Came, usize) -> Do + Send + Sync;

pub struct Raw {
    address: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
}

fn lock(came: &Mutex<Vec<Came>>) -> MutexGuard<'_, Vec<Came>> {
    came.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Came {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn attempt(&self) -> u32 {
        self.header("redeliver-attempt").parse().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// HOT-34: whether a receiver with this key believes it.
    pub fn is_signed_with(&self, key: &str) -> bool {
        let signature = self.header(hotjar::SIGNATURE_HEADER);
        hotjar::verify(key.as_bytes(), &self.body, signature, TextEncoding::Hex).is_ok()
    }
}

impl Raw {
    pub fn start(script: impl Fn(&Came, usize) -> Do + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let came: Arc<Mutex<Vec<Came>>> = Arc::default();
        let (shared, script): (_, Arc<Script>) = (came.clone(), Arc::new(script));
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let (came, script) = (shared.clone(), script.clone());
                std::thread::spawn(move || serve(stream, connection, &came, &*script));
            }
        });
        Self { address, came }
    }

    /// Answers 200 to all.
    pub fn good() -> Self {
        Self::start(|_, _| Do::Answer(200))
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn came(&self) -> Vec<Came> {
        lock(&self.came).clone()
    }
}

fn serve(mut stream: TcpStream, connection: usize, all: &Mutex<Vec<Came>>, script: &Script) {
    let mut seen = Vec::new();
    while let Some(mut came) = request(&mut stream, connection, &mut seen) {
        let is_whole = came.is_whole;
        let place = {
            let mut all = lock(all);
            all.push(came.clone());
            all.len() - 1
        };
        if !is_whole {
            return;
        }
        let status = match script(&came, place) {
            Do::Answer(status) => status,
            Do::SeeItClosed => {
                came.was_cut = matches!(stream.read(&mut [0]), Ok(0) | Err(_));
                lock(all)[place] = came;
                return;
            }
            Do::AwaitThen(count, status) => {
                while lock(all).len() < count {
                    std::thread::yield_now();
                }
                status
            }
        };
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nok");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request, as far as it comes; none where the connection ends between two.
fn request(stream: &mut TcpStream, connection: usize, seen: &mut Vec<u8>) -> Option<Came> {
    let mut piece = [0; 4096];
    loop {
        let end = seen.windows(4).position(|four| four == b"\r\n\r\n");
        let read = |seen: &mut Vec<u8>, stream: &mut TcpStream, piece: &mut [u8]| {
            let size = stream.read(piece).unwrap_or_default();
            seen.extend_from_slice(&piece[..size]);
            size > 0
        };
        let Some(end) = end else {
            if read(seen, stream, &mut piece) {
                continue;
            }
            assert!(seen.is_empty(), "cut inside of a head");
            return None;
        };
        let head = String::from_utf8(seen[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        assert_eq!(lines.next(), Some("POST /hook HTTP/1.1"));
        let headers: Vec<(String, String)> = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = seen.split_off(end + 4);
        while body.len() < length && read(&mut body, stream, &mut piece) {}
        *seen = body.split_off(length.min(body.len()));
        return Some(Came {
            headers,
            is_whole: body.len() == length,
            body,
            was_cut: false,
            connection,
        });
    }
}
