//! Rows of the lists, filtered and in order. Computed when data or question change, never while drawing.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::filter::{Axes, Filter};
use super::list::Row;
use super::matrix::tally::Tally;
use super::state::{Page, Screen, State};
use super::vault::Stance;
use crate::model::ids::TenantId;
use crate::netpol::matrix::Matrix;
use crate::netpol::target::{TARGETS, Target};
use crate::posture::assessment::{Assessment, QuotaRow, TenantAssessment};
use crate::posture::catalogue::CheckInfo;
use crate::posture::finding::Finding;
use crate::posture::verdict::Verdict;
use crate::posture::wall::{WALLS, Wall};

/// Orders of a screen's list, by name; `s` goes to the next.
pub const fn orders(screen: Screen) -> &'static [&'static str] {
    match screen {
        Screen::Fleet => &["worst first", "name", "fullest quota", "violations", "oldest proof", "newest change"],
        Screen::Tenant => &["by wall"],
        Screen::Matrix => &["reaches most", "name", "reached by most"],
        Screen::Quota => &["fullest first", "name"],
        Screen::Vault => &["worst first", "name", "most doubts"],
        Screen::Violations => &["by check", "by tenant"],
        Screen::Receipts => &["newest first", "by tenant"],
    }
}

/// The rows of the screen shown, and how many there are before filtering. O(tenants log tenants), or the size of what is listed.
pub fn rows(state: &State) -> (Vec<Row>, usize) {
    let page = state.page();
    let filter = Filter::parse(page.filter.value());
    match state.screen {
        Screen::Fleet => fleet(&state.view.assessment, page, &filter),
        Screen::Tenant => tenant(state, page, &filter),
        Screen::Matrix => matrix(state, page),
        Screen::Quota => quota(&state.view.assessment, page, &filter),
        Screen::Vault => vault(state, page, &filter),
        Screen::Violations => violations(&state.view.assessment, page, &filter),
        Screen::Receipts => receipts(state, page, &filter),
    }
}

/// What the text filter looks at for a tenant.
fn haystack(tenant: &TenantAssessment) -> String {
    let mut text = format!("{} {} {}", tenant.tenant, tenant.kind.word(), tenant.grade.word());
    for namespace in &tenant.namespaces {
        let _ = write!(text, " {namespace}");
    }
    for (wall, verdict) in &tenant.walls {
        if *verdict != Verdict::NotApplicable {
            let _ = write!(text, " {}:{}", wall.short(), verdict.word());
        }
    }
    text.to_lowercase()
}

/// The fullest of a tenant's quota rows, in thousandths.
pub fn fullest(tenant: &TenantAssessment) -> u32 {
    tenant.quota.iter().filter_map(|row| row.permille).max().unwrap_or(0)
}

/// Badness of a tenant: its grade, then how many walls are as bad, then its violations.
fn badness(tenant: &TenantAssessment) -> (Verdict, Reverse<usize>, Reverse<usize>) {
    let as_bad = tenant.walls.values().filter(|v| **v == tenant.grade).count();
    (tenant.grade, Reverse(as_bad), Reverse(tenant.violations().count()))
}

fn fleet(assessment: &Assessment, page: &Page, filter: &Filter) -> (Vec<Row>, usize) {
    let mut kept: Vec<&Arc<TenantAssessment>> = assessment
        .by_tenant
        .values()
        .filter(|t| !page.failing || t.grade.is_violation())
        .filter(|t| filter.is_empty() || filter.passes(&haystack(t)))
        .collect();
    match page.order {
        1 => {}
        2 => kept.sort_by_cached_key(|t| Reverse(fullest(t))),
        3 => kept.sort_by_cached_key(|t| Reverse(t.violations().count())),
        4 => kept.sort_by_key(|t| t.oldest_proof),
        5 => kept.sort_by_key(|t| Reverse(t.changed.as_ref().map(|c| c.at))),
        _ => kept.sort_by_cached_key(|t| badness(t)),
    }
    (kept.into_iter().map(|t| Row::Tenant(t.tenant.clone())).collect(), assessment.by_tenant.len())
}

/// The tenants of the matrix in the order asked for, by place. O(tenants log tenants).
fn ordered(matrix: &Matrix, tally: &Tally, order: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..matrix.tenants.len()).collect();
    match order {
        1 => {}
        2 => places.sort_by_key(|place| Reverse(tally.reached(*place))),
        _ => places.sort_by_key(|place| Reverse(tally.reaches(*place))),
    }
    places
}

/// A tenant of the matrix as its filter sees it.
fn seen_as(assessment: &Assessment, tenant: &TenantId) -> String {
    assessment.by_tenant.get(tenant).map_or_else(|| tenant.to_lowercase(), |assessed| haystack(assessed))
}

fn on_axis(state: &State, filter: &Filter, keep: impl Fn(usize) -> bool) -> Vec<Row> {
    let assessment = &state.view.assessment;
    let matrix = &assessment.matrix;
    let tenants = ordered(matrix, &state.across.tally, state.page_of(Screen::Matrix).order).into_iter().filter(|place| keep(*place));
    let tenants = tenants.filter_map(|place| matrix.tenants.get(place));
    tenants.filter(|t| filter.is_empty() || filter.passes(&seen_as(assessment, t))).map(|t| Row::Tenant(t.clone())).collect()
}

fn matrix(state: &State, page: &Page) -> (Vec<Row>, usize) {
    let tally = &state.across.tally;
    let filter = Axes::parse(page.filter.value()).from;
    let rows = on_axis(state, &filter, |place| !page.failing || tally.promises(place));
    (rows, state.view.assessment.matrix.tenants.len())
}

/// The columns of the matrix: tenants in the order of the rows, and fixed targets in theirs.
pub fn columns(state: &State) -> (Vec<Row>, Vec<Target>) {
    let axes = Axes::parse(state.page_of(Screen::Matrix).filter.value());
    let named = |target: Target| format!("{} {}", target.short(), target.words()).to_lowercase();
    let targets = TARGETS.into_iter().filter(|target| axes.targets.is_empty() || axes.targets.passes(&named(*target)));
    (on_axis(state, &axes.to, |_| true), targets.collect())
}

fn tenant(state: &State, page: &Page, filter: &Filter) -> (Vec<Row>, usize) {
    let mut rows = Vec::new();
    let Some(tenant) = state.tenant.as_ref().and_then(|t| state.assessed(t)) else { return (rows, 0) };
    let passes = |check: &CheckInfo, verdict: Verdict| {
        (!page.failing || verdict.is_violation())
            && (filter.is_empty() || filter.passes(&format!("{} {} {}", check.id, check.title, verdict.word()).to_lowercase()))
    };
    let narrowed = page.failing || !filter.is_empty();
    let all = tenant.checks.len() + state.view.assessment.platform.len();
    let mut without = Vec::new();
    for wall in WALLS {
        let checks: Vec<Row> = tenant.of_wall(wall).filter(|r| passes(r.check, r.verdict)).map(|r| Row::Check(r.check.id)).collect();
        if !checks.is_empty() {
            rows.push(Row::Wall(wall));
            rows.extend(checks);
        } else if tenant.of_wall(wall).next().is_none() {
            without.push(wall.short());
        }
    }
    let own = |id: &str| tenant.checks.iter().any(|r| r.check.id == id && r.check.wall == Wall::Plt);
    let platform = state.view.assessment.platform.iter().filter(|r| !own(r.check.id) && passes(r.check, r.verdict)).map(|r| r.check.id);
    let own_platform = tenant.of_wall(Wall::Plt).filter(|r| passes(r.check, r.verdict)).map(|r| r.check.id);
    let mut beside: Vec<&'static str> = own_platform.chain(platform).collect();
    beside.sort_unstable();
    if !beside.is_empty() {
        rows.push(Row::Wall(Wall::Plt));
        rows.extend(beside.into_iter().map(Row::Check));
    }
    if !without.is_empty() && !narrowed {
        rows.push(Row::Head(without.join(" ")));
    }
    (rows, all)
}

fn quota(assessment: &Assessment, page: &Page, filter: &Filter) -> (Vec<Row>, usize) {
    // a quota's rows stay together: what binds is a matter of all of them
    let mut quotas: BTreeMap<(&TenantId, &str, &str), Vec<&QuotaRow>> = BTreeMap::new();
    for tenant in assessment.by_tenant.values() {
        for row in &tenant.quota {
            quotas.entry((&tenant.tenant, &row.namespace, &row.quota)).or_default().push(row);
        }
    }
    let all = quotas.values().map(Vec::len).sum();
    let mut quotas: Vec<_> = quotas.into_iter().collect();
    if page.order == 0 {
        quotas.sort_by_cached_key(|(_, rows)| Reverse(rows.iter().filter_map(|row| row.permille).max()));
    }
    let mut out = Vec::new();
    for ((tenant, ..), mut rows) in quotas {
        if page.order == 0 {
            rows.sort_by_key(|row| (Reverse(row.binding), Reverse(row.permille)));
        }
        for row in rows {
            let full = row.permille.is_some_and(|p| p >= 900);
            let text = || format!("{tenant} {} {} {}", row.namespace, row.quota, row.resource).to_lowercase();
            if (!page.failing || full) && (filter.is_empty() || filter.passes(&text())) {
                out.push(Row::Quota(tenant.clone(), row.namespace.clone(), row.quota.clone(), row.resource.clone()));
            }
        }
    }
    (out, all)
}

/// Tenants as the secret wall ranks them. O(tenants log tenants).
fn vault(state: &State, page: &Page, filter: &Filter) -> (Vec<Row>, usize) {
    let reaches = &state.view.assessment.secrets.by_tenant;
    let counted = reaches.keys().filter_map(|tenant| Some((tenant, super::vault::count(state, tenant)?)));
    let kept = counted.filter(|(_, count)| !page.failing || count.stance.fails());
    let text = |tenant: &TenantId, stance: Stance| format!("{} {}", seen_as(&state.view.assessment, tenant), stance.word());
    let mut kept: Vec<_> =
        kept.filter(|(tenant, count)| filter.is_empty() || filter.passes(&text(tenant, count.stance).to_lowercase())).collect();
    match page.order {
        1 => {}
        2 => kept.sort_by_key(|(_, count)| Reverse(count.doubts)),
        _ => kept.sort_by_key(|(_, count)| count.badness()),
    }
    (kept.into_iter().map(|(tenant, _)| Row::Tenant(tenant.clone())).collect(), reaches.len())
}

/// A violation on its way into a group.
struct Item {
    rank: (Verdict, Reverse<bool>),
    row: Row,
}

fn violations(assessment: &Assessment, page: &Page, filter: &Filter) -> (Vec<Row>, usize) {
    let by_tenant = page.order == 1;
    let mut groups: BTreeMap<String, (usize, Vec<Item>)> = BTreeMap::new();
    let mut all = 0;
    for tenant in assessment.by_tenant.values() {
        for result in &tenant.checks {
            for (i, finding) in result.findings.iter().enumerate().filter(|(_, f)| f.verdict.is_violation()) {
                all += 1;
                let text = || {
                    format!("{} {} {} {} {}", tenant.tenant, result.check.id, result.check.title, finding.verdict.word(), finding.message)
                        .to_lowercase()
                };
                if !filter.is_empty() && !filter.passes(&text()) {
                    continue;
                }
                let alike = |f: &&Finding| f.reason == finding.reason && f.subject == finding.subject;
                let nth = result.findings.iter().take(i).filter(alike).count();
                let row = Row::Finding(tenant.tenant.clone(), result.check.id, finding.reason, Arc::new(finding.subject.clone()), nth);
                let key = if by_tenant { tenant.tenant.to_string() } else { result.check.id.to_owned() };
                let weight = if by_tenant { finding.verdict as usize } else { result.check.severity as usize };
                let group = groups.entry(key).or_insert((weight, Vec::new()));
                group.0 = group.0.min(weight);
                group.1.push(Item { rank: (finding.verdict, Reverse(finding.fix.is_some())), row });
            }
        }
    }
    let mut ordered: Vec<(String, (usize, Vec<Item>))> = groups.into_iter().collect();
    ordered.sort_by_key(|(_, (weight, items))| (*weight, Reverse(items.len())));
    let mut rows = Vec::new();
    for (key, (_, mut items)) in ordered {
        rows.push(Row::Head(key));
        items.sort_by_key(|item| item.rank);
        rows.extend(items.into_iter().map(|item| item.row));
    }
    let (refused, count) = refusals(assessment, filter);
    rows.extend(refused);
    (rows, all + count)
}

/// Recent refusals, newest first, under a heading of their own.
fn refusals(assessment: &Assessment, filter: &Filter) -> (Vec<Row>, usize) {
    let mut all: Vec<_> = assessment.by_tenant.values().flat_map(|t| t.refusals.iter().map(move |r| (&t.tenant, r))).collect();
    let count = all.len();
    all.retain(|(tenant, r)| {
        filter.is_empty() || filter.passes(&format!("{tenant} {} {} refused {}", r.namespace, r.about, r.message).to_lowercase())
    });
    all.sort_by_key(|(_, r)| Reverse(r.last));
    let mut rows = Vec::new();
    if !all.is_empty() {
        rows.push(Row::Head(String::new()));
    }
    rows.extend(
        all.into_iter().map(|(t, r)| Row::Refusal(t.clone(), r.namespace.clone(), r.about.as_str().into(), r.message.as_str().into())),
    );
    (rows, count)
}

fn receipts(state: &State, page: &Page, filter: &Filter) -> (Vec<Row>, usize) {
    let book = &state.view.book;
    let counts = |id: &str| super::standing::of(state, id).counts;
    let mut kept: Vec<_> = book
        .all()
        .filter(|r| {
            filter.is_empty()
                || filter
                    .passes(&format!("{} {} {} {}", r.tenant, r.probe.id(), r.probe.wall().short(), r.probe.wall().title()).to_lowercase())
        })
        .filter(|r| !page.failing || !counts(&r.id))
        .collect();
    if page.order == 1 {
        kept.sort_by(|a, b| a.tenant.cmp(&b.tenant));
    }
    (kept.into_iter().map(|r| Row::Receipt(r.id.clone())).collect(), book.len())
}

/// Keeps the order of what was there, for as long as the cursor moves: what is gone goes, what is new comes last.
pub fn keep_order(old: &[Row], new: Vec<Row>) -> Vec<Row> {
    let tenant_of = |row: &Row| match row {
        Row::Tenant(t) => Some(t.clone()),
        _ => None,
    };
    let mut fresh: BTreeMap<TenantId, Row> = new.iter().filter_map(|row| Some((tenant_of(row)?, row.clone()))).collect();
    if fresh.len() != new.len() {
        return new;
    }
    let mut kept: Vec<Row> = old.iter().filter_map(|row| fresh.remove(&tenant_of(row)?)).collect();
    kept.extend(new.into_iter().filter(|row| tenant_of(row).is_some_and(|t| fresh.contains_key(&t))));
    kept
}

/// Every violation of the fleet as (tenant, check), in the order of the fleet's list: what `n` and `N` walk along.
pub fn walk(state: &State) -> Vec<(TenantId, &'static str)> {
    let fleet = state.page_of(Screen::Fleet);
    let order: Vec<TenantId> = if fleet.list.rows.is_empty() {
        state.view.assessment.by_tenant.keys().cloned().collect()
    } else {
        fleet.list.rows.iter().filter_map(Row::tenant).cloned().collect()
    };
    let mut steps = Vec::new();
    for tenant in order {
        let Some(assessed) = state.assessed(&tenant) else { continue };
        for wall in WALLS {
            steps.extend(assessed.of_wall(wall).filter(|r| r.verdict.is_violation()).map(|r| (tenant.clone(), r.check.id)));
        }
    }
    steps
}
