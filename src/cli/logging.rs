//! What is logged, and how: on standard error, so that output stays what was asked for.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::{Failure, output};
use crate::store;

/// Options of every verb about the log.
#[derive(Debug, clap::Args)]
pub struct Logging {
    /// What is logged: a level, or targets with levels such as redeliver::deliver=debug,info
    #[arg(
        long,
        global = true,
        help_heading = "Logging",
        display_order = 900,
        value_name = "FILTER",
        env = "RUST_LOG",
        hide_env_values = true
    )]
    pub log: Option<String>,

    /// How the log is written
    #[arg(
        long,
        global = true,
        help_heading = "Logging",
        display_order = 900,
        value_enum,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// What is logged where nobody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something that an operator should look at.
    Warn,
    /// What a server is doing, too.
    Info,
}

/// A panic that becomes an error is told as one.
fn errors_are_no_panics(is_json: bool) {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if store::panic_is_an_error() {
            tracing::debug!(%panic, "the database gave up");
        } else if is_json {
            output::errors(&panic.to_string());
        } else {
            told(panic);
        }
    }));
}

/// Whether JSON is asked for by arguments that cannot be read as a whole.
pub fn asks_for_json(mut arguments: impl Iterator<Item = String>) -> bool {
    let mut before = String::new();
    arguments.any(|argument| {
        let pair = (&*before, &*argument) == ("--log-format", "json");
        before.clone_from(&argument);
        pair || argument == "--log-format=json"
    })
}

impl Logging {
    /// Starts to log.
    pub fn install(&self, level: Level) -> Result<(), Failure> {
        if self.log_format == LogFormat::Json {
            output::tell_as_json();
        }
        let default = match level {
            Level::Warn => "warn",
            Level::Info => "info",
        };
        let given = self.log.as_deref().filter(|filter| !filter.is_empty());
        let filter = EnvFilter::try_new(given.unwrap_or(default)).map_err(|error| {
            Failure::Usage(format!(
                "--log or RUST_LOG: {error}; write for example info or redeliver=debug"
            ))
        })?;
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(output::coloured(std::io::stderr().is_terminal()))
            .with_writer(std::io::stderr);
        let installed = match self.log_format {
            LogFormat::Text => subscriber.try_init(),
            LogFormat::Json => subscriber.json().try_init(),
        };
        errors_are_no_panics(self.log_format == LogFormat::Json);
        installed.map_err(|error| Failure::Environment(format!("cannot log: {error}")))
    }
}
