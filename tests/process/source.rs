//! The reading side of server-sent events, as a browser has it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::http;

/// An open stream.
pub struct Source {
    stream: BufReader<TcpStream>,
    /// The head of the answer.
    pub headers: Vec<(String, String)>,
    /// What came of frames and was not read yet.
    text: String,
}

/// An event, as a browser hands it on.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub id: Option<u64>,
    pub event: String,
    pub data: Value,
}

impl Source {
    /// Opens the stream, which must be there; its head comes before anything happens.
    #[track_caller]
    pub fn open(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        Self::ask(address, path, headers).expect("a stream")
    }

    /// Opens the stream, unless it is refused.
    pub fn ask(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Option<Self> {
        let mut stream = TcpStream::connect(address).unwrap();
        let patience = Duration::from_secs(60);
        stream.set_read_timeout(Some(patience)).unwrap();
        let mut head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all((head + "\r\n").as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let (line, headers) = http::head(&mut stream).unwrap();
        if line != "HTTP/1.1 200 OK" {
            return None;
        }
        let media = ("content-type".to_owned(), "text/event-stream".to_owned());
        assert!(headers.contains(&media), "{headers:?}");
        Some(Self {
            stream,
            headers,
            text: String::new(),
        })
    }

    /// The next frame as it was written, with its empty line; none at the end of the stream.
    pub fn text(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                return Some(self.text.drain(..end + 2).collect());
            }
            if !self.chunk() {
                return None;
            }
        }
    }

    /// The next event, comments left out; none at the end of the stream.
    pub fn next(&mut self) -> Option<Frame> {
        loop {
            let text = self.text()?;
            let field = |name: &str| {
                let each = text.lines().filter_map(|line| line.strip_prefix(name));
                each.collect::<Vec<_>>().join("\n")
            };
            let event = field("event: ");
            if !event.is_empty() {
                return Some(Frame {
                    id: field("id: ").parse().ok(),
                    event,
                    data: serde_json::from_str(&field("data: ")).unwrap(),
                });
            }
        }
    }

    /// One more chunk; false at the end of the stream.
    fn chunk(&mut self) -> bool {
        let mut size = String::new();
        self.stream.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut bytes = vec![0; size + 2];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes.truncate(size);
        self.text += &String::from_utf8(bytes).unwrap();
        size > 0
    }
}
