//! `redeliver resend`: recorded requests again, to a receiver of one's own.
//!
//! A verb beside `replay`: that one has a server put deliveries of its log back, under their
//! endpoint's policy; here no server, endpoint or policy is involved, and each request is sent once.
//!
//! | file | what is in it |
//! |---|---|
//! | `recorded` | a recorded request; JSON lines and lists of events |
//! | `har` | HTTP archives of browsers and proxies |
//! | `log` | what a running server took in for a source |
//! | `renew` | new timestamps and signatures |
//! | `report` | answers, and how those of two receivers differ |

mod har;
mod log;
mod recorded;
mod renew;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use url::Url;

use self::log::Log;
use self::recorded::Recorded;
use self::renew::Renewal;
use self::report::{Answered, Compared, Report};
use super::Failure;
use super::signals::Signals;
use super::signing::{KeyEncoding, Scheme, SignatureEncoding, signing_key};
use crate::clock::{SharedClock, Timestamp};
use crate::deliver::courier::AGENT;
use crate::deliver::guard::AddressGuard;
use crate::deliver::transport::{Request, Transport};
use crate::duration::parse_duration;

/// Send recorded requests again to a receiver of your own, and compare two receivers
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("how").required(true).args(["renew", "as_recorded"]),
    group = clap::ArgGroup::new("what").required(true).args(["file", "source"]),
    after_help = "FILE is an HTTP archive (HAR), what `redeliver event list --json` prints, or JSON lines:\n\
    {\"method\"?, \"url\"?, \"headers\"?: {name: value} or [[name, value]], \"body\" or \"body_base64\",\n\
    \"at\"?: RFC 3339}. They are sent in their order, each once, one after another. Exits with 1 if an\n\
    answer is no success, or with --against if two answers differ in status or body.\n\n\
    Examples:\n  \
    redeliver resend capture.har --to http://127.0.0.1:9000/hook --renew --scheme hotjar --key-file key.txt\n  \
    redeliver resend --source surveys --since 2h --to http://127.0.0.1:9000/hook \\\n      \
    --against http://127.0.0.1:9001/hook --renew --scheme hotjar --key-file key.txt"
)]
pub struct Args {
    /// What was recorded; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// What a running server took in for this source, instead of FILE
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    source: Option<String>,

    #[command(flatten)]
    log: Log,

    /// The receiver
    #[arg(long, value_name = "URL")]
    to: Url,

    /// A second receiver, whose answers are compared with the first one's
    #[arg(long, value_name = "URL")]
    against: Option<Url>,

    /// Give each request a new timestamp and signature; all else in it stays
    #[arg(long, requires = "scheme")]
    renew: bool,

    /// Send the headers as they were recorded
    #[arg(long, conflicts_with_all = ["scheme", "key_file"])]
    as_recorded: bool,

    /// Whose way of signing
    #[arg(long, value_enum)]
    scheme: Option<Scheme>,

    /// File with the signing key, without its last newline; else REDELIVER_KEY has the key
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// How the key's text becomes bytes (scheme hotjar)
    #[arg(long, value_enum, default_value = "utf8", value_name = "ENCODING")]
    key_encoding: KeyEncoding,

    /// How the signature is written (scheme hotjar)
    #[arg(long, value_enum, default_value = "hex", value_name = "ENCODING")]
    signature_encoding: SignatureEncoding,

    /// Wait between requests as long as was waited when they were recorded
    #[arg(long)]
    gaps: bool,

    /// Divide the waits of --gaps, such as 60x
    #[arg(long, value_name = "FACTOR", requires = "gaps", value_parser = factor)]
    speed: Option<f64>,

    /// Time for one answer, such as 10s
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    timeout: Duration,

    /// A private network in which a receiver may be, such as 192.168.0.0/16. May be repeated
    #[arg(long, value_name = "CIDR")]
    allow_address: Vec<IpNet>,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text
        .strip_suffix('x')
        .and_then(|factor| factor.parse().ok());
    factor
        .filter(|factor| (1e-3..=1e6).contains(factor))
        .ok_or_else(|| "write a factor from 0.001x to 1000000x, such as 60x".to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Sends them.
pub async fn run(args: Args, clock: SharedClock) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let renewal = args.renewal()?;
    let found = match (&args.source, &args.file) {
        (Some(source), _) => args.log.read(source).await?,
        (None, Some(file)) => recorded::read_file(file)?,
        // One of the two is required.
        (None, None) => Vec::new(),
    };
    if found.is_empty() {
        let nothing = "there is no recorded request with a body to send";
        return Err(Failure::Usage(nothing.to_owned()));
    }
    let guard = AddressGuard {
        allow: args.allow_address.clone(),
        allow_loopback: true,
    };
    let transport =
        Transport::new(guard).map_err(|error| Failure::Environment(error.to_string()))?;
    let mut report = Report::new(args.log.is_json());
    let sender = Sender {
        args: &args,
        renewal,
        transport,
        clock,
    };
    tokio::select! {
        done = sender.all(found, &mut report) => done?,
        () = signals.stop() => {
            report.summary()?;
            return Err(Failure::Interrupted);
        }
    }
    report.summary()?;
    report.verdict()
}

impl Args {
    fn renewal(&self) -> Result<Option<Renewal>, Failure> {
        let Some(scheme) = self.scheme.filter(|_| self.renew) else {
            return Ok(None);
        };
        let key = signing_key(self.key_file.as_deref())?;
        let encodings = (self.key_encoding.into(), self.signature_encoding.into());
        Renewal::new(scheme, key, encodings).map(Some)
    }
}

struct Sender<'a> {
    args: &'a Args,
    renewal: Option<Renewal>,
    transport: Transport,
    clock: SharedClock,
}

impl Sender<'_> {
    async fn all(&self, found: Vec<Recorded>, report: &mut Report) -> Result<(), Failure> {
        let mut before: Option<Timestamp> = None;
        for (n, recorded) in found.into_iter().enumerate() {
            if let (true, Some(before), Some(at)) = (self.args.gaps, before, recorded.at) {
                let gap = at.since(before).as_secs_f64() / self.args.speed.unwrap_or(1.0);
                let gap = Duration::try_from_secs_f64(gap).unwrap_or(Duration::MAX);
                self.clock.sleep(gap).await;
            }
            before = recorded.at.or(before);
            let request = match &self.renewal {
                Some(renewal) => renewal.renewed(recorded, n, self.clock.now())?,
                None => recorded,
            };
            let first = self.send(&request, &self.args.to).await;
            let second = match &self.args.against {
                Some(url) => Some(self.send(&request, url).await),
                None => None,
            };
            report.show(n + 1, &request, &Compared { first, second })?;
        }
        Ok(())
    }

    async fn send(&self, recorded: &Recorded, url: &Url) -> Answered {
        let mut headers = HeaderMap::new();
        headers.insert(hyper::header::USER_AGENT, HeaderValue::from_static(AGENT));
        let mut replaced = Vec::new();
        for (name, value) in &recorded.headers {
            let name = HeaderName::try_from(name.as_str());
            let value = HeaderValue::try_from(value.as_str());
            // Reading has refused what no request can carry.
            let (Ok(name), Ok(value)) = (name, value) else {
                continue;
            };
            match replaced.contains(&name) {
                true => headers.append(name, value),
                false => {
                    replaced.push(name.clone());
                    headers.insert(name, value).is_some()
                }
            };
        }
        let method = Method::from_bytes(recorded.method.as_bytes()).unwrap_or(Method::POST);
        let began = self.clock.moment();
        let sent = self.transport.send(
            Request {
                method,
                url: Arc::new(url.clone()),
                headers,
                body: recorded.body.clone(),
                ca_pem: None,
            },
            self.clock.sleep(self.args.timeout),
        );
        let answer = sent.await;
        let duration = self.clock.moment().steady().since(began.steady());
        Answered::of(answer, duration)
    }
}
