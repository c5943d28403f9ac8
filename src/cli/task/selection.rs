//! Which deliveries a bulk operation is about, and what it comes to.

use serde_json::{Value, json};

use super::{follow, sure};
use crate::cli::client::{Answer, Call};
use crate::cli::moment::Moment;
use crate::cli::remote::Remote;
use crate::cli::{Failure, output};

/// What narrows a bulk operation down, and whether it is waited for.
#[derive(Debug, clap::Args)]
pub struct Selection {
    /// The endpoint's name or id; without it every endpoint
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

    /// At most so many, the oldest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Do not ask on a terminal
    #[arg(long)]
    pub yes: bool,

    /// Only say how many there would be
    #[arg(long)]
    pub dry_run: bool,

    /// Do not wait until all is done: print the task's id
    #[arg(long)]
    pub detach: bool,
}

/// What is done to the deliveries, in words.
pub struct Wording {
    /// The task's kind.
    pub kind: &'static str,
    /// The count's name under `--json`.
    pub member: &'static str,
    /// The sentence, of how many deliveries, of which endpoint, and whether they were only counted.
    pub sentence: fn(deliveries: &str, endpoint: &str, dry_run: bool) -> String,
}

impl Selection {
    /// Whether anything narrows it down.
    pub fn is_narrowed(&self) -> bool {
        self.endpoint.is_some()
            || !self.kind.is_empty()
            || self.since.is_some()
            || self.until.is_some()
            || self.limit.is_some()
    }

    /// Has the server do it to those in one of the states of `status`, and says what came of it.
    pub async fn carry_out(
        self,
        status: Option<String>,
        wording: &Wording,
        remote: &Remote,
    ) -> Result<(), Failure> {
        let mut client = remote.client()?;
        let since = Moment::resolve_some(self.since, &mut client).await?;
        let until = Moment::resolve_some(self.until, &mut client).await?;
        let kinds = Some(self.kind.join(",")).filter(|kinds| !kinds.is_empty());
        let wanted = [
            ("kind", Some(wording.kind.into())),
            ("endpoint", self.endpoint.clone().map(Value::from)),
            ("type", kinds.map(Value::from)),
            ("since", since.map(|at| json!(at))),
            ("until", until.map(|at| json!(at))),
            ("status", status.map(Value::from)),
            ("limit", self.limit.map(Value::from)),
            ("dry_run", Some(self.dry_run.into())),
        ];
        let body: serde_json::Map<_, _> = wanted
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        if !self.dry_run && !self.yes && sure::can_ask() {
            let count = sure::count(&mut client, body.clone()).await?;
            let endpoint = self.endpoint.as_deref().unwrap_or("every endpoint");
            sure::ask(&(wording.sentence)(&deliveries(count), endpoint, true))?;
        }
        let call = Call::post(["v1", "tasks"]).json(Value::Object(body));
        let made = client.call(call).await?;
        if self.detach {
            return remote.show(&made, |task| output::line(&output::text(task, "id")));
        }
        let ended = follow::until_ended(&mut client, made).await?;
        told(&ended, wording, remote, self.endpoint.as_deref())
    }
}

fn deliveries(count: u64) -> String {
    match count {
        1 => "1 delivery".to_owned(),
        count => format!("{count} deliveries"),
    }
}

/// Says how a task has ended.
fn told(
    ended: &Answer,
    wording: &Wording,
    remote: &Remote,
    endpoint: Option<&str>,
) -> Result<(), Failure> {
    let task = ended.json()?;
    let dry_run = task["dry_run"] == true;
    let count = match dry_run {
        true => &task["matched"],
        false => &task["done"],
    };
    let count = count.as_u64().unwrap_or(0);
    if remote.json {
        let said = json!({ wording.member: count, "dry_run": dry_run, "task": task });
        output::json(&said.to_string())?;
    } else {
        let deliveries = deliveries(count);
        let endpoint = endpoint.unwrap_or("every endpoint");
        output::line(&(wording.sentence)(&deliveries, endpoint, dry_run))?;
        let expired = task["expired"].as_u64().unwrap_or(0);
        if expired > 0 {
            let events = if expired == 1 { "event" } else { "events" };
            let up_to = match task["request"]["since"].is_null() {
                true => "",
                false => "up to ",
            };
            output::line(&format!(
                "{up_to}{expired} {events} of that time had expired by retention and cannot be taken up"
            ))?;
        }
    }
    match task["state"].as_str() {
        Some("done") => Ok(()),
        state => Err(Failure::Check(format!(
            "the {} is {}: {}",
            wording.kind,
            output::clean(state.unwrap_or("in no state")),
            output::text(&task, "error")
        ))),
    }
}
