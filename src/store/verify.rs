//! Reading every record of a store and saying what is wrong with it.

pub mod report;

use std::path::Path;

use super::StoreError;
use super::backend::Backend;
use super::disk::Disk;
use super::files::high_water::{HighWater, Mark};
use super::files::lock::Lock;
use super::maintain::base;
use super::opening::look::look_before;
use super::projection::blockset::BlockSet;
use super::projection::seqset::SeqSet;
use super::record::codec::{self, Blob, Kind};
use super::record::event_frame::EventFrame;
use super::record::{Body, Transition, key};
use super::salvage::{self, Salvage};
use super::sealing::kept;
use crate::id::Seq;
use report::{Loss, Report};

const FRAMES_PER_READ: usize = 64;

/// Reads every record of the store in `dir`.
///
/// # Errors
/// Those of opening the directory. What is wrong with the records is in the report.
pub fn verify(dir: &Path, cache_bytes: u64) -> Result<Report, StoreError> {
    // Taking the lock would make the directory.
    salvage::expect_store(dir)?;
    let lock = Lock::take(dir)?;
    salvage::finish(dir)?;
    let mark = HighWater::read(&dir.join("high-water")).unwrap_or_default();
    let read = look_before(dir).and_then(|()| {
        let disk = Disk::open_only(dir, cache_bytes, lock.clone())?;
        read(&disk, mark)
    });
    match read {
        Ok(report) if report.findings.is_empty() => Ok(report),
        // The database may have lost what its file still holds.
        Ok(report) => salvaged(dir, &report.findings[0].what),
        Err(error) if salvage::may_help(dir, &error) => salvaged(dir, &error.to_string()),
        Err(error) => Err(error),
    }
}

/// Reads every record through the database.
fn read<B: Backend>(backend: &B, mark: Mark) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let (_, base) = base::load(backend)?;
    let before: Vec<_> = base
        .iter()
        .flat_map(|base| base.snapshot.state.lost())
        .copied()
        .collect();
    let expired = base.map(|base| base.expired).unwrap_or_default();
    let (next_frame, mut given_up) = transitions(backend, &mut report, expired.frames_from)?;
    for (from, to) in before {
        given_up.insert_range(from, to);
    }
    let losses = given_up.iter_runs().map(|(from, to)| Loss { from, to });
    report.accepted_losses = losses.collect();
    let mut lost = expired.seqs().clone();
    lost.insert_runs(given_up.iter_runs());
    let next_seq = events(backend, &mut report, &lost)?;
    let what = "the high-water mark says that they were written";
    report.find_unless_lost(&lost, next_seq, mark.next_seq.saturating_sub(1), what);
    let last_lost = lost.last_to(Seq::MAX).unwrap_or(0);
    report.last_seq = last_lost.max(next_seq - 1);
    if mark.next_frame > next_frame {
        let what = format!(
            "frames of transitions {next_frame} to {} are missing",
            mark.next_frame - 1
        );
        report.find(0, 0, what);
    }
    Ok(report)
}

/// Reads every record that is still in the database's file; `reason` is why not through it.
fn salvaged(dir: &Path, reason: &str) -> Result<Report, StoreError> {
    let salvage = Salvage::of(dir)?;
    let mut report = salvage.report()?;
    for (from, to) in salvage.missing.iter_runs() {
        report.find(from, to, "missing or damaged");
    }
    for (from, to) in salvage.missing_frames.iter_runs() {
        let what = format!("transitions {from} to {to} are missing or damaged");
        report.find(0, 0, what);
    }
    if report.findings.is_empty() {
        let what = format!(
            "{reason}; every record is still there, and a start puts the database together anew"
        );
        report.find(0, 0, what);
    }
    Ok(report)
}

fn for_each_frame<B: Backend>(
    backend: &B,
    prefix: &[u8],
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut from = prefix.to_vec();
    loop {
        let entries = backend.scan(prefix, &from, FRAMES_PER_READ)?;
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        from = [last.as_slice(), &[0]].concat();
        for (key, value) in &entries {
            each(key, value)?;
        }
    }
}

/// Those from `first` on; what has expired may be there still, or not.
fn transitions<B: Backend>(
    backend: &B,
    report: &mut Report,
    first: u64,
) -> Result<(u64, SeqSet), StoreError> {
    let (mut next, mut previous, mut lost) = (first, 0, SeqSet::default());
    for_each_frame(backend, b"t", |entry, bytes| {
        let number = key::number(entry, 1).unwrap_or(next);
        if number < first {
            return Ok(());
        }
        if number > next {
            report.find(
                0,
                0,
                format!("frames of transitions {next} to {} are missing", number - 1),
            );
        }
        let chained = number == next && (number > first || first == 1);
        next = number + 1;
        report.transition_frames += 1;
        let frame = match codec::open(bytes, Kind::Transitions) {
            Ok(frame) => frame,
            Err(error) => {
                report.find(0, 0, format!("frame of transitions {number}: {error}"));
                return Ok(());
            }
        };
        if frame.head.first != number || (chained && frame.head.previous != previous) {
            report.find(
                0,
                0,
                format!("frame of transitions {number} does not follow the one before it"),
            );
        }
        previous = frame.crc;
        match kept::read(&frame) {
            Ok(body) => {
                for transition in body.transitions {
                    match transition {
                        Transition::Attempt(_) => report.attempts += 1,
                        Transition::Lost(from, to) => {
                            lost.insert_range(from, to);
                        }
                        Transition::Endpoint(..) | Transition::Replay(_) => {}
                    }
                }
            }
            Err(error) => report.find(0, 0, format!("frame of transitions {number}: {error}")),
        }
        Ok(())
    })?;
    Ok((next, lost))
}

fn events<B: Backend>(
    backend: &B,
    report: &mut Report,
    lost: &BlockSet,
) -> Result<Seq, StoreError> {
    let (mut next, mut previous): (Seq, Option<u32>) = (1, Some(0));
    for_each_frame(backend, b"e", |entry, bytes| {
        let first = key::number(entry, 1).unwrap_or(next);
        // A frame that cannot be read shows as missing at the next one that can.
        let frame = match codec::open(bytes, Kind::Events) {
            Ok(frame) => frame,
            Err(error) => {
                let what = format!("the frame that begins here: {error}");
                report.find_unless_lost(lost, first, first, &what);
                previous = None;
                return Ok(());
            }
        };
        if first > next {
            report.find_unless_lost(lost, next, first - 1, "missing");
        }
        let follows = first > next || previous.is_none_or(|crc| crc == frame.head.previous);
        if frame.head.first != first || first < next || !follows {
            report.find(
                first,
                first,
                "the frame that begins here does not follow the one before it",
            );
        }
        next = first.saturating_add(u64::from(frame.head.count));
        previous = Some(frame.crc);
        report.event_frames += 1;
        let frame = match EventFrame::read(frame) {
            Ok(frame) => frame,
            Err(error) => {
                report.find(first, next.saturating_sub(1), error);
                return Ok(());
            }
        };
        let mut wanted = first;
        for (seq, record) in frame.iter() {
            report.find_unless_lost(lost, wanted, seq - 1, "missing");
            wanted = seq + 1;
            match record.body {
                Body::Inline(Blob(body)) => report.body_bytes += body.len() as u64,
                Body::Chunked { parts, bytes } => {
                    if !chunks_are_whole(backend, seq, parts, bytes)? {
                        let what = "a part of its body is missing or damaged";
                        report.find_unless_lost(lost, seq, seq, what);
                        continue;
                    }
                    report.body_bytes += u64::from(bytes);
                }
            }
            report.events += 1;
        }
        report.find_unless_lost(lost, wanted, next - 1, "missing");
        Ok(())
    })?;
    Ok(next)
}

fn chunks_are_whole<B: Backend>(
    backend: &B,
    seq: Seq,
    parts: u32,
    len: u32,
) -> Result<bool, StoreError> {
    let mut read = 0;
    for part in 0..parts {
        let Some(bytes) = backend.get(&key::chunk(seq, part))? else {
            return Ok(false);
        };
        let Ok(frame) = codec::open(&bytes, Kind::Chunk) else {
            return Ok(false);
        };
        if frame.head.first != seq || frame.head.count != part {
            return Ok(false);
        }
        match frame.decode::<Blob<'_>>() {
            Ok(blob) => read += blob.0.len(),
            Err(_) => return Ok(false),
        }
    }
    Ok(read == len as usize)
}
