//! `redeliver mock zenovay`, `zebline`: a vendor's API on localhost, with visitors who come by
//! themselves.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::connections::Connections;
use super::traffic::{Surge, Traffic};
use crate::app::{self, App, AppError, Settings};
use crate::cli::address::listen_address;
use crate::cli::client::Call;
use crate::cli::signals::Signals;
use crate::cli::{Failure, output};
use crate::clock::{ClockKind, SharedClock};
use crate::config::{self, Config, Zebline};
use crate::duration::parse_duration;
use crate::secret::Secret;
use crate::vendor::builtin_policies;

/// What the mocked API is like
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Both are the same server, the one of `redeliver serve`, with its store in a temporary\n\
    folder. `zenovay` has visitors unless you say --visitors 0, `zebline` has none unless you\n\
    say how many.\n\n\
    Example: a dashboard's day in a minute and a half, with a surge after three hours\n  \
    redeliver mock zenovay --clock 1000x --surge-at 3h"
)]
pub struct Server {
    /// Where to listen; port 0 takes any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7080", value_parser = listen_address)]
    listen: SocketAddr,

    /// Which clock to run on: real, a factor such as 60x, or manual
    #[arg(long, value_name = "CLOCK", default_value_t = ClockKind::Real)]
    clock: ClockKind,

    /// Where to keep the data, instead of a temporary folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// How many people there are [default: 200 of zenovay, 0 of zebline]
    ///
    /// Who made an event within the last five minutes counts as live: at a rate of 1 that is up to
    /// 300 people. A visit ends after half an hour without a page view, so that few people at a high
    /// rate stay for ever.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100_000))]
    visitors: Option<u32>,

    /// Events that they make in a second, together
    #[arg(long, value_name = "N", default_value = "1", value_parser = rate)]
    rate: f64,

    /// Repeat the visitors who had this seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// After this time, such as 10m, five times as many come for five minutes
    #[arg(long, value_name = "TIME", value_parser = time)]
    surge_at: Option<Duration>,

    /// Zebline's license code
    #[arg(long, value_name = "CODE", default_value = "LICENSE_CODE")]
    license: String,

    /// Zebline's access token, or env:NAME or file:PATH where it is
    #[arg(long, value_name = "TOKEN", default_value = "ACCESS_TOKEN")]
    access_token: String,

    /// Zenovay's API key, or env:NAME or file:PATH where it is
    #[arg(long, value_name = "KEY", default_value = "zv_mock")]
    api_key: String,

    /// The website's id
    #[arg(long, value_name = "ID", default_value = "ws_abc123")]
    website_id: String,

    /// The website's tracking code
    #[arg(long, value_name = "CODE", default_value = "ZV_XXXXXXXXXXX")]
    tracking_code: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Below what one license may send (ZEB-04), so that there is room for your own events.
const RATE_MAX: f64 = 50.0;

/// How late, in the machine's own time, visitors may be before it is told.
const LATE: Duration = Duration::from_secs(3);

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok();
    rate.filter(|rate| (0.001..=RATE_MAX).contains(rate))
        .ok_or_else(|| format!("give a number from 0.001 to {RATE_MAX}"))
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Serves until it is told to stop; of so many visitors, unless the options say how many.
pub async fn run(server: Server, visitors: u32) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let place = tempfile::tempdir().map_err(|error| {
        Failure::Environment(format!("a temporary folder is not to be had: {error}"))
    })?;
    let visitors = server.visitors.unwrap_or(visitors);
    let mut config = server.config(visitors)?;
    config.server.listen = server.listen;
    config.server.data_dir = server.data.clone().unwrap_or(place.path().join("data"));
    let token = config.sources.first();
    let token = token.and_then(|source| source.access_token.clone());
    let checked = config.server.check_admin_token();
    checked.map_err(|error| Failure::Usage(error.to_string()))?;
    let app = App::start(Settings {
        config,
        clock: server.clock,
        json: server.json,
        ..Settings::default()
    })
    .await?;
    server.tell(&app)?;
    let seed = server.seed.unwrap_or_else(|| app::entropy()[0] % 10_000);
    let surge = server.surge_at.map(Surge::at);
    let traffic = Traffic::new(seed, visitors, server.rate, surge);
    let failed = tokio::select! {
        () = signals.stop() => None,
        error = app.failed() => Some(Failure::from(AppError::Store(error))),
        failure = server.visit(&app, traffic, token) => Some(failure),
    };
    app.stop().await?;
    failed.map_or(Ok(()), Err)
}

impl Server {
    fn config(&self, visitors: u32) -> Result<Config, Failure> {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        // What a license may send (ZEB-04) is for your own events, even in a surge.
        let of_visitors = match visitors {
            0 => 0.0,
            _ => (self.rate * Surge::FACTOR * 60.0 * 2.0).ceil(),
        };
        let text = format!(
            "[[source]]\nname = \"mock\"\nkind = \"zebline\"\nlicense = {}\naccess_token = {}\n\
             requests_per_minute = {}\n\
             [[website]]\nid = {}\ntracking_code = {}\ndomain = \"example.com\"\n\
             name = \"Example\"\nsources = [\"mock\", \"api\"]\napi_keys = [{}]\n",
            quoted(&self.license),
            quoted(&self.access_token),
            Zebline::default().requests_per_minute + of_visitors as u32,
            quoted(&self.website_id),
            quoted(&self.tracking_code),
            quoted(&self.api_key),
        );
        let place = Path::new("the options");
        let env = |name: &str| std::env::var(name).ok();
        config::parse(&text, place, &env, &builtin_policies()).map_err(|errors| {
            let each = errors.0.into_iter().map(|error| error.detail);
            Failure::Usage(each.collect::<Vec<_>>().join("\n"))
        })
    }

    fn tell(&self, app: &App) -> Result<(), Failure> {
        let url = format!("http://{}", app.address());
        let live = format!("{url}/e/live/{}", self.tracking_code);
        let external = format!("{url}/api/external/v1");
        let stream = format!(
            "{url}/api/sse/live?trackingCode={}&websiteId={}",
            self.tracking_code, self.website_id
        );
        let events = format!("{url}/v1/accounts/{}/events", self.license);
        if self.json {
            let told = json!({
                "listening": url, "live": live, "external": external, "stream": stream,
                "events": events, "api_key": self.api_key, "access_token": self.access_token,
            });
            return output::line(&told.to_string());
        }
        for line in [
            format!("redeliver listening on {url}"),
            format!("  live      {live}"),
            format!(
                "  external  {external}  (X-API-Key: {})",
                shown(&self.api_key)
            ),
            format!("  stream    {stream}"),
            format!(
                "  events    {events}  (Authorization: Bearer {})",
                shown(&self.access_token)
            ),
        ] {
            output::line(&line)?;
        }
        Ok(())
    }

    /// Has visitors come, by the API that everybody uses. Ends only if it refuses them.
    async fn visit(&self, app: &App, mut traffic: Traffic, token: Option<Secret>) -> Failure {
        let clock: SharedClock = app.clock().clone();
        let start = clock.now();
        let mut connections = Connections::to(format!("http://{}", app.address()), token);
        let (mut passed, mut told) = (Duration::ZERO, false);
        while let Some(after) = traffic.next_after(passed) {
            passed += after;
            let (now, due) = (clock.now(), start.plus(passed));
            if now < due {
                clock.sleep_until(due).await;
            } else if !told && self.is_late(now.since(due)) {
                told = true;
                output::warning(&format!(
                    "the visitors fall behind: this machine cannot have {} events a second come at a clock of {}; take a lower --rate or a slower --clock",
                    self.rate, self.clock
                ));
            }
            let event = traffic.event(passed, clock.now());
            let path = ["v1", "accounts", self.license.as_str(), "events"];
            if let Err(failure) = connections.send(Call::post(path).json(&event)).await {
                return failure;
            }
        }
        std::future::pending().await
    }

    /// Whether `by` on the server's clock is longer than a machine that keeps up takes.
    fn is_late(&self, by: Duration) -> bool {
        match self.clock {
            ClockKind::Real => by > LATE,
            ClockKind::Scaled(factor) => by.as_secs_f64() > LATE.as_secs_f64() * factor,
            // One that is moved by hand makes many due at once.
            ClockKind::Manual => false,
        }
    }
}

/// A secret as it was given; where it is kept elsewhere, only where.
fn shown(given: &str) -> String {
    match given.starts_with("env:") || given.starts_with("file:") {
        true => format!("…, from {given}"),
        false => given.to_owned(),
    }
}
