//! What a test needs of the machine, and what it measures there.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::process::broker::Broker;
use crate::process::eventually;

/// Says what this machine does not let a test do, which is then skipped.
pub fn lacks(power: &str) {
    println!("skipped: needs {power}");
}

/// Says which package is missing for a test, which is then skipped; where everything must run, it
/// fails.
pub fn skip(missing: &str) {
    let all = std::env::var("REDELIVER_TEST_ALL");
    assert_ne!(all.as_deref(), Ok("1"), "missing: {missing}");
    println!("skipped: needs {missing}");
}

/// The most that the process ever had in memory, less its own program's file, which is many times
/// larger in a build for tests.
pub fn peak_mib(broker: &Broker) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", broker.pid())).unwrap();
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.unwrap().trim().trim_end_matches(" kB").parse::<f64>();
        kib.unwrap()
    };
    (kib("VmHWM:") - kib("RssFile:")) / 1024.0
}

/// The processor's time that the process has taken so far.
pub fn cpu_time(broker: &Broker) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", broker.pid())).unwrap();
    // Behind the name, which may hold anything: state is the 3rd field, utime and stime the 14th
    // and 15th, in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// A number of this process alone, for names that others can see.
pub fn unique(name: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("redeliver-{name}-{}-{next}", std::process::id())
}

/// A control group whose processes are killed when together they need more memory.
pub struct MemoryGroup {
    dir: PathBuf,
}

impl MemoryGroup {
    /// None where this process may not make one.
    pub fn of_mib(limit_mib: u64) -> Option<Self> {
        let limit = (limit_mib << 20).to_string();
        let (root, files): (_, &[(&str, &str)]) = if fs::exists("/sys/fs/cgroup/memory").ok()? {
            (
                "/sys/fs/cgroup/memory",
                &[("memory.limit_in_bytes", &limit)],
            )
        } else {
            // Where there is no swap, there is no such file either.
            let _ = fs::write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
            ("/sys/fs/cgroup", &[("memory.max", &limit)])
        };
        let dir = PathBuf::from(root).join(unique("test"));
        fs::create_dir(&dir).ok()?;
        let group = Self { dir };
        for (file, text) in files {
            fs::write(group.dir.join(file), text).ok()?;
        }
        let _ = fs::write(group.dir.join("memory.swap.max"), "0");
        Some(group)
    }

    /// A script that runs a process in the group.
    pub fn script(&self) -> String {
        let procs = self.dir.join("cgroup.procs");
        format!(r#"echo $$ > {} && exec "$@""#, procs.display())
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        eventually("the group is empty", || fs::remove_dir(&self.dir).ok());
    }
}

/// A small ext4 of its own, mounted where it is asked for, gone when it is dropped.
pub struct Volume {
    pub at: PathBuf,
    image: tempfile::NamedTempFile,
}

impl Volume {
    /// None where this process may not mount one.
    pub fn mount(at: PathBuf, size_mib: u64) -> Option<Self> {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(size_mib << 20).unwrap();
        let path = image.path().to_str().unwrap();
        fs::create_dir(&at).unwrap();
        // Nothing is kept back for the superuser, who runs this.
        let made = done("mkfs.ext4", &["-q", "-F", "-m", "0", path]);
        (made && done("mount", &["-o", "loop", path, at.to_str().unwrap()]))
            .then_some(Self { at, image })
    }

    pub fn free_bytes(&self) -> u64 {
        let stat = rustix::fs::statvfs(&self.at).unwrap();
        stat.f_bavail * stat.f_frsize
    }

    /// Somebody else's file, which leaves so much of the disk free, or nothing at all.
    pub fn fill(&self, free_bytes: u64) {
        let mut file = fs::File::create(self.at.join("filler")).unwrap();
        // What does not fit as a whole fits in parts; less than a block is nobody's.
        for part in [1 << 20, 1 << 10] {
            let zeros = vec![0; part];
            while free_bytes == 0 || self.free_bytes() >= free_bytes + part as u64 {
                if file.write_all(&zeros).is_err() {
                    break;
                }
            }
        }
        let _ = file.sync_data();
    }

    pub fn make_room(&self) {
        fs::remove_file(self.at.join("filler")).unwrap();
    }

    pub fn unmount(&self) -> bool {
        done("umount", &[self.at.to_str().unwrap()])
    }

    /// As after a power cut.
    pub fn mount_again(&self) -> bool {
        let image = self.image.path().to_str().unwrap();
        done("mount", &["-o", "loop", image, self.at.to_str().unwrap()])
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        eventually("the volume is unmounted", || self.unmount().then_some(()));
    }
}

/// Whether the command is there and succeeds.
pub fn done(command: &str, args: &[&str]) -> bool {
    let mut command = Command::new(command);
    let status = command
        .args(args)
        .stderr(Stdio::null())
        .stdout(Stdio::null());
    status.status().is_ok_and(|status| status.success())
}
