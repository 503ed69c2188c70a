//! `partywall status`: one line a tenant (schema `partywall.status/v1`).

use serde_json::{Value, json};

use super::check::{coverage, unknowns, unseen, walls};
use super::table::Table;
use crate::app::msg::View;
use crate::model::text::clean;
use crate::model::time::age;
use crate::posture::assessment::{QuotaRow, TenantAssessment};
use crate::posture::wall::WALLS;

/// The report as JSON.
pub fn json(view: &View) -> Value {
    let (snapshot, assessment) = (&view.snapshot, &view.assessment);
    json!({
        "schema": "partywall.status/v1",
        "context": clean(&snapshot.server.context),
        "server": clean(&snapshot.server.version),
        "simulated": snapshot.server.simulated,
        "tenant_rule": assessment.tenants.rule.words(),
        "sources": snapshot.sources.iter().map(|(kind, state)| (kind.as_str().to_owned(), json!(state.to_string()))).collect::<serde_json::Map<_, _>>(),
        "vault": json!({
            "configured": snapshot.vault.configured,
            "address": clean(&snapshot.vault.address),
            "state": snapshot.vault.server.state.to_string(),
            "sealed": snapshot.vault.server.sealed,
            "version": clean(&snapshot.vault.server.version),
        }),
        "tenants": assessment.by_tenant.values().map(|t| tenant(t)).collect::<Vec<_>>(),
        "unknowns": unknowns(assessment),
    })
}

fn tenant(t: &TenantAssessment) -> Value {
    json!({
        "tenant": clean(&t.tenant),
        "kind": t.kind.word(),
        "namespaces": t.namespaces.iter().map(|n| clean(n)).collect::<Vec<_>>(),
        "grade": t.grade,
        "walls": walls(t),
        "coverage": coverage(t),
        "proved": t.oldest_proof,
        "violations": t.violations().count(),
        "refusals": t.refusals.len(),
        "pods": {"running": t.pods.0, "all": t.pods.1},
        "quota": t.quota.iter().map(quota).collect::<Vec<_>>(),
    })
}

fn quota(row: &QuotaRow) -> Value {
    json!({
        "namespace": clean(&row.namespace), "quota": clean(&row.quota), "resource": clean(&row.resource),
        "hard": row.hard, "used": row.used, "permille": row.permille, "fits": row.fits, "binding": row.binding,
    })
}

/// The report as a table. `now` is for ages.
pub fn table(view: &View, now: crate::model::time::Time) -> String {
    let mut head = vec!["TENANT", "KIND", "GRADE"];
    head.extend(WALLS.map(crate::posture::wall::Wall::short));
    head.extend(["CPU", "MEM", "PODS", "VIOL", "COV", "PROVED"]);
    let mut table = Table::new(&head);
    for t in view.assessment.by_tenant.values() {
        let mut row = vec![t.tenant.to_string(), t.kind.word().to_owned(), t.grade.word().to_owned()];
        row.extend(WALLS.map(|wall| if t.of_wall(wall).next().is_some() { t.wall(wall).word().to_owned() } else { "-".to_owned() }));
        row.extend([use_of(t, "cpu"), use_of(t, "memory"), use_of(t, "pods")]);
        row.extend([
            t.violations().count().to_string(),
            format!("{}/{}", t.coverage.0, t.coverage.1),
            t.oldest_proof.map_or_else(|| "never".to_owned(), |at| age(now.since(at))),
        ]);
        table.row(row);
    }
    let mut out = String::new();
    if view.snapshot.server.simulated {
        out.push_str("SIMULATED: these servers are the demo's\n");
    }
    out.push_str(&table.print());
    for unknown in &view.assessment.unknowns {
        out.push_str(&unseen(unknown));
    }
    out
}

/// Use of the fullest quota row about a resource, in percent.
fn use_of(t: &TenantAssessment, resource: &str) -> String {
    let rows = t.quota.iter().filter(|row| row.resource.as_ref() == resource || row.resource.ends_with(&format!(".{resource}")));
    match rows.filter_map(|row| row.permille).max() {
        Some(permille) => format!("{}%", permille / 10),
        None => "-".to_owned(),
    }
}
