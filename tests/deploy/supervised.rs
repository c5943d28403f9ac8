//! What a supervisor is told, and what it can ask.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use redeliver::clock::{Clock, RealClock};

use crate::deployed;
use crate::process::broker::Site;

/// What systemd is told next.
fn told(socket: &UnixDatagram) -> String {
    let mut text = [0; 256];
    let length = socket.recv(&mut text).unwrap();
    String::from_utf8_lossy(&text[..length]).trim().to_owned()
}

#[test]
fn systemd_is_told_when_events_are_taken_and_when_no_more() {
    let mut site = Site::new();
    let path = site.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    site.set_env("NOTIFY_SOCKET", path.to_str().unwrap());
    let broker = site.start(&[]);
    assert_eq!(told(&socket), "READY=1");
    broker.stop();
    assert_eq!(told(&socket), "STOPPING=1");
}

#[test]
fn a_supervisor_that_is_gone_keeps_no_broker_from_starting() {
    let mut site = Site::new();
    site.set_env("NOTIFY_SOCKET", "/nonexistent/notify");
    let broker = site.start(&[]);
    broker.get("/readyz");
    broker.stop();
    assert!(site.log().contains("systemd cannot be told"));
}

#[test]
fn ready_says_whether_events_are_taken() {
    let site = Site::new();
    let broker = site.start(&[]);
    let url = format!("http://{}", broker.address);
    let asked = site.run(&["ready", "--server", &url]);
    assert_eq!((asked.code, asked.out.trim()), (0, "ready"), "{asked:?}");
    broker.stop();
    let asked = site.run(&["ready", "--server", &url]);
    assert_eq!((asked.code, asked.out.trim()), (3, ""), "{asked:?}");
    let start = RealClock.now();
    let asked = site.run(&["ready", "--server", &url, "--wait", "300ms"]);
    assert_eq!(asked.code, 3, "{asked:?}");
    assert!(RealClock.now().since(start) >= Duration::from_millis(300));
}

#[test]
fn ready_waits_for_a_server_that_is_only_starting() {
    let site = Site::new();
    // A port that was free a moment ago.
    let address = site.start(&[]).address.to_string();
    let url = format!("http://{address}");
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| site.run(&["ready", "--server", &url, "--wait", "50s"]));
        let mut starting = Command::new(env!("CARGO_BIN_EXE_redeliver"))
            .args(["serve", "--listen", &address, "--data"])
            .arg(site.path("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let asked = asking.join().unwrap();
        starting.kill().unwrap();
        starting.wait().unwrap();
        assert_eq!(asked.code, 0, "{asked:?}");
    });
}

#[test]
fn the_configuration_to_start_from_is_right() {
    let mut site = Site::new();
    site.set_env("REDELIVER_TOKEN", "a-token-that-is-long-enough");
    let file = deployed("redeliver.toml");
    let checked = site.run(&["serve", "--check", "--config", file.to_str().unwrap()]);
    assert_eq!((checked.code, &*checked.err), (0, ""), "{checked:?}");
}
