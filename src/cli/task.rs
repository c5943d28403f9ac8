//! `redeliver task`: bulk operations that go on by themselves.

use serde_json::Value;

use super::Failure;
use super::client::Call;
use super::output::{self, NOTHING, Table, text};
use super::remote::{Remote, items, note_next};

/// The order in which a task's members are shown.
const MEMBERS: &[&str] = &[
    "id", "kind", "state", "error", "matched", "done", "total", "progress", "dry_run",
];

/// Where a task may stand.
const STATES: [&str; 4] = ["running", "done", "cancelled", "failed"];

/// Look at bulk operations such as replays, and end them
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    redeliver task list --state running\n  \
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
}

/// Which tasks to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// In one of these states
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = STATES)]
    pub state: Vec<String>,

    /// At most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,

    /// Go on where an earlier list ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// One task.
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
            let state = list.state.join(",");
            let call = Call::get(["v1", "tasks"])
                .query("state", Some(state).filter(|state| !state.is_empty()))
                .query("limit", list.limit)
                .query("cursor", list.cursor);
            remote.show_list(&client.call(call).await?, table)
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
                output::line(&format!("cancelled {}; {done} were put back", one.id))
            })
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
