//! Reading a log piece by piece, up to a moment.

use super::super::backend::{Backend, Entry};
use super::super::log::Log;
use super::super::record::key;
use super::super::{Store, StoreError};
use super::BackupError;
use super::piece::{Have, Piece, Place, Point};
use crate::id::Seq;
use crate::store::log::pins::Pin;
use crate::store::record::codec::{self, Blob, Frame, Kind};

/// Records of one piece: up to a quarter of a mebibyte.
const RECORDS_PER_PIECE: usize = 32;

/// How far a copy is. While it lives, nothing of the log is deleted.
#[derive(Debug)]
pub struct Cursor {
    point: Point,
    from: Have,
    stage: Stage,
    place: Place,
    records: u64,
    /// Dead letters that are known by their keys alone, as they stood at that moment.
    dead: std::vec::IntoIter<(u32, Seq)>,
    _pin: Pin,
}

#[derive(Debug)]
enum Stage {
    Begin,
    Meta,
    /// Parts of bases, from this key on. They come before what a base says has expired is missed.
    Base(Vec<u8>),
    /// The dead letters that the base names.
    Named,
    /// Other dead letters from this key on of which no attempt is kept.
    Dead(Vec<u8>),
    /// Frames of events, from this one on.
    Events(Seq),
    /// Parts of bodies from this key on, of events below that one; then these frames, so that where
    /// a frame is, its bodies are.
    Parts(Vec<u8>, Seq, Vec<Entry>),
    /// Frames of events, all of them below this event.
    Frames(Vec<Entry>, Seq),
    /// Frames of transitions, from this one on.
    Transitions(u64),
    End,
    Done,
}

impl<B: Backend> Log<B> {
    /// See [`Store::begin_backup`].
    pub(in super::super) fn cursor(&self, have: &Have) -> Result<Cursor, BackupError> {
        // First: from here on nothing goes.
        let pin = self.pins().hold(1);
        let _no_replays = self.replay_turn();
        // What receivers have answered so far is in the copy.
        self.save()?;
        let dead = self.named_dead_letters()?;
        let point = {
            let writer = self.writer();
            Point {
                tag: self.meta.tag,
                next_seq: writer.next_seq,
                next_frame: writer.next_frame,
            }
        };
        have.check(&point)?;
        Ok(Cursor {
            point,
            from: *have,
            stage: Stage::Begin,
            place: Place::default(),
            records: 0,
            dead: dead.into_iter(),
            _pin: pin,
        })
    }

    /// See [`Store::read_backup`].
    pub(in super::super) fn read_on(
        &self,
        cursor: &mut Cursor,
    ) -> Result<Option<Vec<u8>>, BackupError> {
        loop {
            let records = match std::mem::replace(&mut cursor.stage, Stage::Done) {
                Stage::Begin => {
                    cursor.stage = Stage::Meta;
                    let begin = Piece::Begin {
                        point: cursor.point,
                        store_bytes: self.backend.used_bytes(),
                    };
                    return cursor.place.encode(&begin).map(Some);
                }
                Stage::Meta => {
                    cursor.stage = Stage::Base(key::base(0, 0));
                    let meta = self.backend.get(key::META)?;
                    let missing = || StoreError::Corrupt("its own description is missing".into());
                    vec![(key::META.to_vec(), meta.ok_or_else(missing)?)]
                }
                Stage::Base(from) => {
                    let records = self.backend.scan(b"p", &from, RECORDS_PER_PIECE)?;
                    cursor.stage = match records.last() {
                        Some((last, _)) => Stage::Base([last.as_slice(), &[0]].concat()),
                        None => Stage::Named,
                    };
                    records
                }
                Stage::Named => {
                    let dead = cursor.dead.by_ref().take(RECORDS_PER_PIECE);
                    let record = |(endpoint, seq)| (key::dead(endpoint, seq), Vec::new());
                    let records: Vec<Entry> = dead.map(record).collect();
                    cursor.stage = match records.is_empty() {
                        false => Stage::Named,
                        true => Stage::Dead(key::dead(0, 0)),
                    };
                    records
                }
                Stage::Dead(from) => self.dead_for(cursor, from)?,
                Stage::Events(from) => {
                    self.look_for_events(cursor, from)?;
                    Vec::new()
                }
                Stage::Parts(from, until, frames) => self.parts_for(cursor, from, until, frames)?,
                Stage::Frames(frames, until) => {
                    cursor.stage = Stage::Events(until);
                    frames
                }
                Stage::Transitions(from) => self.transitions_for(cursor, from)?,
                Stage::End => {
                    let records = cursor.records;
                    return cursor.place.encode(&Piece::End { records }).map(Some);
                }
                Stage::Done => return Ok(None),
            };
            if !records.is_empty() {
                cursor.records += records.len() as u64;
                let blobs = records.iter().map(|(key, value)| (Blob(key), Blob(value)));
                return cursor
                    .place
                    .encode(&Piece::Records(blobs.collect()))
                    .map(Some);
            }
        }
    }

    /// Other dead letters come to light again by their attempts.
    fn dead_for(&self, cursor: &mut Cursor, from: Vec<u8>) -> Result<Vec<Entry>, BackupError> {
        let entries = self.backend.scan(b"x", &from, RECORDS_PER_PIECE)?;
        cursor.stage = match entries.last() {
            Some((last, _)) => Stage::Dead([last.as_slice(), &[0]].concat()),
            None => Stage::Events(cursor.from.events_from),
        };
        Ok(self.without_attempts(entries)?)
    }

    fn look_for_events(&self, cursor: &mut Cursor, from: Seq) -> Result<(), BackupError> {
        let entries = self
            .backend
            .scan(b"e", &key::events(from), RECORDS_PER_PIECE)?;
        let (mut records, mut next) = (Vec::new(), from);
        for (entry, value) in entries {
            let first = key::number(&entry, 1).unwrap_or(Seq::MAX);
            if first >= cursor.point.next_seq {
                break;
            }
            next = first + 1;
            let Some(frame) = self.readable(first, &value, Kind::Events)? else {
                continue;
            };
            next = first + u64::from(frame.head.count);
            records.push((entry, value));
        }
        cursor.stage = match next > from {
            true => Stage::Parts(key::chunk(from, 0), next, records),
            false => {
                let kept_from = self.shared().state.expired.frames_from;
                Stage::Transitions(cursor.from.transitions_from.max(kept_from))
            }
        };
        Ok(())
    }

    fn parts_for(
        &self,
        cursor: &mut Cursor,
        from: Vec<u8>,
        until: Seq,
        frames: Vec<Entry>,
    ) -> Result<Vec<Entry>, BackupError> {
        let entries = self.backend.scan(b"b", &from, RECORDS_PER_PIECE)?;
        let is_full = entries.len() == RECORDS_PER_PIECE;
        let (mut records, mut last) = (Vec::new(), None);
        for (entry, value) in entries {
            let seq = key::number(&entry, 1).unwrap_or(Seq::MAX);
            if seq >= until {
                last = None;
                break;
            }
            last = Some([entry.as_slice(), &[0]].concat());
            if self.readable(seq, &value, Kind::Chunk)?.is_some() {
                records.push((entry, value));
            }
        }
        cursor.stage = match last.filter(|_| is_full) {
            Some(key) => Stage::Parts(key, until, frames),
            None => Stage::Frames(frames, until),
        };
        Ok(records)
    }

    fn transitions_for(&self, cursor: &mut Cursor, from: u64) -> Result<Vec<Entry>, BackupError> {
        let first = key::transitions(from);
        let entries = self.backend.scan(b"t", &first, RECORDS_PER_PIECE)?;
        let (mut records, mut next) = (Vec::new(), from);
        for (entry, value) in entries {
            let number = key::number(&entry, 1).unwrap_or(u64::MAX);
            if number >= cursor.point.next_frame {
                break;
            }
            codec::open(&value, Kind::Transitions).map_err(|error| {
                error.into_store_error(&format!("frame of transitions {number}"))
            })?;
            next = number + 1;
            records.push((entry, value));
        }
        cursor.stage = match next > from {
            true => Stage::Transitions(next),
            false => Stage::End,
        };
        Ok(records)
    }

    /// The frame, unless it is damaged and its event is gone: given up for lost, or expired.
    fn readable<'a>(
        &self,
        seq: Seq,
        value: &'a [u8],
        kind: Kind,
    ) -> Result<Option<Frame<'a>>, BackupError> {
        match codec::open(value, kind) {
            Ok(frame) => Ok(Some(frame)),
            Err(codec::FrameError::Version(found)) => Err(codec::FrameError::Version(found)
                .into_store_error("a record")
                .into()),
            Err(_) if self.gone_until(seq).is_some() => Ok(None),
            Err(error) => Err(BackupError::Unreadable {
                from: seq,
                what: error.to_string(),
            }),
        }
    }
}

impl Cursor {
    /// The last piece of a copy that comes to nothing, with the reason: whoever receives it need
    /// not guess.
    ///
    /// # Errors
    /// Where even that cannot be encoded.
    pub fn failed(&mut self, error: &BackupError) -> Result<Vec<u8>, BackupError> {
        self.place.encode(&Piece::Failed(error.to_string()))
    }
}

impl Have {
    /// Whether this is an earlier state of the store at `point`, as far as numbers tell.
    fn check(&self, point: &Point) -> Result<(), BackupError> {
        if self.tag.is_some_and(|tag| tag != point.tag) {
            return Err(BackupError::OtherStore);
        }
        let events = self.events_from > point.next_seq;
        let transitions = self.transitions_from > point.next_frame;
        if events || transitions {
            let what = match events {
                true => format!("event {}", self.events_from),
                false => format!("frame of transitions {}", self.transitions_from),
            };
            return Err(BackupError::Behind { what });
        }
        Ok(())
    }
}
