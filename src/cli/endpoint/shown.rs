//! How what a server answers about endpoints is shown.

use serde_json::Value;

use super::super::client::Answer;
use super::super::output::{self, Table, text};
use super::super::remote::{Remote, is_list, items, note_next};
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
pub(super) enum Shown {
    List,
    Endpoint,
    Done(&'static str, String),
    Delivery,
}

/// Shows `answer`, if a server of this kind gave it.
pub(super) fn show(remote: &Remote, answer: &Answer, shown: Shown) -> Result<(), Failure> {
    match shown {
        Shown::List => answer.expect(is_list)?,
        Shown::Endpoint | Shown::Delivery => answer.expect(|answer| answer["id"].is_string())?,
        Shown::Done(..) => {}
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
