//! A file that the disk gives back only in parts.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What a disk gives back as a whole or not at all.
const BLOCK: u64 = 4096;

/// How much is read at once.
const PIECE: usize = 8 << 20;

/// A disk that keeps more than this of one piece to itself is not one to go on with.
const UNREADABLE_MAX: usize = 1 << 20;

/// Whether the disk itself says that it cannot read; perhaps in sled's copy of the words.
pub fn is_of_the_disk(error: &io::Error) -> bool {
    let code = rustix::io::Errno::IO.raw_os_error();
    let words = format!("Os {{ code: {code},");
    let copy = error.get_ref().map(ToString::to_string);
    error.raw_os_error() == Some(code) || copy.is_some_and(|copy| copy.starts_with(&words))
}

/// Fills `bytes`, which begin `at` the file, by `read_at`; of blocks that cannot be read become
/// zeros. Gives how much was read, and how much of it could not be.
pub fn fill(
    bytes: &mut [u8],
    at: u64,
    read_at: impl Fn(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<(usize, usize)> {
    let (mut end, mut unreadable, mut next) = (0, 0, bytes.len());
    let mut last_error = None;
    while end < bytes.len() {
        let from = at + end as u64;
        match read_at(&mut bytes[end..next], from) {
            Ok(0) => break,
            Ok(read) => (end, next) = (end + read, bytes.len()),
            Err(error) if !is_of_the_disk(&error) => return Err(error),
            Err(error) => {
                let block_end = end + (BLOCK - from % BLOCK) as usize;
                if next > block_end {
                    next = block_end;
                    continue;
                }
                bytes[end..next].fill(0);
                unreadable += next - end;
                (end, next) = (next, bytes.len());
                if unreadable > UNREADABLE_MAX {
                    return Err(error);
                }
                last_error = Some(error);
            }
        }
    }
    if let Some(error) = last_error {
        tracing::warn!(at, bytes = unreadable, %error, "the disk does not give back a part of the database");
    }
    Ok((end, unreadable))
}

/// Whether the disk gives back the file at `path`, but not all of it.
pub fn are_missing(path: &Path) -> bool {
    let counted = || -> io::Result<(u64, u64)> {
        let file = File::open(path)?;
        let (mut at, mut unreadable) = (0, 0);
        let mut bytes = vec![0; PIECE];
        let len = file.metadata()?.len();
        while at < len {
            let left = usize::try_from(len - at).unwrap_or(usize::MAX);
            let piece = &mut bytes[..left.min(PIECE)];
            let (read, of_these) = fill(piece, at, |to, from| file.read_at(to, from))?;
            if read == 0 {
                break;
            }
            (at, unreadable) = (at + read as u64, unreadable + of_these as u64);
        }
        Ok((at, unreadable))
    };
    counted().is_ok_and(|(read, unreadable)| 0 < unreadable && unreadable < read)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of sevens, this long, of which these blocks cannot be read.
    fn filled(bad: &[u64], len: usize, at: u64) -> io::Result<(Vec<u8>, (usize, usize))> {
        let mut bytes = vec![1; len];
        let read_at = |to: &mut [u8], from: u64| {
            let first_bad = bad.iter().map(|block| block * BLOCK);
            let first_bad = first_bad.filter(|bad| bad + BLOCK > from).min();
            let until = first_bad.unwrap_or(u64::MAX).max(from) - from;
            if until == 0 {
                return Err(io::Error::from_raw_os_error(5));
            }
            let read = to.len().min(usize::try_from(until).unwrap());
            to[..read].fill(7);
            Ok(read)
        };
        let read = fill(&mut bytes, at, read_at)?;
        Ok((bytes, read))
    }

    #[test]
    fn blocks_that_cannot_be_read_are_zeros_and_their_neighbours_are_there() {
        let (bytes, read) = filled(&[1, 2, 5], 20_000, 100).unwrap();
        assert_eq!(read, (20_000, 2 * 4096));
        for (place, byte) in bytes.into_iter().enumerate() {
            let bad = (4096..3 * 4096).contains(&(place + 100));
            assert_eq!(byte, if bad { 0 } else { 7 }, "{place}");
        }
    }

    #[test]
    fn a_disk_that_keeps_too_much_to_itself_is_given_up() {
        let all: Vec<u64> = (0..1024).collect();
        let error = filled(&all, 1 << 22, 0).unwrap_err();
        assert!(is_of_the_disk(&error), "{error}");
        assert!(filled(&all[..256], 1 << 22, 0).is_ok());
    }

    #[test]
    fn another_error_is_told_as_it_is() {
        let refused = |_: &mut [u8], _| Err(io::ErrorKind::PermissionDenied.into());
        let error = fill(&mut [0; 10], 0, refused).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
