//! A small file beside the log: what follows from the log, and has to be known although retention
//! takes the events away that it followed from.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::id::Seq;

/// The form of the file; another one is read by another program.
const VERSION: u32 = 1;

/// Where it is kept; nowhere, where nothing is on disk.
#[derive(Clone, Debug)]
pub struct Kept {
    path: Option<PathBuf>,
}

#[derive(Serialize)]
struct Written<'a, T> {
    version: u32,
    until: Seq,
    what: &'a T,
}

#[derive(Deserialize)]
struct Read<T> {
    version: u32,
    until: Seq,
    what: T,
}

impl Kept {
    /// As `name` in `dir`, which is there.
    pub fn new(dir: Option<&Path>, name: &str) -> Self {
        Self {
            path: dir.map(|dir| dir.join(name)),
        }
    }

    /// What followed from the log up to a position, where it ends at `last` now. None if there is no
    /// such file, or none that can be used: then the log alone says it.
    pub fn read<T: DeserializeOwned>(&self, last: Seq) -> Option<(T, Seq)> {
        let path = self.path.as_ref()?;
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            bytes => bytes,
        };
        let read = bytes.and_then(|bytes| Ok(serde_json::from_slice::<Read<T>>(&bytes)?));
        match read {
            Ok(read) if read.version == VERSION && read.until <= last => {
                Some((read.what, read.until))
            }
            // Of a log that went on behind this one, which was put back.
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a file beside the log cannot be read; what it held is read from the log, as far as that has not expired");
                None
            }
        }
    }

    /// Keeps what follows from the log up to `until`: there whole or not at all, whatever happens.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write<T: Serialize>(&self, what: &T, until: Seq) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let dir = path.parent().unwrap_or(Path::new("."));
        let version = VERSION;
        let written = Written {
            version,
            until,
            what,
        };
        let mut file = NamedTempFile::new_in(dir)?;
        file.write_all(&serde_json::to_vec(&written)?)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The name is in the directory, which has to be on disk as well.
        File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_unless_the_log_is_another_or_the_file_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::new(Some(dir.path()), "told.json");
        let read = |last| kept.read::<Vec<u32>>(last);
        assert_eq!(read(100), None);
        kept.write(&vec![1, 2], 7).unwrap();
        assert_eq!(read(7), Some((vec![1, 2], 7)));
        assert_eq!(read(6), None, "a log that was put back");
        kept.write(&vec![3], 8).unwrap();
        assert_eq!(read(9), Some((vec![3], 8)));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        for damaged in ["", "{}", "{\"version\":2,\"until\":1,\"what\":[]}"] {
            fs::write(dir.path().join("told.json"), damaged).unwrap();
            assert_eq!(read(9), None, "{damaged}");
        }
        let nowhere = Kept::new(None, "told.json");
        nowhere.write(&vec![1], 1).unwrap();
        assert_eq!(nowhere.read::<Vec<u32>>(1), None);
    }
}
