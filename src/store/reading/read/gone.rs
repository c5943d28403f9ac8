//! Events that are not there any more, between two positions. Pure.

use crate::id::Seq;

/// First and last of each run, in order; they may touch one another.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone(pub Vec<(Seq, Seq)>);

impl Gone {
    fn end_of(&self, seq: Seq) -> Option<Seq> {
        let at = self.0.partition_point(|(_, last)| *last < seq);
        let (first, last) = self.0.get(at)?;
        (*first <= seq).then_some(*last)
    }

    /// Whether `seq` is gone.
    pub fn holds(&self, seq: Seq) -> bool {
        self.end_of(seq).is_some()
    }

    /// The first at `seq` or behind it that is not gone.
    pub fn behind(&self, mut seq: Seq) -> Seq {
        while let Some(last) = self.end_of(seq) {
            seq = last + 1;
        }
        seq
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_touch_are_stepped_over_together() {
        let gone = Gone(vec![(2, 3), (4, 6), (8, 8)]);
        let behind: Vec<Seq> = (1..=9).map(|seq| gone.behind(seq)).collect();
        assert_eq!(behind, [1, 7, 7, 7, 7, 7, 7, 9, 9]);
        assert!(gone.holds(5) && !gone.holds(7) && !Gone(Vec::new()).holds(1));
    }
}
