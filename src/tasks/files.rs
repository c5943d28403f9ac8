//! Tasks as files: one each, JSON, there whole or not at all whatever happens while it is written.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::task::Task;
use crate::id::TaskId;

/// The form of the files; another one is read by another program.
const VERSION: u32 = 1;

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("task file {}: {cause}; see to the disk and its permissions", .path.display())]
pub struct FileError {
    /// Which file or directory.
    pub path: PathBuf,
    /// Why.
    pub cause: io::Error,
}

/// Where the tasks are written down; nowhere, where there is no directory.
#[derive(Debug)]
pub(super) struct Files {
    dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    task: &'a Task,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    task: Task,
}

impl Files {
    /// Files in `dir`.
    pub(super) fn new(dir: Option<PathBuf>) -> Self {
        Self { dir }
    }

    /// Every task that is written down. A file that cannot be read does not keep a broker from
    /// starting: its task does not go on, and it stays to be looked at.
    pub(super) fn read(&self) -> Result<Vec<Task>, FileError> {
        let Some(dir) = &self.dir else {
            return Ok(Vec::new());
        };
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(dir)(error)),
        };
        let mut tasks = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed(dir))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                // What a crash left while it was being written.
                continue;
            }
            match read_one(&path) {
                Ok(task) => tasks.push(task),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "a task cannot be read and does not go on; mend its file or move it away");
                }
            }
        }
        Ok(tasks)
    }

    /// Writes a task down: on disk when this returns.
    pub(super) fn write(&self, task: &Task) -> Result<(), FileError> {
        let Some(dir) = &self.dir else {
            return Ok(());
        };
        let path = dir.join(name(task.id));
        write(dir, &path, task).map_err(failed(&path))
    }

    /// Forgets one that has ended. What stays is forgotten after the next start.
    pub(super) fn remove(&self, id: TaskId) {
        if let Some(dir) = &self.dir {
            let _ = fs::remove_file(dir.join(name(id)));
        }
    }
}

fn name(id: TaskId) -> String {
    format!("{id}.json")
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |cause| FileError { path, cause }
}

fn read_one(path: &Path) -> io::Result<Task> {
    let read: Read = serde_json::from_slice(&fs::read(path)?)?;
    match read.version {
        VERSION => Ok(read.task),
        other => Err(io::Error::other(format!(
            "it is of version {other}, and this program reads version {VERSION}"
        ))),
    }
}

fn write(dir: &Path, path: &Path, task: &Task) -> io::Result<()> {
    // What a task was asked for is nobody else's business.
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let written = Written {
        version: VERSION,
        task,
    };
    let mut file = NamedTempFile::new_in(dir)?;
    file.write_all(&serde_json::to_vec(&written)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The name is in the directory, which has to be on disk as well.
    File::open(dir)?.sync_all()
}
