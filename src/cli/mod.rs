//! The command line: arguments in, output and exit codes out. One file a verb.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | the verbs, exit codes |
//! | `output.rs`, `logging.rs` | what is printed where, and how |
//! | `progress.rs` | how far long work is |
//! | `client.rs`, `remote.rs`, `moment.rs` | what the verbs for a running server share |
//! | `signals.rs` | being asked to stop |
//! | `private.rs` | files for their owner alone |
//! | `record.rs`, `faults.rs` | what `serve` and the mocks that send share |
//! | `signing.rs` | what `sign`, `verify` and `check` share |
//! | `secrets.rs`, `address.rs` | options that several verbs read in the same way |
//! | the others | one verb each |

pub mod address;
pub mod bench;
pub mod check;
pub mod client;
pub mod clock;
pub mod completion;
pub mod delivery;
pub mod demo;
pub mod endpoint;
pub mod event;
pub mod explain;
pub mod faults;
pub mod listen;
pub mod logging;
pub mod man;
pub mod mock;
pub mod moment;
mod next;
pub mod openapi;
pub mod output;
pub mod part;
mod private;
pub mod progress;
pub mod ready;
pub mod record;
pub mod remote;
pub mod replay;
pub mod resend;
pub mod secrets;
pub mod serve;
pub mod sign;
pub mod signals;
pub mod signing;
pub mod status;
pub mod store;
pub mod task;
mod traces;
pub mod verify;

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use clap::error::ErrorKind;
use tokio::runtime::{Builder, Runtime};

use crate::clock::RealClock;
use logging::{Level, Logging};

/// Takes events in, keeps them on disk, and delivers them as webhooks until they arrive
#[derive(Debug, Parser)]
#[command(
    name = "redeliver",
    version,
    after_help = "Exit codes: 0 done; 1 what was checked failed; 2 bad usage or configuration;\n\
    3 environment (address in use, store locked, no such server); 130 interrupted.\n\n\
    Example: everything at work, with no set-up\n  redeliver demo"
)]
pub struct Cli {
    /// What is logged, and how.
    #[command(flatten)]
    pub logging: Logging,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show the main job, whole, with no set-up
    Demo(demo::Args),
    /// Run the broker
    Serve(serve::Args),
    /// Say whether a server takes events
    Ready(ready::Args),
    /// Show how a server is, on a page
    Status(status::Args),
    /// Manage where events are delivered
    Endpoint(endpoint::Args),
    /// Put events in, and look at the log
    Event(event::Args),
    /// Look at deliveries and their attempts
    Delivery(delivery::Args),
    /// Say why a delivery is where it is: rule, clock, signature
    Explain(explain::Args),
    /// Send events again: from the log, or dead letters
    Replay(replay::Args),
    /// Look at bulk operations such as replays, and end them
    Task(task::Args),
    /// Send recorded requests again, to a receiver of your own
    Resend(Box<resend::Args>),
    /// Show or move the server's clock
    Clock(clock::Args),
    /// Be a vendor's API on localhost
    Mock(Box<mock::Args>),
    /// Receive webhooks, check them, print them, and answer by a script
    Listen(Box<listen::Args>),
    /// Test a receiver against the vendor's rules
    Check(Box<check::Args>),
    /// Compute the signature of one body
    Sign(sign::Args),
    /// Check the signature of one body
    Verify(verify::Args),
    /// Check a store, and say what is in it
    Store(store::Args),
    /// Measure this machine: the broker against baselines of the same run
    Bench(bench::Args),
    /// Print the OpenAPI document of the HTTP API
    Openapi(openapi::Args),
    /// Print a script that lets a shell complete verbs and options
    Completion(completion::Args),
    /// Print the manual page, or write the pages of all verbs into a directory
    Man(man::Args),
    /// The processes that `bench` starts beside the broker
    #[command(hide = true)]
    BenchPart(bench::PartArgs),
}

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
    /// Whoever read standard output has what it wanted and is gone: exit code 0, quietly.
    #[error("standard output was closed")]
    Closed,
}

impl Failure {
    /// The same, of what is at `place`.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::Check(words) => Self::Check(format!("{place}: {words}")),
            Self::Usage(words) => Self::Usage(format!("{place}: {words}")),
            Self::Environment(words) => Self::Environment(format!("{place}: {words}")),
            Self::Interrupted | Self::Closed => self,
        }
    }

    /// The exit code that scripts rely on.
    pub fn code(&self) -> u8 {
        match self {
            Self::Check(_) => 1,
            Self::Usage(_) => 2,
            Self::Environment(_) => 3,
            Self::Interrupted => 130,
            Self::Closed => 0,
        }
    }
}

/// Parses the arguments, runs the verb, prints the error if there is one.
pub fn main() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                // A reader that has gone away must not change the exit code.
                let _ = error.print();
                return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
            }
            _ => {
                let arguments = std::env::args_os().map(|one| one.to_string_lossy().into_owned());
                if logging::asks_for_json(arguments) {
                    output::tell_as_json();
                }
                Err(Failure::Usage(usage(&error)))
            }
        },
    };
    let Err(failure) = done else {
        return ExitCode::SUCCESS;
    };
    if !matches!(failure, Failure::Closed) {
        output::errors(&failure.to_string());
    }
    ExitCode::from(failure.code())
}

fn run(cli: Cli) -> Result<(), Failure> {
    cli.logging.install(match &cli.command {
        Command::Serve(_) => Level::Info,
        _ => Level::Warn,
    })?;
    match cli.command {
        Command::Demo(args) => broker()?.block_on(demo::run(args)),
        Command::Serve(args) => {
            private::keep_files();
            broker()?.block_on(serve::run(args))
        }
        Command::Ready(args) => ask(ready::run(args, Arc::new(RealClock))),
        Command::Status(args) => ask(status::run(args)),
        Command::Endpoint(args) => ask(endpoint::run(args)),
        Command::Event(args) => ask(event::run(args)),
        Command::Delivery(args) => ask(delivery::run(args)),
        Command::Explain(args) => ask(explain::run(args)),
        Command::Replay(args) => ask(replay::run(args)),
        Command::Task(args) => ask(task::run(args)),
        Command::Resend(args) => runtime(&mut Builder::new_current_thread())?
            .block_on(resend::run(*args, Arc::new(RealClock))),
        Command::Clock(args) => ask(clock::run(args)),
        Command::Mock(args) => broker()?.block_on(mock::run(*args)),
        Command::Listen(args) => runtime(&mut Builder::new_current_thread())?
            .block_on(listen::run(*args, Arc::new(RealClock))),
        Command::Check(args) => ask(check::run(*args)),
        Command::Sign(args) => sign::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Store(args) => {
            private::keep_files();
            store::run(args)
        }
        Command::Openapi(args) => openapi::run(args),
        Command::Completion(args) => completion::run(args),
        Command::Man(args) => man::run(args),
        Command::Bench(args) => {
            runtime(&mut Builder::new_current_thread())?.block_on(bench::run(args))
        }
        Command::BenchPart(args) => match args.part {
            // On one thread it costs the least of what is measured.
            bench::Part::Sink => {
                runtime(&mut Builder::new_current_thread())?.block_on(bench::run_part(args))
            }
            _ => broker()?.block_on(bench::run_part(args)),
        },
    }
}

fn broker() -> Result<Runtime, Failure> {
    runtime(&mut Builder::new_multi_thread())
}

fn runtime(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder
        .enable_all()
        .build()
        .map_err(|error| Failure::Environment(format!("cannot start: {error}")))
}

/// Runs a verb that asks a server, until it is done or interrupted.
fn ask(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    ask_for(verb)
}

fn ask_for<T>(verb: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime(&mut Builder::new_current_thread())?.block_on(async {
        tokio::select! {
            // The verb first: it may take an interruption for its normal end.
            biased;
            done = verb => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    })
}

/// Clap's message on one line, without the lines that repeat the usage.
fn usage(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty())
        .collect();
    let line = lines.join(" ").replace(" tip: ", "; tip: ");
    let message = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{message}; see --help")
}

#[cfg(test)]
mod tests;
