//! `redeliver store verify`: reads every record.

use super::super::{Failure, output};
use super::{Where, cache_bytes, failure};
use crate::store::{Finding, Loss, Report, verify};

/// Prints what was read and what is wrong.
pub(super) fn run(place: &Where) -> Result<(), Failure> {
    let report = verify(&place.data, cache_bytes()).map_err(failure)?;
    if place.json {
        let document = serde_json::to_string(&report)
            .map_err(|error| Failure::Environment(error.to_string()))?;
        output::json(&document)?;
    } else {
        human(&report)?;
    }
    match report.findings.len() {
        0 => Ok(()),
        1 => Err(Failure::Check("the store is damaged: 1 finding".to_owned())),
        n => Err(Failure::Check(format!(
            "the store is damaged: {n} findings"
        ))),
    }
}

fn human(report: &Report) -> Result<(), Failure> {
    output::pairs_of(&[
        ("events", report.events.to_string()),
        ("bytes of bodies", report.body_bytes.to_string()),
        ("last position", report.last_seq.to_string()),
        ("frames of events", report.event_frames.to_string()),
        (
            "frames of transitions",
            report.transition_frames.to_string(),
        ),
        ("attempts", report.attempts.to_string()),
    ])?;
    for finding in &report.findings {
        output::line(&described(finding))?;
    }
    for Loss { from, to } in &report.accepted_losses {
        let events = match from == to {
            true => format!("event {from} was"),
            false => format!("events {from} to {to} were"),
        };
        output::line(&format!("{events} given up for lost, by --accept-loss"))?;
    }
    if report.findings.is_empty() {
        output::line(match report.accepted_losses.is_empty() {
            true => "the store is whole",
            false => "the store is whole but for what was given up",
        })?;
    }
    Ok(())
}

fn described(finding: &Finding) -> String {
    let Finding { from, to, what } = finding;
    let what = output::clean(what);
    match (from, to) {
        (0, _) => what,
        (from, to) if from == to => format!("event {from}: {what}"),
        (from, to) => format!("events {from} to {to}: {what}"),
    }
}
