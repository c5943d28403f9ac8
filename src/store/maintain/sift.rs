//! Which events are to go where sources have rules of their own.
//!
//! An event's source is in its record, so events have to be read; but each rule reads an event once.
//! It goes through the log from the oldest to the newest, as time goes on or as its bytes become too
//! many, and remembers how far it has come and what it had to leave on its way: what a delivery
//! waited for, and dead letters. Of these it looks again at what has been let go since.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::super::StoreError;
use super::super::backend::Backend;
use super::super::log::Log;
use super::decide::Sifted;
use super::look::Looked;
use super::progress::Progress;
use super::rules::{Rule, Rules};
use crate::id::Seq;
use crate::store::projection::blockset::BlockSet;
use crate::store::projection::seqset::SeqSet;

/// What a pass has found so far.
struct Sieve<'a> {
    rules: &'a Rules,
    end: Seq,
    /// Not there any more.
    gone: BlockSet,
    /// Not there any more, or waited for.
    blocked: BlockSet,
    dead: BlockSet,
    progress: Progress,
    seqs: BlockSet,
    greatest: BTreeMap<String, Seq>,
    /// Bytes of what goes.
    freed: u64,
}

impl Sieve<'_> {
    /// Of `seqs` what may go as far as `rule` is concerned.
    fn free(&self, mut seqs: BlockSet, rule: &Rule) -> BlockSet {
        seqs.remove_all(&self.blocked);
        seqs.remove_all(&self.seqs);
        seqs.remove_all(&self.dead.within(rule.dead_from, Seq::MAX));
        seqs
    }

    fn take(&mut self, place: usize, seq: Seq, bytes: u64) {
        self.seqs.insert(seq);
        self.freed += bytes;
        let rule = self.rules.at(place);
        let greatest = self.greatest.entry(rule.name.clone()).or_default();
        *greatest = seq.max(*greatest);
        if let Some(passed) = self.progress.rules_mut().nth(place) {
            passed.there.take(bytes);
        }
    }

    /// The rule has come to `until`, and has looked at everything before it but what is left.
    fn pass(&mut self, place: usize, until: Seq, looked_at: &BlockSet) {
        let Some(passed) = self.progress.rules_mut().nth(place) else {
            return;
        };
        passed.left.insert_runs(run(passed.until, until));
        passed.left.remove_all(&self.gone);
        passed.left.remove_all(looked_at);
        passed.until = passed.until.max(until);
    }
}

/// The events from `from` to the one before `until`, if there are any.
fn run(from: Seq, until: Seq) -> Option<(Seq, Seq)> {
    (from < until).then(|| (from, until - 1))
}

impl<B: Backend> Log<B> {
    /// What of the events below `end` is to go, by their sources; none if the store is closing.
    pub(super) fn sift_by_source(
        &self,
        end: Seq,
        held: &SeqSet,
        dead: &[(u32, Seq)],
    ) -> Result<Option<Sifted>, StoreError> {
        let rules = self.rules(end)?;
        let names = rules.iter().map(|rule| rule.name.as_str());
        let (progress, gone) = {
            let shared = self.shared();
            let expired = &shared.state.expired;
            let mut gone = expired.seqs().clone();
            gone.insert_runs(shared.state.lost().iter_runs());
            (expired.progress.clone().for_rules(names), gone)
        };
        let mut blocked = gone.clone();
        blocked.insert_runs(held.iter_runs().take_while(|(from, _)| *from < end));
        let mut sieve = Sieve {
            rules: &rules,
            end,
            gone,
            blocked,
            dead: BlockSet::default(),
            progress,
            seqs: BlockSet::default(),
            greatest: BTreeMap::new(),
            freed: 0,
        };
        dead.iter().for_each(|(_, seq)| sieve.dead.insert(*seq));
        let mut floor = 1;
        let is_done = self.count(&mut sieve)?
            && self.sift_by_age(&mut sieve)?
            && self.sift_by_bytes(&mut sieve)?
            && self.sift_by_all_bytes(&mut sieve, &mut floor)?;
        if !is_done {
            return Ok(None);
        }
        let passed = sieve.progress.rules().map(|(_, passed)| passed.until);
        let by_age = passed.min().unwrap_or(1);
        let ages = rules.iter().map(|rule| rule.max_age);
        let longest = ages
            .collect::<Option<Vec<_>>>()
            .and_then(|ages| ages.into_iter().max());
        Ok(Some(Sifted {
            seqs: sieve.seqs,
            greatest: sieve.greatest,
            cut: by_age.max(floor),
            age: (by_age >= floor).then_some(longest).flatten(),
            progress: sieve.progress,
        }))
    }

    /// Counts what has come since the last pass, if anybody's bytes are bounded.
    fn count(&self, sieve: &mut Sieve<'_>) -> Result<bool, StoreError> {
        if sieve.rules.iter().all(|rule| rule.max_bytes.is_none()) {
            return Ok(true);
        }
        let mut new = BlockSet::default();
        new.insert_runs(run(sieve.progress.counted_until, sieve.end));
        new.remove_all(&sieve.gone);
        let mut there: Vec<_> = sieve.progress.rules().map(|(_, it)| it.there).collect();
        let looked = self.each_event(&new, |_, source, bytes| {
            there[sieve.rules.of(source)].add(bytes);
            ControlFlow::Continue(())
        })?;
        for (passed, there) in sieve.progress.rules_mut().zip(there) {
            passed.there = there;
        }
        sieve.progress.counted_until = sieve.end;
        Ok(looked != Looked::Ending)
    }

    /// What is too old by its rule.
    fn sift_by_age(&self, sieve: &mut Sieve<'_>) -> Result<bool, StoreError> {
        let (mut all, mut by_rule) = (BlockSet::default(), Vec::new());
        for (rule, (_, passed)) in sieve.rules.iter().zip(sieve.progress.rules()) {
            let mut old = passed.left.within(0, rule.cut - 1);
            old.insert_runs(run(passed.until, rule.cut));
            let old = sieve.free(old, rule);
            all.absorb(&old);
            by_rule.push(old);
        }
        let looked = self.each_event(&all, |seq, source, bytes| {
            let place = sieve.rules.of(source);
            if by_rule[place].contains(seq) {
                sieve.take(place, seq, bytes);
            }
            ControlFlow::Continue(())
        })?;
        for (place, old) in by_rule.iter().enumerate() {
            let cut = sieve.rules.at(place).cut;
            sieve.pass(place, cut, old);
        }
        Ok(looked != Looked::Ending)
    }

    /// The oldest of each source that has too many bytes.
    fn sift_by_bytes(&self, sieve: &mut Sieve<'_>) -> Result<bool, StoreError> {
        for (place, rule) in sieve.rules.iter().enumerate() {
            let Some((_, passed)) = sieve.progress.rules().nth(place) else {
                continue;
            };
            let max = rule.max_bytes.unwrap_or(u64::MAX);
            let mut excess = passed.there.bytes.saturating_sub(max);
            if excess == 0 {
                continue;
            }
            let mut free = passed.left.clone();
            free.insert_runs(run(passed.until, sieve.end));
            let free = sieve.free(free, rule);
            let looked = self.each_event(&free, |seq, source, bytes| {
                if sieve.rules.of(source) == place {
                    sieve.take(place, seq, bytes);
                    excess = excess.saturating_sub(bytes);
                }
                match excess {
                    0 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            })?;
            let until = match looked {
                Looked::All => sieve.end,
                Looked::Below(seq) => seq,
                Looked::Ending => return Ok(false),
            };
            sieve.pass(place, until, &free.within(0, until - 1));
        }
        Ok(true)
    }

    /// The oldest of all, if the records together have too many bytes; `floor` is behind them.
    fn sift_by_all_bytes(
        &self,
        sieve: &mut Sieve<'_>,
        floor: &mut Seq,
    ) -> Result<bool, StoreError> {
        let Some(max) = self.options.retention.max_bytes else {
            return Ok(true);
        };
        // Nor is room made again for what an earlier pass has deleted.
        let gone = sieve.freed + self.backend.doomed_bytes()?;
        let live = self.backend.space().live_bytes.saturating_sub(gone);
        let mut excess = live.saturating_sub(max);
        if excess == 0 {
            return Ok(true);
        }
        let mut free = BlockSet::default();
        free.insert_runs(run(1, sieve.end));
        free.remove_all(&sieve.blocked);
        free.remove_all(&sieve.seqs);
        let looked = self.each_event(&free, |seq, source, bytes| {
            let place = sieve.rules.of(source);
            let is_kept = seq >= sieve.rules.at(place).dead_from && sieve.dead.contains(seq);
            if !is_kept {
                sieve.take(place, seq, bytes);
                excess = excess.saturating_sub(bytes);
                *floor = seq + 1;
            }
            match excess {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })?;
        Ok(looked != Looked::Ending)
    }
}
