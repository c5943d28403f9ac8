//! `redeliver man`: manual pages.

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_mangen::{Man, generate_to};

use super::{Cli, Failure, output};

/// Print the manual page, or write the pages of all verbs into a directory
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    redeliver man | man -l -\n  \
    redeliver man ~/.local/share/man/man1 && man redeliver-endpoint-add")]
pub struct Args {
    /// Where the pages go, one for each verb; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Prints or writes.
pub fn run(args: Args) -> Result<(), Failure> {
    let Some(dir) = args.dir else {
        let mut page = Vec::new();
        Man::new(Cli::command())
            .render(&mut page)
            .map_err(|error| Failure::Environment(format!("cannot make the page: {error}")))?;
        return output::line(String::from_utf8_lossy(&page).trim_end());
    };
    let written = fs::create_dir_all(&dir).and_then(|()| generate_to(Cli::command(), &dir));
    written.map_err(|error| {
        Failure::Environment(format!(
            "cannot write manual pages to {}: {error}",
            dir.display()
        ))
    })
}
