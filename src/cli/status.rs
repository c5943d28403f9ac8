//! `redeliver status`: how a running server is, on a page.

use serde_json::Value;
use serde_json::value::RawValue;

use super::Failure;
use super::client::{Answer, Call};
use super::output::{self, NOTHING, Table, text};
use super::part::items;
use super::remote::{Remote, is_list};
use crate::clock::Timestamp;
use crate::duration::format_duration;

/// How many of the endpoints that need somebody are named.
const WORST_MAX: u32 = 5;

/// Healths in which nobody has to do anything.
const WELL: [&str; 3] = ["busy", "well", "removed"];

/// Show how a server is: its store, endpoints, deliveries, sources and alerts
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  redeliver status --server http://127.0.0.1:7070")]
pub struct Args {
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// Asks for all of it, one after the other.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut client = args.remote.client()?;
    let status = client.call(Call::get(["v1", "status"])).await?;
    status.expect(|status| status["store"].is_object())?;
    let overview = Call::get(["v1", "overview"]).query("limit", Some(WORST_MAX));
    let overview = client.call(overview).await?;
    let sources = client.call(Call::get(["v1", "sources"])).await?;
    let alerts = client.call(Call::get(["v1", "alerts"])).await?;
    for list in [&overview, &sources, &alerts] {
        list.expect(is_list)?;
    }
    if args.remote.json {
        return as_json(&[
            ("status", &status),
            ("overview", &overview),
            ("sources", &sources),
            ("alerts", &alerts),
        ]);
    }
    let (status, overview) = (status.json()?, overview.json()?);
    general(&status, &overview)?;
    worst(&overview)?;
    of_sources(&sources.json()?)?;
    of_alerts(&alerts.json()?)
}

/// The answers as they are, under a name each.
fn as_json(answers: &[(&str, &Answer)]) -> Result<(), Failure> {
    let mut members = Vec::new();
    for (name, answer) in answers {
        let document: &RawValue = answer.read()?;
        members.push(format!("\"{name}\":{}", document.get()));
    }
    output::json(&format!("{{{}}}", members.join(",")))
}

fn general(status: &Value, overview: &Value) -> Result<(), Failure> {
    let (store, endpoints, deliveries) = (
        &status["store"],
        &status["endpoints"],
        &status["deliveries"],
    );
    let moment = |value: &Value| Timestamp::parse(value.as_str().unwrap_or_default()).ok();
    let up = match (moment(&status["now"]), moment(&status["started_at"])) {
        (Some(now), Some(started)) => {
            let seconds = now.since(started).as_secs();
            format_duration(std::time::Duration::from_secs(seconds))
        }
        _ => NOTHING.to_owned(),
    };
    let health = |name: &str| match overview["totals"][name].as_u64() {
        None | Some(0) => String::new(),
        Some(count) => format!(", {count} {}", name.replace('_', " ")),
    };
    let health = ["failing", "retrying"].map(health).concat();
    let stopped = match store["stopped"].as_str() {
        Some(why) => format!("; STOPPED: {}", output::clean(why)),
        None => String::new(),
    };
    let is_full = store["free_bytes"].as_u64() < store["reserve_bytes"].as_u64();
    let full = match store["free_bytes"].is_u64() && is_full {
        true => "; DISK FULL: no event is taken",
        false => "",
    };
    let (used, free) = (size(&store["used_bytes"]), size(&store["free_bytes"]));
    let counts = ["pending", "waiting", "in_flight", "delivered", "dead"];
    let counts =
        counts.map(|name| format!("{} {}", text(deliveries, name), name.replace('_', " ")));
    output::pairs_of(&[
        ("version", text(status, "version")),
        (
            "up",
            format!("{up}, clock {}", text(&status["clock"], "speed")),
        ),
        (
            "events",
            format!(
                "{} in the log, {used} on disk, {free} free{stopped}{full}",
                text(store, "events")
            ),
        ),
        (
            "endpoints",
            format!(
                "{} active, {} paused{health}",
                text(endpoints, "active"),
                text(endpoints, "paused")
            ),
        ),
        ("deliveries", counts.join(", ")),
        ("next", text(deliveries, "next_due_at")),
    ])
}

/// The endpoints that need somebody, the worst first, as far as they are told.
fn worst(overview: &Value) -> Result<(), Failure> {
    let mut table = Table::new(&["ENDPOINT", "HEALTH", "BACKLOG", "OLDEST", "DEAD", "LAST"]);
    let mut is_any = false;
    for endpoint in items(overview) {
        let health = text(endpoint, "health");
        if WELL.contains(&&*health) {
            continue;
        }
        is_any = true;
        let last = &endpoint["last_failure"];
        // Of one that is paused: why it is, where that was not the operator's wish.
        let paused = text(endpoint, "state_reason");
        let last = [paused, text(last, "error"), text(last, "status")];
        let cell = |key| text(endpoint, key);
        table.row(vec![
            cell("name"),
            health,
            cell("backlog"),
            cell("oldest_waiting_at"),
            cell("dead"),
            last.into_iter()
                .find(|text| text != NOTHING)
                .unwrap_or_else(|| NOTHING.to_owned()),
        ]);
    }
    if is_any {
        output::line("")?;
        table.print("")?;
    }
    Ok(())
}

fn of_sources(list: &Value) -> Result<(), Failure> {
    let mut table = Table::new(&[
        "SOURCE",
        "KIND",
        "ACCEPTED",
        "DUPLICATES",
        "REFUSED",
        "LAST",
    ]);
    if items(list).next().is_none() {
        return Ok(());
    }
    for source in items(list) {
        let cell = |key| text(source, key);
        let refused = match source["refused"].as_object() {
            Some(reasons) => reasons
                .values()
                .filter_map(Value::as_u64)
                .sum::<u64>()
                .to_string(),
            None => cell("failed"),
        };
        let last = [cell("last_refusal"), cell("last_error")];
        table.row(vec![
            cell("name"),
            cell("kind"),
            cell("accepted"),
            cell("duplicates"),
            refused,
            last.into_iter()
                .find(|text| text != NOTHING)
                .unwrap_or_else(|| NOTHING.to_owned()),
        ]);
    }
    output::line("")?;
    table.print("")
}

fn of_alerts(list: &Value) -> Result<(), Failure> {
    let mut table = Table::new(&["ALERT", "WEBSITE", "WHEN", "STATE", "VALUE", "FIRED"]);
    if items(list).next().is_none() {
        return Ok(());
    }
    for alert in items(list) {
        let keys = [
            "name",
            "website",
            "when",
            "state",
            "last_value",
            "last_fired_at",
        ];
        table.row(keys.map(|key| text(alert, key)).into());
    }
    output::line("")?;
    table.print("")
}

/// Bytes, for people.
fn size(bytes: &Value) -> String {
    let Some(bytes) = bytes.as_u64() else {
        return "an unknown size".to_owned();
    };
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut number = bytes as f64;
    let mut unit = 0;
    while number >= 1024.0 && unit + 1 < units.len() {
        number /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && number < 10.0);
    format!("{number:.digits$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_suits_them() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (1_u64 << 34, "16 GiB"),
        ] {
            assert_eq!(size(&bytes.into()), shown);
        }
        assert_eq!(size(&Value::Null), "an unknown size");
    }
}
