//! Why a broker does not start, or does not go on.

use std::net::SocketAddr;

use crate::clock::InvalidFactor;
use crate::deliver::transport::TransportError;
use crate::store::{EndpointError, StoreError};
use crate::tasks::FileError;
use crate::words::listed;

/// Why a broker did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The store cannot be opened, or has stopped.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {cause}; stop what is there, or choose another address with --listen, such as 127.0.0.1:0 for any free port"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's words.
        cause: std::io::Error,
    },
    /// A thread or the descriptor table is not to be had.
    #[error("the system refuses {what}: {cause}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// The operating system's words.
        cause: std::io::Error,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The clock cannot run at that speed.
    #[error(transparent)]
    Clock(#[from] InvalidFactor),
    /// Endpoints of the configuration cannot be used.
    #[error("{}", .0.join("\n"))]
    Endpoints(Vec<String>),
    /// The configuration has no endpoint any more, by which these would be paused.
    #[error(
        "the configuration has no [[endpoint]] any more, which would pause {}; if that is meant, pause them first (redeliver endpoint pause NAME), or stop the server and start it again",
        listed(.0.iter().map(String::as_str))
    )]
    Emptied(Vec<String>),
    /// Sources of the configuration cannot be used.
    #[error("{}", .0.join("\n"))]
    Sources(Vec<String>),
    /// The tasks cannot be read.
    #[error(transparent)]
    Tasks(#[from] FileError),
    /// The registry refuses an endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}
