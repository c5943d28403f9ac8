//! How endpoints are shown on the command line.

use serde_json::Value;

use super::super::client::Answer;
use super::super::output::{self, Table, text};
use super::super::part::{items, note_next};
use super::super::remote::{Remote, is_list};
use super::super::{Failure, delivery};

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
    /// An attempt.
    Delivery,
}

/// Prints an answer, and what the server warns of beside it.
pub fn show(remote: &Remote, answer: &Answer, shown: Shown) -> Result<(), Failure> {
    match shown {
        Shown::List => answer.expect(is_list)?,
        Shown::Endpoint | Shown::Delivery => answer.expect(|answer| answer["id"].is_string())?,
        Shown::Done(..) => {}
    }
    if !remote.json
        && let Ok(answer) = answer.json()
    {
        warn(&answer, &shown);
    }
    remote.show(answer, |answer| match shown {
        Shown::List => table(answer),
        Shown::Endpoint => output::members(answer, MEMBERS),
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
        Shown::Delivery => return,
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
