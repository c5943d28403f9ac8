//! What a receiver must do.

use super::drill::Drill;

/// What must be given before a duty can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The signing key.
    Key,
    /// The receiver's credentials of HTTP Basic.
    Basic,
    /// An observer of the receiver's effects.
    Probe,
    /// A way to restart the receiver.
    Restart,
}

impl Need {
    /// Why nothing can be said without it.
    pub fn missing(self) -> &'static str {
        match self {
            Self::Key => "no signing key; give --key-file FILE or set REDELIVER_KEY",
            Self::Basic => "no credentials; give --basic USER:env:NAME",
            Self::Probe => {
                "nobody sees the receiver's effects; give --probe URL or --probe-cmd CMD"
            }
            Self::Restart => "nobody can restart the receiver; give --restart-cmd CMD",
        }
    }
}

/// One duty of a receiver, and the drill that shows whether it is fulfilled.
#[derive(Clone, Debug)]
pub struct Duty {
    /// Its name, such as `hotjar.signature.forged-body`: stable.
    pub id: String,
    /// What a good receiver does, in one line.
    pub title: &'static str,
    /// Where that is written: numbers of the vendors' rules, or a section of Standard Webhooks.
    pub rules: Vec<&'static str>,
    /// What a receiver that fails does wrong, and how to mend it.
    pub mend: &'static str,
    /// What must be given.
    pub needs: Vec<Need>,
    /// How it is looked at.
    pub drill: Drill,
}

impl Duty {
    /// A duty that needs nothing but the receiver.
    pub fn new(
        id: String,
        title: &'static str,
        rules: &[&'static str],
        drill: Drill,
        mend: &'static str,
    ) -> Self {
        Self {
            id,
            title,
            rules: rules.to_vec(),
            mend,
            needs: Vec::new(),
            drill,
        }
    }

    /// The same, which cannot be judged without `need`.
    #[must_use]
    pub fn needing(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// The same, with the timestamps of what must be refused moved.
    #[must_use]
    pub fn moved(mut self, moved_s: i64) -> Self {
        if let Drill::Refuse(dispatches) = &mut self.drill {
            dispatches
                .iter_mut()
                .for_each(|dispatch| *dispatch = dispatch.moved(moved_s));
        }
        self
    }

    /// Its name without the vendor's.
    pub fn short_id(&self) -> &str {
        self.id.split_once('.').map_or(&*self.id, |(_, rest)| rest)
    }
}
