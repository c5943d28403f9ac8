//! What a run found, for people and for machines.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal};

use serde_json::{Value, json};
use url::{Position, Url};

use crate::check::drill::Run;
use crate::check::{Duty, Finding, Verdict};
use crate::cli::{Failure, output};
use crate::vendor::Profile;

/// What was found so far.
pub(super) struct Report {
    /// The vendor's name.
    pub vendor: &'static str,
    /// The receiver, without a query: that may be a secret.
    pub url: String,
    /// Which run it is.
    pub run: Run,
    checks: Vec<Value>,
    counts: [usize; 4],
    told: BTreeSet<String>,
    /// Whether what stands behind a failure is told one by one, too.
    is_verbose: bool,
    /// How many duties stand behind which failure: it is told once, not for each of them.
    blocked: BTreeMap<String, usize>,
}

/// The verdicts in the order of [`Report::counts`], as JSON names them and as people read them.
const VERDICTS: [(&str, &str); 4] = [
    ("passed", "passed"),
    ("failed", "failed"),
    ("not_judged", "not judged"),
    ("skipped", "skipped"),
];

impl Report {
    pub(super) fn new(profile: Profile, url: &Url, run: Run, is_verbose: bool) -> Self {
        Self {
            vendor: match profile {
                Profile::Hotjar => "hotjar",
                Profile::Esputnik => "esputnik",
                Profile::Standard => "standard",
            },
            url: url[..Position::AfterPath].to_owned(),
            run,
            checks: Vec::new(),
            counts: [0; 4],
            told: BTreeSet::new(),
            is_verbose,
            blocked: BTreeMap::new(),
        }
    }

    /// Takes a finding in, with the lines that show it again.
    pub(super) fn add(&mut self, finding: &Finding, repro: Vec<String>) {
        let name = finding.verdict.name();
        let place = VERDICTS.iter().position(|(known, _)| *known == name);
        self.counts[place.unwrap_or_default()] += 1;
        let mut check = described(&finding.duty);
        check["verdict"] = name.into();
        check["reason"] = finding.verdict.reason().into();
        check["notes"] = json!(finding.notes);
        check["duration_ms"] = json!(finding.took.as_millis() as u64);
        check["repro"] = json!(repro);
        self.checks.push(check);
    }

    /// How many of each verdict there are.
    pub(super) fn summary(&self) -> String {
        let counted = VERDICTS.iter().zip(self.counts);
        let counted = counted.filter(|(_, count)| *count > 0);
        let counted: Vec<_> = counted
            .map(|((_, shown), count)| format!("{count} {shown}"))
            .collect();
        counted.join(", ")
    }

    /// The whole run as one document: `vendor`, `url` (without its query), `started_at`, `seed`,
    /// `counts` of each verdict, and `checks`, each with `id`, `title`, `rules`, `mend`, `verdict`
    /// (`passed`, `failed`, `not_judged`, `skipped`), `reason`, `notes`, `duration_ms`, `repro`.
    pub(super) fn json(&self) -> Value {
        let counts = VERDICTS.iter().zip(self.counts);
        let counts: serde_json::Map<_, _> = counts
            .map(|((name, _), count)| ((*name).to_owned(), json!(count)))
            .collect();
        json!({
            "vendor": self.vendor,
            "url": self.url,
            "started_at": self.run.started_at,
            "seed": self.run.tag,
            "counts": counts,
            "checks": self.checks,
        })
    }

    /// Ends what people read; `believed` says what nobody has looked at.
    pub(super) fn end(&self, believed: Option<&str>) -> Result<(), Failure> {
        for (id, count) in &self.blocked {
            output::line(&format!(
                "{count} not judged, because {id} failed (--verbose lists them)"
            ))?;
        }
        output::line(&format!("\n{}", self.summary()))?;
        let repros = self.checks.iter().map(|check| check["repro"].to_string());
        let repros = repros.collect::<String>();
        if repros.contains("-signature: ") {
            output::line(
                "the lines marked repro hold for as long as their timestamps do: 5 minutes",
            )?;
        }
        if repros.contains("$BASIC") {
            output::line("they take the login from BASIC: write BASIC=user:password first")?;
        }
        believed.map_or(Ok(()), output::line)
    }

    /// Prints a finding as soon as it is there; what was not asked for is only counted.
    pub(super) fn tell(&mut self, finding: &Finding, repro: &[String]) -> Result<(), Failure> {
        if let (false, Some(id)) = (self.is_verbose, &finding.blocked_by) {
            *self.blocked.entry(id.clone()).or_default() += 1;
            return Ok(());
        }
        let colour = match finding.verdict {
            Verdict::Passed => 32,
            Verdict::Failed(_) => 31,
            Verdict::NotJudged(_) => 33,
            Verdict::Skipped => return Ok(()),
        };
        let word = finding.verdict.name().replace('_', " ");
        let mut shown = format!("{word:10}");
        if output::coloured(io::stdout().is_terminal()) {
            shown = format!("\u{1b}[{colour}m{shown}\u{1b}[0m");
        }
        let duty = &finding.duty;
        output::line(&format!("{shown}  {:34}  {}", duty.id, duty.title))?;
        let detail = |name: &str, text: &str| {
            output::line(&format!("{:12}{name:6}  {}", "", output::clean(text)))
        };
        if let Some(reason) = finding.verdict.reason() {
            // What is missing is missing for many.
            let is_failure = matches!(finding.verdict, Verdict::Failed(_));
            if is_failure || self.told.insert(reason.to_owned()) {
                detail("why", reason)?;
            }
        }
        if matches!(finding.verdict, Verdict::Failed(_)) {
            detail("rules", &duty.rules.join(", "))?;
            detail("mend", duty.mend)?;
            for line in repro {
                detail("repro", line)?;
            }
        }
        for note in &finding.notes {
            detail("note", note)?;
        }
        Ok(())
    }
}

fn described(duty: &Duty) -> Value {
    json!({ "id": duty.id, "title": duty.title, "rules": duty.rules, "mend": duty.mend })
}

/// Prints the duties themselves.
pub(super) fn list(duties: &[Duty], json: bool) -> Result<(), Failure> {
    if json {
        let all: Vec<_> = duties.iter().map(described).collect();
        return output::json(&Value::from(all).to_string());
    }
    let mut table = output::Table::new(&["CHECK", "WHAT A GOOD RECEIVER DOES", "RULES"]);
    for duty in duties {
        table.row(vec![
            duty.id.clone(),
            duty.title.to_owned(),
            duty.rules.join(", "),
        ]);
    }
    table.print("there are no checks")
}
