//! `redeliver replay`: sends again from the log, by a task of the server.

use super::Failure;
use super::remote::Remote;
use super::task::{Selection, Wording};

/// Send events again: from the log, or dead letters
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Deliveries that have not ended are left as they are. The server does it as a \
    task, which goes on if this command is interrupted, and after a restart: see `redeliver task`.\
    \n\n\
    Example: what was given up in the last two hours\n  \
    redeliver replay --endpoint crm --since 2h --status dead --dry-run"
)]
pub struct Args {
    /// Dead letters only; without it what was delivered is sent again, too
    #[arg(long, value_name = "STATUS", value_parser = ["dead"])]
    pub status: Option<String>,

    /// Which deliveries.
    #[command(flatten)]
    pub selection: Selection,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

const WORDING: Wording = Wording {
    kind: "replay",
    member: "replayed",
    sentence: |deliveries, endpoint, dry_run| {
        let verb = if dry_run { "would send" } else { "sending" };
        format!("{verb} {deliveries} to {endpoint} again")
    },
};

/// Has the server put the deliveries back.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Args {
        status,
        selection,
        remote,
    } = args;
    selection.carry_out(status, &WORDING, &remote).await
}
