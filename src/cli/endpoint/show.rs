//! How endpoints are printed.

use serde_json::Value;

use crate::cli::client::{Answer, Client};
use crate::cli::output::{self, Table, text};
use crate::cli::remote::{Remote, items, note_next};
use crate::cli::{Failure, delivery, next};

/// The order in which an endpoint's members are shown.
const MEMBERS: &[&str] = &[
    "name",
    "id",
    "url",
    "policy",
    "state",
    "state_reason",
    "events",
    "backlog",
    "oldest_waiting_at",
    "next_attempt_at",
];

/// How an answer is shown.
pub(super) enum Shown {
    List,
    Endpoint,
    Done(&'static str, String),
    Retried(String),
    Delivery,
}

/// Prints the answer: as it is, or as people read it.
pub(super) async fn show(
    remote: &Remote,
    client: &mut Client,
    answer: &Answer,
    shown: Shown,
) -> Result<(), Failure> {
    let now = match shown {
        Shown::List | Shown::Endpoint => next::now(remote, client, answer).await,
        _ => None,
    };
    remote.show(answer, |answer| match shown {
        Shown::List => table(&next::in_words(answer, now)),
        Shown::Endpoint => output::members(&next::in_words(answer, now), MEMBERS),
        Shown::Delivery => delivery::page(answer),
        Shown::Retried(name) => {
            let retried = answer["retried"].as_u64().unwrap_or(0);
            output::line(&match retried {
                1 => format!("1 delivery to {name} is due now"),
                count => format!("{count} deliveries to {name} are due now"),
            })
        }
        Shown::Done(done, given) => {
            let name = match answer["name"].as_str() {
                Some(name) => output::clean(name),
                None => given,
            };
            let id = match answer["id"].as_str() {
                Some(id) => format!(" ({})", output::clean(id)),
                None => String::new(),
            };
            output::line(&format!("{done} {name}{id}"))
        }
    })
}

fn table(list: &Value) -> Result<(), Failure> {
    let mut table = Table::new(&[
        "NAME", "STATE", "POLICY", "BACKLOG", "OLDEST", "NEXT", "URL",
    ]);
    for endpoint in items(list) {
        let cell = |key| text(endpoint, key);
        table.row(vec![
            cell("name"),
            cell("state"),
            cell("policy"),
            cell("backlog"),
            cell("oldest_waiting_at"),
            cell("next_attempt_at"),
            cell("url"),
        ]);
    }
    table.print("there are no endpoints; `redeliver endpoint add` makes one")?;
    note_next(list);
    Ok(())
}
