//! A server that answers by script and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

/// As a status: never answers.
pub const HANG: u16 = 0;

/// What the server was asked.
#[derive(Debug)]
pub struct Asked {
    /// Method and target, such as `GET /v1/events`.
    pub line: String,
    /// The header lines, in lower case.
    pub headers: String,
    /// The body.
    pub body: String,
}

/// Answers each request by the next status and body, over connections that stay open.
pub struct Server {
    /// Its address.
    pub url: String,
    asked: Receiver<Asked>,
}

impl Server {
    /// Starts one.
    pub fn start(script: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            let mut script = script.into_iter();
            for stream in listener.incoming() {
                if serve(stream.unwrap(), &mut script, &sender).is_none() {
                    return;
                }
            }
        });
        Self { url, asked }
    }

    /// One that answers once.
    pub fn once(status: u16, body: &str) -> Self {
        Self::start(vec![(status, body.to_owned())])
    }

    /// The next request.
    pub fn asked(&self) -> Asked {
        self.asked
            .recv_timeout(std::time::Duration::from_secs(10))
            .unwrap()
    }
}

/// None once the script is at its end.
fn serve(
    stream: TcpStream,
    script: &mut impl Iterator<Item = (u16, String)>,
    asked: &Sender<Asked>,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return Some(());
        }
        let (mut headers, mut length) = (String::new(), 0);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let header = header.trim().to_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            headers.push_str(&header);
            headers.push('\n');
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let line = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
        let body = String::from_utf8_lossy(&body).into_owned();
        asked
            .send(Asked {
                line,
                headers,
                body,
            })
            .ok()?;
        let (status, answer) = script.next()?;
        if status == HANG {
            // Until the test ends.
            std::thread::park();
        }
        let length = answer.len();
        let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\n\r\n");
        writer.write_all((head + &answer).as_bytes()).ok()?;
    }
}
