//! The systemd unit, judged by systemd.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{deployed, skip};

const INSTALLED: &str = "/usr/local/bin/redeliver";

/// The unit with the binary of this build, in a folder of its own; none where nothing can judge it.
fn unit(dir: &Path) -> Option<String> {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        skip("systemd-analyze");
        return None;
    }
    let unit = fs::read_to_string(deployed("systemd/redeliver.service")).unwrap();
    assert!(unit.contains(INSTALLED));
    let file = dir.join("redeliver.service");
    fs::write(
        &file,
        unit.replace(INSTALLED, env!("CARGO_BIN_EXE_redeliver")),
    )
    .unwrap();
    Some(file.to_str().unwrap().to_owned())
}

fn analyze(args: &[&str]) -> (bool, String) {
    let output = Command::new("systemd-analyze").args(args).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let dir = tempfile::tempdir().unwrap();
    if let Some(unit) = unit(dir.path()) {
        let (is_good, said) = analyze(&["verify", "--man=no", &unit]);
        assert!(is_good && !said.contains("redeliver.service"), "{said}");
    }
}

#[test]
fn systemd_counts_the_service_among_the_least_exposed() {
    let dir = tempfile::tempdir().unwrap();
    if let Some(unit) = unit(dir.path()) {
        // In tenths; 10.0 is a service without any of it.
        let (is_good, said) = analyze(&["security", "--offline=true", "--threshold=15", &unit]);
        assert!(is_good, "{said}");
    }
}
