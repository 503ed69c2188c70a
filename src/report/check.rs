//! `partywall check`: all findings (schema `partywall.check/v1`).

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::table::Table;
use crate::model::text::clean;
use crate::posture::assessment::{Assessment, TenantAssessment, Unknown};
use crate::posture::catalogue::Severity;
use crate::posture::finding::Finding;

/// Which tenants are reported: all when the list is empty.
pub fn wanted<'a>(assessment: &'a Assessment, only: &'a [String]) -> impl Iterator<Item = &'a TenantAssessment> {
    assessment.by_tenant.values().map(AsRef::as_ref).filter(move |t| only.is_empty() || only.iter().any(|name| *name == *t.tenant))
}

/// The report as JSON.
pub fn json(assessment: &Assessment, simulated: bool, only: &[String]) -> Value {
    json!({
        "schema": "partywall.check/v1",
        "simulated": simulated,
        "tenants": wanted(assessment, only).map(tenant).collect::<Vec<_>>(),
        "platform": assessment.platform.iter().flat_map(|result| &result.findings).map(finding).collect::<Vec<_>>(),
        "unknowns": unknowns(assessment),
    })
}

/// What could not be looked at.
pub fn unknowns(assessment: &Assessment) -> Vec<Value> {
    assessment.unknowns.iter().map(|unknown| json!({"source": unknown.source, "why": unknown.why, "costs": unknown.costs})).collect()
}

fn tenant(tenant: &TenantAssessment) -> Value {
    json!({
        "tenant": clean(&tenant.tenant),
        "namespaces": tenant.namespaces.iter().map(|n| clean(n)).collect::<Vec<_>>(),
        "grade": tenant.grade,
        "walls": walls(tenant),
        "coverage": coverage(tenant),
        "findings": tenant.checks.iter().flat_map(|result| &result.findings).map(finding).collect::<Vec<_>>(),
    })
}

/// Verdict by wall. Walls that this release has no check for are left out rather than called fine.
pub fn walls(tenant: &TenantAssessment) -> Value {
    let walls = tenant.walls.iter().filter(|(wall, _)| tenant.of_wall(**wall).next().is_some());
    Value::Object(walls.map(|(wall, verdict)| (wall.short().to_owned(), json!(verdict))).collect())
}

/// Share of probeable checks with a valid receipt, in thousandths of one.
pub fn coverage(tenant: &TenantAssessment) -> f64 {
    let (with, of) = tenant.coverage;
    if of == 0 { 0.0 } else { (f64::from(with) / f64::from(of) * 1000.0).round() / 1000.0 }
}

fn finding(finding: &Finding) -> Value {
    let mut subject =
        json!({"kind": finding.subject.kind, "namespace": clean(&finding.subject.namespace), "name": clean(&finding.subject.name)});
    if let (Some(container), Some(map)) = (&finding.subject.container, subject.as_object_mut()) {
        map.insert("container".to_owned(), json!(clean(container)));
    }
    let evidence =
        |e: &crate::posture::finding::Evidence| json!({"object": clean(&e.object.to_string()), "field": e.field, "value": e.value});
    let mut out = json!({
        "check": finding.check.id,
        "severity": finding.check.severity,
        "verdict": finding.verdict,
        "wall": finding.check.wall,
        "subject": subject,
        "message": finding.message,
        "evidence": finding.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "fix": finding.fix,
    });
    if let (Some(reason), Some(map)) = (finding.reason, out.as_object_mut()) {
        map.insert("reason".to_owned(), json!(reason));
    }
    out
}

/// The report as a table: what is wrong or unseen, then one line of counts.
pub fn table(assessment: &Assessment, only: &[String]) -> String {
    let mut table = Table::new(&["TENANT", "CHECK", "SEVERITY", "VERDICT", "SUBJECT", "WHAT"]);
    let mut good = 0;
    let mut add = |name: &str, finding: &Finding| {
        if matches!(finding.verdict, crate::posture::verdict::Verdict::Holds | crate::posture::verdict::Verdict::NotApplicable) {
            good += 1;
            return;
        }
        table.row([
            name.to_owned(),
            finding.check.id.to_owned(),
            finding.check.severity.word().to_owned(),
            finding.verdict.word().to_owned(),
            named(&finding.subject),
            finding.message.clone(),
        ]);
    };
    for tenant in wanted(assessment, only) {
        tenant.checks.iter().flat_map(|result| &result.findings).for_each(|finding| add(&tenant.tenant, finding));
    }
    assessment.platform.iter().flat_map(|result| &result.findings).for_each(|finding| add("(platform)", finding));
    let mut out = table.print();
    let _ = writeln!(out, "{good} more hold or do not apply");
    for unknown in &assessment.unknowns {
        out.push_str(&unseen(unknown));
    }
    out
}

/// One line about what could not be looked at.
pub fn unseen(unknown: &Unknown) -> String {
    let costs = if unknown.costs.is_empty() { String::new() } else { format!(" (costs {})", unknown.costs.join(", ")) };
    format!("could not look at {}: {}{costs}\n", unknown.source, unknown.why)
}

/// A subject in words: `Kind namespace/name`, cleaned.
pub fn named(subject: &crate::posture::finding::Subject) -> String {
    let place = if subject.namespace.is_empty() { String::new() } else { format!("{}/", subject.namespace) };
    let container = subject.container.as_ref().map(|container| format!(" container {container}")).unwrap_or_default();
    clean(&format!("{} {place}{}{container}", subject.kind, subject.name))
}

/// From which severity findings make the exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// From this severity.
    At(Severity),
    /// Never.
    Never,
}

/// Whether violations at or above the given severity were found.
pub fn fails(assessment: &Assessment, only: &[String], fail_on: FailOn) -> bool {
    let FailOn::At(from) = fail_on else { return false };
    let bad = |finding: &Finding| finding.verdict.is_violation() && finding.check.severity <= from;
    wanted(assessment, only).flat_map(TenantAssessment::violations).any(bad)
        || (only.is_empty() && assessment.platform.iter().flat_map(|result| &result.findings).any(bad))
}

/// A fleet for the tests of the reports.
#[cfg(test)]
pub(crate) mod sample {
    use crate::model::changes::{Change, Fact};
    use crate::model::kind::WATCHED;
    use crate::model::meta::Meta;
    use crate::model::pod::NamespaceFact;
    use crate::model::store::Store;
    use crate::posture::assessment::Assessment;
    use crate::posture::engine::{EngineConfig, from_scratch};
    use crate::receipt::book::Book;

    /// A tenant of that name, with nothing but its namespace; there is no Vault.
    pub fn assessment(tenant: &str) -> Assessment {
        let mut store = Store::default();
        let meta = Meta { name: tenant.into(), ..Meta::default() };
        let namespace = NamespaceFact { meta, labels: std::sync::Arc::default(), terminating: false };
        store.apply(Change::Put(Box::new(Fact::Namespace(namespace))));
        for info in &WATCHED {
            store.apply(Change::Listed(info.kind));
        }
        let (snapshot, _) = store.publish();
        from_scratch(&EngineConfig::default(), &snapshot, &Book::default(), crate::model::time::Time(0))
    }
}
