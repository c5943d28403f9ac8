//! Two thousand connections that say nothing, and more than there are descriptors for.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::good::Good;
use crate::process::broker::Site;
use crate::process::eventually;
use crate::process::receiver::Receiver;

const IDLE: usize = 2_000;

/// No connection ends by its own time here.
const PATIENT: &str = "[limits]\nheader_timeout = \"5m\"\n";

/// Descriptors of this process: one for each idle connection, and for everything else here.
const NEEDED: usize = IDLE + 500;

/// Has this process open as many files as it needs; says so and gives false where it may not.
fn may_open_enough() -> bool {
    let limit = || {
        let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
        let line = limits.lines().find(|l| l.starts_with("Max open files"))?;
        line.split_whitespace().nth(3)?.parse::<usize>().ok()
    };
    if limit().is_some_and(|limit| limit < NEEDED) {
        let raised = Command::new("prlimit")
            .arg(format!("--pid={}", std::process::id()))
            .arg(format!("--nofile={NEEDED}:"))
            .status();
        // What counts is the limit that there is now.
        drop(raised);
    }
    let enough = limit().is_some_and(|limit| limit >= NEEDED);
    if !enough {
        println!("skipped: this process may not open {NEEDED} files (`ulimit -n`, prlimit)");
        let wanted = std::env::var_os("REDELIVER_TEST_ALL").is_some();
        assert!(!wanted || !cfg!(target_os = "linux"), "REDELIVER_TEST_ALL");
    }
    enough
}

/// Keeps `count` silent connections open, one made anew for each that is closed, until it is told
/// to stop.
fn hold(address: SocketAddr, count: usize, opened: &AtomicUsize, stop: &AtomicBool) {
    let mut connections: Vec<TcpStream> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        connections.retain(|mut connection| match connection.read(&mut [0]) {
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            Ok(_) => false,
        });
        while connections.len() < count && !stop.load(Ordering::Relaxed) {
            let connection = TcpStream::connect(address).unwrap();
            connection.set_nonblocking(true).unwrap();
            connections.push(connection);
            opened.fetch_add(1, Ordering::Relaxed);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Says stop however the test ends: the threads of a scope are waited for.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn two_thousand_idle_connections_give_way_to_those_who_ask() {
    if !may_open_enough() {
        return;
    }
    let site = Site::new();
    site.configure(PATIENT);
    let broker = site.start(&[]);
    let good = Good::start(broker.address);
    let (opened, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let _stopping = Stopping(&stop);
        for _ in 0..4 {
            scope.spawn(|| hold(broker.address, IDLE / 4, &opened, &stop));
        }
        // More than that: those that were closed are made anew.
        eventually("all are open, and some have given way", || {
            good.are_served();
            (opened.load(Ordering::Relaxed) > IDLE).then_some(())
        });
        for _ in 0..5 {
            good.are_served();
        }
    });
    let taken = good.stop();
    assert_eq!(broker.list("/v1/events?limit=1000").len(), taken);
    broker.stop();
}

#[test]
fn idle_connections_leave_descriptors_for_the_deliveries() {
    let mut site = Site::new();
    site.configure(PATIENT);
    site.launch_by("ulimit -n 256; exec \"$@\"");
    let broker = site.start(&[]);
    let receiver = Receiver::always(200);
    let endpoint = json!({"name": "e", "url": receiver.url(), "policy": "standard"});
    broker.post("/v1/endpoints", &endpoint);
    let idle: Vec<_> = (0..400)
        .map(|_| TcpStream::connect(broker.address).unwrap())
        .collect();
    for _ in 0..20 {
        let event = broker.event("t", &json!(1));
        let delivery = broker.delivery_once(&event, "delivered");
        assert_eq!(delivery["attempt_count"], 1, "{delivery}");
    }
    drop(idle);
    broker.stop();
    let log = site.log();
    assert!(log.contains("not enough file descriptors"), "{log}");
    assert!(!log.contains("cannot accept"), "{log}");
}
