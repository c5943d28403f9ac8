//! `[[export]]`: a website's figures as a file, once a day.

use std::path::PathBuf;

use super::report::Report;
use super::section::Section;
use crate::clock::{Daily, InvalidDaily};
use crate::words::{mend, quoted};

pub(super) const KEYS: &[&str] = &["website", "at", "dir"];

/// An export of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The website's id.
    pub website: String,
    /// When, in UTC.
    pub at: Daily,
    /// Where to, as seen from where the server was started.
    pub dir: PathBuf,
}

/// `websites`: the ids of all websites of the file.
pub(super) fn read(
    report: &mut Report,
    section: &Section<'_>,
    websites: &[&str],
) -> Option<Export> {
    section.refuse_unknown(report, KEYS);
    let website = section.required_text(report, "website")?;
    if !websites.contains(&website) {
        let mend = mend(website, websites.iter().copied());
        let detail = format!("website {} is not defined; {mend}", quoted(website));
        report.error(section.place("website"), detail);
    }
    let at = section.text(report, "at").map(|at| (at, at.parse()));
    if let Some((at, Err(InvalidDaily))) = at {
        let detail = format!("at {} {InvalidDaily}, in UTC", quoted(at));
        report.error(section.place("at"), detail);
    }
    let dir = section.text(report, "dir").unwrap_or("exports");
    Some(Export {
        website: website.to_owned(),
        at: at.and_then(|(_, at)| at.ok()).unwrap_or(Daily::TWO),
        dir: dir.into(),
    })
}
