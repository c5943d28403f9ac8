//! What is sent: options of every vendor that sends webhooks.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::cli::Failure;
use crate::clock::Timestamp;
use crate::event::NewEvent;
use crate::mock;
use crate::mock::sampler::Sampler;
use crate::mock::trigger::EVENTS_MAX;
use crate::mock::wish::{Assignment, Message, Overrides, Unsendable, Wish};
use crate::sample;
use crate::vendor::Profile;

/// The most messages of one run.
const COUNT_MAX: u64 = 1_000_000;
/// The most messages in a second.
const RATE_MAX: f64 = 1000.0;
/// As large as a request that a server takes.
const FILE_MAX_BYTES: u64 = 1 << 20;

/// What is sent
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is sent")]
pub(super) struct Content {
    /// How many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=COUNT_MAX))]
    count: Option<u64>,

    /// How many in a second of the mock's clock; all at once without this option
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,

    /// Repeat the payloads that had this seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Send the vendor's test message
    #[arg(long, conflicts_with_all = ["from", "raw"])]
    pub(super) test: bool,

    /// Put a value into each payload, such as data.survey_id=7 or data.questions.0.answers=[]: JSON,
    /// else a text. What it is put into must be there. May be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<Assignment>,

    /// Take this out of each payload, such as data.os. May be repeated
    #[arg(long, value_name = "PATH")]
    remove: Vec<sample::Path>,

    /// Send the payload in this JSON file, with the time of the sending; --set and --remove apply
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    from: Option<PathBuf>,

    /// Send the bytes of this file as they are, signed as they are
    #[arg(long, value_name = "FILE", conflicts_with_all = ["set", "remove"])]
    raw: Option<PathBuf>,

    /// The Content-Type of --raw
    #[arg(long, value_name = "TYPE", default_value = "application/json", requires = "raw", value_parser = media)]
    content_type: String,
}

/// What cannot stand in a header would be replaced without a word.
fn media(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    match !text.is_empty() && text.len() <= 256 && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("write a media type such as text/plain".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok();
    rate.filter(|rate| (0.001..=RATE_MAX).contains(rate))
        .ok_or_else(|| format!("give a number from 0.001 to {RATE_MAX}"))
}

/// What a mock is to send.
#[derive(Debug)]
pub(super) struct Stock {
    /// The messages, one at a time.
    pub(super) wish: Wish,
    /// These bytes instead.
    pub(super) raw: Option<NewEvent>,
    /// How many in a second.
    pub(super) rate: Option<f64>,
    /// Repeats the payloads.
    pub(super) seed: Option<u64>,
    /// Whether something is sent even by a mock that stays.
    pub(super) is_asked_for: bool,
}

impl Content {
    /// What these options, and `message` where they leave it to the vendor, say. `is_asked_for` if
    /// the vendor's own options name what is sent.
    pub(super) fn stock(
        self,
        vendor: Profile,
        message: Message,
        is_asked_for: bool,
    ) -> Result<Stock, Failure> {
        let is_asked_for = is_asked_for
            || self.count.is_some()
            || self.rate.is_some()
            || self.test
            || self.from.is_some()
            || self.raw.is_some();
        let message = match &self.from {
            Some(path) => {
                let text = String::from_utf8(read("--from", path)?).map_err(|_| {
                    Failure::Usage(format!("--from {}: is not UTF-8", path.display()))
                })?;
                let payload = sample::Document::parse(&text);
                let payload = payload.map_err(|error| {
                    Failure::Usage(format!("--from {}: {error}", path.display()))
                })?;
                Message::Template(payload)
            }
            None => message,
        };
        let raw = match &self.raw {
            Some(path) => Some(mock::raw(
                &self.content_type,
                vendor,
                Bytes::from(read("--raw", path)?),
            )),
            None => None,
        };
        let wish = Wish {
            message,
            count: usize::try_from(self.count.unwrap_or(1)).unwrap_or(usize::MAX),
            seed: None,
            overrides: Overrides {
                set: self
                    .set
                    .into_iter()
                    .map(|Assignment(path, value)| (path, value))
                    .collect(),
                remove: self.remove,
            },
        };
        Ok(Stock {
            wish,
            raw,
            rate: self.rate,
            seed: self.seed,
            is_asked_for,
        })
    }
}

impl Stock {
    /// Whether the first messages can be made: what cannot is refused before anything is started
    /// and told.
    pub(super) fn check(&self, vendor: Profile, seed: u64) -> Result<(), Failure> {
        if self.raw.is_some() {
            return Ok(());
        }
        let at_once = EVENTS_MAX / self.wish.message.requests();
        let wish = Wish {
            count: self.wish.count.min(at_once),
            ..self.wish.clone()
        };
        // The time of the sending decides nothing about what can be overridden.
        let made = Sampler::new(vendor, seed).all(&wish, Timestamp::default());
        made.map(drop).map_err(|error| {
            Failure::Usage(match error {
                Unsendable::Override { .. } => format!("--{error}"),
                Unsendable::Template(_) => format!("--from: {error}"),
            })
        })
    }
}

fn read(option: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    let refused = |error: String| Failure::Usage(format!("{option} {}: {error}", path.display()));
    let length = std::fs::metadata(path)
        .map_err(|error| refused(error.to_string()))?
        .len();
    if length > FILE_MAX_BYTES {
        return Err(refused(format!(
            "is larger than {FILE_MAX_BYTES} bytes; send less"
        )));
    }
    std::fs::read(path).map_err(|error| refused(error.to_string()))
}
