//! A client without manners: sends the bytes that it is told, and reads until the other side closes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A server that neither answers nor closes fails the test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(60);

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Checks that it is a problem with its own status, and gives its words.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert!(
            self.head.contains("application/problem+json"),
            "no problem: {self:?}"
        );
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status);
        problem["detail"].as_str().unwrap().to_owned()
    }
}

/// A connection with nothing sent yet.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything that is answered to `bytes` until the server closes.
pub fn send(address: SocketAddr, bytes: &[u8]) -> Vec<Answer> {
    let mut stream = connect(address);
    // A server that refuses the beginning need not read the end.
    let _ = stream.write_all(bytes);
    rest(&mut stream)
}

/// What is answered until the server closes.
pub fn rest(stream: &mut TcpStream) -> Vec<Answer> {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        let late = matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        );
        assert!(!late, "the server neither answers nor closes");
    }
    answers(&String::from_utf8(bytes).unwrap())
}

fn answers(mut text: &str) -> Vec<Answer> {
    let mut found = Vec::new();
    while let Some((head, after)) = text.split_once("\r\n\r\n") {
        let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        let status = status.unwrap_or_else(|| panic!("this is no answer: {text:?}"));
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then_some(value)
        });
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        found.push(Answer {
            status: status.parse().unwrap(),
            head: head.to_owned(),
            body: after[..length].to_owned(),
        });
        text = &after[length..];
    }
    assert_eq!(text, "", "an answer that is cut off");
    found
}
