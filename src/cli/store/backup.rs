//! `redeliver store backup`: a copy of a store, of a running server or of a stopped one.

use std::path::{Path, PathBuf};

use bytes::{Buf, Bytes, BytesMut};
use tokio::sync::mpsc;

use super::super::client::Call;
use super::super::output;
use super::super::progress::Progress;
use super::super::remote::Remote;
use super::{Failure, cache_bytes, failure, open_to_look};
use crate::store::backup::{BackupError, LENGTH_BYTES, Summary, Target, length};

/// Pieces between the network and the disk.
const PIECES_MAX: usize = 8;

/// What `store backup` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory to be made; it must not be there yet
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,

    /// Copy the store in this directory, whose server is stopped, instead of asking a server
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Which server is asked.
    #[command(flatten)]
    pub remote: Remote,
}

/// Makes the copy, reads every record of it back, and gives it its name.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let target = begin(&args.dir)?;
    let partial = target.partial().to_owned();
    let summary = match &args.data {
        Some(data) => copy(data, target),
        None => super::super::ask_for(download(&args.remote, target)),
    };
    let summary = summary.inspect_err(|_| {
        if partial.exists() {
            output::note(&format!("what came so far is in {}", partial.display()));
        }
    })?;
    show(&summary, args.remote.json)
}

/// A directory in the making.
pub(super) fn begin(dir: &Path) -> Result<Target, Failure> {
    let salt = rand::random();
    Target::begin(dir, cache_bytes(), salt).map_err(refusal)
}

/// Of a store that no server has open.
fn copy(data: &Path, target: Target) -> Result<Summary, Failure> {
    let log = match open_to_look(data) {
        Ok(log) => log,
        Err(error) => {
            target.give_up();
            return Err(failure(error));
        }
    };
    let mut progress = Progress::begin("copying");
    let copied = target.copy(&log, |bytes, of| progress.add(bytes, of));
    progress.end();
    copied.map_err(refusal)
}

/// Of a store that a server has open.
async fn download(remote: &Remote, target: Target) -> Result<Summary, Failure> {
    let have = target.have();
    let call = Call::get(["v1", "backup"])
        .query("store", have.tag)
        .query("events_from", Some(have.events_from))
        .query("transitions_from", Some(have.transitions_from));
    let begun = match remote.client() {
        Ok(mut client) => client.download(call).await,
        Err(failure) => Err(failure),
    };
    let mut download = match begun {
        Ok(download) => download,
        Err(failure) => {
            target.give_up();
            return Err(failure);
        }
    };
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let writing = tokio::task::spawn_blocking(move || write(target, receiver));
    let mut pieces = Pieces::default();
    let received = async {
        while let Some(bytes) = download.next().await? {
            pieces.buffer.extend_from_slice(&bytes);
            while let Some(piece) = pieces.next().map_err(refusal)? {
                if sender.send(piece).await.is_err() {
                    // Why, the writer says.
                    return Ok(());
                }
            }
        }
        Ok(())
    };
    let received: Result<(), Failure> = received.await;
    drop(sender);
    let written = writing.await.unwrap_or_else(|_| {
        let gave_up = "the thread that writes it gave up";
        Err(Failure::Environment(gave_up.to_owned()))
    });
    // That the stream broke off is why the writer has not come to its end.
    received.and(written)
}

fn write(mut target: Target, mut pieces: mpsc::Receiver<Bytes>) -> Result<Summary, Failure> {
    let mut progress = Progress::begin("copying");
    while let Some(piece) = pieces.blocking_recv() {
        target.take(&piece).map_err(refusal)?;
        progress.add(piece.len() as u64, target.store_bytes());
    }
    progress.end();
    target.finish().map_err(refusal)
}

/// Puts pieces together from what comes over the network.
#[derive(Default)]
struct Pieces {
    buffer: BytesMut,
}

impl Pieces {
    fn next(&mut self) -> Result<Option<Bytes>, BackupError> {
        let Some(head) = self.buffer.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let len = length(*head)?;
        if self.buffer.len() < LENGTH_BYTES + len {
            return Ok(None);
        }
        self.buffer.advance(LENGTH_BYTES);
        Ok(Some(self.buffer.split_to(len).freeze()))
    }
}

pub(super) fn show(summary: &Summary, json: bool) -> Result<(), Failure> {
    if json {
        let document = serde_json::to_string(summary)
            .map_err(|error| Failure::Environment(error.to_string()))?;
        return output::json(&document);
    }
    let report = &summary.report;
    output::pairs_of(&[
        ("backup", summary.dir.display().to_string()),
        ("newest position", report.last_seq.to_string()),
        ("events", report.events.to_string()),
        ("bytes of bodies", report.body_bytes.to_string()),
        ("attempts", report.attempts.to_string()),
    ])?;
    output::line("every record of it was read back; start on it with `redeliver serve --data`")
}

pub(super) fn refusal(error: BackupError) -> Failure {
    let text = error.to_string();
    match error {
        BackupError::NotEmpty(_)
        | BackupError::NoName(_)
        | BackupError::OtherStore
        | BackupError::Behind { .. } => Failure::Usage(text),
        BackupError::Unverified { .. }
        | BackupError::Unreadable { .. }
        | BackupError::Refused(_) => Failure::Check(text),
        BackupError::Broken { .. } | BackupError::NoRoom { .. } | BackupError::Unwritten { .. } => {
            Failure::Environment(text)
        }
        BackupError::Store(error) => failure(error),
    }
}
