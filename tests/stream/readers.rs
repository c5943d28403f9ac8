//! Many readers, readers who leave, and readers who do not read.

use serde_json::json;

use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::source::Source;

#[test]
fn a_thousand_readers_are_each_told_everything_and_one_more_is_told_that_there_are_too_many() {
    let site = Site::new();
    site.configure("[limits]\nmax_connections = 1400\nstreams_max = 1000\n");
    let broker = site.start(&[]);
    let mut sources: Vec<Source> = (0..1000)
        .map(|_| Source::open(broker.address, "/v1/stream", &[]))
        .collect();
    let refused = broker.send("GET", "/v1/stream", &[], b"");
    assert!(refused.problem(503).contains("limits.streams_max"));
    for n in 0..3 {
        broker.event("t", &json!(n));
    }
    for source in &mut sources {
        for n in 0..3 {
            let frame = source.next().unwrap();
            assert_eq!((frame.id, &frame.data["data"]), (Some(n + 1), &json!(n)));
        }
    }
    // Who leaves makes room.
    drop(sources);
    eventually("there is room again", || {
        Source::ask(broker.address, "/v1/stream", &[])
    });
    broker.stop();
}

#[test]
fn a_stop_ends_the_streams_behind_what_they_had() {
    let site = Site::new();
    let broker = site.start(&[]);
    let mut source = Source::open(broker.address, "/v1/stream", &[]);
    broker.event("t", &json!(1));
    assert_eq!(source.next().unwrap().id, Some(1));
    broker.stop();
    assert_eq!(source.next(), None);
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_who_does_not_read_holds_up_nobody_and_is_closed() {
    let site = Site::new();
    site.configure("[limits]\nanswer_timeout = \"5s\"\n");
    let broker = site.start(&[]);
    let before = sockets(&broker);
    let _idle = Source::open(broker.address, "/v1/stream", &[]);
    let mut reading = Source::open(broker.address, "/v1/stream", &[]);
    let large = "x".repeat(500_000);
    for n in 1..=40 {
        broker.event("t", &json!(large));
        assert_eq!(reading.next().unwrap().id, Some(n));
    }
    eventually("the idle one is closed", || {
        (sockets(&broker) == before + 1).then_some(())
    });
    broker.stop();
}

/// How many sockets the broker has open.
#[cfg(target_os = "linux")]
fn sockets(broker: &Broker) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", broker.pid())).unwrap();
    let is_socket = |entry: std::io::Result<std::fs::DirEntry>| {
        let to = std::fs::read_link(entry.unwrap().path());
        to.is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))
    };
    open.map(is_socket).filter(|is| *is).count()
}
