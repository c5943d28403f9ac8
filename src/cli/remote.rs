//! What every verb for a running server takes, and how its answers are shown.

use std::path::PathBuf;

use serde_json::Value;
use serde_json::value::RawValue;

use super::client::{Answer, Client, TOKEN_VARIABLE};
use super::{Failure, output};
use crate::secret::Secret;

/// Which server is asked, and how its answers are printed.
#[derive(Clone, Debug, clap::Args)]
pub struct Remote {
    /// The server's address; its admin token is taken from the environment variable
    /// REDELIVER_TOKEN
    #[arg(
        long,
        global = true,
        help_heading = "Server",
        hide_env_values = true,
        value_name = "URL",
        env = "REDELIVER_SERVER",
        default_value = "http://127.0.0.1:7070"
    )]
    pub server: String,

    /// Certificate authorities (PEM) that may vouch for an https server, beside the system's
    #[arg(
        long,
        global = true,
        help_heading = "Server",
        hide_env_values = true,
        value_name = "FILE",
        env = "REDELIVER_CA"
    )]
    pub ca: Option<PathBuf>,

    /// Print JSON, as the server gives it
    #[arg(long, global = true, help_heading = "Server")]
    pub json: bool,
}

impl Remote {
    /// A client of the server.
    pub fn client(&self) -> Result<Client, Failure> {
        let token = std::env::var(TOKEN_VARIABLE).ok();
        let token = token.filter(|token| !token.is_empty());
        let ca = self
            .ca
            .as_deref()
            .filter(|file| !file.as_os_str().is_empty());
        Client::new(&self.server, ca, token.map(Secret::new))
    }

    /// As [`show`](Self::show), of a list.
    pub fn show_list(
        &self,
        answer: &Answer,
        human: impl FnOnce(&Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        answer.expect(is_list)?;
        self.show(answer, human)
    }

    /// Prints an answer: as it is, or what `human` makes of it.
    pub fn show(
        &self,
        answer: &Answer,
        human: impl FnOnce(&Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if self.json {
            // Whatever a server sends, one JSON document is printed.
            let document: &RawValue = answer.read()?;
            output::json(document.get())
        } else {
            human(&answer.json()?)
        }
    }
}

/// Whether it is a list, as every list of a server's is.
pub fn is_list(answer: &Value) -> bool {
    answer["data"].is_array()
}
