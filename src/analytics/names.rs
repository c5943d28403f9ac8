//! Texts kept once, and named by small numbers.

use std::collections::HashMap;
use std::sync::Arc;

/// A text in [`Names`].
pub type Name = u32;

/// The name of a text that is not known.
pub const UNKNOWN: Name = 0;

/// The name of a text that there was no room for.
pub const OTHER: Name = 1;

/// How [`OTHER`] is shown.
pub const OTHER_TEXT: &str = "(other)";

/// How many texts are kept. Whoever sends events makes them up.
const TEXTS_MAX: usize = 1 << 16;

/// How many bytes they may have in all.
const BYTES_MAX: usize = 4 << 20;

/// After a sweep that found little, so many texts are refused before the next: it takes some
/// milliseconds, and nobody may have it done for every event.
const PATIENCE: usize = 4096;

/// The texts of one website.
#[derive(Debug)]
pub struct Names {
    texts: Vec<Option<Arc<str>>>,
    names: HashMap<Arc<str>, Name>,
    free: Vec<Name>,
    bytes: usize,
    /// How many texts found no room since the last sweep.
    refused: usize,
    /// With how many of them the next one comes.
    patience: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            texts: vec![None, Some(OTHER_TEXT.into())],
            names: HashMap::new(),
            free: Vec::new(),
            bytes: 0,
            refused: 0,
            patience: 1,
        }
    }
}

impl Names {
    /// The name of `text`, which is kept if there is room for it.
    pub fn name(&mut self, text: Option<&str>) -> Name {
        let Some(text) = text else {
            return UNKNOWN;
        };
        if let Some(name) = self.names.get(text) {
            return *name;
        }
        if self.names.len() >= TEXTS_MAX || self.bytes + text.len() > BYTES_MAX {
            self.refused += 1;
            return OTHER;
        }
        let kept: Arc<str> = text.into();
        self.bytes += text.len();
        let name = match self.free.pop() {
            Some(name) => name,
            None => {
                self.texts.push(None);
                // No more than TEXTS_MAX and two.
                u32::try_from(self.texts.len() - 1).unwrap_or(OTHER)
            }
        };
        self.texts[name as usize] = Some(kept.clone());
        self.names.insert(kept, name);
        name
    }

    /// The text of `name`; none of what is not known.
    pub fn text(&self, name: Name) -> Option<&str> {
        self.texts.get(name as usize)?.as_deref()
    }

    /// Whether a [`sweep`](Self::sweep) is worth it, which looks at everything that is kept.
    pub fn needs_room(&self) -> bool {
        self.refused >= self.patience
    }

    /// Nothing marked yet.
    pub fn marks(&self) -> Marks {
        Marks(vec![false; self.texts.len()])
    }

    /// Forgets the texts that are not marked. Says whether a quarter of the room is free.
    pub fn sweep(&mut self, marks: &Marks) -> bool {
        for (name, text) in self.texts.iter_mut().enumerate().skip(OTHER as usize + 1) {
            if let Some(text) = text.take_if(|_| !marks.0[name]) {
                self.bytes -= text.len();
                self.names.remove(&text);
                self.free.push(u32::try_from(name).unwrap_or(OTHER));
            }
        }
        let has_room = self.names.len() <= TEXTS_MAX / 4 * 3 && self.bytes <= BYTES_MAX / 4 * 3;
        self.refused = 0;
        self.patience = if has_room { 1 } else { PATIENCE };
        has_room
    }
}

/// Which texts are in use.
#[derive(Debug)]
pub struct Marks(Vec<bool>);

impl Marks {
    /// Marks these.
    pub fn add(&mut self, names: impl Iterator<Item = Name>) {
        for name in names {
            if let Some(mark) = self.0.get_mut(name as usize) {
                *mark = true;
            }
        }
    }

    /// Whether this one is marked.
    pub fn has(&self, name: Name) -> bool {
        self.0.get(name as usize).is_some_and(|mark| *mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_name_and_the_unknown_has_none() {
        let mut names = Names::default();
        let name = names.name(Some("/pricing"));
        assert_eq!(names.name(Some("/pricing")), name);
        assert_eq!(names.text(name), Some("/pricing"));
        assert_eq!(names.name(None), UNKNOWN);
        assert_eq!(names.text(UNKNOWN), None);
        assert_eq!(names.text(OTHER), Some(OTHER_TEXT));
    }

    #[test]
    fn texts_that_find_no_room_are_others_until_those_that_nobody_uses_are_swept_away() {
        let mut names = Names::default();
        for number in 0..TEXTS_MAX {
            assert_ne!(names.name(Some(&number.to_string())), OTHER);
        }
        assert!(!names.needs_room());
        assert_eq!(names.name(Some("one more")), OTHER);
        assert_ne!(names.name(Some("7")), OTHER);
        assert!(names.needs_room());
        let mut marks = names.marks();
        marks.add((0..10).chain([u32::MAX]));
        assert!(marks.has(9) && !marks.has(10));
        assert!(names.sweep(&marks));
        assert_eq!(names.text(9), Some("7"));
        assert_eq!(names.text(10), None);
        assert_eq!(names.name(Some("7")), 9);
        assert_ne!(names.name(Some("one more")), OTHER);
        // A text of its own is what the freed number names now.
        assert_eq!(names.names.len(), 9);
    }

    #[test]
    fn a_sweep_that_finds_nothing_is_not_done_again_for_every_event() {
        let mut names = Names::default();
        let long = "x".repeat(500);
        let mut marks = names.marks();
        for number in 0.. {
            let name = names.name(Some(&format!("{long}{number}")));
            if name == OTHER {
                break;
            }
            marks = names.marks();
        }
        marks.add(0..u32::try_from(TEXTS_MAX).unwrap());
        assert!(names.bytes <= BYTES_MAX);
        assert!(!names.sweep(&marks));
        for _ in 1..PATIENCE {
            names.name(Some(&format!("{long}another")));
            assert!(!names.needs_room());
        }
        names.name(Some(&format!("{long}another")));
        assert!(names.needs_room());
    }
}
