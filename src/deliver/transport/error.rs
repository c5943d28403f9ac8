//! Why a request brought no answer, in words for the operator.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::super::guard::GuardError;
use super::tls::{InvalidCa, TransportError};
use super::tls_problem::TlsProblem;

/// What an attempt was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Turning the URL's name into addresses.
    Resolve,
    /// Opening the TCP connection.
    Connect,
    /// Agreeing on TLS.
    Tls,
    /// Handing over the request.
    Send,
    /// Waiting for the answer's status line and headers.
    Answer,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolving the name",
            Self::Connect => "connecting",
            Self::Tls => "agreeing on TLS",
            Self::Send => "sending the request",
            Self::Answer => "waiting for the answer",
        })
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The receiver closed it.
    Closed,
    /// TLS was broken off, after its handshake.
    Tls(TlsProblem),
    /// An error of the operating system.
    Io(io::ErrorKind),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the receiver closed the connection"),
            Self::Tls(problem) => write!(f, "TLS failed: {problem};"),
            Self::Io(kind) => kind.fmt(f),
        }
    }
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Its head, with all that comes before it, is larger than an attempt reads.
    HeadTooLarge,
    /// Its status line cannot be read.
    StatusLine,
    /// Its headers cannot be read, contradict one another, or are too many.
    Headers,
    /// Something else.
    Other,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeadTooLarge => {
                "its headers do not end within 64 KiB, or there are more than 100"
            }
            Self::StatusLine => "it does not begin with an HTTP/1 status line",
            Self::Headers => "its headers are invalid or contradict one another",
            Self::Other => "it breaks the protocol",
        })
    }
}

/// Why a request brought no answer. None of these shows more of the URL than its host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The URL cannot be sent to at all.
    #[error("the URL cannot be used: {0}")]
    Unusable(&'static str),
    /// The address guard said no.
    #[error(transparent)]
    Refused(GuardError),
    /// The name does not resolve.
    #[error("`{host}` does not resolve: {reason}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// This machine has no socket to spare: nothing was tried, and the receiver is not to blame.
    #[error("no socket is to be had on this side: {0}")]
    Starved(String),
    /// There was an answer, but not all of it that was wanted.
    #[error(
        "only {read} bytes of the body of a {status} came: it broke off, took too long, or is longer than is taken"
    )]
    Cut {
        /// The answer's status.
        status: u16,
        /// How much of its body was read.
        read: usize,
    },
    /// No connection to any of the addresses.
    #[error("{} {peer}", Refusal(*.kind))]
    Connect {
        /// The address that was tried last.
        peer: SocketAddr,
        /// What happened.
        kind: io::ErrorKind,
    },
    /// TLS could not be agreed on.
    #[error("TLS with {host} failed: {problem}")]
    Tls {
        /// The URL's host.
        host: String,
        /// What went wrong.
        problem: TlsProblem,
    },
    /// The deadline came first.
    #[error("timed out {during}")]
    Timeout {
        /// What the attempt was doing.
        during: Phase,
    },
    /// The connection ended before the answer's head was complete.
    #[error("{how} while {during}")]
    Broken {
        /// What the attempt was doing.
        during: Phase,
        /// How it ended.
        how: Broken,
    },
    /// What came back is no HTTP/1 answer.
    #[error("the answer cannot be understood: {problem}")]
    Protocol {
        /// What is wrong with it.
        problem: Problem,
    },
    /// The endpoint's certificate authority cannot be used.
    #[error(transparent)]
    Ca(#[from] InvalidCa),
    /// TLS could not be set up on our side.
    #[error(transparent)]
    Setup(#[from] TransportError),
}

struct Refusal(io::ErrorKind);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            io::ErrorKind::ConnectionRefused => f.write_str("connection refused by"),
            kind => write!(f, "{kind} while connecting to"),
        }
    }
}

/// The operating system's error behind `error`, if there is one.
pub(super) fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_clear_line() {
        let peer: SocketAddr = "127.0.0.1:9000".parse().unwrap();
        for (error, line) in [
            (
                SendError::Connect {
                    peer,
                    kind: io::ErrorKind::ConnectionRefused,
                },
                "connection refused by 127.0.0.1:9000",
            ),
            (
                SendError::Connect {
                    peer,
                    kind: io::ErrorKind::HostUnreachable,
                },
                "host unreachable while connecting to 127.0.0.1:9000",
            ),
            (
                SendError::Timeout {
                    during: Phase::Answer,
                },
                "timed out waiting for the answer",
            ),
            (
                SendError::Broken {
                    during: Phase::Answer,
                    how: Broken::Io(io::ErrorKind::ConnectionReset),
                },
                "connection reset while waiting for the answer",
            ),
            (
                SendError::Broken {
                    during: Phase::Send,
                    how: Broken::Closed,
                },
                "the receiver closed the connection while sending the request",
            ),
        ] {
            assert_eq!(error.to_string(), line);
        }
    }
}
