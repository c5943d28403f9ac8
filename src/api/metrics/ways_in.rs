//! Sources, pollers, alerts.

use super::Looked;
use crate::inbound::tally::Seen;
use crate::telemetry::NATIVE_REFUSALS;
use crate::telemetry::sheet::{Figure, Kind, Sheet};

/// Adds what there is to know of the ways in, and of alerts.
pub(super) fn add(sheet: &mut Sheet, looked: &Looked) {
    refusals(sheet, looked);
    pollers(sheet, looked);
    let mut alerts = Figure::new(
        "redeliver_alert_firing",
        Kind::Gauge,
        "1 while the condition of a website's alert holds and was told",
    );
    let admin = &looked.admin;
    for view in admin.alerts.get().views(admin.clock.now()) {
        let firing = f64::from(u8::from(view.is_firing));
        alerts.push(&[("alert", view.name)], firing);
    }
    sheet.add(alerts);
}

fn refusals(sheet: &mut Sheet, looked: &Looked) {
    let mut refused = Figure::new(
        "redeliver_requests_refused",
        Kind::Counter,
        "Requests that were to bring events, by source and why they were refused",
    );
    for (reason, count) in looked.admin.telemetry.refused() {
        let labels = [("source", NATIVE_REFUSALS), ("reason", reason)];
        refused.push(&labels, count as f64);
    }
    let mut add = |seen: Seen<'_>| {
        for (reason, count) in &seen.counts.refused {
            let labels = [("source", seen.name), ("reason", reason.name())];
            refused.push(&labels, *count as f64);
        }
    };
    looked.sources.relay.sources().for_each(&mut add);
    looked.sources.zebline.sources().for_each(&mut add);
    sheet.add(refused);
    sheet.counter(
        "redeliver_requests_unknown_source",
        "Requests below /in/ to sources that are not there",
        looked.sources.relay.unknown() as f64,
    );
}

fn pollers(sheet: &mut Sheet, looked: &Looked) {
    let mut polls = Figure::new(
        "redeliver_polls",
        Kind::Counter,
        "Requests that pollers made",
    );
    let mut failures = Figure::new(
        "redeliver_poll_failures",
        Kind::Counter,
        "Rounds of pollers that brought nothing that can be used",
    );
    let mut failing = Figure::new(
        "redeliver_poller_failing",
        Kind::Gauge,
        "How many of a poller's resources failed when they were last asked for",
    );
    for gauge in looked.sources.pollers.iter() {
        let figures = gauge.figures();
        let labels = [("source", &*gauge.name)];
        polls.push(&labels, figures.polls as f64);
        failures.push(&labels, figures.failed as f64);
        failing.push(&labels, figures.failing.len() as f64);
    }
    for figure in [polls, failures, failing] {
        sheet.add(figure);
    }
}
