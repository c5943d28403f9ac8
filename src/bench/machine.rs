//! What a figure was measured on: without it, none can be compared with another.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::Serialize;

/// The machine, the disk and the build. What the system does not tell is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: Option<String>,
    /// How many threads run at once.
    pub cores: Option<usize>,
    /// Memory in all.
    pub memory_bytes: Option<u64>,
    /// The kernel and its release.
    pub kernel: Option<String>,
    /// The file system that is measured.
    pub disk: Option<Disk>,
    /// `release` or `debug`.
    pub profile: &'static str,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// Its kind, such as `ext4`.
    pub file_system: String,
    /// What it lies on, such as `/dev/vda`.
    pub device: String,
}

impl Machine {
    /// This one, with the disk that `dir` is on.
    pub fn here(dir: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let words = |path| Some(read(path).trim().to_owned()).filter(|text| !text.is_empty());
        let kernel = words("/proc/sys/kernel/ostype").zip(words("/proc/sys/kernel/osrelease"));
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().ok().map(Into::into),
            memory_bytes: field(&read("/proc/meminfo"), "MemTotal")
                .and_then(|text| text.trim_end_matches("kB").trim().parse::<u64>().ok())
                .map(|kib| kib * 1024),
            kernel: kernel.map(|(name, release)| format!("{name} {release}")),
            disk: disk_of(&dir, &read("/proc/self/mountinfo")),
            profile: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
        }
    }

    /// Whether its figures say nothing about what users run.
    pub fn is_debug(&self) -> bool {
        self.profile == "debug"
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = [
            Some(
                self.cpu
                    .clone()
                    .unwrap_or(std::env::consts::ARCH.to_owned()),
            ),
            self.cores.map(|count| match count {
                1 => "1 core".to_owned(),
                count => format!("{count} cores"),
            }),
            self.memory_bytes
                .map(|bytes| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))),
            self.kernel.clone(),
            self.disk
                .as_ref()
                .map(|disk| format!("{} on {}", disk.file_system, disk.device)),
            Some(format!("{} build", self.profile)),
        ];
        let known: Vec<String> = known.into_iter().flatten().collect();
        f.write_str(&known.join(", "))
    }
}

/// The value behind `name` and a colon, on the first line that has it.
fn field(text: &str, name: &str) -> Option<String> {
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let mut values = values.filter(|(key, _)| key.trim() == name);
    values.next().map(|(_, value)| value.trim().to_owned())
}

/// The mount that `dir` is below, the nearest one; of two at one place the later one is seen.
fn disk_of(dir: &Path, mountinfo: &str) -> Option<Disk> {
    let mounts = mountinfo.lines().filter_map(|line| {
        // Optional fields in between end with a hyphen.
        let (place, what) = line.split_once(" - ")?;
        let place = place.split(' ').nth(4)?.replace("\\040", " ");
        let mut what = what.split(' ');
        let disk = Disk {
            file_system: what.next()?.to_owned(),
            device: what.next()?.to_owned(),
        };
        dir.starts_with(&place).then_some((place.len(), disk))
    });
    let nearest = mounts.max_by_key(|(length, _)| *length);
    nearest.map(|(_, disk)| disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_the_one_that_is_mounted_nearest() {
        let mounts = "22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n\
                      30 22 0:25 / /tmp rw - tmpfs tmpfs rw\n\
                      31 22 8:1 / /mnt/my\\040disk rw - xfs /dev/sda1 rw\n";
        let device = |dir| disk_of(Path::new(dir), mounts).unwrap().device;
        assert_eq!(device("/home"), "/dev/vda");
        assert_eq!(device("/tmp/bench"), "tmpfs");
        assert_eq!(device("/tmpfiles"), "/dev/vda");
        assert_eq!(device("/mnt/my disk/bench"), "/dev/sda1");
        assert_eq!(disk_of(Path::new("/"), "nonsense\n"), None);
    }

    #[test]
    fn what_the_system_does_not_tell_is_left_out_of_the_line() {
        let machine = Machine {
            cpu: Some("A processor".to_owned()),
            cores: Some(2),
            memory_bytes: Some(3 << 29),
            kernel: None,
            disk: None,
            profile: "release",
        };
        assert_eq!(
            machine.to_string(),
            "A processor, 2 cores, 1.5 GiB, release build"
        );
    }

    #[test]
    fn a_field_is_read_by_its_whole_name() {
        let text = "model\t\t: 17\nmodel name\t: A processor @ 2:1\n";
        assert_eq!(field(text, "model name").unwrap(), "A processor @ 2:1");
        assert_eq!(field(text, "name"), None);
    }
}
