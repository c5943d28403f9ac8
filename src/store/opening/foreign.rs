//! Whether a directory may become a store.

use std::io;
use std::path::Path;

use crate::store::{StoreError, expect_store};

/// What a store has that is there, and nobody else: with one of them the directory is a store,
/// however damaged.
const OURS: [&str; 3] = ["db", "high-water", "projections"];

/// What a new disk, or a start that was killed at its beginning, may have left.
const HARMLESS: [&str; 4] = ["lost+found", "lock", "conf", "blobs"];

/// Refuses a directory in which somebody keeps other things: a store among them would be hard to
/// tell from them, and its owner might clean it away.
pub fn refuse_foreign(dir: &Path) -> Result<(), StoreError> {
    if OURS.iter().any(|name| dir.join(name).is_file()) || expect_store(dir).is_ok() {
        return Ok(());
    }
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        // It is made, or what is wrong with it is told where it is opened.
        Err(_) => return Ok(()),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: io::Result<Vec<String>> = names.collect();
    let names = names.map_err(|error| StoreError::of_file(dir, &error))?;
    let foreign = names
        .iter()
        .filter(|name| !name.starts_with('.') && !HARMLESS.contains(&name.as_str()));
    // The first by name, so that the same directory is told in the same words.
    match foreign.min() {
        None => Ok(()),
        Some(found) => Err(StoreError::Foreign {
            dir: dir.display().to_string(),
            found: found.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_other_things_is_no_place_for_a_store_and_an_empty_disk_is_one() {
        let dir = tempfile::tempdir().unwrap();
        refuse_foreign(dir.path()).unwrap();
        refuse_foreign(&dir.path().join("not-there")).unwrap();
        std::fs::create_dir(dir.path().join("lost+found")).unwrap();
        for name in ["lock", ".gitkeep"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        refuse_foreign(dir.path()).unwrap();
        std::fs::create_dir(dir.path().join("monday")).unwrap();
        std::fs::write(dir.path().join("notes.txt"), "").unwrap();
        let error = refuse_foreign(dir.path()).unwrap_err();
        assert!(error.is_misconfigured());
        let error = error.to_string();
        assert!(
            error.contains("(it has monday)") && error.contains("--data"),
            "{error}"
        );
        // A store is never refused for what lies beside it.
        std::fs::write(dir.path().join("high-water"), "").unwrap();
        refuse_foreign(dir.path()).unwrap();
    }
}
