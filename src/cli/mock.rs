//! `redeliver mock`: a vendor on localhost.
//!
//! | file | what is in it |
//! |---|---|
//! | `samples` | Hotjar, eSputnik, Standard Webhooks: what each can be told to send |
//! | `content`, `running` | options of all three: what is sent, where and how |
//! | `job` | what a run has to do, and the broker that it needs |
//! | `sender` | sends it, until everything is settled |
//! | `story` | what happens, line by line, and the end |
//! | `server` | many mocks in one process |
//! | `api`, `traffic`, `connections` | Zenovay's and Zebline's APIs, with visitors, and their events on the way |

mod api;
mod connections;
mod content;
mod job;
mod running;
mod samples;
mod sender;
mod server;
mod story;
mod traffic;

use super::Failure;

/// Be a vendor on localhost: send its webhooks to your receiver, or answer as its API
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    redeliver mock hotjar --to http://127.0.0.1:9000/hook --key-file key.txt --speed 600x\n  \
    redeliver mock zenovay --visitors 50 --rate 5")]
pub struct Args {
    #[command(subcommand)]
    vendor: Vendor,
}

#[derive(Debug, clap::Subcommand)]
enum Vendor {
    /// Send survey responses to your receiver as Hotjar does
    Hotjar(Box<samples::Hotjar>),
    /// Send activities to your receiver as eSputnik does
    Esputnik(Box<samples::Esputnik>),
    /// Send a shop's events to your receiver as Standard Webhooks
    Standard(Box<samples::Standard>),
    /// Many mocks behind one address, for suites whose tests run side by side
    Server(server::Args),
    /// Zenovay's read side, and visitors who are counted
    Zenovay(api::Server),
    /// Zebline's events API, which takes what you send and shows it as Zenovay does
    Zebline(api::Server),
}

/// Sends until everything is settled, or serves until it is told to stop.
pub async fn run(args: Args) -> Result<(), Failure> {
    match args.vendor {
        Vendor::Hotjar(hotjar) => sender::run(hotjar.job()?).await,
        Vendor::Esputnik(esputnik) => sender::run(esputnik.job()?).await,
        Vendor::Standard(standard) => sender::run(standard.job()?).await,
        Vendor::Server(args) => server::run(args).await,
        Vendor::Zenovay(server) => api::run(server, 200).await,
        Vendor::Zebline(server) => api::run(server, 0).await,
    }
}
