//! `redeliver replay`: sends again from the log, by a task of the server.

mod follow;
mod sure;

use serde_json::{Value, json};

use super::client::{Answer, Call};
use super::moment::Moment;
use super::remote::Remote;
use super::{Failure, output};

/// Send events again: from the log, or dead letters
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Deliveries that have not ended are left as they are, and so are operational \
    events (endpoint.*, delivery.dead) that have arrived, unless --type names them. The server does it as a \
    task, which goes on if this command is interrupted, and after a restart: see `redeliver task`.\
    \n\n\
    Example: what was given up in the last two hours\n  \
    redeliver replay --endpoint crm --since 2h --status dead --dry-run"
)]
pub struct Args {
    /// The endpoint's name or id; without it to every endpoint
    #[arg(long, value_name = "ENDPOINT")]
    pub endpoint: Option<String>,

    /// Only events of these types; a prefix such as order.* will do
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub kind: Vec<String>,

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

    /// The whole log, where nothing else says what
    #[arg(long)]
    pub all: bool,

    /// Do not ask on a terminal
    #[arg(long)]
    pub yes: bool,

    /// Only say how many there would be
    #[arg(long)]
    pub dry_run: bool,

    /// Do not wait until all are put back: print the task's id
    #[arg(long)]
    pub detach: bool,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// Has the server put the deliveries back.
pub async fn run(args: Args) -> Result<(), Failure> {
    sure::check(&args)?;
    let mut client = args.remote.client()?;
    let since = Moment::resolve_some(args.since, &mut client).await?;
    let until = Moment::resolve_some(args.until, &mut client).await?;
    let kinds = Some(args.kind.join(",")).filter(|kinds| !kinds.is_empty());
    let wanted = [
        ("kind", Some("replay".into())),
        ("endpoint", args.endpoint.clone().map(Value::from)),
        ("type", kinds.map(Value::from)),
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
    if !args.dry_run && !args.yes && sure::can_ask() {
        let counted = sure::count(&mut client, body.clone()).await?;
        let to = args.endpoint.as_deref().unwrap_or("every endpoint");
        sure::ask(&format!("this sends {} to {to} again", deliveries(counted)))?;
    }
    let call = Call::post(["v1", "tasks"]).json(Value::Object(body));
    let made = client.call(call).await?;
    if args.detach {
        return args
            .remote
            .show(&made, |task| output::line(&output::text(task, "id")));
    }
    let ended = follow::until_ended(&mut client, made).await?;
    told(&ended, &args.remote, args.endpoint.as_deref())
}

fn deliveries(count: u64) -> String {
    match count {
        1 => "1 delivery".to_owned(),
        count => format!("{count} deliveries"),
    }
}

/// Says how a task has ended.
fn told(ended: &Answer, remote: &Remote, endpoint: Option<&str>) -> Result<(), Failure> {
    let task = ended.json()?;
    let dry_run = task["dry_run"] == true;
    let count = match dry_run {
        true => &task["matched"],
        false => &task["done"],
    };
    let count = count.as_u64().unwrap_or(0);
    if remote.json {
        let said = json!({ "replayed": count, "dry_run": dry_run, "task": task });
        output::json(&said.to_string())?;
    } else {
        let verb = if dry_run { "would send" } else { "sending" };
        let to = endpoint.unwrap_or("every endpoint");
        output::line(&format!("{verb} {} to {to} again", deliveries(count)))?;
    }
    match task["state"].as_str() {
        Some("done") => Ok(()),
        state => Err(Failure::Check(format!(
            "the replay is {}: {}",
            output::clean(state.unwrap_or("in no state")),
            output::text(&task, "error")
        ))),
    }
}
