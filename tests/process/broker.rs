//! The binary as a process: started, stopped, killed, started again on the same directory.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::eventually;
use super::http::{Answer, Client};

/// How long a process may take to say where it listens.
const STARTING: Duration = Duration::from_secs(60);

const JSON: (&str, &str) = ("content-type", "application/json");

/// A folder with a data directory, perhaps a configuration, and what was logged.
pub struct Site {
    dir: tempfile::TempDir,
    launcher: Vec<String>,
    environment: Vec<(String, String)>,
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
        Self {
            dir: tempfile::tempdir().unwrap(),
            launcher: Vec::new(),
            environment: Vec::new(),
        }
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
        let mut all = vec!["serve", "--data", "data", "--listen", "127.0.0.1:0"];
        if self.path("config.toml").exists() {
            all.extend(["--config", "config.toml"]);
        }
        self.command(&[&all, args].concat())
    }

    /// Starts the broker and waits until it listens.
    pub fn start(&self, args: &[&str]) -> Broker {
        let mut appending = File::options();
        let log = appending.append(true).create(true);
        let log = log.open(self.path("log")).unwrap();
        let mut command = self.serve(args);
        let mut child = spawn(command.stdout(Stdio::piped()).stderr(log));
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, first_line) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = out.read_line(&mut line);
            let _ = sender.send(line);
        });
        let line = first_line.recv_timeout(STARTING).unwrap_or_default();
        let address = line.trim().strip_prefix("redeliver listening on http://");
        let Some(address) = address.and_then(|address| address.parse().ok()) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the broker said {line:?} and logged {}", self.log());
        };
        Broker { child, address }
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

/// A running broker; killed when it is dropped.
pub struct Broker {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Broker {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, which it must do in good order.
    #[track_caller]
    pub fn stop(mut self) {
        self.signal("TERM");
        let status = eventually("the broker stops", || self.child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0));
    }

    fn signal(&self, name: &str) {
        // Every Unix shell has it built in.
        let told = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {}", self.pid()))
            .status();
        assert!(told.unwrap().success());
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
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

    /// Moves a manual clock.
    #[track_caller]
    pub fn advance(&self, by: &str) -> Value {
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
