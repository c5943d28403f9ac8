//! What this machine lacks, which is no fault of a receiver's.

use std::io;

use rustix::io::Errno;

/// Whether this machine lacks descriptors or memory for what was asked of it.
pub fn is_our_shortage(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| {
        [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].contains(&errno)
    })
}
