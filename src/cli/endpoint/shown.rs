//! How endpoints are shown on the command line.

use serde_json::Value;

use super::super::client::{Answer, Client};
use super::super::output::{self, Table, text};
use super::super::part::{items, note_next};
use super::super::remote::{Remote, is_list};
use super::super::{Failure, delivery, next};

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
pub enum Shown {
    /// A part of the endpoints.
    List,
    /// One endpoint.
    Endpoint,
    /// What was done, and to which endpoint if the answer does not say.
    Done(&'static str, String),
    /// How many wait no longer, of this endpoint.
    Retried(String),
    /// How a test message fared.
    Delivery,
}

/// Prints an answer, and what the server warns of beside it.
pub async fn show(
    remote: &Remote,
    client: &mut Client,
    answer: &Answer,
    shown: Shown,
) -> Result<(), Failure> {
    match shown {
        Shown::List => answer.expect(is_list)?,
        Shown::Endpoint => answer.expect(|answer| answer["id"].is_string())?,
        Shown::Delivery => answer.expect(|answer| answer["delivered"].is_boolean())?,
        Shown::Done(..) | Shown::Retried(_) => {}
    }
    if !remote.json
        && let Ok(answer) = answer.json()
    {
        warn(&answer, &shown);
    }
    let now = match shown {
        Shown::List | Shown::Endpoint => next::now(remote, client, answer).await,
        _ => None,
    };
    remote.show(answer, |answer| match shown {
        Shown::List => table(&next::in_words(answer, now)),
        Shown::Endpoint => output::members(&next::in_words(answer, now), MEMBERS),
        Shown::Retried(name) => {
            let retried = answer["retried"].as_u64().unwrap_or(0);
            output::line(&match retried {
                1 => format!("1 delivery to {name} is due now"),
                count => format!("{count} deliveries to {name} are due now"),
            })
        }
        Shown::Delivery => delivery::page(answer),
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

/// What the server warns of, beside what is printed.
fn warn(answer: &Value, shown: &Shown) {
    let endpoints: Vec<&Value> = match shown {
        Shown::List => items(answer).collect(),
        Shown::Endpoint | Shown::Done(..) => vec![answer],
        Shown::Delivery | Shown::Retried(_) => return,
    };
    for endpoint in endpoints {
        let warnings = endpoint["warnings"].as_array();
        for warning in warnings.into_iter().flatten() {
            let name = text(endpoint, "name");
            let warning = output::clean(warning.as_str().unwrap_or_default());
            output::warning(&format!("endpoint {name}: {warning}"));
        }
    }
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
