//! What must outlive the receiver's process.

use super::command;
use super::crafted::Crafted;
use super::drill::{Dispatch, Identity};
use super::effects::LOOK_EVERY;
use super::examiner::Examiner;
use super::finding::Verdict;
use super::judge::Reply;
use super::plan::Restart;

impl Examiner {
    /// Restarts the receiver; what it does with a new message then or, if `repeated`, with one
    /// from before.
    pub(super) async fn restart(
        &mut self,
        dispatch: &Dispatch,
        repeated: bool,
        how: &Restart,
    ) -> Verdict {
        let identity = self.identity();
        // What is repeated later has another timestamp, as any retry has.
        let reply = self.exchange(&dispatch.moved(-30), &identity).await;
        if let Err(reason) = self.terms.accepted(&reply) {
            return Verdict::NotJudged(format!("before the restart {reason}"));
        }
        if let Err(error) = command::run(&how.command, how.timeout, &self.clock).await {
            let why = format!("the restart failed: {error}");
            // It was asked for: a broken command must not pass for a receiver that restarts well.
            return match repeated {
                true => Verdict::NotJudged(why),
                false => Verdict::Failed(why),
            };
        }
        if !self.is_back(how).await {
            let why = format!(
                "it does not answer within {} s of its restart",
                how.timeout.as_secs_f64()
            );
            return match repeated {
                true => Verdict::NotJudged(why),
                false => Verdict::Failed(why),
            };
        }
        match repeated {
            true => self.repeated_after_restart(dispatch, &identity).await,
            false => self.accept(std::slice::from_ref(dispatch)).await,
        }
    }

    async fn repeated_after_restart(&mut self, dispatch: &Dispatch, old: &Identity) -> Verdict {
        // A counter that is not kept on disk begins anew; what is added from now on counts.
        let before = match self.count_at_rest().await {
            Ok(before) => before,
            Err(error) => return Verdict::NotJudged(error.to_string()),
        };
        // The restart may have taken long: a retry of then has the timestamp of now.
        let since_s = self.clock.now().since(old.happened_at).as_secs();
        let since_s = i64::try_from(since_s).unwrap_or_default();
        let reply = self.exchange(&dispatch.moved(since_s), old).await;
        if let Err(reason) = self.terms.accepted(&reply) {
            return Verdict::NotJudged(format!("the second time {reason}"));
        }
        self.marked_effects(before, 0).await
    }

    /// Whether it answers anything in time.
    async fn is_back(&self, how: &Restart) -> bool {
        let mut deadline = self.clock.sleep(how.timeout);
        let request = Crafted::get(&self.plan.credentials);
        loop {
            let look = async {
                let reply = self.link.send(&request).await;
                if matches!(reply, Reply::Silence(_)) {
                    self.clock.sleep(LOOK_EVERY).await;
                }
                reply
            };
            tokio::select! {
                reply = look => if matches!(reply, Reply::Status(_)) {
                    return true;
                },
                () = &mut deadline => return false,
            }
        }
    }
}
