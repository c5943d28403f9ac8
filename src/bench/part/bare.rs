//! Answers 202 at once: what HTTP alone costs.

use std::io;
use std::net::SocketAddr;

use super::server::{accepted, listen, serve};

/// Serves for ever.
pub async fn run(address: SocketAddr) -> io::Result<()> {
    serve(listen(address).await?, |_, _| async { accepted() }).await
}
