//! How far long work is: one line on a terminal that is written over, and nothing elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::clock::{Clock, RealClock, Timestamp};

/// Work that is done sooner needs no line.
const SILENT: Duration = Duration::from_secs(1);

/// How often the line is written.
const PAUSE: Duration = Duration::from_millis(200);

/// A line that says how far the work is.
pub struct Progress {
    what: &'static str,
    done: u64,
    next_at: Option<Timestamp>,
    is_shown: bool,
}

impl Progress {
    /// Nothing is done yet.
    pub fn begin(what: &'static str) -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self {
            what,
            done: 0,
            next_at: is_terminal.then(|| RealClock.now().plus(SILENT)),
            is_shown: false,
        }
    }

    /// So much more is done, of about so much in all; 0 if that is not known.
    pub fn add(&mut self, more: u64, of: u64) {
        self.done += more;
        let Some(next_at) = self.next_at else {
            return;
        };
        let now = RealClock.now();
        if now < next_at {
            return;
        }
        self.next_at = Some(now.plus(PAUSE));
        self.is_shown = true;
        let line = line(self.what, self.done, of);
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r\x1b[K{line}").and_then(|()| err.flush());
    }

    /// Takes the line away.
    pub fn end(self) {
        if self.is_shown {
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r\x1b[K").and_then(|()| err.flush());
        }
    }
}

fn line(what: &str, done: u64, of: u64) -> String {
    const MEBIBYTE: u64 = 1 << 20;
    let done_shown = done / MEBIBYTE;
    match of {
        0 => format!("{what}: {done_shown} MiB"),
        of => {
            // The estimate is of files, with their unused ends.
            let percent = (done * 100 / of).min(99);
            format!(
                "{what}: {done_shown} of about {} MiB, {percent} %",
                of.div_ceil(MEBIBYTE)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_of_about_how_much_and_never_all() {
        assert_eq!(line("copying", 5 << 20, 0), "copying: 5 MiB");
        assert_eq!(
            line("copying", 5 << 20, 10 << 20),
            "copying: 5 of about 10 MiB, 50 %"
        );
        assert!(line("copying", 11 << 20, 10 << 20).ends_with("99 %"));
    }
}
