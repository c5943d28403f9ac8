//! `redeliver task`: bulk operations that go on by themselves.

mod follow;
mod selection;
mod sure;

use serde_json::Value;

use super::Failure;
use super::client::Call;
use super::output::{self, NOTHING, Table, text};
use super::part::{One, Part, items, note_next};
use super::remote::Remote;
pub use selection::{Selection, Wording};

/// The order in which a task's members are shown.
const MEMBERS: &[&str] = &[
    "id", "kind", "state", "error", "matched", "done", "total", "progress", "dry_run",
];

/// Where a task may stand.
const STATES: [&str; 4] = ["running", "done", "cancelled", "failed"];

/// Discard deliveries in bulk, look at bulk operations such as replays, and end them
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    redeliver task list --state running\n  \
    redeliver task discard --endpoint crm --status dead --dry-run\n  \
    redeliver task cancel tsk_01JD3ZQK8V00000000002G0001")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// What to do with tasks.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List tasks, the newest first
    #[command(after_help = "Example:\n  redeliver task list --state running")]
    List(List),
    /// Show how far a task has come
    #[command(after_help = "Example:\n  redeliver task show tsk_01JD3ZQK8V00000000002G0001")]
    Show(One),
    /// End a task; what it has done stays done
    #[command(after_help = "Example:\n  redeliver task cancel tsk_01JD3ZQK8V00000000002G0001")]
    Cancel(One),
    /// Give deliveries up that have not arrived; they end as removed, and can be read and retried
    #[command(
        after_help = "What is queued goes at once; attempts that are under way are waited for behind \
        that, and a dry run leaves them out. The server does it as a task, \
        which goes on if this command is interrupted, and after a restart.\n\n\
        Example:\n  \
        redeliver task discard --endpoint crm --status pending,waiting --until 2h --dry-run\n  \
        redeliver task discard --status dead --type order.*"
    )]
    Discard(Discard),
}

/// Which tasks to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// In one of these states
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = STATES)]
    pub state: Vec<String>,

    /// Which part.
    #[command(flatten)]
    pub part: Part,
}

/// What to give up.
#[derive(Debug, clap::Args)]
pub struct Discard {
    /// Those in these states: what is queued, what waits for a retry, dead letters
    #[arg(long, value_name = "STATUS", value_delimiter = ',', required = true,
        value_parser = ["pending", "waiting", "dead"])]
    pub status: Vec<String>,

    /// Which deliveries.
    #[command(flatten)]
    pub selection: Selection,
}

const DISCARDING: Wording = Wording {
    kind: "discard",
    member: "discarded",
    sentence: |deliveries, endpoint, dry_run| {
        let verb = if dry_run {
            "would discard"
        } else {
            "discarded"
        };
        format!("{verb} {deliveries} of {endpoint}")
    },
};

/// Does it.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Args { verb, remote } = args;
    let mut client = remote.client()?;
    match verb {
        Verb::List(list) => {
            let state = list.state.join(",");
            let call = Call::get(["v1", "tasks"])
                .query("state", Some(state).filter(|state| !state.is_empty()));
            remote.show_list(&client.list(list.part.of(call)).await?, table)
        }
        Verb::Show(one) => {
            let call = Call::get(["v1", "tasks", &one.id]);
            remote.show(&client.call(call).await?, |task| {
                output::members(task, MEMBERS)
            })
        }
        Verb::Cancel(one) => {
            let call = Call::post(["v1", "tasks", &one.id, "cancel"]);
            remote.show(&client.call(call).await?, |task| {
                let done = text(task, "done");
                let verb = match task["kind"].as_str() {
                    Some("discard") => "discarded",
                    _ => "put back",
                };
                output::line(&format!("cancelled {}; {done} were {verb}", one.id))
            })
        }
        Verb::Discard(discard) => {
            let status = discard.status.join(",");
            let selection = discard.selection;
            selection
                .carry_out(Some(status), &DISCARDING, &remote)
                .await
        }
    }
}

fn table(list: &Value) -> Result<(), Failure> {
    let mut table = Table::new(&[
        "ID", "KIND", "STATE", "DONE", "MATCHED", "PROGRESS", "ENDPOINT",
    ]);
    for task in items(list) {
        let cell = |key| text(task, key);
        let progress = task["progress"].as_f64();
        table.row(vec![
            cell("id"),
            cell("kind"),
            cell("state"),
            cell("done"),
            cell("matched"),
            progress.map_or_else(
                || NOTHING.to_owned(),
                |share| format!("{:.0} %", share * 100.0),
            ),
            text(&task["request"], "endpoint"),
        ]);
    }
    table.print("there are no such tasks")?;
    note_next(list);
    Ok(())
}
