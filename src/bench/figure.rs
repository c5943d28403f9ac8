//! A figure: what was measured, beside its baseline of the same run.

use serde::Serialize;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More is.
    Higher,
    /// Less is.
    Lower,
}

/// One row of the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// By which it is known.
    pub name: &'static str,
    /// The broker's, the median of all rounds.
    pub value: f64,
    /// The baseline's, the median of all rounds; none where the goal is a number of its own.
    pub baseline: Option<f64>,
    /// The median of the rounds' own ratios, value to baseline; the value where there is none.
    pub ratio: f64,
    /// What the ratio should reach.
    pub goal: f64,
    /// Of `value` and `baseline`.
    pub unit: &'static str,
    /// Whether the ratio should be at least or at most the goal.
    pub better: Better,
    /// What the value is measured against, for a reader.
    pub against: &'static str,
    /// Value and baseline of each round.
    pub rounds: Vec<(f64, Option<f64>)>,
}

/// What a figure is called, and what it should reach.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// See [`Figure::name`].
    pub name: &'static str,
    /// See [`Figure::goal`].
    pub goal: f64,
    /// See [`Figure::better`].
    pub better: Better,
    /// See [`Figure::unit`].
    pub unit: &'static str,
    /// See [`Figure::against`].
    pub against: &'static str,
}

impl Goal {
    /// The figure of rounds in which value and baseline were measured in turns.
    pub fn compared(self, rounds: &[(f64, f64)]) -> Figure {
        let of = |pick: fn(&(f64, f64)) -> f64| median(rounds.iter().map(pick).collect());
        self.figure(
            of(|(value, _)| *value),
            Some(of(|(_, baseline)| *baseline)),
            of(|(value, baseline)| value / baseline),
            rounds
                .iter()
                .map(|(value, baseline)| (*value, Some(*baseline)))
                .collect(),
        )
    }

    /// The figure of values that have a goal of their own.
    pub fn alone(self, values: &[f64]) -> Figure {
        let value = median(values.to_vec());
        let rounds = values.iter().map(|value| (*value, None)).collect();
        self.figure(value, None, value, rounds)
    }

    fn figure(
        self,
        value: f64,
        baseline: Option<f64>,
        ratio: f64,
        rounds: Vec<(f64, Option<f64>)>,
    ) -> Figure {
        Figure {
            name: self.name,
            value,
            baseline,
            ratio,
            goal: self.goal,
            unit: self.unit,
            better: self.better,
            against: self.against,
            rounds,
        }
    }
}

impl Figure {
    /// Whether it reaches its goal.
    pub fn is_reached(&self) -> bool {
        match self.better {
            Better::Higher => self.ratio >= self.goal,
            Better::Lower => self.ratio <= self.goal,
        }
    }
}

/// The middle one, or the mean of the two in the middle; not a number of nothing.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        None => f64::NAN,
        Some(value) if values.len() % 2 == 1 => *value,
        Some(value) => f64::midpoint(values[middle - 1], *value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOAL: Goal = Goal {
        name: "relay",
        goal: 0.6,
        better: Better::Higher,
        unit: "events/s",
        against: "a relay without a store",
    };

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_and_not_of_the_medians() {
        let figure = GOAL.compared(&[(10.0, 20.0), (30.0, 100.0), (50.0, 50.0)]);
        assert_eq!((figure.value, figure.baseline), (30.0, Some(50.0)));
        assert_eq!(figure.ratio, 0.5);
        assert!(!figure.is_reached());
    }

    #[test]
    fn a_figure_that_should_be_low_reaches_its_goal_from_above() {
        let goal = Goal {
            better: Better::Lower,
            goal: 256.0,
            ..GOAL
        };
        assert!(goal.alone(&[256.0]).is_reached());
        assert!(!goal.alone(&[255.0, 258.0]).is_reached());
    }

    #[test]
    fn nothing_measured_reaches_nothing() {
        assert!(!GOAL.alone(&[]).is_reached());
    }
}
