//! `partywall check -o junit`: JUnit XML, one suite a tenant, one case a finding. What could not be seen is an error, never a pass.

use std::fmt::Write as _;

use super::check::{named, wanted};
use crate::posture::assessment::{Assessment, CheckResult};
use crate::posture::finding::Finding;
use crate::posture::verdict::Verdict;

/// The report.
pub fn report(assessment: &Assessment, simulated: bool, only: &[String]) -> String {
    let mut suites = String::new();
    let mut total = Counts::default();
    for tenant in wanted(assessment, only) {
        total.add(suite(&mut suites, &tenant.tenant, &tenant.checks));
    }
    if !assessment.platform.is_empty() {
        total.add(suite(&mut suites, "(platform)", &assessment.platform));
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = if simulated { "partywall check (SIMULATED)" } else { "partywall check" };
    let _ = writeln!(out, "<testsuites name=\"{name}\" {}>", total.attributes());
    out.push_str(&suites);
    for unknown in &assessment.unknowns {
        let _ = writeln!(out, "<!-- could not look at {}: {} -->", comment(&unknown.source), comment(&unknown.why));
    }
    out.push_str("</testsuites>\n");
    out
}

#[derive(Clone, Copy, Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    const fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    fn attributes(&self) -> String {
        format!("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", self.tests, self.failures, self.errors, self.skipped)
    }
}

fn suite(out: &mut String, name: &str, checks: &[CheckResult]) -> Counts {
    let mut counts = Counts::default();
    let mut cases = String::new();
    for finding in checks.iter().flat_map(|result| &result.findings) {
        counts.tests += 1;
        case(&mut cases, name, finding, &mut counts);
    }
    let _ = writeln!(out, "<testsuite name=\"{}\" {}>\n{cases}</testsuite>", escape(name), counts.attributes());
    counts
}

fn case(out: &mut String, suite: &str, finding: &Finding, counts: &mut Counts) {
    let title = format!("{} {}: {}", finding.check.id, finding.check.title, named(&finding.subject));
    let _ = write!(out, "<testcase classname=\"{}\" name=\"{}\"", escape(suite), escape(&title));
    let kind = match finding.verdict {
        Verdict::Breached | Verdict::Disputed | Verdict::Degraded => {
            counts.failures += 1;
            "failure"
        }
        Verdict::Unknown | Verdict::Vacuous => {
            counts.errors += 1;
            "error"
        }
        Verdict::Waived | Verdict::NotApplicable => {
            counts.skipped += 1;
            "skipped"
        }
        Verdict::Holds | Verdict::Unproven => {
            out.push_str("/>\n");
            return;
        }
    };
    let message = escape(&format!("{}: {}", finding.verdict.word(), finding.message));
    if kind == "skipped" {
        let _ = writeln!(out, "><skipped message=\"{message}\"/></testcase>");
        return;
    }
    let _ = writeln!(out, ">\n<{kind} type=\"{}\" message=\"{message}\">", finding.check.severity.word());
    for evidence in &finding.evidence {
        let _ = writeln!(out, "{}", escape(&format!("{} {} = {}", evidence.object, evidence.field, evidence.value)));
    }
    let _ = writeln!(out, "</{kind}></testcase>");
}

/// Text that may stand in an attribute or an element: markup escaped, and what XML can't hold or a terminal would act on left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in crate::model::text::clean_to(text, 4_000).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // the mark that stands for a cleaned character, and the two that XML forbids
            '\u{fffd}' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

/// In a comment two dashes would end it.
fn comment(text: &str) -> String {
    escape(text).replace("--", "- -")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::check::sample;

    /// Whether tags nest and no markup hides in attributes: a small reader, enough for what we write.
    fn is_well_formed(xml: &str) -> bool {
        let mut open: Vec<&str> = Vec::new();
        let mut rest = xml;
        while let Some((before, tag)) = rest.split_once('<') {
            if before.contains('>') {
                return false;
            }
            let Some((tag, after)) = tag.split_once('>') else { return false };
            rest = after;
            if tag.starts_with('?') || tag.starts_with("!--") {
                continue;
            }
            if tag.matches('"').count() % 2 == 1 {
                return false;
            }
            match tag.strip_prefix('/') {
                Some(name) if open.pop() != Some(name) => return false,
                None if !tag.ends_with('/') => open.push(tag.split_whitespace().next().unwrap_or_default()),
                _ => {}
            }
        }
        open.is_empty() && !rest.contains('>')
    }

    #[test]
    fn hostile_names_stay_in_their_attributes_and_the_numbers_add_up() {
        let assessment = sample::assessment("a\"><x>&\u{1b}[2J\u{0}");
        let xml = report(&assessment, false, &[]);
        assert!(is_well_formed(&xml), "{xml}");
        assert!(xml.contains("a&quot;&gt;&lt;x&gt;&amp;[2J"), "{xml}");
        assert!(xml.chars().all(|c| c == '\n' || !c.is_control()));
        let count = |what: &str| xml.matches(what).count();
        assert!(
            xml.contains(&format!(
                "<testsuites name=\"partywall check\" tests=\"{}\" failures=\"{}\"",
                count("<testcase"),
                count("<failure")
            )),
            "{xml}"
        );
        assert!(count("<failure") > 0 && count("<error") > 0);
    }
}
