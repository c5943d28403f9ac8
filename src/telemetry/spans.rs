//! Spans on their way to a collector, where traces are exported.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::sheet::{Figure, Kind, Sheet};

/// What has become of spans since the start.
#[derive(Debug, Default)]
pub struct Spans {
    is_exported: AtomicBool,
    is_failing: AtomicBool,
    exported: AtomicU64,
    overflowed: AtomicU64,
    refused: AtomicU64,
}

/// What they have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The collector has them.
    pub exported: u64,
    /// Dropped, for too many waited.
    pub overflowed: u64,
    /// Dropped, for the collector did not take them in time, or not at all.
    pub refused: u64,
}

impl Spans {
    /// From now on traces are exported.
    pub fn begin(&self) {
        self.is_exported.store(true, Ordering::Relaxed);
    }

    /// The collector has taken so many.
    pub fn export(&self, spans: u64) {
        self.exported.fetch_add(spans, Ordering::Relaxed);
    }

    /// So many found no room.
    pub fn overflow(&self, spans: u64) {
        self.overflowed.fetch_add(spans, Ordering::Relaxed);
    }

    /// The collector has not taken so many.
    pub fn refuse(&self, spans: u64) {
        self.refused.fetch_add(spans, Ordering::Relaxed);
    }

    /// Whether the collector takes none; says whether that is news.
    pub fn fail(&self, is_failing: bool) -> bool {
        self.is_failing.swap(is_failing, Ordering::Relaxed) != is_failing
    }

    /// What they have come to.
    pub fn counts(&self) -> Counts {
        Counts {
            exported: self.exported.load(Ordering::Relaxed),
            overflowed: self.overflowed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Adds these figures; their values only where traces are exported.
    pub fn add(&self, sheet: &mut Sheet) {
        let mut exported = Figure::new(
            "redeliver_trace_spans_exported",
            Kind::Counter,
            "Spans that the collector has taken, where traces are exported",
        );
        let mut dropped = Figure::new(
            "redeliver_trace_spans_dropped",
            Kind::Counter,
            "Spans that were dropped: too many waited (queue_full), or the collector did not take them (collector)",
        );
        let mut failing = Figure::new(
            "redeliver_trace_collector_failing",
            Kind::Gauge,
            "1 if the collector did not take the last batch of spans",
        );
        if self.is_exported.load(Ordering::Relaxed) {
            let counts = self.counts();
            exported.push(&[], counts.exported as f64);
            dropped.push(&[("reason", "queue_full")], counts.overflowed as f64);
            dropped.push(&[("reason", "collector")], counts.refused as f64);
            let is_failing = self.is_failing.load(Ordering::Relaxed);
            failing.push(&[], f64::from(u8::from(is_failing)));
        }
        for figure in [exported, dropped, failing] {
            sheet.add(figure);
        }
    }
}
