//! Files and directories for their owner alone: the records hold keys and passwords.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes `dir`, closed to others. One that is there stays as it is.
pub fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Says so, if other users may look into `dir`.
pub fn warn_if_open(dir: &Path) {
    let mode = dir.metadata().map_or(0, |dir| dir.permissions().mode()) & 0o777;
    if mode & 0o077 != 0 {
        let (dir, mode) = (dir.display(), format!("{mode:o}"));
        tracing::warn!(%dir, mode, "the data directory is open to other users; it holds keys and passwords, so close it with `chmod 700`");
    }
}

/// How a file of ours is opened for reading and writing; one that is made is closed to others.
pub fn options() -> OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create(true).mode(0o600);
    options
}
