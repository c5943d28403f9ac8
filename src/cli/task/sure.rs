//! What is done to more deliveries than was meant is done before it can be cancelled: on a terminal
//! it is asked first, with how many there are.

use std::io::{self, BufRead, IsTerminal, Write};

use serde_json::{Map, Value};

use super::follow;
use crate::cli::client::{Call, Client};
use crate::cli::{Failure, output};

/// Whether somebody is there to answer.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// How many deliveries the task `wanted` would put back.
pub async fn count(client: &mut Client, mut wanted: Map<String, Value>) -> Result<u64, Failure> {
    wanted.insert("dry_run".to_owned(), true.into());
    let call = Call::post(["v1", "tasks"]).json(Value::Object(wanted));
    let made = client.call(call).await?;
    let ended = follow::until_ended(client, made).await?.json()?;
    match (ended["state"].as_str(), ended["matched"].as_u64()) {
        (Some("done"), Some(matched)) => Ok(matched),
        _ => Err(Failure::Check(format!(
            "the deliveries could not be counted: {}",
            output::text(&ended, "error")
        ))),
    }
}

/// Asks whether to go on; anything but a yes is an error.
pub fn ask(what: &str) -> Result<(), Failure> {
    let mut err = io::stderr().lock();
    // Where standard error has gone nobody reads the question, and there is no answer either.
    let _ = write!(err, "{}; go on? [y/N] ", output::clean(what)).and_then(|()| err.flush());
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match read.is_ok() && is_yes(&answer) {
        true => Ok(()),
        false => Err(Failure::Check("nothing is done".to_owned())),
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_yes_is_one() {
        for answer in ["y\n", "YES", " yes "] {
            assert!(is_yes(answer), "{answer}");
        }
        for answer in ["", "\n", "n", "yesterday", "j"] {
            assert!(!is_yes(answer), "{answer}");
        }
    }
}
