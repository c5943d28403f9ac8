//! The verdicts as JUnit XML, as build servers read it.

use std::fmt::Write;

use crate::check::{Finding, Verdict};

use super::report::Report;

/// The whole document.
pub(super) fn document(report: &Report, findings: &[Finding]) -> String {
    let count = |wanted: fn(&Verdict) -> bool| {
        let verdicts = findings.iter().map(|finding| &finding.verdict);
        verdicts.filter(|verdict| wanted(verdict)).count()
    };
    let failures = count(|verdict| matches!(verdict, Verdict::Failed(_)));
    let skipped = count(|verdict| matches!(verdict, Verdict::NotJudged(_) | Verdict::Skipped));
    let seconds: f64 = findings.iter().map(|f| f.took.as_secs_f64()).sum();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites>\n  <testsuite name=\"redeliver check {}\" tests=\"{}\" failures=\"{failures}\" \
         errors=\"0\" skipped=\"{skipped}\" time=\"{seconds:.3}\" timestamp=\"{}\">\n",
        report.vendor,
        findings.len(),
        report.run.started_at,
    );
    for finding in findings {
        case(&mut xml, finding);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(xml: &mut String, finding: &Finding) {
    let duty = &finding.duty;
    let (class, name) = duty.id.rsplit_once('.').unwrap_or(("", &duty.id));
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
        escaped(class),
        escaped(name),
        finding.took.as_secs_f64(),
    );
    let inside = match &finding.verdict {
        Verdict::Passed => return xml.push_str("/>\n"),
        Verdict::Failed(reason) => {
            let rules = duty.rules.join(", ");
            format!(
                "<failure message=\"{}\" type=\"{}\">{}\nrules: {}\nmend: {}</failure>",
                escaped(reason),
                escaped(&rules),
                escaped(duty.title),
                escaped(&rules),
                escaped(duty.mend),
            )
        }
        Verdict::NotJudged(reason) => {
            format!("<skipped message=\"not judged: {}\"/>", escaped(reason))
        }
        Verdict::Skipped => "<skipped message=\"not asked for\"/>".to_owned(),
    };
    let _ = writeln!(xml, ">{inside}</testcase>");
}

/// Text as XML 1.0 has it; what it has no way to write is left out.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\n' | '\t' => xml.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => xml.push(c),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_gives_a_meaning_to_is_escaped() {
        assert_eq!(
            escaped("a<b> & \"c\"\u{1}\u{1b}[31m\nd"),
            "a&lt;b&gt; &amp; &quot;c&quot;[31m\nd"
        );
    }
}
