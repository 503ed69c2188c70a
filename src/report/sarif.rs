//! `partywall check -o sarif`: SARIF 2.1.0, one rule a check and one result a violation.

use serde_json::{Value, json};

use super::check::{named, wanted};
use crate::model::text::clean;
use crate::posture::assessment::{Assessment, TenantAssessment};
use crate::posture::catalogue::{CHECKS, Severity};
use crate::posture::finding::{Finding, Subject};

/// Where an object stands: a file and a line in it, from 1.
pub type Locate<'a> = &'a dyn Fn(&Subject) -> Option<(String, usize)>;

/// Bytes of a path that may stand in a URI as they are.
const PLAIN: &str = "-._~/";

/// The report.
pub fn report(assessment: &Assessment, simulated: bool, only: &[String], locate: Locate<'_>) -> Value {
    let mut results = Vec::new();
    for tenant in wanted(assessment, only) {
        results.extend(tenant.violations().map(|finding| result(Some(tenant), finding, locate)));
    }
    let platform = assessment.platform.iter().flat_map(|result| &result.findings).filter(|finding| finding.verdict.is_violation());
    results.extend(platform.map(|finding| result(None, finding, locate)));
    let notifications: Vec<Value> = assessment
        .unknowns
        .iter()
        .map(|unknown| json!({"level": "warning", "message": {"text": format!("could not look at {}: {}", unknown.source, unknown.why)}}))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "partywall",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": CHECKS.iter().map(|check| json!({
                    "id": check.id,
                    "name": name(check.title),
                    "shortDescription": {"text": check.title},
                    "fullDescription": {"text": check.claim},
                    "defaultConfiguration": {"level": level(check.severity)},
                    "properties": {"security-severity": score(check.severity), "tags": ["security", check.wall.short()]},
                })).collect::<Vec<_>>(),
            }},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notifications}],
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {"simulated": simulated},
        }],
    })
}

/// An identifier from a title, as the format likes rules to be named.
fn name(title: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars().filter(|c| c.is_alphanumeric());
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    title.split_whitespace().map(word).collect()
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The number that code-scanning dashboards sort by: a CVSS score in the middle of the severity's band.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

fn result(tenant: Option<&TenantAssessment>, finding: &Finding, locate: Locate<'_>) -> Value {
    let subject = &finding.subject;
    let name = named(subject);
    let logical = json!({"name": clean(&subject.name), "fullyQualifiedName": name, "kind": "resource"});
    let mut location = json!({"logicalLocations": [logical]});
    // the subject may be the tenant; then the first object that the finding rests on is where a reader should look
    let rests_on = finding.evidence.iter().map(|evidence| Subject::object(&evidence.object));
    let place = std::iter::once(subject.clone()).chain(rests_on).find_map(|subject| locate(&subject));
    if let (Some((file, line)), Some(map)) = (place, location.as_object_mut()) {
        map.insert("physicalLocation".to_owned(), json!({"artifactLocation": {"uri": uri(&file)}, "region": {"startLine": line.max(1)}}));
    }
    let tenant = tenant.map(|tenant| clean(&tenant.tenant));
    let whose = tenant.as_ref().map(|tenant| format!("{tenant}: ")).unwrap_or_default();
    let reason = finding.reason.unwrap_or("-");
    json!({
        "ruleId": finding.check.id,
        "ruleIndex": CHECKS.iter().position(|check| check.id == finding.check.id),
        "level": level(finding.check.severity),
        "message": {"text": format!("{whose}{}", clean(&finding.message))},
        "locations": [location],
        "partialFingerprints": {"subject/v1": format!("{}|{}|{name}|{reason}", finding.check.id, tenant.unwrap_or_default())},
        "properties": {"verdict": finding.verdict.word(), "severity": finding.check.severity.word()},
    })
}

/// A path as a relative or absolute URI reference.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(path.len());
    for byte in path.trim_start_matches("./").bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || PLAIN.contains(c) {
            out.push(c);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::check::sample;

    #[test]
    fn each_violation_is_one_result_of_a_rule_that_is_there() {
        let assessment = sample::assessment("a|b\u{1b}<x>");
        let violations: usize = assessment.by_tenant.values().map(|tenant| tenant.violations().count()).sum();
        let locate = |subject: &Subject| (subject.kind == "Namespace").then(|| ("./dir/a b#.yaml".to_owned(), 7));
        let report = report(&assessment, true, &[], &locate);
        let run = &report["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert!(violations > 0 && results.len() >= violations, "{}", results.len());
        for result in results {
            let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(!result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].as_str().unwrap().contains('\u{1b}'));
        }
        let physical: Vec<_> = results.iter().filter_map(|result| result["locations"][0].get("physicalLocation")).collect();
        assert!(!physical.is_empty());
        assert_eq!(physical[0]["artifactLocation"]["uri"], "dir/a%20b%23.yaml");
        assert_eq!(physical[0]["region"]["startLine"], 7);
    }

    #[test]
    fn rules_are_named_like_identifiers() {
        assert_eq!(name("Vault role bound to one ServiceAccount"), "VaultRoleBoundToOneServiceAccount");
        assert!(CHECKS.iter().all(|check| name(check.title).chars().all(char::is_alphanumeric)));
    }
}
