//! Where it is sent and how: options of every vendor that sends webhooks.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::cli::Failure;
use crate::cli::address::listen_address;
use crate::cli::faults::FaultArgs;
use crate::cli::record::RecordArgs;
use crate::cli::secrets::secret_argument;
use crate::clock::ClockKind;
use crate::config::Config;
use crate::duration::parse_duration;
use crate::endpoint::{EndpointDraft, Field};

/// Where it is sent, and how
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Where and how")]
pub(super) struct Running {
    /// Your receiver
    #[arg(long, value_name = "URL")]
    to: String,

    /// Time for one attempt, of the mock's clock. Without this option it is the vendor's; on a clock
    /// that runs faster than the machine's it is that in real time
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,

    /// Run the mock's clock so many times as fast, such as 600x: hours of retries in seconds
    #[arg(long, value_name = "FACTOR", value_parser = speed, conflicts_with = "clock")]
    speed: Option<ClockKind>,

    /// Which clock to run on: real, a factor such as 60x, or manual, which only
    /// POST /v1/clock/advance moves
    #[arg(long, value_name = "CLOCK", default_value_t = ClockKind::Real)]
    clock: ClockKind,

    /// End after this time of the mock's clock, even if not everything is settled
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) give_up_after: Option<Duration>,

    /// Stay when everything is settled, to be asked for more (POST /v1/trigger, /v1/events)
    #[arg(long)]
    keep: bool,

    /// Where the mock's own API listens, and stay [default: 127.0.0.1:0]
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    listen: Option<SocketAddr>,

    /// What the mock's API asks for where --listen is not loopback: env:NAME or file:PATH
    #[arg(long, value_name = "TOKEN")]
    admin_token: Option<String>,

    /// Where to keep the data, instead of in memory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// A private network in which your receiver may be, such as 192.168.0.0/16. May be repeated
    #[arg(long, value_name = "CIDR")]
    allow_address: Vec<IpNet>,

    /// Print one JSON object for each thing that happens
    #[arg(long)]
    pub(super) json: bool,

    /// Which requests are kept.
    #[command(flatten)]
    pub(super) record: RecordArgs,

    /// What is done wrong on purpose.
    #[command(flatten)]
    pub(super) faults: FaultArgs,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

fn speed(text: &str) -> Result<ClockKind, String> {
    match text.parse() {
        Ok(ClockKind::Scaled(factor)) => Ok(ClockKind::Scaled(factor)),
        Ok(_) => Err("write a factor with an x such as 600x".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Running {
    /// Which clock it runs on.
    pub(super) fn clock(&self) -> ClockKind {
        self.speed.unwrap_or(self.clock)
    }

    /// Whether it stays when everything is settled.
    pub(super) fn stays(&self) -> bool {
        self.keep || self.listen.is_some() || self.clock() == ClockKind::Manual
    }

    /// Whether the data outlives the mock.
    pub(super) fn has_data(&self) -> bool {
        self.data.is_some()
    }

    /// What these options say of the receiver.
    pub(super) fn draft(&self) -> EndpointDraft {
        EndpointDraft {
            url: Field::Set(self.to.clone()),
            timeout: self.timeout.clone().into(),
            ..EndpointDraft::default()
        }
    }

    /// Puts what these options say of the server into its configuration.
    pub(super) fn put(&self, config: &mut Config) -> Result<(), Failure> {
        let server = &mut config.server;
        if let Some(listen) = self.listen {
            server.listen = listen;
        }
        if let Some(data) = &self.data {
            server.data_dir.clone_from(data);
        }
        server.allow_private.clone_from(&self.allow_address);
        let token = self.admin_token.as_deref();
        let token = token.map(|token| secret_argument("--admin-token", token));
        server.admin_token = token.transpose()?;
        server.check_admin_token().map_err(|error| {
            let address = error.0;
            Failure::Usage(format!(
                "--listen {address} is open to other machines; add --admin-token env:NAME"
            ))
        })
    }
}
