//! `partywall check -o markdown`: for a merge request or a wiki.

use std::fmt::Write as _;

use super::check::{named, unseen, wanted};
use crate::model::text::clean_to;
use crate::posture::assessment::{Assessment, CheckResult};
use crate::posture::verdict::Verdict;

/// The longest text of one cell, in characters.
const WIDEST: usize = 400;

/// The report: one line a tenant, then what is wrong or unseen by tenant.
pub fn report(assessment: &Assessment, simulated: bool, only: &[String]) -> String {
    let mut out = String::from("# partywall check\n\n");
    if simulated {
        out.push_str("**SIMULATED**: these servers are the demo's.\n\n");
    }
    out.push_str("| tenant | grade | violations | namespaces |\n|---|---|---|---|\n");
    for tenant in wanted(assessment, only) {
        let namespaces: Vec<String> = tenant.namespaces.iter().map(|name| cell(name)).collect();
        let grade = tenant.grade.word();
        let _ = writeln!(out, "| {} | {grade} | {} | {} |", cell(&tenant.tenant), tenant.violations().count(), namespaces.join(", "));
    }
    for tenant in wanted(assessment, only) {
        section(&mut out, &tenant.tenant, &tenant.checks);
    }
    section(&mut out, "platform", &assessment.platform);
    if !assessment.unknowns.is_empty() {
        out.push_str("\n## Not seen\n\n");
        for unknown in &assessment.unknowns {
            let _ = writeln!(out, "- {}", cell(unseen(unknown).trim_end()));
        }
    }
    out
}

fn section(out: &mut String, name: &str, checks: &[CheckResult]) {
    let good = |verdict| matches!(verdict, Verdict::Holds | Verdict::NotApplicable);
    let findings: Vec<_> = checks.iter().flat_map(|result| &result.findings).filter(|finding| !good(finding.verdict)).collect();
    if findings.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## {}\n\n| check | severity | verdict | subject | what |\n|---|---|---|---|---|", cell(name));
    for finding in findings {
        let (check, severity, verdict) = (finding.check.id, finding.check.severity.word(), finding.verdict.word());
        let _ = writeln!(out, "| {check} | {severity} | {verdict} | {} | {} |", cell(&named(&finding.subject)), cell(&finding.message));
    }
}

/// Text in which nothing is markup: every mark that Markdown or HTML knows is escaped.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean_to(text, WIDEST).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::check::sample;

    #[test]
    fn a_name_is_never_markup() {
        let assessment = sample::assessment("a|b[x](http://evil)<img>@team`");
        let text = report(&assessment, true, &[]);
        assert!(text.contains(r"a\|b\[x\]\(http://evil\)&lt;img&gt;\@team\`"), "{text}");
        assert!(text.contains("SIMULATED"));
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        for line in text.lines().filter(|line| line.starts_with('|')) {
            assert!([5, 6].contains(&bars(line)), "{line}");
        }
    }
}
