//! Whose a data directory is.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::super::Failure;

/// Refuses to work as root in the directory of another: what is read is opened, and what is opened
/// is tidied up, so that files of root's would be left behind which keep its own server from starting.
pub(super) fn check(dir: &Path) -> Result<(), Failure> {
    let root = rustix::process::Uid::ROOT;
    // Whatever else is wrong with it is told by who opens it.
    let Some(owner) = dir.metadata().ok().map(|found| found.uid()) else {
        return Ok(());
    };
    if rustix::process::geteuid() != root || owner == root.as_raw() {
        return Ok(());
    }
    Err(Failure::Environment(format!(
        "{} belongs to user {owner}, and files of root's in it would keep the server of that user from starting; run this as that user, for example by sudo -u '#{owner}'",
        dir.display()
    )))
}
