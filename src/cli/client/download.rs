//! An answer that is read as it comes, because it is too large to be kept.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::{Call, Client, Failure, MAX_ANSWER};

/// How long a server may send nothing: it reads a disk in between.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// An answer as it comes.
pub struct Download {
    server: String,
    body: Incoming,
}

impl Client {
    /// Sends a request and waits for the head of its answer. What is no success is a failure.
    pub async fn download(&mut self, call: Call) -> Result<Download, Failure> {
        let within = call.within;
        let request = self.request(call)?;
        let server = self.server.clone();
        let broken = |error: String| {
            Failure::Environment(format!("{server} broke the connection off: {error}"))
        };
        let mut sender = self.connected().await?;
        let answered = tokio::time::timeout(within, sender.send_request(request)).await;
        let answered = answered.map_err(|_| silent(&self.server, within))?;
        let (head, body) = answered
            .map_err(|error| broken(error.to_string()))?
            .into_parts();
        if head.status.is_success() {
            return Ok(Download { server, body });
        }
        let text = Limited::new(body, MAX_ANSWER).collect().await;
        let text = text.map_err(|error| broken(error.to_string()))?.to_bytes();
        Err(self.refusal(head.status, &String::from_utf8_lossy(&text)))
    }
}

impl Download {
    /// What comes next; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let next = tokio::time::timeout(SILENCE_MAX, self.body.frame()).await;
            match next.map_err(|_| silent(&self.server, SILENCE_MAX))? {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(error)) => {
                    return Err(Failure::Environment(format!(
                        "{} broke the connection off: {error}",
                        self.server
                    )));
                }
            }
        }
    }
}

fn silent(server: &str, within: Duration) -> Failure {
    let seconds = within.as_secs();
    Failure::Environment(format!("{server} sent nothing for {seconds} seconds"))
}
