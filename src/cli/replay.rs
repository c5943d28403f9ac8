//! `redeliver replay`: sends again from the log, by a task of the server.

use super::Failure;
use super::remote::Remote;
use super::task::{Selection, Wording};

/// Send events again: from the log, or dead letters
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Deliveries that have not ended are left as they are, and so are operational \
    events (endpoint.*, delivery.dead) that have arrived, unless --type names them. The server does it as a \
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

    /// The whole log, where nothing else says what
    #[arg(long)]
    pub all: bool,

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
        all,
        remote,
    } = args;
    // A replay of more than was meant reaches receivers before it can be cancelled.
    if !(all || status.is_some() || selection.dry_run || selection.is_narrowed()) {
        return Err(Failure::Usage(
            "nothing says what to send again; name --endpoint, --type, --since, --until, --status dead or --limit, or --all for the whole log to every endpoint"
                .to_owned(),
        ));
    }
    selection.carry_out(status, &WORDING, &remote).await
}
