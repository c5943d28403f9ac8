//! The commands of docs/backup.md, as they stand there.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::serving::{ask, site};

#[test]
fn every_command_of_the_documentation_that_ends_by_itself_does_what_it_says() {
    let doc = [env!("CARGO_MANIFEST_DIR"), "docs/backup.md"];
    let doc: PathBuf = doc.iter().collect();
    let doc = std::fs::read_to_string(doc).unwrap();
    let blocks = doc.split("```sh\n").skip(1);
    let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 3, "{blocks:?}");
    let site = site();
    let broker = site.start(&[]);
    for number in 0..3 {
        let event = json!({"type": "order.paid", "data": {"number": number}});
        ask(&broker, "POST", "/v1/events", &event);
    }
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_redeliver"));
    let folder = binary.parent().unwrap().display().to_string();
    std::fs::create_dir(site.path("backups")).unwrap();
    let ran = Command::new("/bin/sh")
        .args(["-eu", "-c", &blocks.concat()])
        .current_dir(site.path(""))
        .env_clear()
        .env("PATH", format!("{folder}:/usr/bin:/bin"))
        .env("REDELIVER_SERVER", format!("http://{}", broker.address))
        .env("REDELIVER_TOKEN", "t0ken")
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&ran.stderr);
    let out = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{out} {err}");
    for said in [
        "newest position  3",
        "the store is whole",
        "imported 3 events; 0 were there already",
    ] {
        assert!(out.contains(said), "{said}: {out} {err}");
    }
    for name in ["events.jsonl", "orders.jsonl", "from-backup.jsonl"] {
        let lines = std::fs::read_to_string(site.path(name)).unwrap();
        assert_eq!(lines.lines().count(), 4, "{name}");
    }
}
