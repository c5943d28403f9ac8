//! The frame codec: what is written reads back, what decodes encodes to the same value and never
//! to more bytes, and damage of a few bits or a cut is always seen.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use redeliver::clock::{ManualClock, Timestamp};
use redeliver::event::Form;
use redeliver::store::codec::{self, Frame, FrameError, Head, Kind};
use redeliver::store::memory::Memory;
use redeliver::store::{Log, Options, Store};
use serde::{Deserialize, Serialize};

use super::records::{self, Body, Event, HEAD, Meta, Transitions};

const KINDS: [Kind; 8] = [
    Kind::Events,
    Kind::Transitions,
    Kind::Chunk,
    Kind::Snapshot,
    Kind::Meta,
    Kind::Journal,
    Kind::Base,
    Kind::BasePart,
];

/// The first byte chooses: a frame as it is, a body under a right head, or a record to write.
pub fn run(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else {
        return;
    };
    match how % 3 {
        0 => open_as_it_is(rest),
        1 => decode_a_body(rest),
        _ => {
            // Input that ends too early is no input.
            let _ = write_a_record(&mut Unstructured::new(rest));
        }
    }
}

fn open_as_it_is(bytes: &[u8]) {
    for kind in KINDS {
        match codec::open(bytes, kind) {
            Ok(frame) => {
                assert!((1..=kind.latest()).contains(&bytes[0]));
                assert_eq!(bytes[1], kind as u8);
                assert_eq!(records::checksum(bytes).to_le_bytes(), bytes[2..6]);
                let handed_on = match records::is_thinned(bytes) {
                    true => &bytes[HEAD..HEAD + 4],
                    false => &bytes[2..6],
                };
                assert_eq!(frame.crc.to_le_bytes(), handed_on);
                assert_eq!(
                    codec::claims(bytes),
                    Some((frame.head.first, frame.head.count))
                );
            }
            Err(FrameError::Short) => assert!(bytes.len() < HEAD + 4),
            Err(FrameError::Version(version)) => assert!(version > kind.latest()),
            Err(_) => {}
        }
    }
}

/// Salt, entries synced, oldest generation, changes.
type JournalEntry = (u64, u32, u64, Vec<(Vec<u8>, Option<Vec<u8>>)>);

fn decode_a_body(rest: &[u8]) {
    let Some((kind, body)) = rest.split_first() else {
        return;
    };
    let kind = KINDS[usize::from(*kind) % KINDS.len()];
    let bytes = records::frame(kind, 1, 2, 3, body);
    let frame = codec::open(&bytes, kind).unwrap();
    match kind {
        Kind::Events => encodes_again::<Vec<Event>>(&frame, body),
        Kind::Transitions => encodes_again::<Transitions>(&frame, body),
        Kind::Chunk => encodes_again::<Vec<u8>>(&frame, body),
        Kind::Snapshot | Kind::Meta | Kind::Base => encodes_again::<Meta>(&frame, body),
        Kind::Journal | Kind::Backup => encodes_again::<JournalEntry>(&frame, body),
        Kind::BasePart => encodes_again::<(u32, Vec<u8>)>(&frame, body),
    }
}

fn encodes_again<T>(frame: &Frame<'_>, body: &[u8])
where
    T: for<'de> Deserialize<'de> + Serialize + PartialEq + Debug,
{
    let Ok(value) = frame.decode::<T>() else {
        return;
    };
    let (again, _) = codec::encode(frame.head, &value).unwrap();
    // A number may have been written longer than it had to be.
    assert!(again.len() <= HEAD + body.len());
    if again.len() == HEAD + body.len() {
        assert_eq!(&again[HEAD..], body);
    }
    let frame = codec::open(&again, frame.head.kind).unwrap();
    assert_eq!(frame.decode::<T>(), Ok(value));
}

fn write_a_record(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let head = |kind| Head {
        kind,
        previous: 0,
        first: 1,
        count: 1,
    };
    let bytes = match input.int_in_range(0..=4)? {
        0 => {
            let mut events: Vec<Event> = Vec::arbitrary(input)?;
            for event in &mut events {
                if let Body::Chunked { .. } = event.body {
                    event.body = Body::Inline(Vec::new());
                }
            }
            let head = Head {
                count: events.len() as u32,
                ..head(Kind::Events)
            };
            let bytes = reads_back(head, &events);
            the_log_reads(&bytes, &events);
            bytes
        }
        1 => reads_back(head(Kind::Transitions), &Transitions::arbitrary(input)?),
        3 => {
            let events: Vec<(u32, Event)> = Vec::arbitrary(input)?;
            let bytes = codec::encode_thinned(head(Kind::Events), 7, &events).unwrap();
            let frame = codec::open(&bytes, Kind::Events).unwrap();
            assert_eq!((frame.crc, frame.decode().as_ref()), (7, Ok(&events)));
            bytes
        }
        2 => reads_back(head(Kind::Chunk), &Vec::<u8>::arbitrary(input)?),
        _ => reads_back(head(Kind::Meta), &Meta::arbitrary(input)?),
    };
    let kind = KINDS[usize::from(bytes[1]) - 1];
    let mut damaged = bytes.clone();
    if input.ratio(1, 4)? {
        damaged.truncate(input.choose_index(bytes.len())?);
    } else {
        // CRC32C tells every change of up to three bits in any frame that we write. The version is
        // not under it, but where versions of a kind are read in different ways.
        for _ in 0..input.int_in_range(1..=3)? {
            let bit = 8 + input.choose_index((damaged.len() - 1) * 8)?;
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
    }
    if damaged != bytes {
        assert!(codec::open(&damaged, kind).is_err());
    }
    Ok(())
}

fn reads_back<T>(head: Head, value: &T) -> Vec<u8>
where
    T: for<'de> Deserialize<'de> + Serialize + PartialEq + Debug,
{
    let (bytes, crc) = codec::encode(head, value).unwrap();
    let frame = codec::open(&bytes, head.kind).unwrap();
    assert_eq!((frame.head, frame.crc), (head, crc));
    assert_eq!(frame.decode::<T>().as_ref(), Ok(value));
    bytes
}

/// The log reads off a frame what the document says is in it.
fn the_log_reads(bytes: &[u8], events: &[Event]) {
    let head = Head {
        kind: Kind::Meta,
        previous: 0,
        first: 0,
        count: 1,
    };
    let meta = Meta {
        tag: 7,
        dedupe_secret: [1, 2],
        created_at: 0,
    };
    let (meta, _) = codec::encode(head, &meta).unwrap();
    let key = [&b"e"[..], &1_u64.to_be_bytes()].concat();
    let records = BTreeMap::from([(b"m".to_vec(), meta), (key, bytes.to_vec())]);
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    let log = Log::over(Memory::holding(records), clock, Options::default(), [0; 3]);
    if events.is_empty() {
        return;
    }
    let log = log.unwrap();
    let read = log.read(1, events.len() + 1).unwrap();
    assert_eq!(read.len(), events.len());
    for (read, event) in read.iter().zip(events) {
        let content = &read.content;
        let form = if event.relayed {
            Form::Relayed
        } else {
            Form::Data
        };
        let Body::Inline(body) = &event.body else {
            panic!("only what is in the frame is written here");
        };
        assert_eq!(read.received_at.as_millis(), event.received_at);
        assert_eq!(
            content.time.map(Timestamp::as_millis),
            event.time,
            "{event:?}"
        );
        assert_eq!(
            (&*content.source, &*content.kind, &*content.content_type),
            (&*event.source, &*event.kind, &*event.content_type)
        );
        assert_eq!(
            (&content.subject, &content.idempotency_key),
            (&event.subject, &event.idempotency_key)
        );
        assert_eq!(content.status.as_deref(), event.status.as_deref());
        assert_eq!((content.form, &content.body[..]), (form, &body[..]));
    }
}
