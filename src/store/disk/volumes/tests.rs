//! Records that are appended, read back and damaged.

use super::*;

fn append(volumes: &Volumes, values: &[&[u8]]) -> Vec<Location> {
    volumes.append(values.iter().copied()).unwrap()
}

#[track_caller]
fn is_there(volumes: &Volumes, location: Location, value: &[u8]) {
    let record = volumes.read(location).unwrap();
    assert_eq!((record.value.as_slice(), record.is_whole), (value, true));
}

#[track_caller]
fn is_damaged(volumes: &Volumes, location: Location, value: &[u8]) {
    let record = volumes.read(location).unwrap();
    assert_eq!((record.value.as_slice(), record.is_whole), (value, false));
}

#[test]
fn what_was_appended_is_read_back_from_one_volume_after_another() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = Volumes {
        volume_bytes: 4096 + 150,
        ..Volumes::of(dir.path(), 7)
    };
    let all: Vec<Vec<u8>> = (0..80).map(|byte| vec![byte; 30]).collect();
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let locations = append(&volumes, &all);
    assert_eq!(numbers(dir.path()).unwrap(), (1..=20).collect::<Vec<_>>());
    for (location, value) in locations.into_iter().zip(all) {
        is_there(&volumes, location, value);
    }
    assert_eq!(volumes.open().len(), OPEN_MAX);
}

#[test]
fn the_bytes_of_a_volume_stay_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    append(&Volumes::of(dir.path(), 7), &[b"value"]);
    let bytes = fs::read(path(dir.path(), 1)).unwrap();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    assert_eq!(hex(&bytes[..12]), "07000000000000008eb77176");
    assert!(bytes[12..4096].iter().all(|byte| *byte == 0));
    assert_eq!(hex(&bytes[4096..]), "0500000003950c5b76616c7565");
}

#[test]
fn a_volume_is_gone_on_with_under_its_own_salt_unless_its_head_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let one = append(&Volumes::of(dir.path(), 7), &[b"one"])[0];
    let two = append(&Volumes::of(dir.path(), 8), &[b"two"])[0];
    assert_eq!((one.volume, two.volume), (1, 1));
    is_there(&Volumes::of(dir.path(), 9), one, b"one");
    is_there(&Volumes::of(dir.path(), 9), two, b"two");
    let mut damaged = fs::read(path(dir.path(), 1)).unwrap();
    damaged[0] ^= 1;
    fs::write(path(dir.path(), 1), damaged).unwrap();
    let volumes = Volumes::of(dir.path(), 9);
    let three = append(&volumes, &[b"three"])[0];
    assert_eq!(three.volume, 2);
    is_damaged(&volumes, one, b"one");
    is_there(&volumes, three, b"three");
}

#[test]
fn a_record_is_one_at_its_own_location_only() {
    let dir = tempfile::tempdir().unwrap();
    let locations = append(&Volumes::of(dir.path(), 7), &[b"same", b"same"]);
    let mut bytes = fs::read(path(dir.path(), 1)).unwrap();
    fs::write(path(dir.path(), 2), &bytes).unwrap();
    let [one, two] = [0, 1].map(|number| locations[number].at as usize);
    bytes.copy_within(one - RECORD_HEAD..one + 4, two - RECORD_HEAD);
    fs::write(path(dir.path(), 1), bytes).unwrap();
    let volumes = Volumes::of(dir.path(), 7);
    is_there(&volumes, locations[0], b"same");
    is_damaged(&volumes, locations[1], b"same");
    let elsewhere = Location {
        volume: 2,
        ..locations[0]
    };
    is_damaged(&volumes, elsewhere, b"same");
}

#[test]
fn of_what_is_missing_there_is_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = Volumes::of(dir.path(), 7);
    let location = append(&volumes, &[b"four"])[0];
    let gone = Location {
        volume: 2,
        ..location
    };
    is_damaged(&volumes, gone, b"");
    let behind = Location {
        at: 10_000,
        ..location
    };
    is_damaged(&volumes, behind, b"");
    let longer = Location {
        len: u32::MAX,
        ..location
    };
    is_damaged(&volumes, longer, b"four");
}
