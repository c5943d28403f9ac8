//! A disk that fails under the running process: ext4 is shut down, so that every sync is an error.

use std::process::Command;

use serde_json::json;

use crate::machine::{Volume, lacks, skip};
use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::http::Client;
use crate::process::receiver::Receiver;

/// `FS_IOC_SHUTDOWN` without flushing: nothing that is written from then on reaches the disk, and
/// whoever asks is told so with EIO.
const SHUT_DOWN: &str = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";

fn shut_down(volume: &Volume) -> bool {
    let mut python = Command::new("python3");
    let ran = python.args(["-c", SHUT_DOWN]).arg(&volume.at).status();
    ran.is_ok_and(|status| status.success())
}

fn events(broker: &Broker) -> Vec<String> {
    let events = broker.list("/v1/events?limit=1000");
    let ids = events.iter().map(|event| event["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

/// One client: puts events in until it gets another answer than 202, or none. Gives what was
/// acknowledged, and the last answer's problem.
fn post(broker: &Broker) -> (Vec<String>, Option<String>) {
    let mut acknowledged = Vec::new();
    let mut client = Client::new(broker.address);
    let event = json!({ "type": "order.paid", "data": "7".repeat(500) }).to_string();
    let headers = [("content-type", "application/json")];
    loop {
        match client.send("POST", "/v1/events", &headers, event.as_bytes()) {
            Ok(answer) if answer.status == 202 => {
                acknowledged.push(answer.json()["id"].as_str().unwrap().to_owned());
            }
            Ok(answer) => return (acknowledged, Some(answer.problem(503))),
            Err(_) => return (acknowledged, None),
        }
    }
}

#[test]
fn a_sync_that_fails_ends_the_process_unretried_and_what_was_acknowledged_is_there() {
    let site = Site::new();
    let Some(volume) = Volume::mount(site.path("disk"), 160) else {
        return lacks("root, loop devices and mkfs.ext4");
    };
    let receiver = Receiver::always(200);
    site.configure(&format!(
        "[[endpoint]]\nname = \"crm\"\nurl = \"{}\"\npolicy = \"mine\"\n\
         [policy.mine]\nschedule = [\"1h\"]\n",
        receiver.url()
    ));
    std::os::unix::fs::symlink("disk/data", site.path("data")).unwrap();
    std::fs::create_dir(site.path("disk/data")).unwrap();
    let broker = site.start(&[]);
    let outcomes = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| post(&broker))).collect();
        eventually("events come in", || {
            (receiver.posts().len() > 50).then_some(())
        });
        if !shut_down(&volume) {
            return None;
        }
        let outcomes = clients.into_iter().map(|client| client.join().unwrap());
        Some(outcomes.collect::<Vec<_>>())
    });
    let Some(outcomes) = outcomes else {
        return skip("python3, and a kernel with FS_IOC_SHUTDOWN");
    };
    assert_eq!(broker.ended(), 3);
    for problem in outcomes.iter().filter_map(|(_, problem)| problem.as_ref()) {
        assert!(problem.contains("writing to the store failed"), "{problem}");
    }
    let log = site.log();
    let line = log.lines().rfind(|line| line.starts_with("error: "));
    let line = line.unwrap();
    assert!(line.contains("Input/output error"), "{line}");
    assert!(line.contains("nothing is accepted until"), "{line}");
    assert_eq!(log.matches("the store has stopped").count(), 1, "{log}");

    // The disk is still out of order: no start, and no word of damage.
    let ran = site.start_in_vain(&[]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(!ran.err.contains("damaged"), "{}", ran.err);

    eventually("it is unmounted", || volume.unmount().then_some(()));
    assert!(volume.mount_again());
    let broker = site.start(&[]);
    let kept = events(&broker);
    let acknowledged = outcomes.iter().flat_map(|(acknowledged, _)| acknowledged);
    let lost: Vec<_> = acknowledged.filter(|id| !kept.contains(id)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let event = broker.event("order.paid", &json!(1));
    broker.delivery_once(&event, "delivered");
    broker.stop();
}
