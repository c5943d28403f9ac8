//! What a scenario found: figures, and what stands behind them.

use serde::Serialize;

use super::detail::{Detail, Sample, Side};
use super::figure::{Figure, Goal};

/// The answer of one scenario, or of several.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Findings {
    /// The rows of the table.
    pub figures: Vec<Figure>,
    /// What stands behind each of them.
    pub details: Vec<Detail>,
}

/// What one side did in one round.
#[derive(Clone, Copy, Debug)]
pub struct Paced {
    /// Events or deliveries.
    pub per_second: f64,
    /// How long they took, and what they cost.
    pub sample: Sample,
}

impl Findings {
    /// The paces of the broker and its baseline, with what stands behind them.
    pub fn compared(goal: Goal, rounds: &[(Paced, Paced)]) -> Self {
        let paces: Vec<(f64, f64)> = rounds
            .iter()
            .map(|(broker, baseline)| (broker.per_second, baseline.per_second))
            .collect();
        let sides: Vec<(Sample, Sample)> = rounds
            .iter()
            .map(|(broker, baseline)| (broker.sample, baseline.sample))
            .collect();
        Self::of(vec![goal.compared(&paces)], &sides)
    }

    /// Figures of the same rounds, with what stands behind them, the broker's first.
    pub fn of(figures: Vec<Figure>, rounds: &[(Sample, Sample)]) -> Self {
        let (broker, baseline): (Vec<_>, Vec<_>) = rounds.iter().copied().unzip();
        let name = figures.first().map_or("", |figure| figure.name);
        Self {
            figures,
            details: vec![
                Detail::of(name, Side::Broker, &broker),
                Detail::of(name, Side::Baseline, &baseline),
            ],
        }
    }

    /// Adds another's behind these.
    pub fn and(mut self, other: Self) -> Self {
        self.figures.extend(other.figures);
        self.details.extend(other.details);
        self
    }
}
