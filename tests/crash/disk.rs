//! A file system of its own, which can be cut off at a precise moment.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use redeliver::clock::Timestamp;

use crate::process::{eventually, now};

/// What is cut at once: `FS_IOC_SHUTDOWN`, then how.
const CUT: &str = r"
import fcntl, os, struct, sys
place = os.open(sys.argv[1], os.O_RDONLY)
print('ready', flush=True)
how = sys.stdin.readline()
if how:
    fcntl.ioctl(place, 0x8004587d, struct.pack('I', int(how)))
    print('cut', flush=True)
";

/// Waits for the end of who holds its input, and takes away what is left then.
const KEEP: &str = r#"
cat
umount --lazy "$0/mounted" && rm -r "$0/image" && rmdir "$0/mounted" "$0"
"#;

/// What of what was written, but not synced, is on the disk after the cut.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// The file system's journal as far as it had got there.
    AsItIs,
    /// The whole journal, but not the data.
    WithJournal,
}

/// An ext4 in a file, mounted; gone when it is dropped.
pub struct Disk {
    dir: tempfile::TempDir,
    is_mounted: bool,
    /// Where this process is killed, nobody else unmounts.
    keeper: Child,
}

/// A process that holds the file system open, ready to cut it off.
pub struct Cutter {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

fn run(program: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(args).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{program}: {}", said.trim())),
    }
}

impl Disk {
    /// An empty one of this size, or what is missing for it.
    pub fn new(bytes: u64) -> Result<Self, String> {
        let dir = tempfile::tempdir().unwrap();
        // In a group of its own, so that what ends this process does not end it.
        let keeper = Command::new("sh")
            .args(["-c", KEEP, text(dir.path())])
            .process_group(0)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut disk = Self {
            dir,
            is_mounted: false,
            keeper: keeper.unwrap(),
        };
        let image = File::create(disk.image()).unwrap();
        image.set_len(bytes).unwrap();
        std::fs::create_dir(disk.path()).unwrap();
        run("mkfs.ext4", &["-q", "-F", text(&disk.image())])?;
        run("python3", &["--version"])?;
        disk.mount()?;
        // Whether it can be cut off at all shows now.
        disk.cutter()?;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("mounted")
    }

    fn mount(&mut self) -> Result<(), String> {
        // The loop device goes with the mount.
        let (image, path) = (self.image(), self.path());
        run(
            "mount",
            &["-t", "ext4", "-o", "loop", text(&image), text(&path)],
        )?;
        self.is_mounted = true;
        Ok(())
    }

    pub fn cutter(&self) -> Result<Cutter, String> {
        let mut child = Command::new("python3")
            .args(["-c", CUT, text(&self.path())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("python3: {error}"))?;
        let mut cutter = Cutter {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        cutter.hear("ready");
        Ok(cutter)
    }

    /// After a cut, when nobody has it open any more: what is on the disk, and nothing else.
    pub fn power_up(&mut self) {
        let path = self.path();
        // Whoever looks at mounts may hold it for a moment.
        eventually("it is unmounted", || run("umount", &[text(&path)]).ok());
        self.is_mounted = false;
        self.mount().unwrap();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Drop for Disk {
    fn drop(&mut self) {
        let path = self.path();
        if self.is_mounted
            && run("umount", &[text(&path)]).is_err()
            && let Err(error) = run("umount", &["--lazy", text(&path)])
        {
            println!("{} stays mounted: {error}", path.display());
        }
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

impl Cutter {
    fn hear(&mut self, word: &str) {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), word);
    }

    /// Nothing reaches the disk from here on: before when, and after when.
    pub fn cut(mut self, how: Cut) -> (Timestamp, Timestamp) {
        let flag = match how {
            Cut::AsItIs => 2,
            Cut::WithJournal => 1,
        };
        let before = now();
        let mut input = self.input.take().unwrap();
        input.write_all(format!("{flag}\n").as_bytes()).unwrap();
        self.hear("cut");
        (before, now())
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        // Told nothing, it ends.
        self.input = None;
        let _ = self.child.wait();
    }
}
