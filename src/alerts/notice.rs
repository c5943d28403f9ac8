//! What is told of an alert, as an event for the log.

use serde::{Serialize, Serializer};

use super::memory::{ABOVE, BELOW, CLEARED, SPIKE, VISITOR, visit_key};
use super::rule::{Finding, Side, counted};
use crate::clock::Timestamp;
use crate::config::alert::{Bound, Metric, Period, Rule, Shape};
use crate::config::{ALERTS_SOURCE, Alert, Website};
use crate::event::{Form, NewEvent};
use crate::vendor::zenovay::bodies::{Named, Visitor};
use crate::words::steers;

/// How much of a text of a stranger's is put into a sentence.
const TEXT_MAX_CHARS: usize = 80;

const JSON: &str = "application/json";

/// The type of the events that tell that an alert's condition holds.
pub fn kind(rule: Rule) -> &'static str {
    match rule {
        Rule::HighValueVisitor { .. } => VISITOR,
        Rule::TrafficSpike { .. } => SPIKE,
        Rule::Above(_) => ABOVE,
        Rule::Below(_) => BELOW,
    }
}

/// An alert of a website, about to tell something.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// Its website.
    pub website: &'a Website,
    /// The present.
    pub now: Timestamp,
}

/// `data` of an event.
#[derive(Serialize)]
struct Data<'a> {
    alert: &'a str,
    website: Named<'a>,
    /// The type of the event that is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    fired_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared_at: Option<Timestamp>,
    #[serde(flatten)]
    found: Found<'a>,
    text: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Found<'a> {
    Visitor {
        visitor: &'a Visitor,
        threshold: Number,
    },
    Spike {
        current: u64,
        baseline: u64,
        factor: Number,
    },
    Figure {
        metric: &'static str,
        /// A live count is of none.
        #[serde(skip_serializing_if = "Option::is_none")]
        range: Option<&'static str>,
        value: u64,
        threshold: Number,
    },
}

/// The body in Slack's shape (ZRT-44).
#[derive(Serialize)]
struct Slack {
    text: String,
}

/// A number of the configuration, written whole where it is.
#[derive(Clone, Copy)]
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Beyond 2^53 not every whole number is one.
        if self.0.fract() == 0.0 && self.0.abs() < 9e15 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl From<&Finding> for Found<'_> {
    fn from(finding: &Finding) -> Self {
        match *finding {
            Finding::Spike {
                current,
                baseline,
                factor,
                ..
            } => Self::Spike {
                current,
                baseline,
                factor: Number(factor),
            },
            Finding::Figure { bound, value, .. } => Self::Figure {
                metric: bound.metric.word(),
                range: bound.metric.period().map(Period::word),
                value,
                threshold: Number(bound.threshold),
            },
        }
    }
}

impl Notice<'_> {
    /// A visit whose score is at least `threshold` was found.
    pub fn visitor(&self, visitor: &Visitor, threshold: f64) -> NewEvent {
        let key = visit_key(&self.alert.name, &visitor.id, visitor.visited_at);
        let found = Found::Visitor {
            visitor,
            threshold: Number(threshold),
        };
        let text = self.of_visitor(visitor);
        self.event(VISITOR, key, &text, |text| self.data(found, text))
    }

    /// The condition began to hold.
    pub fn fires(&self, finding: &Finding, key: String) -> NewEvent {
        let text = self.of_finding(finding, true);
        let found = Found::from(finding);
        let kind = kind(self.alert.rule);
        self.event(kind, key, &text, |text| self.data(found, text))
    }

    /// The condition, which held since `fired_at`, has ceased to.
    pub fn clears(&self, finding: &Finding, fired_at: Timestamp, key: String) -> NewEvent {
        let text = self.of_finding(finding, false);
        self.event(CLEARED, key, &text, |text| Data {
            condition: Some(kind(self.alert.rule)),
            fired_at,
            cleared_at: Some(self.now),
            ..self.data(Found::from(finding), text)
        })
    }

    fn data<'b>(&'b self, found: Found<'b>, text: &'b str) -> Data<'b> {
        Data {
            alert: &self.alert.name,
            website: Named {
                id: &self.website.id,
                domain: &self.website.domain,
                name: &self.website.name,
            },
            condition: None,
            fired_at: self.now,
            cleared_at: None,
            found,
            text,
        }
    }

    fn event<'b>(
        &self,
        kind: &str,
        key: String,
        text: &'b str,
        data: impl FnOnce(&'b str) -> Data<'b>,
    ) -> NewEvent {
        // What is serialized here has text keys only.
        let (form, body) = match self.alert.shape {
            Shape::Event => (Form::Data, serde_json::to_vec(&data(text))),
            Shape::Slack => {
                let text = escaped(text);
                (Form::Relayed, serde_json::to_vec(&Slack { text }))
            }
        };
        NewEvent {
            source: ALERTS_SOURCE.into(),
            kind: kind.into(),
            subject: Some(self.alert.name.clone()),
            time: Some(self.now),
            content_type: JSON.into(),
            form,
            body: body.unwrap_or_default().into(),
            status: None,
            idempotency_key: Some(key),
        }
    }

    fn of_visitor(&self, visitor: &Visitor) -> String {
        let site = plain(&self.website.name);
        let score = visitor.value_score.map_or(f64::NAN, |score| score.0);
        let score = (score * 100.0).round() / 100.0;
        let mut text = format!("High-value visitor on {site}: value score {score}");
        let country = visitor
            .country_name
            .as_ref()
            .or(visitor.country_code.as_ref());
        let place: Vec<String> = [visitor.city.as_ref(), country]
            .into_iter()
            .flatten()
            .map(|text| plain(text))
            .collect();
        if !place.is_empty() {
            text += &format!(", from {}", place.join(", "));
        }
        if let Some(page) = &visitor.landing_page {
            text += &format!(", landed on {}", plain(page));
        }
        text
    }

    fn of_finding(&self, finding: &Finding, holds: bool) -> String {
        let site = plain(&self.website.name);
        match *finding {
            Finding::Spike {
                current,
                mean,
                factor,
                ..
            } => {
                let current = counted(current, Metric::TotalVisitors(Period::LastDay));
                // A website with a visitor now and then has a usual day below one.
                let usual = (mean * 10.0).round() / 10.0;
                match holds {
                    true => format!(
                        "Traffic spike on {site}: {current} in the last 24 hours, more than {factor} times the usual {usual} a day"
                    ),
                    false => format!(
                        "The traffic spike on {site} is over: {current} in the last 24 hours, usually {usual} a day"
                    ),
                }
            }
            Finding::Figure { bound, value, side } => {
                let Bound { metric, threshold } = bound;
                let (counted, during) = (counted(value, metric), during(metric));
                let side = match side {
                    Side::Above => "above",
                    Side::Below => "below",
                };
                let still = if holds { "" } else { "no longer " };
                format!("{site}: {counted}{during}, {still}{side} {threshold}")
            }
        }
    }
}

fn during(metric: Metric) -> &'static str {
    match metric.period() {
        None => "",
        Some(Period::LastDay) => " in the last 24 hours",
        Some(Period::Week) => " in the last 7 days",
        Some(Period::Month) => " in the last 30 days",
        Some(Period::Quarter) => " in the last 90 days",
        Some(Period::Year) => " in the last year",
    }
}

/// A text that anyone may have chosen, on one line and not too long.
fn plain(text: &str) -> String {
    let shown = text.chars().map(|c| match c.is_control() || steers(c) {
        true => ' ',
        false => c,
    });
    let mut plain: String = shown.take(TEXT_MAX_CHARS).collect();
    if text.chars().nth(TEXT_MAX_CHARS).is_some() {
        plain.push('…');
    }
    plain
}

/// In Slack's text these three are commands: a visitor could call everybody to the channel.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
