//! A page of metrics, read as a Prometheus reads it.

use std::collections::BTreeMap;

use crate::process::broker::Broker;

/// A page in Prometheus's own form.
pub struct Page {
    pub text: String,
    /// The type of each metric.
    pub types: BTreeMap<String, String>,
    /// By name and labels as they stand there.
    pub samples: BTreeMap<String, f64>,
}

impl Page {
    #[track_caller]
    pub fn of(broker: &Broker) -> Self {
        let answer = broker.send("GET", "/metrics", &[], b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self::read(&answer.text())
    }

    pub fn read(text: &str) -> Self {
        let mut page = Self {
            text: text.to_owned(),
            types: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        for line in text.lines() {
            if let Some(told) = line.strip_prefix("# TYPE ") {
                let (name, kind) = told.split_once(' ').unwrap();
                let before = page.types.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} is told twice");
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let value = value.parse().unwrap();
                let before = page.samples.insert(series.to_owned(), value);
                assert_eq!(before, None, "{series} is there twice");
            }
        }
        page
    }

    /// The value of a series, its labels included; 0 if it is not there.
    pub fn value(&self, series: &str) -> f64 {
        self.samples.get(series).copied().unwrap_or_default()
    }

    /// Every name by which a query may ask for something.
    pub fn names(&self) -> Vec<String> {
        let each = self.types.iter();
        let names = each.flat_map(|(name, kind)| match kind.as_str() {
            "histogram" => ["_bucket", "_sum", "_count"]
                .map(|end| format!("{name}{end}"))
                .to_vec(),
            _ => vec![name.clone()],
        });
        names.collect()
    }
}

/// The names of redeliver's and the process's metrics in `text`.
pub fn named_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let mut names: Vec<String> = words
        .filter(|word| word.starts_with("redeliver_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}
