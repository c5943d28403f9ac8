//! A request that is broken off on purpose.

use tokio::io::AsyncWriteExt;

use super::error::{Broken, Phase, SendError};
use super::message::Request;
use super::{Progress, Transport};
use crate::clock::Sleep;

impl Transport {
    /// Sends the head of `request`, which promises all of its body, and `part` bytes of it, over a
    /// connection of its own, which is closed then. No answer is read.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), up to the end of sending.
    pub async fn abandon(
        &self,
        request: Request,
        mut deadline: Sleep,
        part: usize,
    ) -> Result<(), SendError> {
        let realm = self.0.realm(request.ca_pem.as_ref())?;
        let bytes = bytes(&request, part)?;
        let mut progress = Progress {
            phase: Phase::Resolve,
            connection: None,
        };
        let sending = async {
            let (mut wire, _) = self
                .0
                .dial(&realm, &request.url, &mut progress.phase)
                .await?;
            progress.phase = Phase::Send;
            let broken = |error: std::io::Error| SendError::Broken {
                during: Phase::Send,
                how: Broken::Io(error.kind()),
            };
            wire.write_all(&bytes).await.map_err(broken)?;
            wire.flush().await.map_err(broken)?;
            // A receiver that has closed its side already has seen what it wanted.
            let _ = wire.shutdown().await;
            Ok(())
        };
        let sent = tokio::select! {
            biased;
            sent = sending => Some(sent),
            () = &mut deadline => None,
        };
        let during = progress.phase;
        sent.unwrap_or(Err(SendError::Timeout { during }))
    }
}

/// As they would go out otherwise.
fn bytes(request: &Request, part: usize) -> Result<Vec<u8>, SendError> {
    let line = format!("{} {} HTTP/1.1\r\n", request.method, request.target()?);
    let mut bytes = line.into_bytes();
    for (name, value) in request.head()? {
        for text in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(text);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body[..part.min(request.body.len())]);
    Ok(bytes)
}
