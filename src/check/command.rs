//! Shell commands of the user's own: the observer's, and the one that restarts the receiver.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::clock::SharedClock;

/// Bytes of a command's output that are read.
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// How often a command is asked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It cannot be started.
    #[error("the shell cannot be started: {0}")]
    Start(#[source] io::Error),
    /// It ended with an error.
    #[error("the command ended with {0}")]
    Failed(String),
    /// It did not end in time, and was killed.
    #[error("the command did not end within {} s", .0.as_secs_f64())]
    Late(Duration),
    /// Its output cannot be read.
    #[error("the command's output cannot be read: {0}")]
    Output(#[source] io::Error),
}

/// Runs `line` in a shell until it has ended; what it leaves in the background goes on.
pub async fn run(line: &str, limit: Duration, clock: &SharedClock) -> Result<(), CommandError> {
    // What it starts in the background would hold a pipe open for ever.
    let mut child = start(line, Stdio::null())?;
    end(&mut child, limit, clock).await
}

/// Runs `line` in a shell until it has ended, and gives what it printed.
pub async fn output(
    line: &str,
    limit: Duration,
    clock: &SharedClock,
) -> Result<String, CommandError> {
    let mut child = start(line, Stdio::piped())?;
    let pipe = child.stdout.take();
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        let read = pipe.map(|pipe| pipe.take(OUTPUT_LIMIT).read_to_end(&mut bytes));
        read.transpose().map(|_| bytes)
    });
    let ended = end(&mut child, limit, clock).await;
    // Whatever it left behind must not hold its output open.
    kill(&child);
    let bytes = reading.await.map_err(io::Error::other);
    ended?;
    let bytes = bytes
        .and_then(|bytes| bytes)
        .map_err(CommandError::Output)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn start(line: &str, stdout: Stdio) -> Result<Child, CommandError> {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).stdin(Stdio::null()).stdout(stdout);
    // A group of its own, so that it can be ended with all that it started.
    shell.process_group(0).spawn().map_err(CommandError::Start)
}

async fn end(child: &mut Child, limit: Duration, clock: &SharedClock) -> Result<(), CommandError> {
    let mut deadline = clock.sleep(limit);
    loop {
        match child.try_wait().map_err(CommandError::Output)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(CommandError::Failed(status.to_string())),
            None => {}
        }
        tokio::select! {
            () = &mut deadline => break,
            () = clock.sleep(LOOK_EVERY) => {}
        }
    }
    kill(child);
    let _ = child.wait();
    Err(CommandError::Late(limit))
}

/// Ends the command's group, if there is anything left of it.
fn kill(child: &Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::RealClock;

    const MINUTE: Duration = Duration::from_secs(60);

    fn clock() -> SharedClock {
        Arc::new(RealClock)
    }

    #[tokio::test]
    async fn a_command_gives_its_output_or_how_it_failed() {
        let printed = output("echo 7; echo", MINUTE, &clock()).await;
        assert_eq!(printed.unwrap(), "7\n\n");
        let failed = run("exit 3", MINUTE, &clock()).await.unwrap_err();
        assert_eq!(failed.to_string(), "the command ended with exit status: 3");
    }

    #[tokio::test]
    async fn a_command_that_does_not_end_is_killed_with_all_that_it_started() {
        let limit = Duration::from_millis(50);
        let late = output("sleep 1000 & sleep 1000", limit, &clock()).await;
        assert!(matches!(late, Err(CommandError::Late(_))));
    }

    #[tokio::test]
    async fn what_a_command_leaves_in_the_background_does_not_hold_it_up() {
        let left = "sleep 1000 & echo $! > \"$FILE\"";
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = left.replace("$FILE", file.path().to_str().unwrap());
        run(&line, MINUTE, &clock()).await.unwrap();
        let pid: i32 = std::fs::read_to_string(file.path())
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        let pid = Pid::from_raw(pid).unwrap();
        assert!(rustix::process::kill_process(pid, Signal::KILL).is_ok());
    }
}
