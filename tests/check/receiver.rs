//! A receiver in Python, and the binary that looks at it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const RECEIVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/check/receivers");

/// One vendor's receiver, and what it is checked with.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub vendor: &'static str,
    pub key: Option<&'static str>,
    pub basic: Option<&'static str>,
}

/// A receiver that runs until it is dropped.
pub struct Receiver {
    kind: Kind,
    first: Child,
    place: tempfile::TempDir,
    scheme: &'static str,
    port: u16,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // The one that a restart has left, whose number nobody but its script knows.
        let last = std::fs::read_to_string(self.path("pid")).unwrap_or_default();
        if last.trim() != self.first.id().to_string() {
            let _ = Command::new("kill").args(["-9", last.trim()]).status();
        }
        let _ = self.first.kill();
        let _ = self.first.wait();
    }
}

impl Receiver {
    /// Starts it, broken in that way. None where there is no Python, unless everything must run.
    pub fn start(kind: Kind, broken: &str) -> Option<Self> {
        Self::start_with(kind, broken, None)
    }

    /// The same, over TLS with the certificate and key in that file.
    pub fn start_with(kind: Kind, broken: &str, certificate: Option<&Path>) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let mut receiver = format!(
            "exec python3 -u {RECEIVERS}/{}.py --state {}/state",
            kind.vendor,
            place.path().display()
        );
        for (name, value) in [("--key", kind.key), ("--basic", kind.basic)] {
            receiver += &value.map_or(String::new(), |value| format!(" {name} {value}"));
        }
        if let Some(path) = certificate {
            receiver += &format!(" --cert {}", path.display());
        }
        if !broken.is_empty() {
            receiver += &format!(" --broken {broken}");
        }
        let mut first = Command::new("sh")
            .args(["-c", &receiver])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(first.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let Ok(port) = line.trim().parse() else {
            let _ = first.wait();
            let all = std::env::var("REDELIVER_TEST_ALL");
            let is_there = Command::new("python3").arg("--version").output().is_ok();
            assert!(
                all.as_deref() != Ok("1") && !is_there,
                "{receiver}: {line:?}"
            );
            println!("skipped: needs python3");
            return None;
        };
        let started = Self {
            kind,
            first,
            place,
            scheme: certificate.map_or("http", |_| "https"),
            port,
        };
        started.write("pid", &started.first.id().to_string());
        started.write("key", kind.key.unwrap_or_default());
        started.write("basic", kind.basic.unwrap_or_default());
        // It must be gone before the next one starts, or the next message would be its own.
        started.write(
            "restart.sh",
            &format!(
                "p=$(cat {pid}); kill -9 $p\n\
                 while [ -e /proc/$p ] && ! grep -q '^State:.Z' /proc/$p/status; do sleep 0.01; done\n\
                 ({receiver} --port {port}) > /dev/null 2>&1 & echo $! > {pid}\n",
                pid = started.path("pid").display(),
            ),
        );
        Some(started)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}/hook", self.scheme, self.port)
    }

    /// How its effects are seen.
    pub fn probe(&self) -> [String; 2] {
        let url = format!("{}://127.0.0.1:{}/effects", self.scheme, self.port);
        ["--probe".to_owned(), url]
    }

    /// The check without an observer and without a restart, and what else is given.
    pub fn check_alone(&self, more: &[&str]) -> Ran {
        self.check_with_key(&self.shown("key"), more)
    }

    /// The same, with another key file.
    pub fn check_with_key(&self, key: &str, more: &[&str]) -> Ran {
        let mut args = vec!["check".to_owned(), self.kind.vendor.to_owned(), self.url()];
        if self.kind.key.is_some() {
            args.extend(["--key-file".to_owned(), key.to_owned()]);
        }
        if self.kind.basic.is_some() {
            args.extend([
                "--basic".to_owned(),
                format!("file:{}", self.shown("basic")),
            ]);
        }
        args.extend(["--repro-dir".to_owned(), self.shown("repro")]);
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        redeliver(&args)
    }

    /// The check with everything that it can be given.
    pub fn check(&self, more: &[&str]) -> Ran {
        let [probe, url] = self.probe();
        let restart = format!("sh {}", self.shown("restart.sh"));
        let mut all = vec![&*probe, &*url, "--restart-cmd", &restart];
        all.push("--json");
        // Effects are there before the answer is, unless said otherwise: nothing to wait for.
        if !more.contains(&"--settle") {
            all.extend(["--settle", "300ms"]);
        }
        all.extend(more);
        self.check_alone(&all)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A file of the directory for what shows a failure.
    pub fn repro(&self, name: &str) -> PathBuf {
        self.path("repro").join(Path::new(name))
    }
}

/// How a run of the binary ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The document of `--json`.
    pub fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.out);
        parsed.unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Why what failed failed.
    pub fn reasons(&self) -> Vec<String> {
        let document = self.json();
        let checks = document["checks"].as_array().unwrap().iter();
        let failed = checks.filter(|check| check["verdict"] == "failed");
        let reasons = failed.map(|check| format!("{}: {}", check["id"], check["reason"]));
        reasons.collect()
    }

    /// The checks with that verdict, in order.
    pub fn with(&self, verdict: &str) -> Vec<String> {
        let document = self.json();
        let checks = document["checks"].as_array().unwrap().iter();
        checks
            .filter(|check| check["verdict"] == verdict)
            .map(|check| check["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Runs the binary; of this machine's environment it gets the path of programs and no more.
pub fn redeliver(args: &[String]) -> Ran {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_redeliver"))
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
