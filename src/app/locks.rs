//! The tokens that open this broker, and their replacement while it runs.

use std::sync::Arc;

use crate::config::Config;
use crate::current::Current;
use crate::dashboard::session::Sessions;
use crate::secret::Tokens;

/// Every door with a token, by who looks after it.
pub(super) struct Locks {
    admin: Arc<Current<Tokens>>,
    /// By the source's name.
    sources: Vec<(String, Arc<Current<Tokens>>)>,
    sessions: Option<Arc<Sessions>>,
}

impl Locks {
    /// The administrators' door, with the `sessions` that its tokens have opened, and those of
    /// sources.
    pub(super) fn new(
        admin: Arc<Current<Tokens>>,
        sources: impl Iterator<Item = (String, Arc<Current<Tokens>>)>,
        sessions: Option<Arc<Sessions>>,
    ) -> Self {
        Self {
            admin,
            sources: sources.collect(),
            sessions,
        }
    }

    /// Puts the tokens of `config` in force; says how many doors have others now. Whether there is a
    /// lock at all waits for the next start, as does a new source. Whoever logged in by a token that
    /// is taken back has to log in again.
    pub(super) fn follow(&self, config: &Config) -> usize {
        let before = self.admin.get();
        let admin = config.server.admin_tokens();
        let withdrawn = !before.are_among(&admin);
        let mut changed = usize::from(replace(&self.admin, admin));
        if let Some(sessions) = self.sessions.as_ref().filter(|_| withdrawn && changed > 0) {
            sessions.close_all();
        }
        for (name, tokens) in &self.sources {
            let source = config.sources.iter().find(|source| source.name == *name);
            let changes = source.is_some_and(|source| replace(tokens, source.access_tokens()));
            changed += usize::from(changes);
        }
        changed
    }
}

fn replace(tokens: &Current<Tokens>, with: Tokens) -> bool {
    let before = tokens.get();
    let changes = *before != with && before.is_empty() == with.is_empty();
    if changes {
        tokens.replace(with);
    }
    changes
}
