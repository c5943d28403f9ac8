//! `redeliver demo`: the main job, whole, with no set-up.
//!
//! A real broker with a real store, spoken to over HTTP, on a manual clock that is moved from one
//! due time to the next: that is what makes hours of retries pass in a moment.

mod receiver;
mod script;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::client::{Call, Client};
use super::signals::Signals;
use super::{Failure, output};
use crate::app::{self, App, Settings};
use crate::clock::{ClockKind, Timestamp};
use crate::config::Config;
use receiver::{Receiver, Seen};

const HOTJAR: &str = "warehouse";
const ESPUTNIK: &str = "crm";

/// Signs what the demo sends to itself.
const KEY: &str = "demo-signing-key";

/// Two days: far beyond the longest schedule that the script can lead to.
const GIVE_UP_AFTER: Duration = Duration::from_secs(2 * 24 * 3600);

/// Show the main job, whole, with no set-up: events go in, fail, are retried, and arrive
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A real broker with its store in a temporary folder, a receiver that fails, and one\n\
    endpoint under each vendor's rules. Exits with 0 only if every event was delivered and\n\
    every signature verified.\n\n\
    Example:\n  redeliver demo --seed 7"
)]
pub struct Args {
    /// Leave the broker running at the end, and print its address
    #[arg(long)]
    pub keep: bool,

    /// Repeat the run that had this seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Print one JSON object for each thing that happens
    #[arg(long)]
    pub json: bool,
}

/// Runs the demonstration.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let place = tempfile::tempdir().map_err(environment("a temporary folder"))?;
    let seed = args.seed.unwrap_or_else(|| app::entropy()[0] % 10_000);
    let mut config = Config::default();
    config.server.listen.set_port(0);
    config.server.data_dir = place.path().join("data");
    let app = App::start(Settings {
        config,
        clock: ClockKind::Manual,
        json: args.json,
        ..Settings::default()
    })
    .await?;
    let verdict = tokio::select! {
        verdict = tell(&app, &args, seed) => verdict,
        () = signals.stop() => Err(Failure::Interrupted),
    };
    if args.keep && !matches!(verdict, Err(Failure::Interrupted)) {
        let url = format!("http://{}", app.address());
        say(
            args.json,
            json!({ "listening": url }),
            &format!(
                "the broker stays at {url} until Ctrl-C; its clock moves by `redeliver clock advance`"
            ),
        )?;
        signals.stop().await;
    }
    app.stop().await?;
    verdict
}

fn environment(what: &'static str) -> impl Fn(std::io::Error) -> Failure {
    move |error| Failure::Environment(format!("{what} is not to be had: {error}"))
}

/// What the receiver has seen so far.
struct Story {
    json: bool,
    start: Timestamp,
    seen: mpsc::UnboundedReceiver<Seen>,
    requests: Vec<Seen>,
    /// What the events are called, by their ids.
    names: BTreeMap<String, String>,
}

async fn tell(app: &App, args: &Args, seed: u64) -> Result<(), Failure> {
    let clock = app.clock().clone();
    let (address, seen) = Receiver::start(clock.clone(), KEY, seed)
        .await
        .map_err(environment("a port for the receiver"))?;
    let mut story = Story {
        json: args.json,
        start: clock.now(),
        seen,
        requests: Vec::new(),
        names: BTreeMap::new(),
    };
    let server = format!("http://{}", app.address());
    say(
        args.json,
        json!({ "seed": seed, "server": server }),
        &format!(
            "a broker at {server}, its store in a temporary folder; repeat with --seed {seed}"
        ),
    )?;
    let mut client = Client::new(&server, None, None)?;
    for endpoint in script::endpoints(address) {
        let call = Call::post(["v1", "endpoints"]).json(&endpoint);
        client.call(call).await?;
        let (name, policy) = (&endpoint["name"], &endpoint["policy"]);
        say(
            args.json,
            json!({ "endpoint": name, "policy": policy }),
            &format!("endpoint {:9} under {}'s rules", word(name), word(policy)),
        )?;
    }
    let events = script::events();
    for event in &events {
        let call = Call::post(["v1", "events"]).json(event);
        let id = word(&client.call(call).await?.json()?["id"]).to_owned();
        let name = word(&event["id"]).to_owned();
        say(
            args.json,
            json!({ "event": id, "type": event["type"], "idempotency_key": name }),
            &format!("event {name:18} is on disk as {id}"),
        )?;
        story.names.insert(id, name);
    }
    story.run(app).await?;
    story.verdict(app)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Story {
    /// Moves the clock from one due time to the next until nothing is due any more.
    async fn run(&mut self, app: &App) -> Result<(), Failure> {
        let patience = Duration::from_secs(5);
        let mut by = Duration::ZERO;
        loop {
            let advanced = app.advance().advance(by, patience).await;
            advanced.map_err(|error| Failure::Environment(error.to_string()))?;
            let seen: Vec<Seen> = std::iter::from_fn(|| self.seen.try_recv().ok()).collect();
            // Between independent deliveries of one moment there is no order: shown in any fixed
            // one, and judged in the one in which they came.
            let mut shown: Vec<&Seen> = seen.iter().collect();
            shown.sort_by(|a, b| (a.at, &a.endpoint, &a.event).cmp(&(b.at, &b.endpoint, &b.event)));
            for seen in shown {
                self.show(seen)?;
            }
            self.requests.extend(seen);
            let now = app.clock().now();
            match app.store().depth().next_due {
                Some(due) if now.since(self.start) < GIVE_UP_AFTER => by = due.since(now),
                _ => return Ok(()),
            }
        }
    }

    fn show(&self, seen: &Seen) -> Result<(), Failure> {
        let fate = match seen.status {
            200 => "delivered",
            401 => "refused: not signed as it should be",
            _ => "failed, will be retried",
        };
        let name = self.names.get(&seen.event).unwrap_or(&seen.event);
        let offset = seen.at.since(self.start).as_secs();
        say(
            self.json,
            json!({
                "offset_s": offset,
                "endpoint": seen.endpoint,
                "event": seen.event,
                "attempt": seen.attempt,
                "status": seen.status,
                "verified": seen.verified,
            }),
            &format!(
                "{:02}:{:02}:{:02}  {:9}  {name:18}  attempt {}  {}  {fate}",
                offset / 3600,
                offset / 60 % 60,
                offset % 60,
                seen.endpoint,
                seen.attempt,
                seen.status,
            ),
        )
    }

    /// What must be true at the end, from what the receiver saw and what the store says.
    fn verdict(&self, app: &App) -> Result<(), Failure> {
        let events = self.names.len();
        let took = app.clock().now().since(self.start);
        let views = app.store().endpoints().map_err(app::AppError::from)?;
        let delivered: u64 = views.iter().map(|view| view.ended.delivered).sum();
        let backlog: u64 = views.iter().map(|view| view.backlog).sum();
        let verified = self.requests.iter().filter(|seen| seen.verified).count();
        let in_order = self.in_order(ESPUTNIK);
        let attempts = self.requests.len();
        say(
            self.json,
            json!({
                "events": events,
                "delivered": delivered,
                "attempts": attempts,
                "verified": verified,
                "in_order": in_order,
                "virtual_s": took.as_secs(),
            }),
            &format!(
                "{delivered} of {} events delivered in {attempts} attempts over {} min of the \
                 broker's clock; {verified} of {attempts} signatures right; {ESPUTNIK} {}",
                events,
                took.as_secs() / 60,
                if in_order { "in order" } else { "OUT OF ORDER" },
            ),
        )?;
        let whole = delivered == events as u64 && backlog == 0;
        if whole && verified == attempts && in_order {
            Ok(())
        } else {
            Err(Failure::Check(
                "not every event was delivered, signed and in order".to_owned(),
            ))
        }
    }

    /// Whether no event was tried before the one before it was taken (ESP-16).
    fn in_order(&self, endpoint: &str) -> bool {
        let mut taken: BTreeMap<&str, bool> = BTreeMap::new();
        let requests = self
            .requests
            .iter()
            .filter(|seen| seen.endpoint == endpoint);
        for seen in requests {
            let earlier = taken
                .iter()
                .filter(|(event, _)| **event < seen.event.as_str());
            let later = taken.keys().any(|event| **event > *seen.event);
            if later || earlier.into_iter().any(|(_, taken)| !taken) {
                return false;
            }
            taken.insert(&seen.event, seen.status == 200);
        }
        true
    }
}

fn say(as_json: bool, document: Value, text: &str) -> Result<(), Failure> {
    if as_json {
        output::line(&document.to_string())
    } else {
        output::line(text)
    }
}
