//! `redeliver replay`: sends again from the log.

use serde_json::{Value, json};

use super::client::{Call, LONG_TIME};
use super::moment::Moment;
use super::remote::Remote;
use super::{Failure, output};

/// Send events again to one endpoint: from the log, or dead letters
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Deliveries that have not ended are left as they are.\n\n\
    Example: what was given up in the last two hours\n  \
    redeliver replay --endpoint crm --since 2h --status dead --dry-run"
)]
pub struct Args {
    /// The endpoint's name or id
    #[arg(long, value_name = "ENDPOINT")]
    pub endpoint: String,

    /// Events received at this time or later: RFC 3339, or how long ago such as 2h
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,

    /// Events received before this time: RFC 3339, or how long ago such as 30m
    #[arg(long, value_name = "TIME")]
    pub until: Option<Moment>,

    /// Dead letters only; without it what was delivered is sent again, too
    #[arg(long, value_name = "STATUS", value_parser = ["dead"])]
    pub status: Option<String>,

    /// At most so many, the oldest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Only say how many there would be
    #[arg(long)]
    pub dry_run: bool,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// Asks the server to put the deliveries back.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut client = args.remote.client()?;
    let since = Moment::resolve_some(args.since, &mut client).await?;
    let until = Moment::resolve_some(args.until, &mut client).await?;
    let wanted = [
        ("since", since.map(|at| json!(at))),
        ("until", until.map(|at| json!(at))),
        ("status", args.status.map(Value::from)),
        ("limit", args.limit.map(Value::from)),
        ("dry_run", Some(args.dry_run.into())),
    ];
    let body: serde_json::Map<_, _> = wanted
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    let call = Call::post(["v1", "endpoints", &args.endpoint, "replay"])
        .json(Value::Object(body))
        .within(LONG_TIME);
    let answer = client.call(call).await?;
    args.remote.show(&answer, |replayed| {
        let Some(count) = replayed["replayed"].as_u64() else {
            return output::members(replayed, &[]);
        };
        let verb = if args.dry_run {
            "would send"
        } else {
            "sending"
        };
        let plural = if count == 1 { "y" } else { "ies" };
        output::line(&format!(
            "{verb} {count} deliver{plural} to {} again",
            args.endpoint
        ))
    })
}
