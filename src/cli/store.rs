//! `redeliver store`: checks a store, says what is in it, copies it.

mod backup;
mod seal;
mod stats;
mod verify;

use std::path::PathBuf;

use super::Failure;
use crate::config::Limits;
use crate::store::StoreError;

/// Check a store, say what is in it, copy it
#[derive(Debug, clap::Args)]
#[command(after_help = "Only `backup` takes a running server.\n\n\
    Example:\n  redeliver store verify --data redeliver-data")]
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
    match args.verb {
        Verb::Verify(place) => verify::run(&place),
        Verb::Stats(place) => stats::run(&place),
        Verb::Backup(args) => backup::run(&args),
        Verb::Seal(args) => seal::run(&args),
    }
}

fn cache_bytes() -> u64 {
    Limits::default().store_cache_bytes as u64
}

/// A store that cannot be opened is a matter of the environment; one that is damaged has failed
/// the check.
fn failure(error: StoreError) -> Failure {
    let text = error.to_string();
    if error.is_damage() {
        Failure::Check(text)
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
