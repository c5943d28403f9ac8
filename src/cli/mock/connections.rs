//! Visitors' events on their way, several at once.

use tokio::task::{JoinError, JoinSet};

use crate::cli::Failure;
use crate::cli::client::{Call, Client};
use crate::secret::Secret;

/// Connections over which visitors' events are sent at once: a fast clock has many due together.
const CONNECTIONS_MAX: usize = 32;

/// Connections that send at the same time.
pub(super) struct Connections {
    url: String,
    token: Option<Secret>,
    free: Vec<Client>,
    sending: JoinSet<Result<Client, Failure>>,
}

impl Connections {
    /// Connections to the server at `url`, made when they are needed.
    pub(super) fn to(url: String, token: Option<Secret>) -> Self {
        Self {
            url,
            token,
            free: Vec::new(),
            sending: JoinSet::new(),
        }
    }

    /// Begins to send; tells of one that failed before.
    pub(super) async fn send(&mut self, call: Call) -> Result<(), Failure> {
        while let Some(sent) = self.sending.try_join_next() {
            self.free.push(back(sent)?);
        }
        let mut client = match self.free.pop() {
            Some(client) => client,
            None if self.sending.len() < CONNECTIONS_MAX => {
                Client::new(&self.url, None, self.token.clone())?
            }
            None => match self.sending.join_next().await {
                Some(sent) => back(sent)?,
                None => Client::new(&self.url, None, self.token.clone())?,
            },
        };
        self.sending.spawn(async move {
            client.call(call).await?;
            Ok(client)
        });
        Ok(())
    }
}

fn back(sent: Result<Result<Client, Failure>, JoinError>) -> Result<Client, Failure> {
    sent.map_err(|error| Failure::Environment(format!("a visitor's event: {error}")))?
}
