//! `redeliver store import`: the lines of an export, put in as events.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::super::client::{Call, LONG_TIME};
use super::super::progress::Progress;
use super::super::remote::Remote;
use super::super::{Failure, output};
use crate::api::carry::lines::{self, Header};

/// What goes into one request.
const LINES_AT_ONCE: usize = 200;
const BYTES_AT_ONCE: usize = 512 * 1024;

/// What `store import` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What `store export` has written, or - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Take operational events, too (endpoint.*, delivery.dead): they tell of the endpoints of the
    /// store that they come from
    #[arg(long)]
    pub operational: bool,

    /// Which server takes it.
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Deserialize)]
struct Imported {
    imported: u64,
    duplicates: u64,
    #[serde(default)]
    left_out: u64,
}

/// Sends the lines, some at a time; each part is on disk before the next.
pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    let unreadable = |error: io::Error| {
        Failure::Environment(format!("cannot read {}: {error}", args.file.display()))
    };
    let input: Box<dyn BufRead> = match args.file == Path::new("-") {
        true => Box::new(io::stdin().lock()),
        false => Box::new(BufReader::new(File::open(&args.file).map_err(unreadable)?)),
    };
    let mut input = input.lines();
    let header = input.next().transpose().map_err(unreadable)?;
    check_header(header.as_deref().unwrap_or_default())?;
    let mut client = args.remote.client()?;
    let mut progress = Progress::begin("importing");
    let (mut imported, mut duplicates, mut left_out) = (0, 0, 0);
    let (mut text, mut count, mut first, mut number) = (String::new(), 0, 2, 1);
    let mut is_over = false;
    while !is_over {
        match input.next().transpose().map_err(unreadable)? {
            Some(line) => {
                number += 1;
                text += &line;
                text.push('\n');
                count += 1;
            }
            None => is_over = true,
        }
        let is_full = count >= LINES_AT_ONCE || text.len() >= BYTES_AT_ONCE;
        if count == 0 || !(is_full || is_over) {
            continue;
        }
        let bytes = text.len() as u64;
        let call = Call::post(["v1", "import"])
            .query("operational", args.operational.then_some(true))
            .lines(std::mem::take(&mut text))
            .within(LONG_TIME);
        let answer = client.ask(call).await.map_err(|refusal| {
            output::note(&format!(
                "{imported} events were imported before it, none of lines {first} to {number}. Mend it and run the same again: none comes twice within the duplicate window"
            ));
            // The server counts the lines of one request.
            match refusal.problem["line"].as_u64() {
                Some(line) => refusal.failure.at(&format!("line {}", first + line - 1)),
                None => refusal.failure,
            }
        })?;
        let done: Imported = answer.read()?;
        imported += done.imported;
        duplicates += done.duplicates;
        left_out += done.left_out;
        progress.add(bytes, 0);
        (count, first) = (0, number + 1);
    }
    progress.end();
    if args.remote.json {
        let done = json!({ "imported": imported, "duplicates": duplicates, "left_out": left_out });
        return output::json(&done.to_string());
    }
    let left_out = match left_out {
        0 => String::new(),
        1 => "; 1 operational event was left out (--operational takes it)".to_owned(),
        count => format!("; {count} operational events were left out (--operational takes them)"),
    };
    output::line(&format!(
        "imported {imported} events; {duplicates} were there already{left_out}"
    ))
}

fn check_header(line: &str) -> Result<(), Failure> {
    match serde_json::from_str::<Header>(line) {
        Ok(header) if header.redeliver_export <= lines::VERSION => Ok(()),
        Ok(header) => Err(Failure::Usage(format!(
            "the file was written by a later version of redeliver (form {}, this program reads up to {}); use that version",
            header.redeliver_export,
            lines::VERSION
        ))),
        Err(_) => Err(Failure::Usage(format!(
            "the file does not begin with {}; give one that `redeliver store export` has written",
            lines::HEADER
        ))),
    }
}
