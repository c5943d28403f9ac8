//! A backup onto a disk without room for it, and onto one that is full in the middle of it.

use serde_json::json;

use crate::machine::{Volume, lacks};
use crate::process::broker::{Ran, Site};
use crate::process::eventually;

const MIB: u64 = 1 << 20;

#[test]
fn a_backup_onto_a_full_disk_is_none_and_goes_on_when_there_is_room() {
    let mut site = Site::new();
    site.set_env("REDELIVER_TOKEN", "t0ken");
    site.configure("[server]\nadmin_token = \"env:REDELIVER_TOKEN\"\n");
    let Some(volume) = Volume::mount(site.path("disk"), 96) else {
        return lacks("root, loop devices and mkfs.ext4");
    };
    let broker = site.start(&[]);
    let headers = [
        ("authorization", "Bearer t0ken"),
        ("content-type", "application/json"),
    ];
    let put = |bytes: usize| {
        let event = json!({ "type": "t", "data": "7".repeat(bytes) }).to_string();
        let answer = broker.send("POST", "/v1/events", &headers, event.as_bytes());
        assert_eq!(answer.status, 202, "{}", answer.text());
    };
    (0..40).for_each(|_| put(900_000));
    let url = format!("http://{}", broker.address);
    let backup = || site.run(&["store", "backup", "--server", &url, "disk/copy"]);
    let (copy, partial) = (site.path("disk/copy"), site.path("disk/copy.partial"));
    let refused = |ran: Ran, what: &str| {
        assert_eq!(ran.code, 3, "{what}: {}", ran.err);
        let line = ran.err.lines().rfind(|line| line.starts_with("error: "));
        let line = line.unwrap_or_default();
        let said = "there is no room for disk/copy.partial: ";
        assert!(line.contains(said) && line.contains(what), "{line}");
        assert!(line.ends_with("run the same command again, it goes on where it stopped"));
        assert!(!copy.exists(), "{what}: it looks whole");
        put(10);
    };
    volume.fill(0);
    refused(backup(), "No space left on device");
    volume.make_room();
    // Too little, which is known before.
    volume.fill(16 * MIB);
    refused(backup(), "bytes are free");
    volume.make_room();
    // In the middle, while the server holds its breath.
    std::thread::scope(|threads| {
        let running = threads.spawn(backup);
        eventually("a part of the copy", || {
            std::fs::metadata(partial.join("records/00000001"))
                .ok()
                .filter(|file| file.len() > 1 << 20)
        });
        broker.signal("STOP");
        volume.fill(0);
        broker.signal("CONT");
        refused(running.join().unwrap(), "bytes are left");
    });
    volume.make_room();
    let ran = backup();
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(copy.exists() && !partial.exists());
    let ran = site.run(&["store", "verify", "--data", "disk/copy"]);
    assert!(ran.out.ends_with("the store is whole\n"), "{}", ran.out);
    broker.stop();
}
