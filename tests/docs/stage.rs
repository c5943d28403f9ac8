//! Where the blocks of a section are run: a folder and ports of its own, with everything that a
//! reader would have around him.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::document::Block;
use crate::root;

/// Ports that stand in the documentation, and what is there.
const PORTS: [(&str, &str); 5] = [
    ("7070", "BROKER"),
    ("7080", "MOCKS"),
    ("9000", "RECEIVER"),
    ("9001", "RECEIVER_2"),
    ("9002", "RECEIVER_3"),
];

/// A folder in which blocks are run one after another; what they have started ends with it.
pub struct Stage {
    dir: tempfile::TempDir,
    /// Of each port of the documentation the one that is used.
    ports: Vec<(&'static str, String)>,
}

/// How a block ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub said: String,
}

/// A port that is free, and that no other stage has been given.
fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if GIVEN.lock().unwrap().insert(port) {
            return port;
        }
    }
}

impl Stage {
    pub fn new() -> Self {
        let ports = PORTS.map(|(port, _)| (port, free_port().to_string()));
        let ports = ports.into();
        let dir = tempfile::tempdir().unwrap();
        let stage = Self { dir, ports };
        fs::write(stage.path("prelude.sh"), include_str!("prelude.sh")).unwrap();
        stage
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Text of the documentation, with the ports that are free here.
    pub fn here(&self, text: &str) -> String {
        let place = |text: String, (port, free): &(&str, String)| {
            text.replace(&format!(":{port}"), &format!(":{free}"))
                .replace(
                    &format!("(\"127.0.0.1\", {port})"),
                    &format!("(\"127.0.0.1\", {free})"),
                )
        };
        self.ports.iter().fold(text.to_owned(), place)
    }

    /// Runs a block in the shell, behind what the blocks before it have left.
    pub fn run(&self, block: &Block) -> Ended {
        self.shell(&self.here(&block.text))
    }

    /// Runs a script. What it exports, the next one has; what it leaves running goes on.
    pub fn shell(&self, script: &str) -> Ended {
        fs::write(self.path("block.sh"), script).unwrap();
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", "120", "bash", "-c"])
            .arg(
                "source ./prelude.sh; source ./block.sh; code=$?; export -p > exported; exit $code",
            )
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("REPOSITORY", root())
            .env("BINARY", env!("CARGO_BIN_EXE_redeliver"))
            .stdin(Stdio::null());
        for (name, free) in PORTS.iter().zip(&self.ports) {
            command.env(name.1, &free.1);
        }
        let said = fs::File::create(self.path("said")).unwrap();
        command.stdout(said.try_clone().unwrap()).stderr(said);
        let code = command.status().unwrap().code().unwrap_or(-1);
        let said = fs::read(self.path("said")).unwrap();
        Ended {
            code,
            said: String::from_utf8_lossy(&said).into_owned(),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let pids = fs::read_to_string(self.path("pids")).unwrap_or_default();
        for pid in pids.lines() {
            // It may have ended by itself.
            let _ = Command::new("kill").arg(pid).stderr(Stdio::null()).status();
        }
    }
}
