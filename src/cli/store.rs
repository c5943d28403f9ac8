//! `redeliver store`: checks a store, says what is in it, copies it.

mod backup;
mod export;
mod import;
mod owner;
mod seal;
mod stats;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Failure;
use crate::clock::RealClock;
use crate::config::Limits;
use crate::store::disk::Disk;
use crate::store::keyring::Keyring;
use crate::store::{Log, Options, StoreError, expect_store};

/// Check a store, say what is in it, copy it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`backup`, `export` and `import` speak to a running server; the others need it stopped.\n\n\
    Example:\n  redeliver store verify --data redeliver-data"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do with a store.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Read every record and say what is wrong
    #[command(
        after_help = "Exits with 0 if the store is whole and 1 if it is not.\n\n\
        Example:\n  redeliver store verify --data redeliver-data"
    )]
    Verify(Where),
    /// Say what is in it
    #[command(after_help = "Example:\n  redeliver store stats --data redeliver-data --json")]
    Stats(Where),
    /// Copy a store, of a running server or of a stopped one
    #[command(
        after_help = "A copy of the log as it stands now; events come in and go out meanwhile. It is\n\
        written as DIR.partial, and called DIR once every record of it was read back. Run\n\
        again, an interrupted one goes on where it stopped. A server gives one only to who\n\
        has its admin token (REDELIVER_TOKEN): it holds the endpoints' keys.\n\n\
        Examples:\n  redeliver store backup --server http://127.0.0.1:7070 backups/monday\n  \
        redeliver store backup --data redeliver-data backups/monday"
    )]
    Backup(backup::Args),
    /// Write the events of a store as lines of JSON
    #[command(
        after_help = "Events only, oldest first, each with its body byte for byte; docs/backup.md says what\n\
        is lost on the way.\n\n\
        Examples:\n  redeliver store export events.jsonl\n  \
        redeliver store export --since 2026-11-01T00:00:00Z --type 'order.*' - | gzip > orders.gz"
    )]
    Export(export::Args),
    /// Put the events of an export into a server's log
    #[command(
        after_help = "They are delivered as new events are. Run again, it takes none twice that came in\n\
        within the duplicate window (four hours).\n\n\
        Example:\n  redeliver store import --server http://127.0.0.1:7070 events.jsonl"
    )]
    Import(import::Args),
    /// Copy a stopped store with every endpoint's secrets sealed by the master key
    #[command(
        after_help = "The key is taken from the environment variable REDELIVER_MASTER_KEY, those before it\n\
        from REDELIVER_PREVIOUS_MASTER_KEYS, with commas between them. A server with a master\n\
        key seals by itself what it writes; this is for what was written before.\n\n\
        Example:\n  redeliver store seal --data redeliver-data sealed-data"
    )]
    Seal(seal::Args),
}

/// Which store.
#[derive(Debug, clap::Args)]
pub struct Where {
    /// The directory that the data is in
    #[arg(long, value_name = "DIR", default_value = "redeliver-data")]
    pub data: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Does it.
pub fn run(args: Args) -> Result<(), Failure> {
    let opened = match &args.verb {
        Verb::Verify(place) | Verb::Stats(place) => Some(&place.data),
        Verb::Backup(args) => args.data.as_ref(),
        Verb::Export(args) => args.data.as_ref(),
        Verb::Seal(args) => Some(&args.data),
        Verb::Import(_) => None,
    };
    opened.map_or(Ok(()), |data| owner::check(data))?;
    match args.verb {
        Verb::Verify(place) => verify::run(&place),
        Verb::Stats(place) => stats::run(&place),
        Verb::Backup(args) => backup::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Import(args) => super::ask(import::run(&args)),
        Verb::Seal(args) => seal::run(&args),
    }
}

fn cache_bytes() -> u64 {
    Limits::default().store_cache_bytes as u64
}

/// Opens a store that no server has open, without the secrets of its endpoints, to read it only.
fn open_to_look(data: &Path) -> Result<Log<Disk>, StoreError> {
    expect_store(data)?;
    let options = Options {
        endpoints_max: usize::MAX,
        mend: false,
        keys: Arc::new(Keyring::blind()),
        ..Options::default()
    };
    let entropy = [rand::random(), rand::random(), rand::random()];
    let clock = Arc::new(RealClock);
    Log::open(data, cache_bytes(), clock, options, entropy)
}

/// A store that cannot be opened is a matter of the environment; one that is damaged has failed
/// the check.
fn failure(error: StoreError) -> Failure {
    let text = error.to_string();
    if error.is_damage() {
        Failure::Check(text)
    } else if error.is_misconfigured() {
        Failure::Usage(text)
    } else {
        Failure::Environment(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_the_database_cannot_read_has_failed_the_check() {
        let error = StoreError::Read("reading: a page".to_owned());
        assert!(matches!(failure(error), Failure::Check(_)));
    }
}
