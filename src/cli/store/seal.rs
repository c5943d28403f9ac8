//! `redeliver store seal`: a copy of a store in which no secret of an endpoint lies in plain.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::progress::Progress;
use super::super::{Failure, output};
use super::backup::{begin, refusal, show};
use super::{cache_bytes, failure};
use crate::clock::RealClock;
use crate::secret::{MasterKey, Secret};
use crate::store::keyring::Keyring;
use crate::store::{Log, Options, expect_store};

const PRESENT: &str = "REDELIVER_MASTER_KEY";
const PREVIOUS: &str = "REDELIVER_PREVIOUS_MASTER_KEYS";

/// What `store seal` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory to be made; it must not be there yet
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,

    /// The store, whose server is stopped; it stays as it is
    #[arg(long, value_name = "DIR", default_value = "redeliver-data")]
    pub data: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Makes the copy, reads every record of it back, and gives it its name.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let keys = Arc::new(keys()?);
    expect_store(&args.data).map_err(failure)?;
    let options = Options {
        endpoints_max: usize::MAX,
        mend: false,
        keys: keys.clone(),
        ..Options::default()
    };
    let entropy = [rand::random(), rand::random(), rand::random()];
    let clock = Arc::new(RealClock);
    let log = Log::open(&args.data, cache_bytes(), clock, options, entropy).map_err(failure)?;
    let target = begin(&args.dir)?.sealed_with(keys).map_err(refusal)?;
    let mut progress = Progress::begin("sealing");
    let copied = target.copy(&log, |bytes, of| progress.add(bytes, of));
    progress.end();
    show(&copied.map_err(refusal)?, args.json)?;
    output::note(&format!(
        "{} still holds the secrets as they were: delete it, and its backups, once the copy is in use",
        args.data.display()
    ));
    Ok(())
}

fn keys() -> Result<Keyring, Failure> {
    let Ok(present) = std::env::var(PRESENT) else {
        return Err(Failure::Usage(format!(
            "{PRESENT} is not set; it is the key to seal with, and {PREVIOUS} those before it, with commas between them"
        )));
    };
    let present = key(PRESENT, &present)?;
    let previous = std::env::var(PREVIOUS).unwrap_or_default();
    let previous = previous.split(',').filter(|text| !text.trim().is_empty());
    let previous: Result<Vec<_>, _> = previous.map(|text| key(PREVIOUS, text)).collect();
    Ok(Keyring::new(&present, &previous?, Box::new(rand::random)))
}

fn key(name: &str, text: &str) -> Result<MasterKey, Failure> {
    let parsed = MasterKey::parse(&Secret::new(text));
    parsed.map_err(|error| Failure::Usage(format!("{name} {error}")))
}
