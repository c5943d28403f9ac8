//! `redeliver clock`: shows and moves the server's clock.

use serde_json::json;

use super::client::{Call, LONG_TIME};
use super::remote::Remote;
use super::{Failure, output};
use crate::duration::{InvalidDuration, parse_duration};

/// Show the server's clock, or move a manual one
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: a server started with --clock manual, 38½ minutes on\n  \
    redeliver clock advance 38m30s"
)]
pub struct Args {
    /// What to do; shows the clock if left out.
    #[command(subcommand)]
    pub verb: Option<Verb>,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// What to do with the clock.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Move a manual clock on; ends when everything that was due by then has happened
    #[command(after_help = "Example:\n  redeliver clock advance 38m30s")]
    Advance {
        /// By how much, such as 30s, 38m30s or 30d; 0s for what is due now
        #[arg(value_parser = step)]
        by: String,

        /// How long to wait, in real time, for a receiver that hangs; 1s unless given, at most 60s
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        patience: Option<String>,
    },
}

fn duration(text: &str) -> Result<String, String> {
    let checked = parse_duration(text).map_err(|error| error.to_string());
    checked.map(|_| text.to_owned())
}

/// As the API takes it: by nothing is what is due now.
fn step(text: &str) -> Result<String, String> {
    match parse_duration(text) {
        Err(InvalidDuration::Zero(_)) => Ok(text.to_owned()),
        _ => duration(text),
    }
}

/// Shows or moves the clock.
pub async fn run(args: Args) -> Result<(), Failure> {
    let call = match args.verb {
        None => Call::get(["v1", "clock"]),
        Some(Verb::Advance { by, patience }) => {
            let mut wanted = json!({ "by": by });
            if let Some(patience) = patience {
                wanted["patience"] = patience.into();
            }
            Call::post(["v1", "clock", "advance"])
                .json(wanted)
                .within(LONG_TIME)
        }
    };
    let answer = args.remote.client()?.call(call).await?;
    args.remote
        .show(&answer, |clock| output::members(clock, &["now"]))
}
