//! Figures as they stand when somebody looks. Values: what gathers them is elsewhere.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;

/// What a figure's value does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, as long as the process lives.
    Counter,
    /// It comes and goes.
    Gauge,
}

/// One value, told apart by its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Names and values, all figures of a name having the same names.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

/// All values of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// As it is scraped; a counter's without its `_total`.
    pub name: &'static str,
    /// What it is, in a sentence without its point.
    pub help: &'static str,
    /// What its values do.
    pub kind: Kind,
    /// Its values; there may be none at present.
    pub samples: Vec<Sample>,
}

impl Figure {
    /// Without values yet.
    pub fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            help,
            kind,
            samples: Vec::new(),
        }
    }

    /// A value of its own.
    pub fn push(&mut self, labels: &[(&'static str, &str)], value: f64) {
        let labels = labels
            .iter()
            .map(|(name, text)| (*name, (*text).to_owned()));
        self.samples.push(Sample {
            labels: labels.collect(),
            value,
        });
    }
}

/// All figures of one look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet(pub Vec<Figure>);

impl Sheet {
    /// A gauge with one value.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, value: f64) {
        self.one(Figure::new(name, Kind::Gauge, help), value);
    }

    /// A counter with one value.
    pub fn counter(&mut self, name: &'static str, help: &'static str, value: f64) {
        self.one(Figure::new(name, Kind::Counter, help), value);
    }

    /// A figure with its values.
    pub fn add(&mut self, figure: Figure) {
        self.0.push(figure);
    }

    fn one(&mut self, mut figure: Figure, value: f64) {
        figure.push(&[], value);
        self.add(figure);
    }
}

fn encode(encoder: &mut MetricEncoder<'_>, kind: Kind, value: f64) -> std::fmt::Result {
    match kind {
        Kind::Counter => encoder.encode_counter::<[(&str, &str); 0], f64, f64>(&value, None),
        Kind::Gauge => encoder.encode_gauge(&value),
    }
}

impl Collector for Sheet {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        for figure in &self.0 {
            let kind = match figure.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
            };
            // The library ends it with a point of its own where it is registered, but not here.
            let help = format!("{}.", figure.help);
            let mut metric = encoder.encode_descriptor(figure.name, &help, None, kind)?;
            for sample in &figure.samples {
                match sample.labels.is_empty() {
                    true => encode(&mut metric, figure.kind, sample.value)?,
                    false => {
                        let mut labelled = metric.encode_family(&sample.labels)?;
                        encode(&mut labelled, figure.kind, sample.value)?;
                    }
                }
            }
        }
        Ok(())
    }
}
