//! `redeliver check`: a verdict on a receiver.

mod junit;
mod options;
mod report;
mod selection;

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::app;
use crate::check::drill::Run;
use crate::check::link::Link;
use crate::check::plan::{Credentials, policy};
use crate::check::{Examiner, Finding, Need, Plan, Unfit, Verdict};
use crate::clock::{Clock, RealClock, SharedClock};
use crate::vendor::Profile;

use super::{Failure, output};
use options::{Common, Signed};
use report::Report;
use selection::Selection;

/// Test a receiver against the vendor's rules
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Secrets are given as env:NAME or file:PATH, the signing key by --key-file or in\n\
    REDELIVER_KEY. Send nothing else to the receiver meanwhile if effects are counted.\n\
    Exits with 0 if everything that was judged passed, 1 if something failed, 2 if a key is\n\
    missing or nothing could be judged, 3 if nobody is at the URL.\n\n\
    Example:\n  \
    redeliver check hotjar http://127.0.0.1:9000/hook --key-file key.txt \\\n      \
    --probe http://127.0.0.1:9000/effects --restart-cmd ./restart.sh"
)]
pub struct Args {
    #[command(subcommand)]
    vendor: Vendor,
}

#[derive(Debug, clap::Subcommand)]
enum Vendor {
    /// A receiver of Contentsquare (Hotjar) surveys
    #[command(after_help = "Example:\n  \
        HOTJAR_KEY=site-key REDELIVER_KEY=$HOTJAR_KEY \\\n      \
        redeliver check hotjar http://127.0.0.1:9000/hook --junit check.xml")]
    Hotjar(Signed),
    /// A receiver of eSputnik's activities
    #[command(after_help = "Example:\n  \
        redeliver check esputnik http://127.0.0.1:9000/hook --basic hook:env:PASSWORD \\\n      \
        --probe-cmd 'sqlite3 crm.db \"select count(*) from activities\"'")]
    Esputnik(Common),
    /// A receiver of Standard Webhooks
    #[command(after_help = "Example:\n  \
        redeliver check standard http://127.0.0.1:9000/hook --key-file secret.txt --only signature")]
    Standard(options::Standard),
}

/// Sends, looks, judges, and tells.
pub async fn run(args: Args) -> Result<(), Failure> {
    let (common, credentials, tolerance, must_sign) = match args.vendor {
        Vendor::Hotjar(signed) => {
            let credentials = signed.credentials(Profile::Hotjar)?;
            let must_sign = !signed.no_signature;
            (signed.common, credentials, options::TOLERANCE, must_sign)
        }
        Vendor::Esputnik(common) => {
            let credentials = Credentials::none(Profile::Esputnik);
            (common, credentials, options::TOLERANCE, false)
        }
        Vendor::Standard(standard) => {
            let credentials = standard.credentials()?;
            let must_sign = !standard.no_signature;
            (standard.common, credentials, standard.tolerance, must_sign)
        }
    };
    let credentials = Credentials {
        basic: common.basic()?,
        ..credentials
    };
    let clock: SharedClock = Arc::new(RealClock);
    let plan = Plan {
        credentials,
        tolerance,
        probe: common.probe()?,
        settle: common.settle,
        restart: common.restart(),
        run: Run {
            started_at: RealClock.now(),
            tag: common.seed.unwrap_or_else(|| app::entropy()[0] >> 16),
        },
    };
    let selection = common.selection(&plan.duties())?;
    if common.list {
        return report::list(&plan.duties(), common.json);
    }
    let url = common.url()?;
    if must_sign && !plan.has(Need::Key) {
        return Err(options::no_key());
    }
    examine(common, url, plan, selection, clock).await
}

async fn examine(
    common: Common,
    url: Url,
    plan: Plan,
    selection: Selection,
    clock: SharedClock,
) -> Result<(), Failure> {
    let profile = plan.credentials.profile;
    let timeout = common.timeout.unwrap_or(policy(profile).timeout);
    let link = Link::new(url.clone(), timeout, common.ca_pem()?, clock.clone())
        .map_err(|error| Failure::Environment(error.to_string()))?;
    let mut report = Report::new(profile, &url, plan.run, common.verbose);
    let believed = believed(&plan);
    let mut repros = Repros::new(&common);
    let examiner = Examiner::new(plan, link, clock).map_err(unfit)?;
    let mut told = Ok(());
    let findings = examiner
        .examine(
            |duty| selection.wants(duty),
            |finding| {
                if told.is_ok() {
                    told = repros.lines(finding, &url).and_then(|lines| {
                        if !common.json {
                            report.tell(finding, &lines)?;
                        }
                        report.add(finding, lines);
                        Ok(())
                    });
                }
            },
        )
        .await
        .map_err(unfit)?;
    told?;
    if let Some(path) = &common.junit {
        std::fs::write(path, junit::document(&report, &findings)).map_err(|error| {
            Failure::Environment(format!("cannot write {}: {error}", path.display()))
        })?;
    }
    match common.json {
        true => output::json(&report.json().to_string())?,
        false => report.end(believed)?,
    }
    verdict(&report, &findings)
}

fn verdict(report: &Report, findings: &[Finding]) -> Result<(), Failure> {
    let failed = |finding: &Finding| matches!(finding.verdict, Verdict::Failed(_));
    let passed = |finding: &Finding| finding.verdict == Verdict::Passed;
    if findings.iter().any(failed) {
        return Err(Failure::Check(format!(
            "the receiver does not do what its vendor asks: {}",
            report.summary()
        )));
    }
    if !findings.iter().any(passed) {
        return Err(Failure::Usage(
            "nothing could be judged; the reasons say what to give".to_owned(),
        ));
    }
    Ok(())
}

/// What nobody has looked at, though it is all that keeps strangers out: a run without a failure
/// must not be taken for a word on it.
fn believed(plan: &Plan) -> Option<&'static str> {
    match plan.credentials.profile {
        Profile::Esputnik if !plan.has(Need::Basic) => Some(
            "the login was not judged, so whoever finds the URL may be believed; give --basic USER:env:NAME",
        ),
        Profile::Hotjar | Profile::Standard if !plan.has(Need::Key) => {
            Some("signatures were not judged, so whoever finds the URL may be believed")
        }
        _ => None,
    }
}

fn unfit(error: Unfit) -> Failure {
    match error {
        Unfit::OutOfReach(_) => {
            Failure::Environment(format!("{error}; start it first, or mend the URL"))
        }
        Unfit::Unsigned(_) => Failure::Usage(format!(
            "{error}; give --key-file FILE or set {}",
            super::signing::KEY_VARIABLE
        )),
        Unfit::Probe(_) => Failure::Environment(format!("{error}; mend --probe or --probe-cmd")),
        Unfit::Key(error) => Failure::Usage(format!(
            "{error} (from --key-file, {} or --basic)",
            super::signing::KEY_VARIABLE
        )),
    }
}

/// Where the bodies of what failed are written; made when the first one is.
struct Repros {
    dir: Option<PathBuf>,
    is_made: bool,
}

impl Repros {
    fn new(common: &Common) -> Self {
        Self {
            dir: common.repro_dir.clone(),
            is_made: false,
        }
    }

    fn lines(&mut self, finding: &Finding, url: &Url) -> Result<Vec<String>, Failure> {
        if !matches!(finding.verdict, Verdict::Failed(_)) || finding.evidence.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |error| {
            Failure::Environment(format!(
                "cannot write what shows it: {error}; see --repro-dir"
            ))
        };
        let dir = match &self.dir {
            Some(dir) => dir.clone(),
            None => {
                let made = tempfile::Builder::new()
                    .prefix("redeliver-check-")
                    .tempdir();
                self.is_made = true;
                made.map_err(failed)?.keep()
            }
        };
        if !self.is_made {
            std::fs::create_dir_all(&dir).map_err(failed)?;
            self.is_made = true;
        }
        let lines = finding.repro(url, &dir).map_err(failed)?;
        self.dir = Some(dir);
        Ok(lines)
    }
}
