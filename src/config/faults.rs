//! A script of faults: `[[fault]]` tables of a file of its own.

use std::path::Path;

use toml::Spanned;
use toml::de::DeValue;

use super::report::Report;
use super::section::Section;
use super::tables::list_of_tables;
use super::{ConfigError, ConfigErrors, Place, document};
use crate::fault::{Attempts, Events, Fault, RULES_MAX, Rule, TIME_MAX};
use crate::words::quoted;

/// The longest script: more than that many rules need.
const BYTES_MAX: u64 = 1 << 20;

/// Reads the script at `path`.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn load_faults(path: &Path) -> Result<Vec<Rule>, ConfigErrors> {
    let file = path.display().to_string();
    let failed = |detail: String| {
        let (line, column) = (None, None);
        let place = Place {
            file: file.clone(),
            line,
            column,
        };
        ConfigErrors(vec![ConfigError { place, detail }])
    };
    let unreadable = |error| failed(format!("cannot be read: {error}; give another file"));
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > BYTES_MAX {
        return Err(failed("is longer than 1 MiB; give a shorter script".into()));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    parse_faults(&text, &file)
}

/// Reads `text` as the content of `file`.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn parse_faults(text: &str, file: &str) -> Result<Vec<Rule>, ConfigErrors> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut report = Report::new(file.to_owned(), text);
    let mut rules = Vec::new();
    if let Some(document) = document(&mut report, text) {
        let root = Section::new("the file", 0, document.get_ref());
        root.refuse_unknown(&mut report, &["fault"]);
        let tables = list_of_tables(&mut report, &root, "fault");
        if let Some(table) = tables.get(RULES_MAX) {
            let detail = format!("there are more than {RULES_MAX} faults; leave some out");
            report.error(table.at, detail);
        }
        for table in tables.iter().take(RULES_MAX) {
            rules.extend(read(&mut report, table));
        }
    }
    report.finish().map(|_| rules)
}

fn read(report: &mut Report, table: &Section<'_>) -> Option<Rule> {
    let known = [
        "kind",
        "time",
        "event",
        "every",
        "type",
        "attempt",
        "probability",
    ];
    table.refuse_unknown(report, &known);
    let kind = table.required_text(report, "kind");
    let kind = kind.and_then(|kind| match kind.parse::<Fault>() {
        Ok(kind) => Some(kind),
        Err(error) => {
            report.error(table.place("kind"), error.to_string());
            None
        }
    });
    let time = table.duration(report, "time");
    if time.is_some_and(|time| time > TIME_MAX) {
        let detail = "time is longer than 24h; give a shorter one";
        report.error(table.place("time"), detail);
    } else if let Some(kind) = kind.filter(|kind| time.is_some() && kind.default_time().is_none()) {
        let detail = format!("{kind} takes no time; leave it out");
        report.error(table.place("time"), detail);
    }
    if table.has("event") && table.has("every") {
        let detail = "event and every are both given; keep one of the two";
        report.error(table.place("every"), detail);
    }
    let event = table.integer(report, "event", 1..=u64::MAX);
    let every = table.integer(report, "every", 1..=u64::MAX);
    let events = match (event, every) {
        (Some(event), _) => Events::One(event),
        (None, Some(every)) => Events::Every(every),
        (None, None) => Events::All,
    };
    let attempt = attempts(report, table);
    let probability = table.number(report, "probability", 0.0..=1.0);
    let pattern = table.text(report, "type");
    let rule = Rule {
        events,
        ..Rule::new(kind?)
    };
    let rule = rule.with_time(time).ok()?.with_type(pattern);
    Some(rule.with_attempts(attempt, probability))
}

/// A number, or the word for all.
fn attempts(report: &mut Report, table: &Section<'_>) -> Option<Attempts> {
    let value: &Spanned<DeValue<'_>> = table.table.get("attempt")?;
    match value.get_ref().as_str() {
        None => {
            let number = table.integer(report, "attempt", 1..=u64::from(u32::MAX))?;
            u32::try_from(number).ok().map(Attempts::One)
        }
        Some("every") => Some(Attempts::Every),
        Some(word) => {
            let detail = format!(
                "attempt {} is not known; write a number from 1 on, or \"every\"",
                quoted(word)
            );
            report.error(table.place("attempt"), detail);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_script_says_which_event_and_which_attempt_suffers_what() {
        let script = "[[fault]]\nevent = 3\nkind = \"cut\"\n\n[[fault]]\nkind = \"delay\"\n\
            time = \"5s\"\nevery = 2\nattempt = \"every\"\n\n[[fault]]\nkind = \"duplicate\"\n\
            type = \"order.*\"\nattempt = 2\nprobability = 0.5\n[[fault]]\nkind = \"stale\"\n\
            probability = 1";
        let rules = parse_faults(script, "faults.toml").unwrap();
        let cut = Rule {
            events: Events::One(3),
            ..Rule::new(Fault::Cut)
        };
        assert_eq!(rules[0], cut);
        assert_eq!(rules[1].time(), Duration::from_secs(5));
        assert_eq!(
            (rules[1].events, rules[1].attempts),
            (Events::Every(2), Attempts::Every)
        );
        assert_eq!(
            (rules[2].attempts, rules[2].probability),
            (Attempts::One(2), 0.5)
        );
        assert!(
            rules[2]
                .filter
                .as_ref()
                .unwrap()
                .selects(Some("order.paid"))
        );
        assert_eq!(rules[3].attempts, Attempts::Every, "as on the command line");
        assert_eq!(parse_faults("", "f"), Ok(Vec::new()));
    }

    #[test]
    fn every_mistake_of_a_script_is_told_at_once_with_its_line() {
        let script = "seed = 1\n[[fault]]\nkind = \"cutt\"\nevent = 0\n[[fault]]\nevent = 1\n\
            every = 2\n[[fault]]\nkind = \"cut\"\ntime = \"2s\"\nattempt = \"all\"\n\
            [[fault]]\nkind = \"delay\"\ntime = 5\nprobability = 2\n";
        let errors = parse_faults(script, "f.toml").unwrap_err();
        assert_eq!(
            errors.to_string(),
            "f.toml:1: unknown key \"seed\" in the file; use one of \"fault\"\n\
             f.toml:3: fault \"cutt\" is not known; did you mean \"cut\"?\n\
             f.toml:4: event 0 is not within 1 to 18446744073709551615; choose another\n\
             f.toml:5: [[fault]] has no kind; add kind = …\n\
             f.toml:7: event and every are both given; keep one of the two\n\
             f.toml:10: cut takes no time; leave it out\n\
             f.toml:11: attempt \"all\" is not known; write a number from 1 on, or \"every\"\n\
             f.toml:14: time 5 has no unit; write for example \"5s\"\n\
             f.toml:15: probability 2 is not within 0.0 to 1.0; choose another"
        );
        let errors = parse_faults("[[fault]]\nkind = cut\n", "f.toml").unwrap_err();
        assert!(
            errors.to_string().starts_with("f.toml:2:8: not valid TOML"),
            "{errors}"
        );
    }
}
