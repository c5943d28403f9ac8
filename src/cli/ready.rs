//! `redeliver ready`: whether a server takes events; for health checks and scripts.

use std::time::Duration;

use super::client::Call;
use super::remote::Remote;
use super::{Failure, output};
use crate::clock::SharedClock;
use crate::duration::parse_duration;

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a look may take: a server that is ready answers at once.
const LOOK: Duration = Duration::from_secs(5);

/// Say whether the server takes events, or wait until it does
#[derive(Debug, clap::Args)]
#[command(after_help = "Exits with 0 if it does and 3 if it does not.\n\n\
    Example: in a script, behind redeliver serve &\n  redeliver ready --wait 30s")]
pub struct Args {
    /// For how long to look again and again, such as 30s
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub wait: Option<Duration>,

    /// Only whether the process lives, for whoever restarts one that does not: a server whose disk
    /// is full is not ready, and a restart makes no room
    #[arg(long)]
    pub alive: bool,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Looks until the server is ready, or for as long as is to be waited.
pub async fn run(args: Args, clock: SharedClock) -> Result<(), Failure> {
    let mut client = args.remote.client()?;
    let (route, said) = match args.alive {
        true => ("healthz", "ok"),
        false => ("readyz", "ready"),
    };
    let until = clock.now().plus(args.wait.unwrap_or_default());
    loop {
        match client.call(Call::get([route]).within(LOOK)).await {
            Err(Failure::Environment(_) | Failure::Check(_)) if clock.now() < until => {
                clock.sleep(PAUSE).await;
            }
            // Asked and answered: the environment is not as it should be.
            Err(Failure::Check(words)) => return Err(Failure::Environment(words)),
            answer => {
                let answer = answer?;
                // Any server may answer 200 to anything.
                answer.expect(|answer| answer["status"] == said)?;
                return args.remote.show(&answer, |_| output::line(said));
            }
        }
    }
}
