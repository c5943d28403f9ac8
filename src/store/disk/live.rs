//! What of the journal the database may not have yet, read only.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::super::backend::Change;
use super::entry::{self, Entry};
use super::journal::{PAGE, path};

/// What a start has to take from the journal.
#[derive(Debug, Default)]
pub struct Live {
    /// The generation that was written last; 0 if there is no journal.
    pub generation: u64,
    /// The entries that are whole, in their order. Behind damage, only those that were synced.
    pub entries: Vec<Entry>,
    /// What no crash leaves behind, in words.
    pub damage: Option<String>,
}

impl Live {
    /// Reads the journal in `dir`.
    ///
    /// # Errors
    /// Those of the disk. Damage is in [`Live::damage`].
    pub fn read(dir: &Path) -> io::Result<Self> {
        let files = [read(dir, 0)?, read(dir, 1)?];
        let is_gone = files.each_ref().map(Option::is_none);
        let files = files.map(Option::unwrap_or_default);
        let Some(salt) = files.iter().find_map(|file| entry::decode_head(file)) else {
            let is_empty = |file: &Vec<u8>| file.iter().all(|byte| *byte == 0);
            return Ok(Self {
                damage: (!files.iter().all(is_empty))
                    .then(|| "neither file of the journal begins as it was written".to_owned()),
                ..Self::default()
            });
        };
        let entries = files.iter().flat_map(|file| entries(file, salt));
        Ok(Self::of(entries, is_gone))
    }

    /// A file that `is_gone` was taken away by a checkpoint of everything, before the other one;
    /// were it not so, the log itself would miss what was in it.
    fn of(entries: impl Iterator<Item = Entry>, is_gone: [bool; 2]) -> Self {
        let mut generations: BTreeMap<u64, Vec<Entry>> = BTreeMap::new();
        let (mut oldest, mut newest) = (0, 0);
        for entry in entries {
            oldest = oldest.max(entry.place.oldest);
            newest = newest.max(entry.place.generation);
            let generation = generations.entry(entry.place.generation);
            generation.or_default().push(entry);
        }
        let mut live = Self {
            generation: newest,
            ..Self::default()
        };
        let is_gone = |generation: u64| is_gone[(generation % 2) as usize];
        for generation in (oldest.max(1)..=newest).filter(|generation| !is_gone(*generation)) {
            let found = generations.remove(&generation).unwrap_or_default();
            let follower = generations.get(&(generation + 1));
            let follower = follower.and_then(|behind| behind.first());
            live.take(generation, found, newest, follower);
        }
        live
    }

    /// Takes the entries of a generation; `follower` is the first one of the next generation.
    fn take(&mut self, generation: u64, found: Vec<Entry>, newest: u64, follower: Option<&Entry>) {
        let synced = found.iter().map(|entry| entry.place.synced).max();
        let synced = synced.unwrap_or(0);
        let mut whole = 0;
        let mut at = PAGE;
        let mut crc = None;
        for entry in found {
            let follows = entry.place.number == whole
                && entry.at == at
                && crc.is_none_or(|crc| crc == entry.previous);
            if follows {
                whole += 1;
                at += entry.len;
                crc = Some(entry.crc);
                self.entries.push(entry);
            } else if entry.place.number < synced || generation < newest {
                self.entries.push(entry);
            }
        }
        // A generation was synced as a whole before the next one was begun.
        let is_cut_off = match follower {
            Some(next) => crc != Some(next.previous) && next.place.number == 0,
            None => generation < newest,
        };
        if whole < synced || is_cut_off {
            let what = format!("entry {whole} of generation {generation} of the journal");
            self.damage.get_or_insert(what);
        }
    }

    /// Every key that is written, as it stands at the end.
    pub fn into_changes(self) -> impl Iterator<Item = Change> {
        self.entries.into_iter().flat_map(|entry| entry.changes)
    }
}

fn read(dir: &Path, generation: u64) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path(dir, generation)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Everything in a file that is a whole entry, of whatever generation.
fn entries(bytes: &[u8], salt: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut at = PAGE;
    while at < bytes.len() {
        match entry::decode(bytes, at, salt) {
            Some(entry) => {
                at += entry.len;
                entries.push(entry);
            }
            None => at += PAGE,
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::super::super::backend::Durability::{self, Disk, Process};
    use super::super::journal::Journal;
    use super::*;

    fn write(journal: &mut Journal, key: u8, durability: Durability) {
        let change = Change::Put(vec![key], vec![key; 10]);
        journal.append(&[change], durability).unwrap();
    }

    /// Overwrites the first bytes of a page, as a write that a crash cut short.
    fn tear(dir: &Path, generation: u64, page: usize) {
        let file = fs::File::options().write(true).open(path(dir, generation));
        let at = (page * PAGE) as u64;
        file.unwrap().write_all_at(&[0xAA; 64], at).unwrap();
    }

    fn keys(live: Live) -> Vec<u8> {
        live.into_changes()
            .map(|change| change.into_key()[0])
            .collect()
    }

    #[test]
    fn what_was_not_synced_may_be_torn_and_what_came_behind_it_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), 1, 7).unwrap();
        write(&mut journal, 1, Disk);
        write(&mut journal, 2, Process);
        write(&mut journal, 3, Process);
        tear(dir.path(), 1, 2);
        let live = Live::read(dir.path()).unwrap();
        assert_eq!(live.damage, None);
        assert_eq!(keys(live), [1]);
    }

    #[test]
    fn what_was_synced_is_missed_when_anything_behind_it_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), 1, 7).unwrap();
        for key in 1..=3 {
            write(&mut journal, key, Disk);
        }
        write(&mut journal, 4, Process);
        tear(dir.path(), 1, 2);
        let live = Live::read(dir.path()).unwrap();
        let damage = live.damage.clone().unwrap();
        assert_eq!(damage, "entry 1 of generation 1 of the journal");
        assert_eq!(keys(live), [1, 3], "nobody was promised the last one");
    }

    #[test]
    fn a_generation_that_is_only_half_there_is_missed_by_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), 1, 7).unwrap();
        write(&mut journal, 1, Disk);
        write(&mut journal, 2, Disk);
        journal.turn().unwrap();
        write(&mut journal, 3, Disk);
        assert_eq!(keys(Live::read(dir.path()).unwrap()), [1, 2, 3]);
        tear(dir.path(), 1, 2);
        let live = Live::read(dir.path()).unwrap();
        assert!(live.damage.is_some());
        assert_eq!(keys(live), [1, 3]);
    }

    #[test]
    fn a_crash_between_the_two_files_being_taken_away_is_no_damage() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), 1, 7).unwrap();
        write(&mut journal, 1, Disk);
        journal.turn().unwrap();
        write(&mut journal, 2, Disk);
        fs::remove_file(path(dir.path(), 1)).unwrap();
        let live = Live::read(dir.path()).unwrap();
        assert_eq!((live.damage.clone(), keys(live)), (None, vec![2]));
    }

    #[test]
    fn a_crash_in_the_first_write_over_a_released_generation_is_no_damage() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), 1, 7).unwrap();
        for generation in 1..=4_u8 {
            for number in 0..3 {
                write(&mut journal, 10 * generation + number, Disk);
            }
            // What came before this generation is in the database.
            journal.release();
            journal.turn().unwrap();
            tear(dir.path(), u64::from(generation) + 1, 1);
            let live = Live::read(dir.path()).unwrap();
            let all = [0, 1, 2].map(|number| 10 * generation + number);
            assert_eq!((live.damage.clone(), keys(live)), (None, all.to_vec()));
        }
    }

    #[test]
    fn a_file_whose_first_page_is_damaged_is_read_with_the_other_ones_salt() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), 1, 7).unwrap();
        write(&mut journal, 1, Disk);
        tear(dir.path(), 1, 0);
        assert_eq!(keys(Live::read(dir.path()).unwrap()), [1]);
        tear(dir.path(), 2, 0);
        assert!(Live::read(dir.path()).unwrap().damage.is_some());
    }
}
