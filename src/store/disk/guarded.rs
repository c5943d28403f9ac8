//! The edge to sled, where its panics become errors.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Why the database could not do what it was asked for.
pub struct Fault {
    /// In words, on one line.
    pub words: String,
    /// What the operating system says, which is about the disk and not about what is on it.
    pub io: Option<io::Error>,
}

/// sled panics on damage and on failed writes; at this edge a panic becomes an error.
pub fn guarded<T>(what: &str, work: impl FnOnce() -> sled::Result<T>) -> Result<T, Fault> {
    let outer = IS_GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(outer);
    match done {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Fault {
            words: format!("{what}: {error}"),
            io: match error {
                sled::Error::Io(error) if is_of_the_system(&error) => Some(error),
                _ => None,
            },
        }),
        Err(panic) => {
            let words = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("the database gave up");
            Err(Fault {
                words: format!("{what}: {}", first_line(words)),
                io: system_error_in(words),
            })
        }
    }
}

/// Whether the operating system said so, and not sled of what it read. Whoever comes after the first
/// to meet an error gets sled's copy of it, which has the system's number in its words only.
fn is_of_the_system(error: &io::Error) -> bool {
    let is_a_copy = |inner: &(dyn std::error::Error + Send + Sync)| {
        inner.to_string().starts_with("Os { code: ")
    };
    error.raw_os_error().is_some() || error.get_ref().is_some_and(is_a_copy)
}

/// The system's error in the words of a panic: where sled unwraps one, a disk that has just gone
/// would look like damage.
fn system_error_in(words: &str) -> Option<io::Error> {
    let (_, behind) = words.split_once("Os { code: ")?;
    let code = behind.split_once(',')?.0.parse().ok()?;
    Some(io::Error::from_raw_os_error(code))
}

/// What sled says to a programmer goes over many lines.
fn first_line(words: &str) -> &str {
    words.lines().next().unwrap_or_default()
}

/// Whether a panic on this thread is the database's, and so becomes an error: nobody need hear of
/// it, or of those of its own threads, on which it hangs.
pub fn panic_is_an_error() -> bool {
    let thread = std::thread::current();
    let is_its_own = thread.name().is_some_and(|name| name.starts_with("sled-"));
    is_its_own || IS_GUARDED.get()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn io_of(error: io::Error) -> Option<io::Error> {
        guarded("reading", || Err::<(), _>(sled::Error::Io(error)))
            .unwrap_err()
            .io
    }

    #[test]
    fn what_the_system_says_is_no_damage_even_as_a_copy() {
        for code in [5, 28] {
            let first = sled::Error::Io(io::Error::from_raw_os_error(code));
            let sled::Error::Io(copy) = first.clone() else {
                unreachable!()
            };
            assert!(io_of(io::Error::from_raw_os_error(code)).is_some());
            assert!(io_of(copy).is_some(), "{first}");
        }
        let file = || fs::read("/nonexistent/file").map_err(sled::Error::Io);
        let unwrapped = guarded("opening", || Ok(file().unwrap()));
        let error = unwrapped.unwrap_err().io.unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let damaged = guarded::<()>("opening", || panic!("a page is not there"));
        assert!(damaged.unwrap_err().io.is_none());
        assert!(io_of(io::ErrorKind::UnexpectedEof.into()).is_none());
        assert!(io_of(io::Error::other("corrupt")).is_none());
    }
}
