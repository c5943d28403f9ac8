//! Waits for a task to end, and shows on a terminal how far it has come.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use serde_json::Value;

use crate::cli::client::{Answer, Call, Client};
use crate::cli::{Failure, output};

/// How often the task is looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// The bar is shown from this look on: work that is shorter than a second needs none.
const LOOKS_BEFORE_BAR: u32 = 10;

/// How many characters a full bar has.
const WIDTH: usize = 30;

/// Looks at the task again and again until it does not run any more. An interruption ends the
/// looking; the task goes on.
pub async fn until_ended(client: &mut Client, mut answer: Answer) -> Result<Answer, Failure> {
    let terminal = io::stderr().is_terminal();
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let mut looks = 0;
    loop {
        let task = answer.json()?;
        let id = task["id"].as_str().unwrap_or_default().to_owned();
        if task["state"] != "running" {
            if looks > LOOKS_BEFORE_BAR && terminal {
                erase();
            }
            return Ok(answer);
        }
        if looks >= LOOKS_BEFORE_BAR && terminal {
            show(&bar(&task));
        }
        looks += 1;
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = &mut interrupted => {
                if terminal {
                    erase();
                }
                let id = output::clean(&id);
                output::note(&format!("the task goes on; end it with `redeliver task cancel {id}`"));
                return Err(Failure::Interrupted);
            }
        }
        answer = client.call(Call::get(["v1", "tasks", &id])).await?;
    }
}

/// One line: `[######          ]  20 %  1234 put back`.
fn bar(task: &Value) -> String {
    let share = task["progress"].as_f64().unwrap_or(0.0).clamp(0.0, 1.0);
    let full = (share * WIDTH as f64) as usize;
    let (verb, count) = match (task["dry_run"].as_bool(), task["kind"].as_str()) {
        (Some(true), _) => ("found", &task["matched"]),
        (_, Some("discard")) => ("discarded", &task["done"]),
        _ => ("put back", &task["done"]),
    };
    let count = count.as_u64().unwrap_or(0);
    format!(
        "[{:WIDTH$}] {:3.0} %  {count} {verb}",
        "#".repeat(full),
        share * 100.0
    )
}

fn show(line: &str) {
    let mut err = io::stderr().lock();
    // Where standard error is closed there is nobody to show it to.
    let _ = write!(err, "\r\u{1b}[K{line}");
    let _ = err.flush();
}

fn erase() {
    show("");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_bar_is_as_full_as_the_task_has_come_far() {
        let task = json!({"progress": 0.5, "done": 7, "matched": 9, "dry_run": false});
        assert_eq!(
            bar(&task),
            "[###############               ]  50 %  7 put back"
        );
        let task = json!({"progress": 1.0, "done": 0, "matched": 9, "dry_run": true});
        assert!(bar(&task).ends_with("] 100 %  9 found"));
        // Whatever a server says, a line is as long as a line.
        assert_eq!(bar(&json!({"progress": 1e300})).matches('#').count(), WIDTH);
    }
}
