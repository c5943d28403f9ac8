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

/// The texts of one website.
#[derive(Debug)]
pub struct Names {
    texts: Vec<Option<Arc<str>>>,
    names: HashMap<Arc<str>, Name>,
    free: Vec<Name>,
    bytes: usize,
    /// How many texts found no room since the last sweep.
    refused: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            texts: vec![None, Some(OTHER_TEXT.into())],
            names: HashMap::new(),
            free: Vec::new(),
            bytes: 0,
            refused: 0,
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

    /// Whether texts find no room, and enough of them that a [`sweep`](Self::sweep) is worth it,
    /// which looks at everything.
    pub fn needs_room(&self) -> bool {
        self.refused > TEXTS_MAX / 16
            || self.refused == 1 && (self.names.len() >= TEXTS_MAX || self.bytes > BYTES_MAX / 2)
    }

    /// Forgets the texts that are not among `used`. Says whether a quarter of the room is free.
    pub fn sweep(&mut self, used: impl Iterator<Item = Name>) -> bool {
        let mut kept = vec![false; self.texts.len()];
        for name in used {
            if let Some(kept) = kept.get_mut(name as usize) {
                *kept = true;
            }
        }
        for (name, text) in self.texts.iter_mut().enumerate().skip(OTHER as usize + 1) {
            if let Some(text) = text.take_if(|_| !kept[name]) {
                self.bytes -= text.len();
                self.names.remove(&text);
                self.free.push(u32::try_from(name).unwrap_or(OTHER));
            }
        }
        // One that is refused right behind must not start the next sweep.
        self.refused = 1 + usize::from(self.names.len() > TEXTS_MAX / 2);
        self.names.len() <= TEXTS_MAX / 4 * 3 && self.bytes <= BYTES_MAX / 4 * 3
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
}
