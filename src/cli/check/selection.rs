//! Which checks are asked for.

use crate::check::Duty;
use crate::cli::Failure;
use crate::words::mend;

/// Which duties are judged.
pub(super) struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

impl Selection {
    /// The duties that `only` names, or all, without those that `skip` names.
    pub(super) fn new(only: &[String], skip: &[String], duties: &[Duty]) -> Result<Self, Failure> {
        for (option, patterns) in [("--only", only), ("--skip", skip)] {
            for pattern in patterns {
                if !duties.iter().any(|duty| fits(pattern, duty)) {
                    let ids = duties.iter().map(Duty::short_id);
                    return Err(Failure::Usage(format!(
                        "{option}: no check is called {pattern:?}; {}",
                        mend(pattern, ids)
                    )));
                }
            }
        }
        Ok(Self {
            only: only.to_vec(),
            skip: skip.to_vec(),
        })
    }

    /// Whether this one is.
    pub(super) fn wants(&self, duty: &Duty) -> bool {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, duty));
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }
}

/// Whether `pattern` is the duty's name or begins it at a full stop, with the vendor's or without.
fn fits(pattern: &str, duty: &Duty) -> bool {
    let pattern = pattern.trim_end_matches('*').trim_end_matches('.');
    [&*duty.id, duty.short_id()].into_iter().any(|id| {
        id.strip_prefix(pattern)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::duties;
    use crate::vendor::{Profile, standard};

    #[test]
    fn a_check_is_named_whole_or_by_its_beginning() {
        let all = duties(Profile::Hotjar, standard::TOLERANCE);
        let count = |pattern: &str| all.iter().filter(|duty| fits(pattern, duty)).count();
        assert_eq!(count("hotjar.signature.empty"), 1);
        assert_eq!(count("signature.empty"), 1);
        assert!(count("signature") > 5);
        assert_eq!(count("signature"), count("hotjar.signature.*"));
        assert_eq!(count("sign"), 0);
        assert_eq!(count("hotjar"), all.len());
    }
}
