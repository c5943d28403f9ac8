//! `redeliver delivery wait`: until deliveries are as a test needs them.

use std::time::Duration;

use super::{STATUSES, table};
use crate::cli::Failure;
use crate::cli::client::{Call, Client};
use crate::cli::remote::Remote;
use crate::duration::{format_duration, parse_duration};

/// What the answer may take beyond the wait.
const BEYOND: Duration = Duration::from_secs(30);

/// Which deliveries to wait for, and how long.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// To this endpoint, by name or id
    #[arg(long, value_name = "ENDPOINT")]
    pub endpoint: Option<String>,

    /// Of events of this type; a prefix such as order.* will do
    #[arg(long, value_name = "TYPE")]
    pub r#type: Option<String>,

    /// Of this event, by its id or its position in the log
    #[arg(long, value_name = "EVENT")]
    pub event: Option<String>,

    /// In one of these states
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = STATUSES)]
    pub status: Vec<String>,

    /// At least so many [default: 1]
    #[arg(long, value_name = "N")]
    pub count: Option<u32>,

    /// For how long, by the machine's own clock, such as 30s; 5m at most [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub timeout: Option<Duration>,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Waits. Too few in time is a check that failed.
pub async fn run(args: Args, remote: &Remote, client: &mut Client) -> Result<(), Failure> {
    let status = args.status.join(",");
    let within = args.timeout.unwrap_or_default() + BEYOND;
    let call = Call::get(["v1", "wait"])
        .query("endpoint", args.endpoint)
        .query("type", args.r#type)
        .query("event", args.event)
        .query("status", Some(status).filter(|status| !status.is_empty()))
        .query("count", args.count)
        .query("timeout", args.timeout.map(format_duration))
        .within(within);
    let answer = client.call(call).await?;
    remote.show(&answer, |found| {
        table(found, "there are no such deliveries")
    })
}
