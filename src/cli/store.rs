//! `redeliver store`: checks a store, and says what is in it.

mod stats;
mod verify;

use std::path::PathBuf;

use super::Failure;
use crate::config::Limits;
use crate::store::StoreError;

/// Check a store, and say what is in it
#[derive(Debug, clap::Args)]
#[command(after_help = "The server must not be running on it.\n\n\
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
