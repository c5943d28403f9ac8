//! `master_key` and `previous_master_keys` of `[server]`.

use super::report::Report;
use super::secrets::Outside;
use super::section::Section;
use crate::secret::{MasterKey, Secret};

/// The keys by which endpoints' secrets are sealed in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKeys {
    /// Seals, and opens.
    pub present: MasterKey,
    /// Open what was sealed before; a start seals it again with the present one.
    pub previous: Vec<MasterKey>,
}

pub(super) fn read(
    report: &mut Report,
    outside: &Outside<'_>,
    section: &Section<'_>,
) -> Option<MasterKeys> {
    let present = outside.secret(report, section, "master_key");
    let present = present.and_then(|text| key(report, section, "master_key", &text));
    let texts = outside.secrets(report, section, "previous_master_keys");
    let previous: Vec<_> = texts
        .iter()
        .filter_map(|text| key(report, section, "previous_master_keys", text))
        .collect();
    if !section.has("master_key") && section.has("previous_master_keys") {
        report.error(
            section.place("previous_master_keys"),
            "previous_master_keys stands without a master_key: nothing would be sealed again; add the present one as master_key",
        );
    }
    Some(MasterKeys {
        present: present?,
        previous,
    })
}

fn key(report: &mut Report, section: &Section<'_>, key: &str, text: &Secret) -> Option<MasterKey> {
    let parsed = MasterKey::parse(text);
    let refused = parsed.as_ref().err();
    if let Some(error) = refused {
        report.error(section.place(key), format!("{key} {error}"));
    }
    parsed.ok()
}
