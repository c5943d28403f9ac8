//! `redeliver store export`: the log as lines of JSON.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::super::client::Call;
use super::super::moment::Moment;
use super::super::progress::Progress;
use super::super::remote::Remote;
use super::super::{Failure, output};
use super::{failure, open_to_look};
use crate::api::carry::lines;
use crate::api::carry::{Wanted, piece};
use crate::clock::{Clock, RealClock};
use crate::store::{Store, Walk};

/// What `store export` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to be made, or - for standard output
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Read the store in this directory, whose server is stopped, instead of asking a server
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Only what was received from then on
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,

    /// Only what was received before then
    #[arg(long, value_name = "TIME")]
    pub until: Option<Moment>,

    /// Only events of these types, such as order.paid or order.*, with commas between them
    #[arg(long = "type", value_name = "TYPES")]
    pub kind: Option<String>,

    /// Only events of this source
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// Which server is asked.
    #[command(flatten)]
    pub remote: Remote,
}

/// Where the lines go: a file that has its name only once it is whole, or standard output.
enum Sink {
    Pipe(io::Stdout),
    File(BufWriter<File>, Partial, PathBuf),
}

/// A file that is not whole yet: it goes, unless it gets its name. Another export would begin at
/// the beginning.
struct Partial(Option<PathBuf>);

impl Partial {
    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    fn name(mut self, file: &Path) -> io::Result<()> {
        fs::rename(self.path(), file)?;
        self.0 = None;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // What cannot be removed is no worse than what was left of a kill.
            let _ = fs::remove_file(path);
        }
    }
}

impl Sink {
    fn open(file: &Path) -> Result<Self, Failure> {
        if file == Path::new("-") {
            return Ok(Self::Pipe(io::stdout()));
        }
        if file.exists() {
            return Err(Failure::Usage(format!(
                "{} is there already; name another file",
                file.display()
            )));
        }
        let mut partial = file.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let made = File::create(&partial).map_err(|error| unwritable(&partial, &error))?;
        let partial = Partial(Some(partial));
        Ok(Self::File(BufWriter::new(made), partial, file.to_owned()))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Pipe(out) => match out.write_all(bytes) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Closed),
                written => written.map_err(|error| unwritable(Path::new("-"), &error)),
            },
            Self::File(out, partial, _) => {
                let written = out.write_all(bytes);
                written.map_err(|error| unwritable(partial.path(), &error))
            }
        }
    }

    fn finish(self) -> Result<(), Failure> {
        let Self::File(out, partial, file) = self else {
            return Ok(());
        };
        let shown = partial.path().to_owned();
        let named = || {
            let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            out.sync_all()?;
            partial.name(&file)
        };
        named().map_err(|error| unwritable(&shown, &error))
    }
}

fn unwritable(file: &Path, error: &io::Error) -> Failure {
    Failure::Environment(format!("cannot write {}: {error}", file.display()))
}

/// Writes a line an event, oldest first.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let mut sink = Sink::open(&args.file)?;
    match &args.data {
        Some(data) => read(args, data, &mut sink)?,
        None => super::super::ask_for(download(args, &mut sink))?,
    }
    sink.finish()
}

fn read(args: &Args, data: &Path, sink: &mut Sink) -> Result<(), Failure> {
    // No server is asked, so there is no clock but this machine's.
    let now = RealClock.now();
    let wanted = Wanted {
        since: args.since.map(|moment| moment.seen_from(now)),
        until: args.until.map(|moment| moment.seen_from(now)),
        kinds: args.kind.as_deref().map(Wanted::kinds),
        source: args.source.clone(),
    };
    let log = open_to_look(data).map_err(failure)?;
    let last = log.depth().last_seq;
    let mut progress = Progress::begin("exporting");
    let mut walk = Walk::from(1);
    sink.write(format!("{}\n", lines::HEADER).as_bytes())?;
    loop {
        let step = walk.step(&log, last).map_err(failure)?;
        match piece(&step, &wanted, last).map_err(Failure::Check)? {
            Some(text) => {
                sink.write(text.as_bytes())?;
                progress.add(text.len() as u64, 0);
            }
            None => break,
        }
    }
    progress.end();
    Ok(())
}

async fn download(args: &Args, sink: &mut Sink) -> Result<(), Failure> {
    let mut client = args.remote.client()?;
    let call = Call::get(["v1", "export"])
        .query(
            "since",
            Moment::resolve_some(args.since, &mut client).await?,
        )
        .query(
            "until",
            Moment::resolve_some(args.until, &mut client).await?,
        )
        .query("type", args.kind.as_deref())
        .query("source", args.source.as_deref());
    let mut download = client.download(call).await?;
    let mut progress = Progress::begin("exporting");
    while let Some(bytes) = download.next().await? {
        sink.write(&bytes)?;
        progress.add(bytes.len() as u64, 0);
    }
    progress.end();
    if args.remote.json {
        output::note("the lines are JSON in any case");
    }
    Ok(())
}
