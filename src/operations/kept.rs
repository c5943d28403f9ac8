//! What was told, kept beside the log: retention takes the events away that told it, and a long log
//! need not be read again at each start.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::told::Told;
use crate::id::Seq;

const NAME: &str = "operations.json";

/// The form of the file; another one is read by another program.
const VERSION: u32 = 1;

/// Where it is kept; nowhere, where there is no directory.
#[derive(Clone, Debug)]
pub struct Kept {
    dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    until: Seq,
    told: &'a Told,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    until: Seq,
    told: Told,
}

impl Kept {
    /// In `dir`, which is there.
    pub fn new(dir: Option<PathBuf>) -> Self {
        Self { dir }
    }

    /// What was told up to a position of the log, which ends at `last`. None if there is no such
    /// file, or none that can be used: then the log alone says it.
    pub fn read(&self, last: Seq) -> Option<(Told, Seq)> {
        let path = self.dir.as_ref()?.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => Err(error),
        };
        let read = bytes.and_then(|bytes| Ok(serde_json::from_slice::<Read>(&bytes)?));
        match read {
            // Of a log that went on behind this one, or of none.
            Ok(read) if read.version == VERSION && read.until <= last => {
                Some((read.told, read.until))
            }
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "what operational events have told cannot be read; it is read from the log");
                None
            }
        }
    }

    /// Keeps what the log up to `until` has told: there whole or not at all, whatever happens.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write(&self, told: &Told, until: Seq) -> io::Result<()> {
        let Some(dir) = &self.dir else {
            return Ok(());
        };
        let version = VERSION;
        let written = Written {
            version,
            until,
            told,
        };
        let mut file = NamedTempFile::new_in(dir)?;
        file.write_all(&serde_json::to_vec(&written)?)?;
        file.as_file().sync_all()?;
        file.persist(dir.join(NAME))?;
        // The name is in the directory, which has to be on disk as well.
        File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::EndpointState;
    use crate::endpoint::tests::endpoint;

    #[test]
    fn what_is_kept_is_read_again_unless_the_log_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::new(Some(dir.path().to_owned()));
        assert!(kept.read(100).is_none());
        let mut told = Told::default();
        told.begin([endpoint(1).id]);
        kept.write(&told, 7).unwrap();
        let (read, until) = kept.read(7).unwrap();
        assert_eq!(
            (read.of(endpoint(1).id).state, until),
            (EndpointState::Removed, 7)
        );
        assert!(kept.read(6).is_none(), "a log that was put back");
        fs::write(dir.path().join(NAME), "{}").unwrap();
        assert!(kept.read(7).is_none());
    }
}
