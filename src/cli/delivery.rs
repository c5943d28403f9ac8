//! `redeliver delivery`: deliveries with their attempts.

mod show;
pub mod wait;

use serde_json::{Value, json};

use super::client::Call;
use super::moment::Moment;
use super::output::{self, NOTHING, Table, text};
use super::part::{One, Part, items, note_next};
use super::remote::Remote;
use super::{Failure, next};

pub use show::page;

/// Look at deliveries and their attempts
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    redeliver delivery list --endpoint crm --status waiting,dead\n  \
    redeliver delivery show dlv_01JD3ZQK8V00000000002G0001\n  \
    redeliver delivery wait --status delivered --count 3")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// What to do with deliveries.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List deliveries
    #[command(
        after_help = "Example:\n  redeliver delivery list --endpoint crm --status waiting,dead"
    )]
    List(List),
    /// Show one delivery: where it stands and why, and every attempt
    #[command(after_help = "Example:\n  redeliver delivery show dlv_01JD3ZQK8V00000000002G0001")]
    Show(One),
    /// Wait until there are such deliveries; exit code 1 if there are not in time
    #[command(
        after_help = "Example:\n  redeliver delivery wait --endpoint crm --status delivered --count 3 --timeout 30s"
    )]
    Wait(wait::Args),
    /// Attempt a delivery again, now
    #[command(after_help = "Example:\n  redeliver delivery retry dlv_01JD3ZQK8V00000000002G0001")]
    Retry(One),
    /// Give up a delivery that has not arrived; it can be read and retried
    #[command(after_help = "For many at once: redeliver task discard\n\n\
        Example:\n  redeliver delivery discard dlv_01JD3ZQK8V00000000002G0001")]
    Discard(One),
    /// Make a delivery a dead letter, so that what waits behind it goes on
    #[command(after_help = "A retry or a replay sends it again.\n\n\
        Example:\n  \
        redeliver delivery give-up dlv_01JD3ZQK8V00000000002G0001 --reason 'it has no price'")]
    GiveUp(GiveUp),
}

/// Where a delivery may stand.
const STATUSES: [&str; 7] = [
    "pending",
    "waiting",
    "in_flight",
    "delivered",
    "dead",
    "removed",
    "filtered",
];

/// Which deliveries to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Of this endpoint, by name or id
    #[arg(long, value_name = "ENDPOINT")]
    pub endpoint: Option<String>,

    /// Of events of these types; a prefix such as order.* will do
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,

    /// In one of these states
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = STATUSES)]
    pub status: Vec<String>,

    /// Of events received at this time or later: RFC 3339, or how long ago such as 2h
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,

    /// Of events received before this time: RFC 3339, or how long ago such as 30m
    #[arg(long, value_name = "TIME")]
    pub until: Option<Moment>,

    /// Whose last attempt was answered with this HTTP status
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(100..=599))]
    pub last_status: Option<u16>,

    /// Which part.
    #[command(flatten)]
    pub part: Part,
}

/// Which delivery, and why.
#[derive(Debug, clap::Args)]
pub struct GiveUp {
    /// Its id
    #[arg(value_name = "ID")]
    pub id: String,

    /// Why, for its history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Does it.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Args { verb, remote } = args;
    let mut client = remote.client()?;
    match verb {
        Verb::List(list) => {
            let status = list.status.join(",");
            let since = Moment::resolve_some(list.since, &mut client).await?;
            let until = Moment::resolve_some(list.until, &mut client).await?;
            let call = Call::get(["v1", "deliveries"])
                .query("endpoint", list.endpoint)
                .query("type", list.kind)
                .query("status", Some(status).filter(|status| !status.is_empty()))
                .query("since", since)
                .query("until", until)
                .query("last_status", list.last_status);
            let answer = client.list(list.part.of(call)).await?;
            let now = next::now(&remote, &mut client, &answer).await;
            remote.show_list(&answer, |list| {
                table(&next::in_words(list, now), "there are no such deliveries")
            })
        }
        Verb::Show(one) => {
            let call = Call::get(["v1", "deliveries", &one.id]);
            remote.show(&client.call(call).await?, page)
        }
        Verb::Wait(wait) => wait::run(wait, &remote, &mut client).await,
        Verb::Discard(one) => {
            let call = Call::post(["v1", "deliveries", &one.id, "discard"]);
            remote.show(&client.call(call).await?, |_| {
                output::line(&format!("{} is discarded", one.id))
            })
        }
        Verb::GiveUp(GiveUp { id, reason }) => {
            let mut call = Call::post(["v1", "deliveries", &id, "give-up"]);
            if let Some(reason) = reason {
                call = call.json(json!({ "reason": reason }));
            }
            let answer = client.call(call).await?;
            remote.show(&answer, |_| {
                output::line(&format!("{id} is a dead letter now"))
            })
        }
        Verb::Retry(one) => {
            let call = Call::post(["v1", "deliveries", &one.id, "retry"]);
            remote.show(&client.call(call).await?, |delivery| {
                let status = match delivery["status"].as_str() {
                    Some(status) => format!(": {}", output::clean(status)),
                    None => String::new(),
                };
                output::line(&format!("{} is attempted again{status}", one.id))
            })
        }
    }
}

/// Prints a list of deliveries, or `nothing` if it is empty.
pub fn table(list: &Value, nothing: &str) -> Result<(), Failure> {
    let mut table = Table::new(&["ID", "ENDPOINT", "STATUS", "ATTEMPTS", "NEXT", "LAST"]);
    for delivery in items(list) {
        let cell = |key| text(delivery, key);
        table.row(vec![
            cell("id"),
            cell("endpoint"),
            cell("status"),
            cell("attempt_count"),
            cell("next_attempt_at"),
            last(delivery).unwrap_or_else(|| NOTHING.to_owned()),
        ]);
    }
    table.print(nothing)?;
    note_next(list);
    Ok(())
}

/// What came back last: a status, or an error.
fn last(delivery: &Value) -> Option<String> {
    ["last_error", "last_status"]
        .into_iter()
        .map(|key| text(delivery, key))
        .find(|text| text != NOTHING)
}
