//! The list of visitors, page by page, until a page brings nothing new.
//!
//! Nothing is put into the log before the last page is there, and then the oldest page goes first:
//! a visit is known only if all that came before it are. So a round that is broken off anywhere
//! leaves no gap that the next one would not find.

use std::collections::{HashSet, VecDeque};

use super::memory::{self, Memory, New};
use crate::vendor::zenovay::polled::Visits;
use crate::vendor::zenovay::polling::PAGE;

/// The most pages of a round: five thousand visits of one day.
const PAGES_MAX: usize = 50;

/// The most bytes of new visits of a round: what pages of fifty kilobytes come to, many times over.
const BYTES_MAX: usize = 16 << 20;

/// The most visits of a round: two rounds of them are remembered, so that none is told twice.
const VISITS_MAX: usize = memory::VISITS_MAX / 2;

/// How far a round has come.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// What is new, page by page, each the oldest first; the newest page is at the front.
    pages: VecDeque<Vec<New>>,
    seen: HashSet<String>,
    read: usize,
    bytes: usize,
    offset: usize,
}

/// What follows from a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// There is another one to be read.
    More,
    /// It was the last one, or all that is behind it is known.
    Last,
    /// There are more, but not in one round.
    TooMany,
}

impl Walk {
    /// Where the next page begins.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// Takes a page in.
    pub(super) fn take(&mut self, page: &Visits<'_>, memory: &Memory) -> Page {
        // Visits that come in meanwhile move the list on, so that a page repeats the one before.
        let mut new: Vec<New> = page
            .visits
            .iter()
            .filter_map(|visit| memory.visit(visit))
            .filter(|new| self.seen.insert(new.mark.name().to_owned()))
            .collect();
        new.reverse();
        self.read += 1;
        self.offset += page.items;
        self.bytes += new.iter().map(|new| new.data.len()).sum::<usize>();
        let all_known = new.is_empty();
        if !all_known {
            self.pages.push_back(new);
        }
        // An edition without pagination tells by a page that is not full.
        let has_more = page.has_more.unwrap_or(page.items >= PAGE);
        if all_known || !has_more || page.items == 0 {
            Page::Last
        } else if self.read >= PAGES_MAX || self.bytes >= BYTES_MAX || self.seen.len() >= VISITS_MAX
        {
            Page::TooMany
        } else {
            Page::More
        }
    }

    /// What is new of the oldest page that is left.
    pub(super) fn oldest(&mut self) -> Option<Vec<New>> {
        self.pages.pop_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::zenovay::polled;

    fn take(
        walk: &mut Walk,
        memory: &Memory,
        ids: std::ops::Range<u32>,
        more: Option<bool>,
    ) -> Page {
        // The newest first.
        let items = ids
            .rev()
            .map(|id| format!(r#"{{"id":"v{id}","visited_at":"{id}"}}"#));
        let items = items.collect::<Vec<_>>().join(",");
        let more = more.map_or(String::new(), |more| {
            format!(r#","pagination":{{"has_more":{more}}}"#)
        });
        let body = format!(r#"{{"success":true,"data":{{"visitors":[{items}]{more}}}}}"#);
        walk.take(&polled::visits(body.as_bytes()).unwrap(), memory)
    }

    fn left(walk: &mut Walk) -> Vec<String> {
        let pages = std::iter::from_fn(|| walk.oldest());
        let each = pages.flatten().map(|new| new.subject.unwrap());
        each.collect()
    }

    #[test]
    fn pages_are_read_until_one_is_all_known_and_the_oldest_visit_goes_first() {
        let (mut walk, mut memory) = (Walk::default(), Memory::default());
        assert_eq!(take(&mut walk, &memory, 0..3, Some(false)), Page::Last);
        for page in std::iter::from_fn(|| walk.oldest()) {
            page.into_iter().for_each(|new| memory.remember(new.mark));
        }
        let mut walk = Walk::default();
        assert_eq!(take(&mut walk, &memory, 6..9, Some(true)), Page::More);
        assert_eq!(walk.offset(), 3);
        // One more visitor came, and moved the list on by one.
        assert_eq!(take(&mut walk, &memory, 3..7, Some(true)), Page::More);
        assert_eq!(take(&mut walk, &memory, 0..3, Some(true)), Page::Last);
        assert_eq!(left(&mut walk), ["v3", "v4", "v5", "v6", "v7", "v8"]);
    }

    #[test]
    fn a_list_that_never_ends_is_left_after_so_many_pages() {
        let (mut walk, memory) = (Walk::default(), Memory::default());
        for page in 1..50 {
            assert_eq!(
                take(&mut walk, &memory, page..page + 1, Some(true)),
                Page::More
            );
        }
        assert_eq!(take(&mut walk, &memory, 50..51, Some(true)), Page::TooMany);
        let mut walk = Walk::default();
        for page in 0..9 {
            let ids = page * 1000..(page + 1) * 1000;
            assert_eq!(take(&mut walk, &memory, ids, Some(true)), Page::More);
        }
        let ids = 9000..10_000;
        assert_eq!(take(&mut walk, &memory, ids, Some(true)), Page::TooMany);
        let mut walk = Walk::default();
        assert_eq!(take(&mut walk, &memory, 0..3, Some(true)), Page::More);
        assert_eq!(
            take(&mut walk, &memory, 0..3, Some(true)),
            Page::Last,
            "the same again"
        );
        assert_eq!(
            take(&mut Walk::default(), &memory, 0..0, Some(true)),
            Page::Last
        );
    }

    #[test]
    fn x_10_without_pagination_a_full_page_has_another_behind_it() {
        let memory = Memory::default();
        assert_eq!(take(&mut Walk::default(), &memory, 0..99, None), Page::Last);
        assert_eq!(
            take(&mut Walk::default(), &memory, 0..100, None),
            Page::More
        );
    }
}
