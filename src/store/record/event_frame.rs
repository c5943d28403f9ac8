//! The events of a frame: as it was written, or thinned to those that have not expired. Pure.
//!
//! A thinned frame lies at the key of the one in whose place it came, stands for the same numbers,
//! and hands on that one's CRC, by which the next frame knows it: the chain stays as it was.

use super::EventRecord;
use super::codec::{self, FIRST_VERSION, Frame, FrameError};
use crate::id::Seq;

/// The events of a frame, each with its place in it.
pub type Placed<'a> = Vec<(u32, EventRecord<'a>)>;

/// A frame of events.
#[derive(Debug)]
pub struct EventFrame<'a> {
    frame: Frame<'a>,
    records: Placed<'a>,
}

impl<'a> EventFrame<'a> {
    /// What is in `frame`.
    ///
    /// # Errors
    /// [`FrameError::Body`] if it does not hold what its head says.
    pub fn read(frame: Frame<'a>) -> Result<Self, FrameError> {
        let records = match frame.version {
            FIRST_VERSION => placed(frame.decode()?),
            _ => frame.decode()?,
        };
        match left_out(&records, frame.head.count) {
            Some(left_out) if frame.version != FIRST_VERSION || left_out.is_empty() => {
                Ok(Self { frame, records })
            }
            _ => Err(FrameError::Body),
        }
    }

    /// The position behind the last one that it stands for.
    pub fn behind(&self) -> Seq {
        let head = &self.frame.head;
        head.first.saturating_add(u64::from(head.count))
    }

    /// How many events it holds.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// The events that it holds.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, &EventRecord<'a>)> {
        let first = self.frame.head.first;
        let records = self.records.iter();
        records.map(move |(place, record)| (first + u64::from(*place), record))
    }

    /// The events that it holds.
    pub fn into_records(self) -> impl Iterator<Item = (Seq, EventRecord<'a>)> {
        let first = self.frame.head.first;
        let records = self.records.into_iter();
        records.map(move |(place, record)| (first + u64::from(place), record))
    }

    /// The bytes of the frame that comes in its place and holds only what is `kept`.
    pub fn thinned(&self, kept: impl Fn(Seq) -> bool) -> Result<Vec<u8>, FrameError> {
        let first = self.frame.head.first;
        let records = self.records.iter();
        let left: Vec<&(u32, EventRecord<'a>)> = records
            .filter(|(place, _)| kept(first + u64::from(*place)))
            .collect();
        codec::encode_thinned(self.frame.head, self.frame.crc, &left)
    }
}

/// The events of the frame that begins where `bytes` do, and the frame's length.
pub fn begins_with(bytes: &[u8]) -> Option<(Placed<'_>, usize)> {
    match *bytes.first()? {
        FIRST_VERSION => {
            let (records, len) = codec::begins_with(bytes)?;
            Some((placed(records), len))
        }
        _ => codec::begins_with(bytes),
    }
}

fn placed(records: Vec<EventRecord<'_>>) -> Placed<'_> {
    (0..).zip(records).collect()
}

/// The places below `count` that none of `records` is at, if each of them is at one of its own.
pub fn left_out(records: &[(u32, EventRecord<'_>)], count: u32) -> Option<Box<[u32]>> {
    let (mut left_out, mut next) = (Vec::new(), 0);
    // Before room is made: a head says whatever it likes.
    let last = records.last().map_or(0, |(place, _)| *place);
    if last >= count.max(1) || count.saturating_sub(records.len() as u32) > LEFT_OUT_MAX {
        return None;
    }
    for (place, _) in records {
        if *place < next {
            return None;
        }
        left_out.extend(next..*place);
        next = place + 1;
    }
    left_out.extend(next..count);
    Some(left_out.into())
}

/// More than a frame ever held: an event takes some fifty bytes of its eight thousand.
const LEFT_OUT_MAX: u32 = 1 << 10;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::codec::{Head, Kind};
    use super::*;
    use crate::clock::Timestamp;
    use crate::event::{Event, Form, NewEvent};
    use crate::id::EventId;

    fn events() -> Vec<Arc<Event>> {
        let event = |seq: Seq| NewEvent {
            source: "api".into(),
            kind: "t".into(),
            subject: None,
            time: None,
            content_type: "text/plain".into(),
            form: Form::Relayed,
            body: vec![seq as u8; 100].into(),
            status: None,
            idempotency_key: None,
        };
        let at = Timestamp::from_millis(5);
        let place = |seq| Event {
            id: EventId::new(at, seq, 7),
            seq,
            received_at: at,
            content: event(seq),
        };
        (11..=14).map(|seq| Arc::new(place(seq))).collect()
    }

    fn whole(events: &[Arc<Event>]) -> (Vec<u8>, u32) {
        let head = Head {
            kind: Kind::Events,
            previous: 99,
            first: 11,
            count: 4,
        };
        let records: Vec<EventRecord<'_>> = events.iter().map(|e| EventRecord::of(e)).collect();
        codec::encode(head, &records).unwrap()
    }

    fn seqs(bytes: &[u8]) -> Vec<Seq> {
        let frame = EventFrame::read(codec::open(bytes, Kind::Events).unwrap()).unwrap();
        frame.into_records().map(|(seq, _)| seq).collect()
    }

    #[test]
    fn a_thinned_frame_stands_for_the_same_numbers_and_hands_on_the_crc_that_it_had() {
        let events = events();
        let (bytes, crc) = whole(&events);
        let frame = EventFrame::read(codec::open(&bytes, Kind::Events).unwrap()).unwrap();
        let thinned = frame.thinned(|seq| seq % 2 == 0).unwrap();
        assert!(thinned.len() < bytes.len() - 200);
        let opened = codec::open(&thinned, Kind::Events).unwrap();
        assert_eq!((opened.crc, opened.head), (crc, frame.frame.head));
        assert_eq!(seqs(&thinned), [12, 14]);
        let again = EventFrame::read(opened).unwrap();
        assert_eq!(again.behind(), 15);
        let nothing = again.thinned(|_| false).unwrap();
        assert_eq!(codec::open(&nothing, Kind::Events).unwrap().crc, crc);
        assert!(seqs(&nothing).is_empty());
        for bytes in [&bytes, &thinned, &nothing] {
            let (_, len) = begins_with(bytes).unwrap();
            assert_eq!(len, bytes.len());
        }
    }

    #[test]
    fn every_bit_of_a_thinned_frame_is_under_its_checksum() {
        let events = events();
        let (bytes, _) = whole(&events);
        let frame = EventFrame::read(codec::open(&bytes, Kind::Events).unwrap()).unwrap();
        let thinned = frame.thinned(|seq| seq == 13).unwrap();
        for at in 0..8 * thinned.len() {
            let mut damaged = thinned.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            assert!(codec::open(&damaged, Kind::Events).is_err(), "bit {at}");
        }
        for (bytes, other) in [(&bytes, thinned[0]), (&thinned, bytes[0])] {
            let mut taken_for_the_other = bytes.clone();
            taken_for_the_other[0] = other;
            assert!(codec::open(&taken_for_the_other, Kind::Events).is_err());
        }
        for len in 0..thinned.len() {
            assert!(codec::open(&thinned[..len], Kind::Events).is_err());
        }
    }

    #[test]
    fn a_frame_that_does_not_hold_what_its_head_says_is_none() {
        let events = events();
        let records: Vec<EventRecord<'_>> = events.iter().map(|e| EventRecord::of(e)).collect();
        let head = |count| Head {
            kind: Kind::Events,
            previous: 0,
            first: 1,
            count,
        };
        let read = |bytes: &[u8]| {
            EventFrame::read(codec::open(bytes, Kind::Events).unwrap()).map(|frame| frame.len())
        };
        let (more, _) = codec::encode(head(5), &records).unwrap();
        assert_eq!(read(&more), Err(FrameError::Body));
        let at = |place: u32| (place, &records[0]);
        for places in [&[2, 1][..], &[1, 1], &[4]] {
            let placed: Vec<_> = places.iter().map(|place| at(*place)).collect();
            let bytes = codec::encode_thinned(head(4), 1, &placed).unwrap();
            assert_eq!(read(&bytes), Err(FrameError::Body), "{places:?}");
        }
        let huge = codec::encode_thinned(head(u32::MAX), 1, &[at(0)]).unwrap();
        assert_eq!(read(&huge), Err(FrameError::Body));
    }
}
