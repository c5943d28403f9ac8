//! `[policy.NAME]`: retry contracts of the operator's own.

use std::time::Duration;

use super::endpoint::CHECKS;
use super::report::Report;
use super::section::{Section, section};
use crate::endpoint::draft::parse_timeout;
use crate::endpoint::validate::check_name;
use crate::endpoint::{Check, FilterOn, Order};
use crate::policy::{KeyForm, On410, Policies, Policy, Schedule, Success};
use crate::words::quoted;

pub(super) const KEYS: &[&str] = &[
    "order",
    "success",
    "schedule",
    "backoff",
    "give_up_after",
    "on_410",
    "timeout",
    "jitter",
    "retry_after",
    "check",
];
pub(super) const BACKOFF_KEYS: &[&str] = &["first", "factor", "max"];
/// More steps than a month of hourly retries have no reader.
const SCHEDULE_MAX_STEPS: usize = 1000;
const ATTEMPTS_MAX: u64 = 1_000_000;
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// Every `[policy.NAME]`, in the file's order.
pub(super) fn read_all(report: &mut Report, root: &Section<'_>, builtin: &Policies) -> Vec<Policy> {
    let Some(table) = root.table.get("policy") else {
        return Vec::new();
    };
    let Some(all) = section(report, "[policy.NAME]", table) else {
        return Vec::new();
    };
    let mut policies = Vec::new();
    for (name, table) in all.table.iter() {
        let title = format!("[policy.{}]", name.get_ref());
        if let Some(table) = section(report, &title, table) {
            policies.push((table.at, read(report, &table, name.get_ref(), builtin)));
        }
    }
    policies.sort_by_key(|(at, _)| *at);
    policies.into_iter().map(|(_, policy)| policy).collect()
}

/// Reads one policy. Where something is wrong, what comes back is good enough to check
/// endpoints against.
fn read(report: &mut Report, section: &Section<'_>, name: &str, builtin: &Policies) -> Policy {
    section.refuse_unknown(report, KEYS);
    if let Err(detail) = check_name(name) {
        report.error(section.at, format!("policy {detail}"));
    } else if builtin.get(name).is_some() {
        report.error(
            section.at,
            format!(
                "policy {} is built in and cannot be changed; choose another name",
                quoted(name)
            ),
        );
    }
    let schedule = schedule(report, section);
    let give_up_after = give_up_after(report, section, schedule.as_ref());
    let timeout = section.duration_text(report, "timeout").map(parse_timeout);
    let timeout = timeout.and_then(|timeout| {
        timeout
            .map_err(|detail| report.error(section.place("timeout"), detail))
            .ok()
    });
    Policy {
        name: name.to_owned(),
        order: section
            .choice(
                report,
                "order",
                &[
                    ("independent", Order::Independent),
                    ("in-order", Order::InOrder),
                ],
            )
            .unwrap_or(Order::Independent),
        success: section
            .choice(
                report,
                "success",
                &[("2xx", Success::Any2xx), ("200", Success::Only200)],
            )
            .unwrap_or(Success::Any2xx),
        schedule: schedule.unwrap_or(Schedule::Table(Vec::new())),
        give_up_after,
        on_410: section
            .choice(
                report,
                "on_410",
                &[
                    ("retry", On410::Retry),
                    ("remove", On410::Remove),
                    ("pause", On410::Pause),
                ],
            )
            .unwrap_or(On410::Retry),
        timeout: timeout.unwrap_or(TIMEOUT_DEFAULT),
        jitter: section.number(report, "jitter", 0.0..=1.0).unwrap_or(0.0),
        honours_retry_after: section.boolean(report, "retry_after").unwrap_or(false),
        requires_tls: false,
        filter_on: FilterOn::Kind,
        key_form: KeyForm::StandardSecret,
        check: section
            .choice(report, "check", CHECKS)
            .unwrap_or(Check::Off),
    }
}

fn schedule(report: &mut Report, section: &Section<'_>) -> Option<Schedule> {
    let title = &section.title;
    let meant = section.has_or_means("schedule") || section.has_or_means("backoff");
    match (section.has("schedule"), section.has("backoff")) {
        (false, false) if meant => None,
        (true, true) => {
            report.error(
                section.place("backoff"),
                format!("{title} has both schedule and backoff; keep one of the two"),
            );
            None
        }
        (false, false) => {
            report.error(section.at, format!("{title} has neither schedule nor backoff; add for example schedule = [\"1s\", \"10s\", \"1m\"]"));
            None
        }
        (true, false) => {
            let delays = section.durations(report, "schedule")?;
            if delays.is_empty() || delays.len() > SCHEDULE_MAX_STEPS {
                report.error(
                    section.place("schedule"),
                    format!(
                        "schedule has {} steps; give 1 to {SCHEDULE_MAX_STEPS}, or use backoff",
                        delays.len()
                    ),
                );
            }
            Some(Schedule::Table(delays))
        }
        (false, true) => {
            let table = section.subsection(report, "backoff")?;
            backoff(report, &table)
        }
    }
}

fn backoff(report: &mut Report, table: &Section<'_>) -> Option<Schedule> {
    table.refuse_unknown(report, BACKOFF_KEYS);
    for key in ["first", "max"] {
        table.require(report, key, &format!("add {key} = \"1m\""));
    }
    let first = table.duration(report, "first");
    let factor = match table.has("factor") {
        true => table.integer(report, "factor", 1..=1000),
        false => Some(2),
    };
    let max = table.duration(report, "max");
    if let (Some(first), Some(max)) = (first, max)
        && first > max
    {
        report.error(
            table.place("max"),
            "backoff has a max below its first delay; raise max or lower first",
        );
    }
    Some(Schedule::Backoff {
        first: first?,
        factor: u32::try_from(factor?).ok()?,
        max: max?,
    })
}

/// Left out, a table ends after its last step and a backoff never does.
fn give_up_after(
    report: &mut Report,
    section: &Section<'_>,
    schedule: Option<&Schedule>,
) -> Option<u32> {
    let key = "give_up_after";
    let given = section.table.get(key);
    match given.map(|value| value.get_ref().as_str()) {
        None => match schedule {
            Some(Schedule::Table(delays)) => u32::try_from(delays.len() + 1).ok(),
            _ => None,
        },
        Some(Some("never")) => None,
        Some(Some(_)) => {
            section.mistyped(report, key, "a number of attempts, or \"never\"");
            None
        }
        Some(None) => section
            .integer(report, key, 1..=ATTEMPTS_MAX)
            .and_then(|attempts| u32::try_from(attempts).ok()),
    }
}
