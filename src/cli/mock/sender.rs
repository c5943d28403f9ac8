//! A broker that plays a vendor towards one receiver, until everything is settled.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::job::Job;
use super::story::Story;
use crate::app::{self, App, AppError, Routes};
use crate::cli::Failure;
use crate::cli::signals::Signals;
use crate::deliver::outcomes::Ended;
use crate::inbound::problem::Problem;
use crate::mock::trigger::{EVENTS_MAX, Trigger};
use crate::mock::wish::Wish;
use crate::store::Appended;
use crate::vendor::Profile;

/// What is told of attempts before it is shown. Many end faster than lines are printed.
const TOLD_MAX: usize = 65_536;

/// How long a stopped broker may keep what it has still to tell.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The ends of attempts as they come, or how many were missed.
type Told = mpsc::Receiver<Result<Arc<Ended>, u64>>;

/// Why the sending has come to an end.
enum End {
    Settled,
    Told,
    GaveUp,
}

/// Sends what is to be sent, and shows what becomes of it.
pub(super) async fn run(job: Job) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let running = &job.running;
    let seed = job.stock.seed.unwrap_or_else(|| app::entropy()[0] % 10_000);
    job.stock.check(job.vendor, seed)?;
    let settings = job.settings(seed).await?;
    let trigger = Arc::new(OnceLock::new());
    let app = App::start_with(settings, triggered(job.vendor, seed, trigger.clone())).await;
    let app = app.map_err(worded)?;
    let Some(trigger) = trigger.get().cloned() else {
        return Err(Failure::Environment("the mock has no trigger".to_owned()));
    };
    let mut story = Story::new(&app, running.json, job.vendor)?;
    story.begin(&job, seed)?;
    let mut told = told(&app);
    let ended = job
        .play(&app, &trigger, &mut story, (&mut told, &mut signals))
        .await;
    // Before what is under way is waited for: that is no part of the story.
    let took = story.took();
    // What was under way comes to its end, and is told; who asks again does not wait for it.
    tokio::select! {
        stopped = app.stop() => stopped?,
        () = signals.stop() => {
            story.summary(took)?;
            return Err(Failure::Interrupted);
        }
    }
    // An endpoint that a 410 has stopped is seen to be so before its attempt is told of.
    while !story.is_told()
        && let Ok(Some(told)) = tokio::time::timeout(LAST_WORDS, told.recv()).await
    {
        story.told(told)?;
    }
    story.summary(took)?;
    let end = ended?;
    match end {
        // Asked to stop it is done, as `serve` is.
        End::Told if running.stays() => Ok(()),
        End::Told => Err(Failure::Interrupted),
        End::Settled => story.verdict(),
        // What was under way at that moment may have ended well.
        End::GaveUp => story
            .verdict()
            .map_err(|_| Failure::Check(format!("given up: {}", story.undelivered()))),
    }
}

/// Everything that is told of attempts from now on.
fn told(app: &App) -> Told {
    let mut outcomes = app.outcomes().watch();
    let (sender, told) = mpsc::channel(TOLD_MAX);
    tokio::spawn(async move {
        loop {
            let next = match outcomes.recv().await {
                Ok(ended) => Ok(ended),
                Err(RecvError::Lagged(missed)) => Err(missed),
                Err(RecvError::Closed) => return,
            };
            if sender.send(next).await.is_err() {
                return;
            }
        }
    });
    told
}

fn triggered(vendor: Profile, seed: u64, trigger: Arc<OnceLock<Arc<Trigger>>>) -> Routes {
    Box::new(move |ground| {
        trigger
            .get_or_init(|| Trigger::new(vendor, seed, ground))
            .clone()
            .router()
    })
}

/// In the words of this command: the receiver is an option of it, not a table of a file.
fn worded(error: AppError) -> Failure {
    match error {
        AppError::Endpoints(all) => {
            let each = all.iter().map(|text| {
                let text = text
                    .split_once("): ")
                    .map_or(text.as_str(), |(_, text)| text);
                format!(
                    "--to: {}",
                    text.replace("server.allow_addresses", "--allow-address")
                )
            });
            Failure::Usage(each.collect::<Vec<_>>().join("\n"))
        }
        error => error.into(),
    }
}

impl Job {
    async fn play(
        &self,
        app: &App,
        trigger: &Trigger,
        story: &mut Story,
        (outcomes, signals): (&mut Told, &mut Signals),
    ) -> Result<End, Failure> {
        let mut changed = app.store().changed();
        let (told, mut sent) = mpsc::unbounded_channel();
        let sending = self.send(app, trigger, told);
        tokio::pin!(sending);
        let give_up = async {
            match self.running.give_up_after {
                Some(time) => app.clock().sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(give_up);
        let (mut is_sent, stays) = (false, self.running.stays());
        loop {
            tokio::select! {
                done = &mut sending, if !is_sent => {
                    done?;
                    is_sent = true;
                }
                Some(appended) = sent.recv() => story.sent(&appended),
                Some(told) = outcomes.recv() => story.told(told)?,
                _ = changed.changed() => story.look()?,
                () = &mut give_up => return Ok(End::GaveUp),
                () = signals.stop() => return Ok(End::Told),
                error = app.failed() => return Err(AppError::Store(error).into()),
            }
            if is_sent && !stays && sent.is_empty() && outcomes.is_empty() && story.is_settled() {
                return Ok(End::Settled);
            }
        }
    }

    /// Puts everything into the log, each message at its time.
    async fn send(
        &self,
        app: &App,
        trigger: &Trigger,
        told: mpsc::UnboundedSender<Vec<Appended>>,
    ) -> Result<(), Failure> {
        let stock = &self.stock;
        if self.running.stays() && !stock.is_asked_for {
            return Ok(());
        }
        let start = app.clock().now();
        let at_once = match stock.rate {
            Some(_) => 1,
            None => EVENTS_MAX / stock.wish.message.requests(),
        };
        let mut made = 0;
        while made < stock.wish.count {
            if let Some(rate) = stock.rate {
                let due = Duration::from_secs_f64(made as f64 / rate);
                app.clock().sleep_until(start.plus(due)).await;
            }
            let count = at_once.min(stock.wish.count - made);
            let appended = match &stock.raw {
                Some(event) => trigger.keep(vec![event.clone(); count]).await,
                None => {
                    let wish = Wish {
                        count,
                        ..stock.wish.clone()
                    };
                    trigger.send(&wish).await
                }
            };
            let appended = appended.map_err(refused)?;
            made += count;
            // Whoever hears of it has ended only where nobody wants to know any more.
            let _ = told.send(appended);
        }
        Ok(())
    }
}

fn refused(problem: Problem) -> Failure {
    match problem.errors.as_slice() {
        [] => Failure::Environment(problem.detail),
        errors => {
            let each = errors.iter().map(|error| match error.at.as_str() {
                "/payload" => format!("--from: {}", error.detail),
                _ => format!("--{}", error.detail),
            });
            Failure::Usage(each.collect::<Vec<_>>().join("\n"))
        }
    }
}
