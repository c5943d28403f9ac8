//! A page of Markdown: its sections, and the blocks in them.

use std::fs;
use std::path::Path;

/// A fenced block.
#[derive(Clone, Debug)]
pub struct Block {
    /// The line on which its text begins, from 1.
    pub line: usize,
    /// Its language and what stands behind it.
    pub info: String,
    pub text: String,
}

/// What stands under one `##` heading, or above the first.
#[derive(Debug, Default)]
pub struct Section {
    pub title: String,
    pub blocks: Vec<Block>,
    /// Everything that is in no block, with the numbers of the lines.
    pub prose: Vec<(usize, String)>,
}

impl Block {
    /// Its language.
    pub fn language(&self) -> &str {
        self.info.split(' ').next().unwrap()
    }
}

impl Section {
    /// The blocks in this language.
    pub fn blocks_in<'a>(&'a self, language: &'a str) -> impl Iterator<Item = &'a Block> {
        let blocks = self.blocks.iter();
        blocks.filter(move |block| block.language() == language)
    }
}

/// The sections of the page at `path`.
pub fn sections(path: &Path) -> Vec<Section> {
    let text = fs::read_to_string(path).unwrap();
    let mut sections = vec![Section::default()];
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let section = sections.last_mut().unwrap();
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some("")) => section.blocks.extend(open.take()),
            (Some(block), _) => block.text += &format!("{line}\n"),
            (None, Some(info)) => {
                open = Some(Block {
                    line: number + 1,
                    info: info.to_owned(),
                    text: String::new(),
                });
            }
            (None, None) => match line.strip_prefix("## ") {
                Some(title) => sections.push(Section {
                    title: title.to_owned(),
                    ..Section::default()
                }),
                None => section.prose.push((number, line.to_owned())),
            },
        }
    }
    assert!(open.is_none(), "{}: a block does not end", path.display());
    sections
}
