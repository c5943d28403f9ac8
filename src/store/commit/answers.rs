//! What a group's requests are answered.
//!
//! Whoever waits for an answer is a task of the server's. Waking each of them from the committer's
//! thread takes a system call each; so all answers of a group are given away in one piece, to be
//! sent where the tasks run.

use std::sync::OnceLock;

use super::inbox::Request;
use crate::store::Appended;
use crate::store::log::parts::Reply;

/// Takes the answers of a group to where they are sent.
pub type Carrier = Box<dyn Fn(Answers) + Send + Sync>;

/// The answers of one group.
#[derive(Debug)]
pub struct Answers {
    pub(in crate::store) appended: Vec<(Request, Vec<Appended>)>,
    pub(in crate::store) changed: Vec<Reply>,
}

impl Answers {
    /// Answers everybody who is still there.
    pub fn send(self) {
        for (request, appended) in self.appended {
            let _ = request.reply.send(Ok(appended));
        }
        for Reply::Endpoint(reply, endpoint) in self.changed {
            let _ = reply.send(Ok(endpoint));
        }
    }
}

/// Who carries answers; whoever has them sends them, until somebody is named.
#[derive(Default)]
pub(in crate::store) struct Carriers(OnceLock<Carrier>);

impl Carriers {
    pub(in crate::store) fn name(&self, carrier: Carrier) {
        // The first one stays.
        let _ = self.0.set(carrier);
    }

    pub(in crate::store) fn carry(&self, answers: Answers) {
        match self.0.get() {
            Some(carry) => carry(answers),
            None => answers.send(),
        }
    }
}
