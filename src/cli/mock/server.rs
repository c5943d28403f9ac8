//! `redeliver mock server`: many mocks in one process, for suites whose tests run side by side.

use std::net::SocketAddr;

use serde_json::json;

use crate::cli::address::listen_address;
use crate::cli::signals::Signals;
use crate::cli::{Failure, output};
use crate::mock;

/// Many mocks behind one address
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each mock has a name, and a log, a clock and samples of its own:\n\n\
    \u{20} PUT /mocks/NAME         {\"vendor\": \"hotjar\", \"to\": URL, \"signing_key\": KEY} makes it, or makes it anew;\n\
    \u{20}                         also clock (manual), seed, faults ([\"cut=0.2\"]), basic_auth, timeout and what else an endpoint can have\n\
    \u{20} POST /mocks/NAME/reset  empties it\n\
    \u{20} DELETE /mocks/NAME      takes it away\n\
    \u{20} /mocks/NAME/v1/…        its API: trigger, clock/advance, wait, deliveries, events\n\n\
    Example:\n  redeliver mock server --listen 127.0.0.1:7080"
)]
pub(super) struct Args {
    /// Where to listen, on loopback; port 0 takes any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7080", value_parser = listen_address)]
    listen: SocketAddr,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Serves until it is told to stop.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    // Nobody is asked for a token, and a mock sends wherever it is told to.
    if !args.listen.ip().to_canonical().is_loopback() {
        return Err(Failure::Usage(format!(
            "--listen {}: mocks are for this machine alone; give an address such as 127.0.0.1:7080",
            args.listen
        )));
    }
    let mut signals = Signals::listen()?;
    let server = mock::Server::start(args.listen).await?;
    let url = format!("http://{}", server.address());
    output::line(&match args.json {
        true => json!({ "listening": url }).to_string(),
        false => format!("redeliver listening on {url}"),
    })?;
    signals.stop().await;
    let stopped = server.stop().await;
    stopped.map_err(|error| Failure::Environment(error.to_string()))
}
