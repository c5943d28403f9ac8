//! What a benchmark found, in columns: the figures, and below them what stands behind each.

use crate::bench::detail::{Detail, Side, Until};
use crate::bench::figure::{Better, Figure};
use crate::bench::findings::Findings;

/// Every line, an empty one between the two tables.
pub fn lines(findings: &Findings) -> Vec<String> {
    let head = format!(
        "{:<20} {:>12} {:>12}  {:<14} {:>6}  {:<7} {}",
        "figure", "value", "baseline", "unit", "ratio", "goal", "against"
    );
    let heads = format!(
        "{:<20} {:<8}  {:<8} {:>9} {:>9} {:>9} {:>9} {:>13} {:>9} {:>16}",
        "behind it",
        "side",
        "until",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "p99.9 ms",
        "CPU µs/event",
        "peak MiB",
        "written B/event"
    );
    let figures = findings.figures.iter().map(figure);
    let details = findings.details.iter().map(detail);
    let all = std::iter::once(head).chain(figures);
    let all = all.chain([String::new(), heads]).chain(details);
    all.map(|line| line.trim_end().to_owned()).collect()
}

fn figure(figure: &Figure) -> String {
    let sign = match figure.better {
        Better::Higher => "≥",
        Better::Lower => "≤",
    };
    let mark = if figure.is_reached() { " " } else { "!" };
    format!(
        "{:<20} {:>12} {:>12}  {:<14} {:>6} {mark}{sign} {:<5} {}",
        figure.name,
        number(figure.value),
        known(figure.baseline),
        figure.unit,
        format!("{:.2}", figure.ratio),
        figure.goal,
        figure.against
    )
}

fn detail(detail: &Detail) -> String {
    let side = match detail.side {
        Side::Broker => "broker",
        Side::Baseline => "baseline",
    };
    let until = match detail.until {
        Some(Until::Answered) => "answered",
        Some(Until::Received) => "received",
        None => "",
    };
    let (latency, used) = (detail.latency, detail.used);
    format!(
        "{:<20} {side:<8}  {until:<8} {:>9} {:>9} {:>9} {:>9} {:>13} {:>9} {:>16}",
        detail.figure,
        known(latency.map(|latency| latency.p50_ms)),
        known(latency.map(|latency| latency.p90_ms)),
        known(latency.map(|latency| latency.p99_ms)),
        known(latency.map(|latency| latency.p999_ms)),
        known(used.map(|used| used.cpu_us_per_event)),
        known(used.map(|used| used.peak_rss_bytes / f64::from(1 << 20))),
        known(used.map(|used| used.written_bytes_per_event)),
    )
}

/// Nothing where nothing was measured.
fn known(value: Option<f64>) -> String {
    value.map_or_else(String::new, number)
}

fn number(value: f64) -> String {
    if value >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::detail::Used;
    use crate::bench::figure::Goal;
    use crate::bench::spread::Spread;

    const GOAL: Goal = Goal {
        name: "relay",
        goal: 0.6,
        better: Better::Higher,
        unit: "deliveries/s",
        against: "a relay",
    };

    #[test]
    fn a_missed_goal_is_marked_and_what_is_unknown_is_left_empty() {
        let broker = Detail {
            figure: "relay",
            side: Side::Broker,
            until: Some(Until::Received),
            latency: Some(Spread {
                p50_ms: 1.5,
                p90_ms: 2.5,
                p99_ms: 3.5,
                p999_ms: 1234.4,
                max_ms: 5000.0,
            }),
            used: Some(Used {
                cpu_us_per_event: 99.0,
                peak_rss_bytes: f64::from(3 << 20),
                written_bytes_per_event: 3000.0,
            }),
        };
        let baseline = Detail {
            side: Side::Baseline,
            until: None,
            latency: None,
            used: None,
            ..broker
        };
        let lines = lines(&Findings {
            figures: vec![GOAL.compared(&[(5000.0, 10_000.0)])],
            details: vec![broker, baseline],
        });
        let words = |at: usize| lines[at].split_whitespace().collect::<Vec<_>>();
        assert_eq!(
            words(1),
            [
                "relay",
                "5000",
                "10000",
                "deliveries/s",
                "0.50",
                "!≥",
                "0.6",
                "a",
                "relay"
            ]
        );
        assert_eq!(
            words(4),
            [
                "relay", "broker", "received", "1.50", "2.50", "3.50", "1234", "99.00", "3.00",
                "3000"
            ]
        );
        assert_eq!(words(5), ["relay", "baseline"]);
        let last = lines[3].chars().count();
        assert_eq!(lines[4].chars().count(), last, "the columns do not align");
    }
}
