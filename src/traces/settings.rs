//! What the standard variables say about traces. Pure.
//!
//! Headers and the resource (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`,
//! `OTEL_RESOURCE_ATTRIBUTES`) are read by OpenTelemetry's own crates: the former hold secrets, of
//! which nothing is known here.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::words::quoted;

/// Where all signals go, each to a path of its own below it.
pub const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Where traces go.
pub const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/// The only protocol that is spoken.
const PROTOCOL: &str = "http/protobuf";

/// From one span to what takes tens of megabytes.
const COUNTS: RangeInclusive<u64> = 1..=100_000;

/// Milliseconds: to five minutes.
const TIMES_MS: RangeInclusive<u64> = 1..=300_000;

/// What a collector is told, and how soon.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where to; `http` or `https`, without credentials.
    pub endpoint: Url,
    /// A file with the certificate authority (PEM) of the collector, beside the system's.
    pub certificate: Option<PathBuf>,
    /// For a batch with all its repeats.
    pub timeout: Duration,
    /// Which traces are recorded.
    pub sampling: Sampling,
    /// Of what happened, as much may wait to be sent, each event of a list counted by itself. Beyond
    /// it, it is dropped.
    pub queue_max: usize,
    /// Spans of one batch.
    pub batch_max: usize,
    /// How long a batch waits to become full.
    pub delay: Duration,
}

/// Which traces are recorded. What a caller has decided counts for its own trace only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampling {
    /// All of them.
    All,
    /// None.
    None,
    /// So many of them, from 0 to 1, by their ids.
    Ratio(f64),
}

/// Why nothing is exported although somebody asked for it. No value of a variable that may hold a
/// secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {detail}; no traces are exported")]
pub struct SettingsError {
    /// Which variable.
    pub variable: &'static str,
    /// What is wrong, and the mend.
    pub detail: String,
}

fn wrong(variable: &'static str, detail: impl Into<String>) -> SettingsError {
    let detail = detail.into();
    SettingsError { variable, detail }
}

impl Settings {
    /// As `env` says; none, where no endpoint is given or traces are switched off.
    ///
    /// # Errors
    /// If what is asked for cannot be done.
    pub fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, SettingsError> {
        // An empty variable is as good as none, by the specification.
        let get = |name: &'static str| {
            let text = env(name).filter(|text| !text.trim().is_empty());
            text.map(|text| (name, text.trim().to_owned()))
        };
        // What is said of traces counts more than what is said of all signals.
        let either = |traces, all| get(traces).or_else(|| get(all));
        let is = |name, word: &str| get(name).is_some_and(|(_, it)| it.eq_ignore_ascii_case(word));
        let Some((variable, text)) = either(TRACES_ENDPOINT, ENDPOINT) else {
            return Ok(None);
        };
        if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        if let Some((name, exporter)) = get("OTEL_TRACES_EXPORTER")
            && exporter != "otlp"
        {
            let detail = format!("is {}; set it to otlp or none", quoted(&exporter));
            return Err(wrong(name, detail));
        }
        let protocol = either(
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        );
        if let Some((name, protocol)) = protocol.filter(|(_, protocol)| protocol != PROTOCOL) {
            let detail = format!(
                "is {}; set it to {PROTOCOL}, for which collectors listen at port 4318",
                quoted(&protocol)
            );
            return Err(wrong(name, detail));
        }
        let compression = either(
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
        );
        if let Some((name, given)) = compression.filter(|(_, given)| given != "none") {
            let detail = format!("is {}; set it to none", quoted(&given));
            return Err(wrong(name, detail));
        }
        let certificate = either(
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
        );
        let timeout = either(
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        );
        let queue_max = number(get("OTEL_BSP_MAX_QUEUE_SIZE"), COUNTS, 2048)? as usize;
        let batch_max = number(get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"), COUNTS, 512)? as usize;
        let delay_ms = number(get("OTEL_BSP_SCHEDULE_DELAY"), TIMES_MS, 5_000)?;
        Ok(Some(Self {
            endpoint: endpoint(variable, &text)?,
            certificate: certificate.map(|(_, path)| path.into()),
            timeout: Duration::from_millis(number(timeout, TIMES_MS, 10_000)?),
            sampling: sampling(get("OTEL_TRACES_SAMPLER"), get("OTEL_TRACES_SAMPLER_ARG"))?,
            queue_max,
            batch_max,
            delay: Duration::from_millis(delay_ms),
        }))
    }
}

type Given = Option<(&'static str, String)>;

fn endpoint(variable: &'static str, text: &str) -> Result<Url, SettingsError> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(mut url) = url else {
        let detail = "is no http or https URL; write for example http://127.0.0.1:4318";
        return Err(wrong(variable, detail));
    };
    if !url.username().is_empty() || url.password().is_some() {
        let detail = "has credentials; move them to OTEL_EXPORTER_OTLP_HEADERS";
        return Err(wrong(variable, detail));
    }
    if variable == ENDPOINT {
        let below = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{below}/v1/traces"));
    }
    Ok(url)
}

fn number(given: Given, range: RangeInclusive<u64>, default: u64) -> Result<u64, SettingsError> {
    let Some((variable, text)) = given else {
        return Ok(default);
    };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (min, max) = range.into_inner();
        let detail = format!("is {}; give a number from {min} to {max}", quoted(&text));
        wrong(variable, detail)
    })
}

fn sampling(sampler: Given, argument: Given) -> Result<Sampling, SettingsError> {
    let Some((variable, name)) = sampler else {
        return Ok(Sampling::All);
    };
    // What is made here has no parent elsewhere, so that those by a parent are their root's.
    match name.strip_prefix("parentbased_").unwrap_or(&name) {
        "always_on" => Ok(Sampling::All),
        "always_off" => Ok(Sampling::None),
        "traceidratio" => {
            let Some((variable, text)) = argument else {
                return Ok(Sampling::Ratio(1.0));
            };
            let ratio = text.parse().ok().filter(|it| (0.0..=1.0).contains(it));
            ratio.map(Sampling::Ratio).ok_or_else(|| {
                let detail = format!("is {}; give a number from 0 to 1", quoted(&text));
                wrong(variable, detail)
            })
        }
        _ => {
            let detail = format!(
                "is {}; set it to always_on, always_off or traceidratio, with parentbased_ or \
                 without",
                quoted(&name)
            );
            Err(wrong(variable, detail))
        }
    }
}

#[cfg(test)]
mod tests;
