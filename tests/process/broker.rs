//! The binary as a process: started, stopped, killed, started again on the same directory.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::eventually;
use super::http::{Answer, Client};

/// How long a process may take to say where it listens.
const STARTING: Duration = Duration::from_secs(180);

const JSON: (&str, &str) = ("content-type", "application/json");

/// A folder with a data directory, perhaps a configuration, and what was logged.
pub struct Site {
    dir: tempfile::TempDir,
    launcher: Vec<String>,
    environment: Vec<(String, String)>,
    /// As seen from the folder.
    data: PathBuf,
    may_be_damaged: AtomicBool,
}

/// A process that has ended by itself.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Site {
    pub fn new() -> Self {
        Self::with_data(PathBuf::from("data"))
    }

    /// With its data elsewhere.
    pub fn with_data(data: PathBuf) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            launcher: Vec::new(),
            environment: Vec::new(),
            data,
            may_be_damaged: AtomicBool::new(false),
        }
    }

    /// Its store is damaged on purpose. Of all others no process may say so.
    pub fn let_be_damaged(&self) {
        self.may_be_damaged.store(true, Ordering::Relaxed);
    }

    /// From now on processes are started by this shell script, which ends in `exec "$@"`.
    pub fn launch_by(&mut self, script: &str) {
        self.launcher = ["/bin/sh", "-c", script, "sh"].map(str::to_owned).to_vec();
    }

    /// From now on processes are started with this in their environment.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the configuration that the next start reads.
    pub fn configure(&self, config: &str) {
        fs::write(self.path("config.toml"), config).unwrap();
    }

    /// What every process of this site has written to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn command(&self, args: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_redeliver").to_owned();
        let mut words = self.launcher.iter().chain([&binary]);
        let mut command = Command::new(words.next().unwrap());
        command
            .current_dir(self.dir.path())
            .env_clear()
            .envs(self.environment.iter().cloned())
            .args(words)
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// `serve` on a free port, with the site's data and configuration.
    fn serve(&self, args: &[&str]) -> Command {
        let data = self.data.to_str().unwrap();
        let mut all = vec!["serve", "--data", data, "--listen", "127.0.0.1:0"];
        if self.path("config.toml").exists() {
            all.extend(["--config", "config.toml"]);
        }
        self.command(&[&all, args].concat())
    }

    /// Starts the broker and waits until it listens.
    #[track_caller]
    pub fn start(&self, args: &[&str]) -> Broker {
        self.spawn(args)
            .listening()
            .unwrap_or_else(|said| panic!("the broker said {said:?} and logged {}", self.log()))
    }

    /// Starts a mock and waits until it listens.
    #[track_caller]
    pub fn mock(&self, args: &[&str]) -> Broker {
        let args = [&["mock"], args, &["--listen", "127.0.0.1:0"]].concat();
        self.begin(self.command(&args))
            .listening()
            .unwrap_or_else(|said| panic!("the mock said {said:?} and logged {}", self.log()))
    }

    /// Starts the broker, which does not listen yet.
    pub fn spawn(&self, args: &[&str]) -> Starting {
        self.begin(self.serve(args))
    }

    fn begin(&self, mut command: Command) -> Starting {
        let mut appending = File::options();
        let log = appending.append(true).create(true);
        let log = log.open(self.path("log")).unwrap();
        let mut child = spawn(command.stdout(Stdio::piped()).stderr(log));
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, first_line) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = out.read_line(&mut line);
            let _ = sender.send(line);
        });
        Starting {
            process: Process(child),
            first_line,
        }
    }

    /// Whether every record of the store is whole, in a process of its own.
    pub fn verify(&self) -> Ran {
        self.run(&["store", "verify", "--data", self.data.to_str().unwrap()])
    }

    /// Runs `serve`, which must fail to start.
    pub fn start_in_vain(&self, args: &[&str]) -> Ran {
        run(self.serve(args))
    }

    /// Runs the binary with just these arguments.
    pub fn run(&self, args: &[&str]) -> Ran {
        run(self.command(args))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let panicked = self.log().contains("panicked");
        assert!(
            std::thread::panicking() || !panicked,
            "a process panicked: {}",
            self.log()
        );
        let found_damage = self.log().contains("the store is damaged");
        let may_be_damaged = self.may_be_damaged.load(Ordering::Relaxed);
        assert!(
            std::thread::panicking() || !found_damage || may_be_damaged,
            "a crash was taken for damage: {}",
            self.log()
        );
    }
}

/// One at a time: until it has become the binary, a process holds what others have open.
fn spawn(command: &mut Command) -> Child {
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn().unwrap()
}

fn run(mut command: Command) -> Ran {
    let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    // What it prints fits a pipe.
    eventually("the process ends", || child.try_wait().unwrap());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Killed when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// `kill -9`. Whether that is what ended it.
    fn kill(mut self) -> bool {
        self.0.kill().unwrap();
        self.0.wait().unwrap().code().is_none()
    }

    /// Waits for it to end by itself, with which exit code.
    #[track_caller]
    fn ended(mut self) -> i32 {
        let status = eventually("the broker ends", || self.0.try_wait().unwrap());
        status.code().unwrap_or(-1)
    }
}

/// A broker that may not listen yet; killed when it is dropped.
pub struct Starting {
    process: Process,
    first_line: mpsc::Receiver<String>,
}

impl Starting {
    /// Waits until it listens; else gives what it said instead.
    pub fn listening(self) -> Result<Broker, String> {
        let line = self.first_line.recv_timeout(STARTING).unwrap_or_default();
        let address = line.trim().strip_prefix("redeliver listening on http://");
        match address.and_then(|address| address.parse().ok()) {
            Some(address) => Ok(Broker {
                process: self.process,
                address,
            }),
            None => Err(line),
        }
    }

    /// `kill -9`. Whether it had come to listening.
    pub fn kill(self) -> bool {
        self.process.kill();
        self.first_line
            .recv()
            .is_ok_and(|line| line.ends_with('\n'))
    }

    /// Waits for it to end by itself, with which exit code.
    #[track_caller]
    pub fn ended(self) -> i32 {
        self.process.ended()
    }
}

/// A running broker; killed when it is dropped.
pub struct Broker {
    process: Process,
    pub address: SocketAddr,
}

impl Broker {
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Asks it to stop, which it must do in good order.
    #[track_caller]
    pub fn stop(self) {
        self.signal("TERM");
        assert_eq!(self.ended(), 0);
    }

    /// Waits for it to end by itself, with which exit code.
    #[track_caller]
    pub fn ended(self) -> i32 {
        self.process.ended()
    }

    #[track_caller]
    pub fn signal(&self, name: &str) {
        let signal = match name {
            "CONT" => Signal::CONT,
            "HUP" => Signal::HUP,
            "KILL" => Signal::KILL,
            "STOP" => Signal::STOP,
            "TERM" => Signal::TERM,
            _ => panic!("no signal is named {name}"),
        };
        let pid = i32::try_from(self.pid()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// `kill -9`. Whether that is what ended it.
    pub fn kill(self) -> bool {
        self.process.kill()
    }

    /// One request over a connection of its own.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let sent = Client::new(self.address).send(method, path, headers, body);
        sent.unwrap()
    }

    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[JSON], body.to_string().as_bytes())
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, &[], b"");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.call("POST", path, body);
        assert!(answer.status < 300, "{path}: {}", answer.text());
        answer.json()
    }

    /// Puts an event in; gives its id.
    #[track_caller]
    pub fn event(&self, kind: &str, data: &Value) -> String {
        let taken = self.post("/v1/events", &json!({ "type": kind, "data": data }));
        taken["id"].as_str().unwrap().to_owned()
    }

    /// Moves a manual clock. Whoever answers is waited for, however busy the machine is.
    #[track_caller]
    pub fn advance(&self, by: &str) -> Value {
        self.post("/v1/clock/advance", &json!({ "by": by, "patience": "60s" }))
    }

    /// As [`advance`](Self::advance), where somebody hangs: nobody is waited for longer than a second.
    #[track_caller]
    pub fn advance_past_hanging(&self, by: &str) -> Value {
        self.post("/v1/clock/advance", &json!({ "by": by }))
    }

    #[track_caller]
    pub fn endpoint(&self, name: &str) -> Value {
        self.get(&format!("/v1/endpoints/{name}"))
    }

    /// Every item of a list, page by page.
    #[track_caller]
    pub fn list(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let page = self.get(&format!("{path}{next}"));
            items.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return items,
            }
        }
    }

    /// The delivery of an event to the only endpoint that it goes to.
    #[track_caller]
    pub fn delivery_of(&self, event: &str) -> Value {
        let found = self.list(&format!("/v1/events/{event}/deliveries?limit=10"));
        assert_eq!(found.len(), 1, "{found:?}");
        // A list shows fewer attempts.
        self.get(&format!(
            "/v1/deliveries/{}",
            found[0]["id"].as_str().unwrap()
        ))
    }

    /// The delivery of an event to the present endpoint of this name.
    #[track_caller]
    pub fn delivery_of_to(&self, event: &str, name: &str) -> Value {
        let id = self.endpoint(name)["id"].clone();
        let found = self.list(&format!("/v1/events/{event}/deliveries?limit=100"));
        let found = found.into_iter().find(|found| found["endpoint_id"] == id);
        found.unwrap()
    }

    /// The delivery of an event, once it has this status.
    #[track_caller]
    pub fn delivery_once(&self, event: &str, status: &str) -> Value {
        eventually(&format!("{event} is {status}"), || {
            Some(self.delivery_of(event)).filter(|delivery| delivery["status"] == status)
        })
    }
}
