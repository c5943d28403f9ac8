//! The fuzz targets' claims over the corpus and over what was found once, on stable.
//!
//! `fuzz/README.md` says how to look for more.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its corpus has failed"
)]

mod harness;
mod seeds;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use harness::{Run, TARGETS};

/// `fuzz/corpus/TARGET` or `fuzz/findings/TARGET`.
fn folder(kind: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(kind)
        .join(target)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Runs the target over every file and names each that breaks its claim.
fn holds(target: &str) {
    let (_, run): &(_, Run) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let corpus = files(&folder("corpus", target));
    assert!(corpus.len() >= 5, "{target} has no corpus");
    let findings = files(&folder("findings", target));
    let broken: Vec<_> = corpus
        .iter()
        .chain(&findings)
        .filter(|file| {
            let input = fs::read(file).unwrap();
            catch_unwind(AssertUnwindSafe(|| run(&input))).is_err()
        })
        .collect();
    assert!(broken.is_empty(), "{target} does not hold for {broken:#?}");
}

#[test]
fn a_frame_reads_back_and_damage_is_always_seen() {
    holds("codec");
}

#[test]
fn a_damaged_store_names_exactly_what_is_missing_and_serves_no_wrong_byte() {
    holds("recovery");
}

#[test]
fn every_mistake_of_a_configuration_has_a_line_and_a_mend_and_shows_no_secret() {
    holds("config");
}

#[test]
fn a_native_event_is_taken_as_its_rules_say_and_its_data_stays_its_bytes() {
    holds("native");
}

#[test]
fn a_cloudevent_is_the_same_event_in_both_modes() {
    holds("cloudevents");
}

#[test]
fn what_is_answered_202_is_in_the_log_and_what_is_refused_is_not() {
    holds("ingest");
}

#[test]
fn what_a_source_takes_is_signed_and_stays_its_senders_bytes() {
    holds("relay");
}

#[test]
fn what_is_kept_of_zeblines_events_may_be_kept_and_says_the_same_again() {
    holds("zebline");
}

#[test]
fn what_an_administrator_sends_is_told_or_says_the_same_again() {
    holds("api_input");
}

#[test]
fn a_signature_is_accepted_only_if_the_owner_of_the_key_made_it() {
    holds("signature");
}

#[test]
fn the_policys_step_agrees_with_the_model() {
    holds("policy");
}

#[test]
fn no_spelling_of_a_refused_address_is_let_through() {
    holds("url_guard");
}

#[test]
fn what_is_read_of_a_text_is_written_as_the_same() {
    holds("texts");
}

#[test]
fn an_answer_ends_and_is_kept_within_its_bounds() {
    holds("answer");
}

/// The names of the files in `folder`, without their endings.
fn stems(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let stem = |file: &PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
    files(&folder).iter().map(stem).collect()
}

#[test]
fn every_target_has_its_claim_its_corpus_and_its_binary() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems("fuzz/fuzz_targets"), targets);
    assert_eq!(stems("fuzz/corpus"), targets);
    assert!(stems("fuzz/findings").is_subset(&targets));
    let claims = include_str!("main.rs");
    for target in targets {
        let claim = format!("holds(\"{target}\")");
        assert!(claims.contains(&claim), "{target} is not tested");
    }
}
