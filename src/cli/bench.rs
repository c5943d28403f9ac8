//! `redeliver bench`: what this machine does, against baselines of the same run.

mod table;

use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use hyper::Uri;
use hyper::http::uri::PathAndQuery;
use serde_json::json;

use super::signals::Signals;
use super::{Failure, output};
use crate::bench::findings::Findings;
use crate::bench::machine::Machine;
use crate::bench::part::{bare, raw, relay, sink};
use crate::bench::plan::Plan;
use crate::bench::scenario::Scenario;
use crate::bench::target::{self, Driven, Target};
use crate::bench::{BenchError, process};

/// Measure this machine: the broker against baselines of the same run
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: everything, for figures to rely on\n  redeliver bench all\n\
    Example: one question, in a few seconds\n  redeliver bench ingest --quick"
)]
pub struct Args {
    /// What is measured; everything if nothing is named
    #[arg(value_enum)]
    pub scenarios: Vec<Scenario>,

    /// A small part of the events and a single round, in under a minute: to see that it works, not
    /// to compare by
    #[arg(long)]
    pub quick: bool,

    /// Ten million events behind it, too, where a million are the measure: some ten minutes more
    #[arg(long)]
    pub large: bool,

    /// How often the baseline and the broker take turns
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: Option<u16>,

    /// Where the data is written: a folder on the disk to be measured
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,

    /// Put the load on this server instead, such as http://127.0.0.1:8071/api/v1/app/a/msg
    #[arg(long, value_name = "URL", conflicts_with_all = ["scenarios", "quick", "large", "rounds"])]
    pub target: Option<Uri>,

    /// Where a receiver is to listen that the target delivers to
    #[arg(long, value_name = "ADDR", requires = "target")]
    pub sink: Option<SocketAddr>,

    /// A header that the target wants, such as "Authorization: Bearer …"
    #[arg(long, value_name = "LINE", requires = "target")]
    pub header: Vec<String>,

    /// A file with the body that the target wants; {number............} and {sent_ns...........}
    /// stand for an event's number and the time, "number":"…" and "sent_ns":"…" are looked for in
    /// what arrives, and {padding} is filled up to 500 bytes
    #[arg(long, value_name = "FILE", requires = "target")]
    pub body: Option<PathBuf>,

    /// Connections that post to the target
    #[arg(long, value_name = "N", requires = "target", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,

    /// Events that are posted to the target
    #[arg(long, value_name = "N", requires = "target", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub events: u64,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The processes that `bench` starts beside the broker
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  redeliver bench-part sink --listen 127.0.0.1:9000")]
pub struct PartArgs {
    /// Where it listens
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:0",
        global = true
    )]
    pub listen: SocketAddr,

    /// Which one
    #[command(subcommand)]
    pub part: Part,
}

/// See [`crate::bench::part`].
#[derive(Debug, Subcommand)]
pub enum Part {
    /// Answer 200 and count what came
    #[command(after_help = "Example:\n  redeliver bench-part sink")]
    Sink,
    /// Answer 202 at once
    #[command(after_help = "Example:\n  redeliver bench-part bare")]
    Bare,
    /// Answer 202 after a group commit to a plain file
    #[command(after_help = "Example:\n  redeliver bench-part raw --file /tmp/raw")]
    Raw {
        /// The file
        #[arg(long)]
        file: PathBuf,
    },
    /// Answer 202 and pass the event on from memory
    #[command(after_help = "Example:\n  redeliver bench-part relay --to http://127.0.0.1:9000/")]
    Relay {
        /// Where to; each gets every event
        #[arg(long, required = true)]
        to: Vec<Uri>,
        /// Connections to each
        #[arg(long, default_value_t = 64)]
        connections: usize,
    },
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::System { .. } => Self::Environment(error.to_string()),
            BenchError::Failed(words) => Self::Check(words),
            BenchError::Interrupted => Self::Interrupted,
        }
    }
}

/// Runs one of the processes beside the broker; it ends by being killed.
pub async fn run_part(args: PartArgs) -> Result<(), Failure> {
    let ended = match args.part {
        Part::Sink => sink::run(args.listen).await,
        Part::Bare => bare::run(args.listen).await,
        Part::Raw { file } => raw::run(args.listen, &file).await,
        Part::Relay { to, connections } => relay::run(args.listen, to, connections).await,
    };
    ended.map_err(|error| Failure::Environment(error.to_string()))
}

/// Measures.
pub async fn run(args: Args) -> Result<(), Failure> {
    let target = target(&args)?;
    let mut signals = Signals::listen()?;
    let terminal = io::stderr().is_terminal();
    let plan = Plan {
        rounds: args
            .rounds
            .map_or(if args.quick { 1 } else { 5 }, usize::from),
        large: args.large,
        shrink: if args.quick { 25 } else { 1 },
        dir: args.dir.unwrap_or_else(std::env::temp_dir),
        fleet: process::Fleet::default(),
        progress: Arc::new(move |what| progress(terminal, what)),
    };
    let (fleet, shrink) = (plan.fleet.clone(), plan.shrink);
    let machine = Machine::here(&plan.dir);
    if machine.is_debug() {
        output::warning(
            "this is a debug build, and its figures say nothing about what users run; measure with `cargo run --release -- bench`",
        );
    }
    if target.is_none() && !args.json {
        output::line(&format!("machine: {machine}"))?;
        if args.quick {
            output::line("quick: few events, to see that it works and not to compare by")?;
        }
    }
    let mut scenarios = args.scenarios;
    if scenarios.is_empty() {
        scenarios = vec![Scenario::All];
    }
    let measure = move || match target {
        Some(target) => target::drive(&plan, &target).map(Measured::Target),
        None => {
            let mut findings = Findings::default();
            for scenario in scenarios {
                findings = findings.and(scenario.run(&plan)?);
            }
            Ok(Measured::Findings(findings))
        }
    };
    let mut measuring = tokio::task::spawn_blocking(measure);
    let measured = tokio::select! {
        measured = &mut measuring => measured,
        () = signals.stop() => {
            // Whatever it waits for has ended now, and so does it, tidying up behind itself.
            fleet.kill();
            let _ = measuring.await;
            return Err(Failure::Interrupted);
        }
    };
    if terminal {
        eprint!("\r\x1b[K");
    }
    let text = match measured.map_err(|panic| Failure::Check(panic.to_string()))?? {
        Measured::Target(driven) if args.json => json!(driven).to_string(),
        Measured::Target(driven) => driven.to_string(),
        Measured::Findings(Findings { figures, details }) if args.json => {
            json!({ "machine": machine, "shrink": shrink, "figures": figures, "details": details })
                .to_string()
        }
        Measured::Findings(findings) => table::lines(&findings).join("\n"),
    };
    output::line(&text)
}

enum Measured {
    Findings(Findings),
    Target(Driven),
}

fn target(args: &Args) -> Result<Option<Target>, Failure> {
    let Some(url) = &args.target else {
        return Ok(None);
    };
    let address = url
        .authority()
        .filter(|_| url.scheme_str() == Some("http"))
        .and_then(|authority| {
            let port = authority.port_u16().unwrap_or(80);
            (authority.host(), port).to_socket_addrs().ok()?.next()
        });
    let address = address.ok_or_else(|| {
        Failure::Usage(format!(
            "{url} cannot be posted to; give a URL such as http://127.0.0.1:8071/path"
        ))
    })?;
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
    };
    Ok(Some(Target {
        address,
        path: url
            .path_and_query()
            .map_or("/", PathAndQuery::as_str)
            .to_owned(),
        headers: args.header.clone(),
        body: args.body.as_ref().map(read).transpose()?,
        sink: args.sink,
        connections: args.connections.into(),
        events: args.events,
    }))
}

/// On a terminal one line that is written over; elsewhere nothing.
fn progress(terminal: bool, what: &str) {
    if terminal {
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r\x1b[K{what} …").and_then(|()| err.flush());
    }
}
