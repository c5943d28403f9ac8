//! `redeliver listen`: a receiver to look at.

pub mod check;
mod receiver;
pub mod report;
pub mod script;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;

use crate::clock::SharedClock;
use crate::secret::Secret;

use super::Failure;
use super::address::listen_address;
use super::secrets::{basic_argument, secret_argument};
use check::Checks;
use receiver::{Receiver, Summary};
use script::Script;

/// Receive webhooks, check them, print them, and answer by a script
#[derive(Debug, clap::Args)]
#[command(after_help = "Secrets are given as env:NAME or file:PATH.\n\n\
    Example: fail three times, then be gone\n  \
    redeliver listen --hotjar-key env:HOTJAR_KEY --respond 500x3,410")]
pub struct Args {
    /// Where to listen, such as 127.0.0.1:9000, or a port alone; port 0 takes any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000", value_parser = listen_address)]
    pub listen: SocketAddr,

    /// Check com-hotjar-signature with this key; may be repeated, and then one of them suffices, as
    /// while a key is replaced
    #[arg(long, value_name = "KEY")]
    pub hotjar_key: Vec<String>,

    /// Check webhook-signature with this secret (whsec_…); may be repeated, and then one of them
    /// suffices
    #[arg(long, value_name = "SECRET")]
    pub standard_secret: Vec<String>,

    /// Ask for these credentials of HTTP Basic, such as hook:env:PASSWORD; or env:NAME or file:PATH
    /// that holds user:password
    #[arg(long, value_name = "USER:PASSWORD")]
    pub basic: Option<String>,

    /// Do not refuse timestamps that are more than 5 minutes off: for senders on a virtual clock
    #[arg(long)]
    pub any_age: bool,

    /// Answers in order, such as 500x3,410: a status or `hang`, with xN for N times; the last
    /// repeats for ever. GET is always answered 200, and a forged request 401
    #[arg(long, value_name = "SCRIPT", default_value = "200")]
    pub respond: Script,

    /// Wait this long before each answer, such as 2s or 500ms
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub delay: Duration,

    /// End after this many requests other than GET
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Print bodies, too
    #[arg(long, short)]
    pub verbose: bool,

    /// Print one JSON object for each request
    #[arg(long)]
    pub json: bool,
}

/// Receives until `--count` is reached or a signal comes.
pub async fn run(args: Args, clock: SharedClock) -> Result<(), Failure> {
    let checks = checks(&args)?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        Failure::Environment(format!(
            "cannot listen on {}: {error}; choose another address with --listen, such as 127.0.0.1:0",
            args.listen
        ))
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::Environment(format!("cannot listen: {error}")))?;
    let out: Output = Arc::new(Mutex::new(std::io::stdout()));
    let url = format!("http://{address}");
    print(
        &out,
        &if args.json {
            json!({ "listening": url }).to_string()
        } else {
            format!("listening on {url}")
        },
    );
    let json = args.json;
    let receiver = Receiver::new(args, checks, clock, out.clone());
    let summary = receiver.serve(listener, interrupted()).await;
    print(&out, &summary_line(&summary, json));
    Ok(())
}

/// Where lines go.
type Output = Arc<Mutex<dyn Write + Send>>;

/// A reader that has gone away must not stop the receiver.
fn print(out: &Output, line: &str) {
    if let Ok(mut out) = out.lock() {
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

fn summary_line(summary: &Summary, json: bool) -> String {
    let Summary {
        requests,
        succeeded,
        refused,
    } = *summary;
    if json {
        return json!({ "requests": requests, "succeeded": succeeded, "refused": refused })
            .to_string();
    }
    format!("{requests} requests: {succeeded} answered with success, {refused} refused as forged")
}

fn checks(args: &Args) -> Result<Checks, Failure> {
    let secrets = |option, given: &[String]| -> Result<Vec<Secret>, Failure> {
        let given = given.iter();
        given.map(|given| secret_argument(option, given)).collect()
    };
    let basic = args.basic.as_deref();
    let checks = Checks {
        hotjar_keys: secrets("--hotjar-key", &args.hotjar_key)?,
        standard_secrets: secrets("--standard-secret", &args.standard_secret)?,
        basic: basic
            .map(|given| basic_argument("--basic", given))
            .transpose()?,
        any_age: args.any_age,
    };
    checks.validate().map_err(|error| {
        Failure::Usage(format!("{error} (from --hotjar-key or --standard-secret)"))
    })?;
    Ok(checks)
}

fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "write for example 2s, 500ms or 1m30s".to_owned())
}

async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    // Where no signal can be heard there is none to end by.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
