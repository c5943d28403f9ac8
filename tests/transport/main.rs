//! The transport against receivers that behave and receivers that do not, over real sockets.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod exchange;
mod guarded;
mod hostile;
mod receiver;
mod tls;
