//! What `redeliver check` is told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::check::Duty;
use crate::check::plan::{Credentials, Restart};
use crate::check::probe::Probe;
use crate::cli::Failure;
use crate::cli::secrets::{basic_argument, secret_file};
use crate::cli::signing::{KEY_VARIABLE, KeyEncoding, SignatureEncoding};
use crate::deliver::transport::check_ca;
use crate::duration::parse_duration;
use crate::endpoint::BasicAuth;
use crate::secret::Secret;
use crate::vendor::Profile;
use crate::vendor::standard;

use super::selection::Selection;

/// How far a timestamp of Standard Webhooks may be off where nobody says.
pub(super) const TOLERANCE: Duration = standard::TOLERANCE;

/// What every vendor's check is told.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// The receiver
    #[arg(required_unless_present = "list", value_name = "URL")]
    url: Option<String>,

    /// GET of this URL answers how many effects the receiver has had so far: a whole number, plainly,
    /// as JSON, or as the only number of an object
    #[arg(long, value_name = "URL", conflicts_with = "probe_cmd")]
    probe: Option<String>,

    /// This shell command prints how many effects the receiver has had so far
    #[arg(long, value_name = "CMD")]
    probe_cmd: Option<String>,

    /// How long an effect may take to be seen
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    pub settle: Duration,

    /// This shell command restarts the receiver: it ends when the old one has, and may leave the
    /// new one in the background
    #[arg(long, value_name = "CMD")]
    restart_cmd: Option<String>,

    /// How long the restart may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    restart_timeout: Duration,

    /// The receiver's credentials of HTTP Basic, such as hook:env:PASSWORD; or env:NAME or file:PATH
    /// that holds user:password
    #[arg(long, value_name = "USER:PASSWORD")]
    basic: Option<String>,

    /// Trust the certificate authority in this file (PEM), too
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Judge these only: names of --list, or their beginnings, such as signature
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    only: Vec<String>,

    /// Leave these out
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    skip: Vec<String>,

    /// Print what would be looked at, and send nothing
    #[arg(long)]
    pub list: bool,

    /// Time for each answer, instead of the vendor's
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub timeout: Option<Duration>,

    /// Change the same places of forged messages as the run with this seed; ids are new in any case
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Where the bodies of what failed are written, instead of a new directory among the
    /// temporary ones
    #[arg(long, value_name = "DIR")]
    pub repro_dir: Option<PathBuf>,

    /// Write the verdicts as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// List what is not judged because something before it failed, too
    #[arg(long, short)]
    pub verbose: bool,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What the check of a vendor that signs is told, too.
#[derive(Debug, clap::Args)]
pub(super) struct Signed {
    /// What every check is told.
    #[command(flatten)]
    pub common: Common,

    /// File with the signing key; one newline at its end, if there is one, is not part of the key.
    /// Without this option the key is taken from the environment variable REDELIVER_KEY, whole
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// The receiver checks no signature: judge what else it does, by messages without one
    #[arg(long, conflicts_with = "key_file")]
    pub no_signature: bool,

    /// How the key's text becomes bytes
    #[arg(long, value_enum, default_value = "utf8", value_name = "ENCODING")]
    key_encoding: KeyEncoding,

    /// How the signature is written
    #[arg(long, value_enum, default_value = "hex", value_name = "ENCODING")]
    signature_encoding: SignatureEncoding,
}

/// What the check of Standard Webhooks is told, too.
#[derive(Debug, clap::Args)]
pub(super) struct Standard {
    /// What every check is told.
    #[command(flatten)]
    pub common: Common,

    /// File with the secret (whsec_…). Without this option it is taken from the environment
    /// variable REDELIVER_KEY
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// The receiver checks no signature: judge what else it does, by messages without one
    #[arg(long, conflicts_with = "key_file")]
    pub no_signature: bool,

    /// How far a timestamp may be from the receiver's clock, either way; 5 minutes in the
    /// specification's own libraries
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = tolerance)]
    pub tolerance: Duration,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Between half a minute and half a day: the edges are tried with ten seconds to spare, and a day
/// is beyond every tolerance.
fn tolerance(text: &str) -> Result<Duration, String> {
    let given = time(text)?;
    let range = Duration::from_secs(30)..=Duration::from_secs(12 * 3600);
    range
        .contains(&given)
        .then_some(given)
        .ok_or_else(|| "give a time from 30s to 12h".to_owned())
}

/// None where the receiver is said to check no signature, or where nobody has given one.
fn key(file: Option<&PathBuf>, no_signature: bool) -> Result<Option<Secret>, Failure> {
    match file {
        _ if no_signature => Ok(None),
        Some(path) => secret_file(path).map(Some),
        None => Ok(std::env::var(KEY_VARIABLE).ok().map(Secret::new)),
    }
}

/// Without a key nobody would see that the receiver believes everybody, and nothing would fail.
pub(super) fn no_key() -> Failure {
    Failure::Usage(format!(
        "no signing key: give --key-file FILE or set {KEY_VARIABLE}; a receiver that checks no \
         signature is judged with --no-signature"
    ))
}

impl Signed {
    /// What makes messages genuine.
    pub(super) fn credentials(&self, profile: Profile) -> Result<Credentials, Failure> {
        Ok(Credentials {
            signing_key: key(self.key_file.as_ref(), self.no_signature)?,
            key_encoding: self.key_encoding.into(),
            signature_encoding: self.signature_encoding.into(),
            ..Credentials::none(profile)
        })
    }
}

impl Standard {
    /// What makes messages genuine.
    pub(super) fn credentials(&self) -> Result<Credentials, Failure> {
        Ok(Credentials {
            signing_key: key(self.key_file.as_ref(), self.no_signature)?,
            ..Credentials::none(Profile::Standard)
        })
    }
}

impl Common {
    /// The receiver's URL.
    pub(super) fn url(&self) -> Result<Url, Failure> {
        let url = web_url(
            "the receiver's URL",
            self.url.as_deref().unwrap_or_default(),
        )?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::Usage(
                "the receiver's URL holds credentials; give them by --basic USER:env:NAME"
                    .to_owned(),
            ));
        }
        Ok(url)
    }

    /// Who sees the effects.
    pub(super) fn probe(&self) -> Result<Option<Probe>, Failure> {
        match (&self.probe, &self.probe_cmd) {
            (Some(url), _) => Ok(Some(Probe::Url(web_url("--probe", url)?))),
            (None, Some(line)) => Ok(Some(Probe::Command(line.clone()))),
            (None, None) => Ok(None),
        }
    }

    /// How the receiver is restarted.
    pub(super) fn restart(&self) -> Option<Restart> {
        self.restart_cmd.clone().map(|command| Restart {
            command,
            timeout: self.restart_timeout,
        })
    }

    /// The login.
    pub(super) fn basic(&self) -> Result<Option<BasicAuth>, Failure> {
        let given = self.basic.as_deref();
        given
            .map(|given| basic_argument("--basic", given))
            .transpose()
    }

    /// The authority that is trusted, too.
    pub(super) fn ca_pem(&self) -> Result<Option<Arc<str>>, Failure> {
        let Some(path) = &self.ca_file else {
            return Ok(None);
        };
        let unusable =
            |error: String| Failure::Usage(format!("--ca-file {}: {error}", path.display()));
        let pem = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        check_ca(&pem).map_err(|error| unusable(error.to_string()))?;
        Ok(Some(pem.into()))
    }

    /// Which of `duties` are judged.
    pub(super) fn selection(&self, duties: &[Duty]) -> Result<Selection, Failure> {
        Selection::new(&self.only, &self.skip, duties)
    }
}

fn web_url(what: &str, given: &str) -> Result<Url, Failure> {
    Url::parse(given)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Failure::Usage(format!(
                "{what}: {given:?} is no URL of a web server; write for example http://127.0.0.1:9000/hook"
            ))
        })
}
