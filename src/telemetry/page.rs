//! Everything that is scraped, as text in the form that was asked for. Pure.

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use super::instruments::Instruments;
use super::sheet::Sheet;

/// A text form of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Prometheus's own, which everything reads.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Form {
    /// The one that a client with this `Accept` header wants.
    pub fn wanted(accept: &str) -> Self {
        let wants = accept
            .split(',')
            .any(|media| media.trim().starts_with("application/openmetrics-text"));
        match wants {
            true => Self::OpenMetrics,
            false => Self::Prometheus,
        }
    }

    /// Its media type.
    pub fn media(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes all of it.
///
/// # Errors
/// None that is known of: text in memory takes everything.
pub fn write(
    instruments: &Instruments,
    sheet: Sheet,
    form: Form,
) -> Result<String, std::fmt::Error> {
    let mut page = String::with_capacity(16 * 1024);
    instruments.write(&mut page)?;
    let mut registry = Registry::default();
    registry.register_collector(Box::new(sheet));
    text::encode_registry(&mut page, &registry)?;
    match form {
        Form::OpenMetrics => text::encode_eof(&mut page)?,
        Form::Prometheus => page = classic(&page),
    }
    Ok(page)
}

/// The same in Prometheus's own form: there a counter's help and type carry its whole name.
fn classic(page: &str) -> String {
    let counter = |line: &str| {
        let name = line.strip_prefix("# TYPE ")?.strip_suffix(" counter")?;
        Some(name.to_owned())
    };
    let mut text = String::with_capacity(page.len() + page.len() / 16);
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let following = lines.peek().and_then(|next| counter(next));
        match (line.strip_prefix("# HELP "), counter(line), following) {
            (Some(help), _, Some(name)) if help.starts_with(&*name) => {
                let rest = &help[name.len()..];
                text.push_str(&format!("# HELP {name}_total{rest}"));
            }
            (_, Some(name), _) => text.push_str(&format!("# TYPE {name}_total counter")),
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{Figure, Kind};
    use super::*;

    fn sheet() -> Sheet {
        let mut sheet = Sheet::default();
        let mut hits = Figure::new("redeliver_hits", Kind::Counter, "Hits");
        hits.push(&[("who", "a\"b\nc")], 2.0);
        hits.push(&[("who", "d")], 3.0);
        sheet.add(hits);
        sheet.gauge("redeliver_level", "A level", 0.5);
        sheet
    }

    fn page(form: Form) -> String {
        let page = write(&Instruments::default(), sheet(), form).unwrap();
        let at = page.find("# HELP redeliver_hits").unwrap();
        page[at..].to_owned()
    }

    #[test]
    fn a_counter_is_told_as_each_form_has_it_and_hostile_labels_are_escaped() {
        assert_eq!(
            page(Form::Prometheus),
            "# HELP redeliver_hits_total Hits.\n\
             # TYPE redeliver_hits_total counter\n\
             redeliver_hits_total{who=\"a\\\"b\\nc\"} 2.0\n\
             redeliver_hits_total{who=\"d\"} 3.0\n\
             # HELP redeliver_level A level.\n\
             # TYPE redeliver_level gauge\n\
             redeliver_level 0.5\n"
        );
        let open = page(Form::OpenMetrics);
        assert!(open.starts_with("# HELP redeliver_hits Hits.\n# TYPE redeliver_hits counter\n"));
        assert!(open.ends_with("redeliver_level 0.5\n# EOF\n"), "{open}");
    }

    #[test]
    fn open_metrics_is_for_those_who_ask_for_it() {
        // What Prometheus 2 and 3 send, and a browser.
        let prometheus = "application/openmetrics-text;version=1.0.0,\
                          application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Form::wanted(prometheus), Form::OpenMetrics);
        for other in ["", "*/*", "text/html,application/xhtml+xml", "text/plain"] {
            assert_eq!(Form::wanted(other), Form::Prometheus);
        }
    }
}
