//! `redeliver explain`: `redeliver delivery show` by the word that people look for.

use super::Failure;
use super::delivery::{self, Verb};
use super::part::One;
use super::remote::Remote;

/// Say why a delivery is where it is: rule, clock, and what its signature is made of
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  redeliver explain dlv_01JD3ZQK8V00000000002G0001")]
pub struct Args {
    /// Which delivery.
    #[command(flatten)]
    pub one: One,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// Does it.
pub async fn run(args: Args) -> Result<(), Failure> {
    delivery::run(delivery::Args {
        verb: Verb::Show(args.one),
        remote: args.remote,
    })
    .await
}
