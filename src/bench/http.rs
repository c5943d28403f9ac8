//! As much of HTTP/1.1 as a sender needs that must cost little itself.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::BenchError;

/// The longest that anything here waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its status.
    pub status: u16,
    /// How long it is with its body.
    pub whole: usize,
}

/// Reads the head that `bytes` begin with; none while it is not all there.
pub fn head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "not an answer of HTTP/1.1");
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| bad())?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.get(9..12))
        .ok_or_else(bad)?;
    let status = status.parse().map_err(|_| bad())?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse::<usize>());
    let length = length.map_err(|_| bad())?;
    Ok(Some(Head {
        status,
        whole: end + 4 + length,
    }))
}

/// One connection that is used by one thread.
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            read: Vec::new(),
        })
    }

    /// Sends a whole request; gives the status and the body that are answered.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        self.stream.write_all(request)?;
        self.read.clear();
        let mut piece = [0; 16 * 1024];
        loop {
            if let Some(found) = head(&self.read)?
                && self.read.len() >= found.whole
            {
                let end = self.read.windows(4).position(|four| four == b"\r\n\r\n");
                let body = self.read.split_off(end.map_or(0, |end| end + 4));
                return Ok((found.status, body));
            }
            match self.stream.read(&mut piece)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.read.extend_from_slice(&piece[..count]),
            }
        }
    }
}

/// Asks once, over a connection of its own; anything but a 2xx is an error.
pub fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Vec<u8>, BenchError> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer =
        Connection::open(address).and_then(|mut connection| connection.ask(request.as_bytes()));
    let (status, body) =
        answer.map_err(BenchError::system(format!("{method} {path} of {address}")))?;
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Err(BenchError::Failed(format!(
        "{method} {path} of {address} was answered {status}: {body}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(
            head(answer).unwrap(),
            Some(Head {
                status: 202,
                whole: answer.len()
            })
        );
        assert_eq!(head(&answer[..20]).unwrap(), None);
        assert!(head(b"SMTP\r\n\r\n").is_err());
    }
}
