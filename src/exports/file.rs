//! A file that is there whole or not at all, whatever happens while it is written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Why no file can be written into this directory, which is made where it is not there.
pub(super) fn trouble(dir: &Path) -> Option<String> {
    if dir.exists() && !dir.is_dir() {
        return Some("it is a file and not a directory".to_owned());
    }
    if let Err(error) = fs::create_dir_all(dir) {
        return Some(format!("it cannot be made: {error}"));
    }
    let written = NamedTempFile::new_in(dir).err();
    written.map(|error| format!("it cannot be written to: {error}"))
}

/// Writes the file, and its directory if that is not there; false if the file was there already,
/// which then stays as it is.
pub(super) fn write_once(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    if path.exists() {
        return Ok(false);
    }
    let mut file = NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        // Another one was faster.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error.error),
    }
    // The name is in the directory, which has to be on disk as well.
    File::open(dir)?.sync_all()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_with_its_directories_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/c.json");
        assert!(write_once(&path, b"first").unwrap());
        assert!(!write_once(&path, b"second").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        let beside = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(beside.count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_and_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(write_once(&file.join("x.json"), b"x").is_err());
        assert_eq!(trouble(dir.path()), None);
        assert_eq!(trouble(&dir.path().join("a/b")), None);
        assert!(trouble(&file).unwrap().contains("is a file"));
        let below = trouble(&file.join("below")).unwrap();
        assert!(below.starts_with("it cannot be made: "), "{below}");
    }
}
