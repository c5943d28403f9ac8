//! What a disk was given to write, by its own account.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The kernel counts in these, whatever the disk has.
const SECTOR_BYTES: u64 = 512;

/// A disk, and a directory on it.
///
/// A process is charged for whole runs of pages of which it changed one, so the disk is asked. It
/// tells of everybody's writes, and of the file system's own.
#[derive(Debug)]
pub struct Disk {
    dir: File,
    statistics: PathBuf,
}

impl Disk {
    /// The disk of `dir`, where the system tells of it: a file system in memory has none.
    pub fn of(dir: &Path) -> Option<Self> {
        let dir = File::open(dir).ok()?;
        let device = dir.metadata().ok()?.dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let statistics = PathBuf::from(format!("/sys/dev/block/{major}:{minor}/stat"));
        statistics.exists().then_some(Self { dir, statistics })
    }

    /// Bytes written since the machine began, with all that was still to be written.
    pub fn written_bytes(&self) -> Option<u64> {
        rustix::fs::syncfs(&self.dir).ok()?;
        sectors(&fs::read_to_string(&self.statistics).ok()?).map(|sectors| sectors * SECTOR_BYTES)
    }
}

/// The seventh number of the statistics.
fn sectors(statistics: &str) -> Option<u64> {
    statistics.split_whitespace().nth(6)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seventh_number_is_what_was_written() {
        let statistics = "  347680 50485 108741122 423688 15582184 1701371 1528599872 8452718 0";
        assert_eq!(sectors(statistics), Some(1_528_599_872));
        assert_eq!(sectors("1 2 3"), None);
    }

    #[test]
    fn a_megabyte_on_a_disk_is_told() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        // A machine may have no disk of its own.
        let Some(disk) = Disk::of(dir.path()) else {
            return;
        };
        let before = disk.written_bytes().unwrap();
        let noise: Vec<u8> = (0..1 << 20)
            .map(|at: u32| (at.wrapping_mul(at) >> 7) as u8)
            .collect();
        fs::write(dir.path().join("file"), noise).unwrap();
        assert!(disk.written_bytes().unwrap() - before >= 1 << 20);
    }
}
