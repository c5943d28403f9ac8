//! Processes: started, asked what they used, ended.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::BenchError;
use super::disk::Disk;

/// All processes of one run, so that whoever is told to stop can end them.
#[derive(Clone, Debug, Default)]
pub struct Fleet(Arc<Mutex<Ships>>);

#[derive(Debug, Default)]
struct Ships {
    ids: Vec<u32>,
    /// No more are to be started.
    is_over: bool,
}

impl Fleet {
    /// Ends every process at once, and lets no other begin.
    pub fn kill(&self) {
        let mut ships = self.lock();
        ships.is_over = true;
        for id in ships.ids.drain(..) {
            signal(id, Signal::KILL);
        }
    }

    /// Starts a process, unless all is over.
    fn start(&self, command: &mut Command) -> Result<Child, BenchError> {
        let mut ships = self.lock();
        if ships.is_over {
            return Err(BenchError::Interrupted);
        }
        let child = command.spawn();
        let child = child.map_err(BenchError::system("starting a process"))?;
        ships.ids.push(child.id());
        Ok(child)
    }

    fn forget(&self, id: u32) {
        self.lock().ids.retain(|other| *other != id);
    }

    fn lock(&self) -> MutexGuard<'_, Ships> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signal(id: u32, signal: Signal) {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw);
    if let Some(id) = id {
        // One that has ended already has done what it was told.
        let _ = kill_process(id, signal);
    }
}

/// A process that serves; it ends with its handle.
#[derive(Debug)]
pub struct Process {
    child: Child,
    fleet: Fleet,
    /// Where its data is, as far as that is known.
    disk: Option<Disk>,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What a process has used since it began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time, its own and the kernel's for it.
    pub cpu: Duration,
    /// The most memory that it ever had.
    pub peak_rss_bytes: u64,
    /// What the disk was given to write; where nobody knows that, what it is charged for.
    pub written_bytes: u64,
}

impl Process {
    /// Starts `redeliver` with `arguments` and waits until it says where it listens. Its data is on
    /// the disk of `log`.
    pub fn start(fleet: &Fleet, arguments: &[&str], log: &Path) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::system("this program's file"))?;
        let log_file = File::create(log).map_err(BenchError::system(log.display().to_string()))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file);
        let mut child = fleet.start(&mut command)?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            // What cannot be read says nothing, and is told below.
            let _ = BufReader::new(out).read_line(&mut line);
        }
        let address = line
            .rsplit("http://")
            .next()
            .and_then(|address| address.trim().parse().ok());
        let mut process = Self {
            child,
            fleet: fleet.clone(),
            disk: log.parent().and_then(Disk::of),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        match address {
            Some(address) => process.address = address,
            None => {
                let log = fs::read_to_string(log).unwrap_or_default();
                let command = arguments.join(" ");
                return Err(BenchError::Failed(format!(
                    "`redeliver {command}` did not start: {}",
                    log.trim()
                )));
            }
        }
        Ok(process)
    }

    /// What it has used until now.
    pub fn usage(&self) -> Result<Usage, BenchError> {
        let file = |name: &str| {
            let path = format!("/proc/{}/{name}", self.child.id());
            fs::read_to_string(&path).map_err(BenchError::system(path))
        };
        // Behind the name, which may hold anything, in brackets: user and system time are the
        // 14th and 15th field.
        let stat = file("stat")?;
        let ticks: u64 = stat.rsplit(')').next().map_or(0, |fields| {
            let fields = fields.split_whitespace().skip(11).take(2);
            fields.filter_map(|field| field.parse::<u64>().ok()).sum()
        });
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Usage {
            cpu: Duration::from_secs_f64(ticks as f64 / per_second as f64),
            peak_rss_bytes: number(&file("status")?, "VmHWM:") * 1024,
            written_bytes: match self.disk.as_ref().and_then(Disk::written_bytes) {
                Some(written) => written,
                None => number(&file("io")?, "write_bytes:"),
            },
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Before it is gone: its number may be another's then.
        self.fleet.forget(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}
