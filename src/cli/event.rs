//! `redeliver event`: puts events in, looks at the log, follows it.

mod send;
mod tail;

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::Failure;
use super::client::Call;
use super::delivery;
use super::moment::Moment;
use super::output::{self, Table, text};
use super::part::{One, Part, items, note_next};
use super::remote::Remote;
pub use send::Send;
pub use tail::Tail;

/// The order in which an event's members are shown.
const MEMBERS: &[&str] = &[
    "id",
    "seq",
    "type",
    "source",
    "subject",
    "time",
    "received_at",
    "content_type",
    "size",
    "data",
];

/// Put events in, and look at the log
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    redeliver event send order.paid --data '{\"order\": 7}'\n  \
    redeliver event tail --type order.paid")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// What to do with events.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Put an event into the log; ends when it is on disk
    #[command(after_help = "Example:\n  \
        redeliver event send order.paid --data '{\"order\": 7}' --id order-7\n  \
        redeliver event send order.paid --data-file order.json --count 100")]
    Send(Send),
    /// List events
    #[command(
        after_help = "Example:\n  redeliver event list --type order.paid --since 2h --limit 20"
    )]
    List(List),
    /// Show one event, with its deliveries
    #[command(after_help = "Example:\n  redeliver event show evt_01JD3ZQK8V00000000002G0009")]
    Show(One),
    /// Follow the log: prints each event as it comes, until Ctrl-C
    #[command(after_help = "Example:\n  redeliver event tail --type order.paid --count 1")]
    Tail(Tail),
}

/// Which events to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only of these types; a prefix such as order.* will do
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,

    /// Only of this source
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,

    /// Only about this
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,

    /// Only what was sent with this id or idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,

    /// Received at this time or later: RFC 3339, or how long ago such as 2h
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,

    /// Received before this time: RFC 3339, or how long ago such as 30m
    #[arg(long, value_name = "TIME")]
    pub until: Option<Moment>,

    /// Which part.
    #[command(flatten)]
    pub part: Part,
}

/// Does it.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Args { verb, remote } = args;
    match verb {
        Verb::Send(send) => send.run(&remote).await,
        Verb::List(list) => list.run(&remote).await,
        Verb::Show(one) => show(&one.id, &remote).await,
        Verb::Tail(tail) => tail.run(&remote).await,
    }
}

impl List {
    async fn run(self, remote: &Remote) -> Result<(), Failure> {
        let mut client = remote.client()?;
        let call = Call::get(["v1", "events"])
            .query("type", self.kind)
            .query("source", self.source)
            .query("subject", self.subject)
            .query("key", self.key)
            .query(
                "since",
                Moment::resolve_some(self.since, &mut client).await?,
            )
            .query(
                "until",
                Moment::resolve_some(self.until, &mut client).await?,
            );
        remote.show_list(&client.list(self.part.of(call)).await?, |list| {
            let mut table = Table::new(&["SEQ", "ID", "TYPE", "SOURCE", "RECEIVED", "SIZE"]);
            for event in items(list) {
                let keys = ["seq", "id", "type", "source", "received_at", "size"];
                table.row(keys.map(|key| text(event, key)).into());
            }
            table.print("there are no such events")?;
            note_next(list);
            Ok(())
        })
    }
}

async fn show(id: &str, remote: &Remote) -> Result<(), Failure> {
    let mut client = remote.client()?;
    let event = client.call(Call::get(["v1", "events", id])).await?;
    let deliveries = Call::get(["v1", "events", id, "deliveries"]);
    let deliveries = client.call(deliveries).await?;
    if remote.json {
        let mut event: BTreeMap<&str, &RawValue> = event.read()?;
        let list: BTreeMap<&str, &RawValue> = deliveries.read()?;
        let empty = RawValue::NULL;
        event.insert("deliveries", list.get("data").copied().unwrap_or(empty));
        let document = serde_json::to_string(&event)
            .map_err(|error| Failure::Environment(error.to_string()))?;
        return output::json(&document);
    }
    output::members(&event.json()?, MEMBERS)?;
    output::line("")?;
    let deliveries: Value = deliveries.json()?;
    delivery::table(&deliveries, "it goes to no endpoint")
}
