//! `redeliver serve`: the broker.

mod reload;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sd_notify::NotifyState;
use serde_json::json;

use super::record::RecordArgs;
use super::signals::{Hangup, Signals};
use super::{Failure, output, traces};
use crate::app::{App, AppError, Settings};
use crate::clock::ClockKind;
use crate::config::{self, Config};
use crate::duration::parse_duration;
use crate::id::Seq;
use crate::store::EndpointError;
use crate::vendor::builtin_policies;

mod checked;

const DEFAULT_CONFIG: &str = "redeliver.toml";

/// Run the broker
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Options win over the configuration. SIGINT and SIGTERM let what is under way finish. \
    SIGHUP reads the configuration again: endpoints, policies and alerts.\n\n\
    Example: is the configuration right?\n  \
    redeliver serve --config redeliver.toml --check"
)]
pub struct Args {
    /// The configuration; without this option redeliver.toml, if there is one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where the data is kept [default: redeliver-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Where to listen; port 0 takes any free port [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDR", value_parser = super::address::listen_address)]
    pub listen: Option<SocketAddr>,

    /// Which clock to run on: real, a factor such as 60x, or manual
    #[arg(long, value_name = "CLOCK", default_value_t = ClockKind::Real)]
    pub clock: ClockKind,

    /// Only check the configuration
    #[arg(long)]
    pub check: bool,

    /// Start without these events, which are damaged, for good
    #[arg(long, value_name = "FROM-TO", value_parser = range)]
    pub accept_loss: Option<RangeInclusive<Seq>>,

    /// Start without these records of attempts and endpoints, which are damaged, for good
    #[arg(long, value_name = "FROM-TO", value_parser = range)]
    pub accept_lost_transitions: Option<RangeInclusive<u64>>,

    /// How long a stop waits for what is under way, such as 10s
    #[arg(long, value_name = "TIME", value_parser = drain)]
    pub drain: Option<Duration>,

    /// What is kept of attempts.
    #[command(flatten)]
    pub record: RecordArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn range(text: &str) -> Result<RangeInclusive<Seq>, String> {
    let bounds = text.split_once('-').and_then(|(from, to)| {
        let (from, to): (Seq, Seq) = (from.parse().ok()?, to.parse().ok()?);
        (1 <= from && from <= to).then_some(from..=to)
    });
    bounds.ok_or_else(|| "write the first and the last event's number, such as 4-5".to_owned())
}

/// The range of `limits.drain_timeout`.
fn drain(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).map_err(|error| error.to_string())?;
    if !(Duration::from_secs(1)..=Duration::from_secs(600)).contains(&time) {
        return Err("give a time from 1s to 10m".to_owned());
    }
    Ok(time)
}

/// Checks the configuration, then serves.
pub async fn run(args: Args) -> Result<(), Failure> {
    let (file, settings) = settings(&args, None)?;
    if args.check {
        return checked::run(args.json, file.as_deref(), &settings.config);
    }
    let json = settings.json;
    let mut signals = Signals::listen()?;
    let mut hangup = Hangup::listen()?;
    let app = tokio::select! {
        // The start first: what has started is stopped in good order.
        biased;
        started = App::start(settings) => started?,
        () = signals.stop() => {
            tracing::info!("stopped before it had started");
            return Ok(());
        }
    };
    output::line(&listening(&app, json))?;
    tell_supervisor(NotifyState::Ready);
    let failed = tokio::select! {
        () = signals.stop() => None,
        error = app.failed() => Some(error),
        // A reload that waits for something keeps nobody from stopping.
        () = reload::at_each(&mut hangup, &app, &args, file) => None,
    };
    if let Some(error) = failed {
        return Err(AppError::Store(error).into());
    }
    tell_supervisor(NotifyState::Stopping);
    tracing::info!("stopping; a second signal ends the process at once");
    tokio::select! {
        stopped = app.stop() => {
            stopped?;
            tracing::info!("stopped");
            Ok(())
        }
        () = signals.stop() => Err(Failure::Interrupted),
    }
}

/// systemd, if it has started this process and wants to know.
fn tell_supervisor(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

fn listening(app: &App, json: bool) -> String {
    let url = format!("http://{}", app.address());
    if json {
        json!({ "listening": url }).to_string()
    } else {
        format!("redeliver listening on {url}")
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let words = error.to_string();
        match error {
            // What the configuration has to say is missing from it: no second start finds it there.
            AppError::Store(error) | AppError::Endpoint(EndpointError::Store(error))
                if error.is_misconfigured() =>
            {
                Self::Usage(words)
            }
            AppError::Store(_)
            | AppError::Tasks(_)
            | AppError::Endpoint(EndpointError::Store(_))
            | AppError::Listen { .. }
            | AppError::System { .. }
            | AppError::Transport(_) => Self::Environment(words),
            AppError::Endpoints(_)
            | AppError::Emptied(_)
            | AppError::Sources(_)
            | AppError::Clock(_)
            | AppError::Endpoint(_) => Self::Usage(words),
        }
    }
}

/// The configuration's file, if there is one, and what the broker is started with.
/// One that was `there` before has to be there still: without it, every endpoint of it would stop.
fn settings(args: &Args, there: Option<&Path>) -> Result<(Option<PathBuf>, Settings), Failure> {
    let default = || Some(PathBuf::from(DEFAULT_CONFIG)).filter(|path| path.exists());
    let there = there.map(Path::to_owned).or_else(|| args.config.clone());
    let file = there.or_else(default);
    let mut config = match &file {
        Some(path) => load(path, args)?,
        None => Config::default(),
    };
    for warning in &config.warnings {
        output::warning(&warning.to_string());
    }
    let server = &mut config.server;
    server.listen = args.listen.unwrap_or(server.listen);
    server.data_dir = args.data.clone().unwrap_or(server.data_dir.clone());
    server.limits.drain_timeout = args.drain.unwrap_or(server.limits.drain_timeout);
    server
        .check_admin_token()
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let settings = Settings {
        traces: traces::wanted(&config),
        config,
        clock: args.clock,
        accept_loss: args.accept_loss.clone(),
        accept_lost_transitions: args.accept_lost_transitions.clone(),
        record: args.record.record,
        json: args.json,
        ..Settings::default()
    };
    Ok((file, settings))
}

fn load(path: &Path, args: &Args) -> Result<Config, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    config::load(path, &env, &builtin_policies())
        .or_else(|errors| checked::refuse(args.check && args.json, &errors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn a_range_of_events_has_two_ends_in_order() {
        assert_eq!(range("4-5"), Ok(4..=5));
        assert_eq!(range("7-7"), Ok(7..=7));
        for text in ["", "4", "5-4", "0-3", "-", "4-", "a-b", "4-5-6"] {
            assert!(range(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_store_that_stops_at_an_endpoint_of_the_configuration_is_no_misuse() {
        let failed = |error: EndpointError| Failure::from(AppError::Endpoint(error));
        let stopped = StoreError::Stopped("fdatasync".to_owned());
        assert!(matches!(
            failed(stopped.into()),
            Failure::Environment(words) if words.contains("fdatasync")
        ));
        assert!(matches!(
            failed(EndpointError::TooMany(3)),
            Failure::Usage(_)
        ));
    }

    #[test]
    fn a_drain_is_as_bounded_as_in_the_configuration() {
        assert_eq!(drain("1s"), Ok(Duration::from_secs(1)));
        assert!(drain("999ms").is_err() && drain("11m").is_err() && drain("5").is_err());
    }
}
