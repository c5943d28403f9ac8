//! The frames of records: read back, and every damage noticed.

use super::*;

const HEAD_OF_TEST: Head = Head {
    kind: Kind::Events,
    previous: 7,
    first: 42,
    count: 1,
};

#[test]
fn a_frame_reads_back_as_it_was_written() {
    let (bytes, crc) = encode(HEAD_OF_TEST, &("text", Blob(b"\x00\xffbody"))).unwrap();
    let frame = open(&bytes, Kind::Events).unwrap();
    assert_eq!((frame.head, frame.crc), (HEAD_OF_TEST, crc));
    let (text, blob): (&str, Blob<'_>) = frame.decode().unwrap();
    assert_eq!((text, blob.0), ("text", &b"\x00\xffbody"[..]));
}

#[test]
fn every_single_bit_flip_and_every_cut_is_noticed() {
    let (bytes, _) = encode(HEAD_OF_TEST, &("text", 5u64)).unwrap();
    for at in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        assert!(open(&damaged, Kind::Events).is_err(), "bit {at}");
    }
    for len in 0..bytes.len() {
        assert!(open(&bytes[..len], Kind::Events).is_err(), "cut to {len}");
    }
}

#[test]
fn zeros_are_damage_and_no_version() {
    let (mut bytes, _) = encode(HEAD_OF_TEST, &("text", 5u64)).unwrap();
    bytes[0] = 0;
    assert_eq!(open(&bytes, Kind::Events).unwrap_err(), FrameError::Kind);
    bytes.fill(0);
    let error = open(&bytes, Kind::Events).unwrap_err();
    assert_eq!(error, FrameError::Checksum);
}

#[test]
fn a_length_with_nothing_behind_it_takes_no_memory() {
    let mut length = vec![253];
    length.extend((1_u64 << 60).to_le_bytes());
    let (bytes, _) = encode(HEAD_OF_TEST, &0u8).unwrap();
    let frame = Frame {
        body: &length,
        ..open(&bytes, Kind::Events).unwrap()
    };
    assert_eq!(frame.decode::<String>(), Err(FrameError::Body));
    assert_eq!(frame.decode::<Vec<(u64, String)>>(), Err(FrameError::Body));
}

#[test]
fn a_record_of_a_later_version_is_named_as_such() {
    let (mut bytes, _) = encode(HEAD_OF_TEST, &0u8).unwrap();
    bytes[0] = 9;
    let error = open(&bytes, Kind::Events).unwrap_err();
    assert_eq!(
        error.into_store_error("meta"),
        StoreError::TooNew {
            found: 9,
            known: VERSION
        }
    );
}
