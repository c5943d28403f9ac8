//! `redeliver delivery`: deliveries with their attempts.

pub mod wait;

use serde_json::Value;

use super::Failure;
use super::client::Call;
use super::output::{self, NOTHING, Table, text};
use super::remote::{Remote, items, note_next};

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

    /// In one of these states
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = STATUSES)]
    pub status: Vec<String>,

    /// At most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,

    /// Go on where an earlier list ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// One delivery.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Its id
    #[arg(value_name = "ID")]
    pub id: String,
}

/// Does it.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Args { verb, remote } = args;
    let mut client = remote.client()?;
    match verb {
        Verb::List(list) => {
            let status = list.status.join(",");
            let call = Call::get(["v1", "deliveries"])
                .query("endpoint", list.endpoint)
                .query("status", Some(status).filter(|status| !status.is_empty()))
                .query("limit", list.limit)
                .query("cursor", list.cursor);
            let answer = client.call(call).await?;
            remote.show(&answer, |list| table(list, "there are no such deliveries"))
        }
        Verb::Show(one) => {
            let call = Call::get(["v1", "deliveries", &one.id]);
            remote.show(&client.call(call).await?, page)
        }
        Verb::Wait(wait) => wait::run(wait, &remote, &mut client).await,
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

/// Prints one delivery with its attempts, or whatever else it is member by member.
pub fn page(delivery: &Value) -> Result<(), Failure> {
    if delivery["attempts"].is_null() {
        return output::members(delivery, &[]);
    }
    let cell = |key| text(delivery, key);
    let mut pairs = vec![
        ("delivery", cell("id")),
        (
            "event",
            format!("{} (seq {})", cell("event_id"), cell("seq")),
        ),
        ("endpoint", cell("endpoint")),
        ("status", cell("status")),
        ("why", cell("explanation")),
    ];
    if !delivery["next_attempt_at"].is_null() {
        pairs.push(("next", cell("next_attempt_at")));
    }
    pairs.push(("attempts", cell("attempt_count")));
    output::pairs_of(&pairs)?;
    for attempt in delivery["attempts"].as_array().into_iter().flatten() {
        for line in attempt_lines(attempt) {
            output::line(&line)?;
        }
    }
    Ok(())
}

fn attempt_lines(attempt: &Value) -> Vec<String> {
    let cell = |key| text(attempt, key);
    let back = match cell("error") {
        error if error == NOTHING => cell("status"),
        error => error,
    };
    let mut lines = vec![format!(
        "  #{}  {}  {back}  {} ms",
        cell("number"),
        cell("started_at"),
        cell("duration_ms"),
    )];
    let excerpt: String = cell("response_excerpt").chars().take(200).collect();
    if excerpt != NOTHING && !excerpt.is_empty() {
        lines.push(format!("      {excerpt}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attempt_shows_time_result_duration_and_excerpt() {
        let attempt = json!({"number": 2, "started_at": "2026-01-31T09:30:00.000Z", "status": 500,
            "error": null, "duration_ms": 12, "response_excerpt": "no\u{1b}[2J\nway"});
        assert_eq!(
            attempt_lines(&attempt),
            [
                "  #2  2026-01-31T09:30:00.000Z  500  12 ms",
                "      no[2J way"
            ]
        );
    }
}
