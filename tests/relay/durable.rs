//! What was answered 200 is on disk: over repeats, restarts, kills and stops.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use crate::process::eventually;
use crate::site::*;

#[test]
fn hot_18_of_fifty_repeats_at_once_one_is_new_and_all_have_its_place() {
    let site = site();
    let broker = site.start(&["--clock", "manual"]);
    let now = seconds(&broker);
    let answers: Vec<_> = thread::scope(|scope| {
        let sent: Vec<_> = (0..50)
            // Each with a time of its own, and so with other bytes.
            .map(|later| {
                let broker = &broker;
                scope.spawn(move || taken(&hotjar(broker, &response(42, now + later))))
            })
            .collect();
        sent.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let new = answers.iter().filter(|(_, duplicate)| !duplicate).count();
    assert_eq!(new, 1);
    assert!(answers.iter().all(|(seq, _)| *seq == 1));
    let shown = source(&broker, "surveys");
    assert_eq!(
        (&shown["accepted"], &shown["duplicates"]),
        (&1.into(), &49.into())
    );
}

#[test]
fn what_was_answered_survives_a_kill_and_is_still_recognised() {
    let site = site();
    let broker = site.start(&[]);
    let now = seconds(&broker);
    let mut seqs = Vec::new();
    for id in 0..20 {
        seqs.push(taken(&hotjar(&broker, &response(id, now))).0);
    }
    let apart = br#"[{"iid":"a","activityStatus":"READ"},{"iid":"b","activityStatus":"READ"}]"#;
    assert_eq!(activities(&broker, "activities", apart).status, 200);
    assert!(broker.kill());
    let broker = site.start(&[]);
    assert_eq!(count(&broker), 22);
    for (id, seq) in (0..20).zip(seqs) {
        assert_eq!(event(&broker, seq)["data"]["data"]["id"], id);
        assert_eq!(taken(&hotjar(&broker, &response(id, now))), (seq, true));
    }
    let again = activities(&broker, "activities", apart).json();
    assert!(
        again["events"]
            .as_array()
            .unwrap()
            .iter()
            .all(|event| event["duplicate"] == true)
    );
    broker.stop();
    let broker = site.start(&[]);
    assert!(taken(&hotjar(&broker, &response(7, now))).1);
    assert_eq!(count(&broker), 22);
}

#[test]
fn a_request_that_a_stop_meets_halfway_is_answered_by_what_became_of_it() {
    let site = site();
    let broker = site.start(&[]);
    let mut stream = TcpStream::connect(broker.address).unwrap();
    let head = format!(
        "POST /in/open HTTP/1.1\r\nhost: {}\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n",
        broker.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Whoever is told to go on is under way: a stop closes those of whom no head has been read.
    stream
        .read_exact(&mut [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()])
        .unwrap();
    stream.write_all(b"ha").unwrap();
    broker.signal("TERM");
    eventually("it takes no more", || {
        TcpStream::connect(broker.address).is_err().then_some(())
    });
    stream.write_all(b"lf").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(broker.ended(), 0);
    let broker = site.start(&[]);
    match answer.get(9..12) {
        Some("200") => assert_eq!(count(&broker), 1, "{answer}"),
        Some("503") => assert_eq!(count(&broker), 0, "{answer}"),
        _ => panic!("{answer:?}"),
    }
}
