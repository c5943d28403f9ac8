//! What is wrong with a configuration, and where.

use std::fmt;

/// A place in the configuration file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; none where the whole file is meant.
    pub line: Option<usize>,
    /// The column, from 1, in characters; for errors of syntax only.
    pub column: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        Ok(())
    }
}

/// One mistake: where, what, and how to mend it. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {detail}")]
pub struct ConfigError {
    /// Where.
    pub place: Place,
    /// What is wrong; how to mend it.
    pub detail: String,
}

/// Every mistake of a configuration, sorted by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Something that works but should be changed. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What should be changed, and how.
    pub detail: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.detail)
    }
}

/// Collects what is found while a file is read.
pub(super) struct Report {
    file: String,
    line_starts: Vec<usize>,
    errors: Vec<ConfigError>,
    warnings: Vec<Warning>,
}

impl Report {
    pub(super) fn new(file: String, text: &str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(i, _)| i + 1);
        Self {
            file,
            line_starts: std::iter::once(0).chain(after_breaks).collect(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The line, from 1, of the byte at `offset`.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    fn place(&self, offset: usize) -> Place {
        Place {
            file: self.file.clone(),
            line: Some(self.line(offset)),
            column: None,
        }
    }

    pub(super) fn error(&mut self, offset: usize, detail: impl Into<String>) {
        let place = self.place(offset);
        let detail = detail.into();
        self.errors.push(ConfigError { place, detail });
    }

    /// An error of syntax, for which the column matters.
    pub(super) fn syntax_error(&mut self, text: &str, offset: usize, detail: String) {
        let mut place = self.place(offset);
        let start = self.line_starts[self.line(offset) - 1];
        let before = text.get(start..offset.min(text.len())).unwrap_or_default();
        place.column = Some(before.chars().count() + 1);
        self.errors.push(ConfigError { place, detail });
    }

    pub(super) fn warn(&mut self, offset: usize, detail: impl Into<String>) {
        let place = self.place(offset);
        let detail = detail.into();
        self.warnings.push(Warning { place, detail });
    }

    /// The warnings, or the errors if there are any.
    pub(super) fn finish(mut self) -> Result<Vec<Warning>, ConfigErrors> {
        self.errors.sort_by(|a, b| a.place.cmp(&b.place));
        self.warnings.sort_by(|a, b| a.place.cmp(&b.place));
        if self.errors.is_empty() {
            Ok(self.warnings)
        } else {
            Err(ConfigErrors(self.errors))
        }
    }
}
