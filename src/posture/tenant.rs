//! One tenant's assessment: declarations joined with receipts.

use std::collections::BTreeMap;

use super::apps;
use super::assessment::{AppKind, CheckResult, Lapsed, LapsedBy, Refusal, TenantAssessment};
use super::catalogue::{CheckInfo, Severity, find};
use super::cover::covers;
use super::finding::Finding;
use super::quota::rows;
use super::rules::{RULES, Rule};
use super::sight::NOT_ASKED;
use super::verdict::{Declared, Tried, Verdict, combine};
use super::view::{Point, TenantView};
use super::wall::{WALLS, Wall};
use crate::model::pod::Phase;
use crate::model::text::{clean, clean_to};
use crate::model::time::Time;
use crate::probe::depends::{depends_by, unseen_of};
use crate::probe::spec::{PROBES, ProbeId};
use crate::probe::vault::disputed;
use crate::receipt::book::Book;
use crate::receipt::judge;
use crate::receipt::validity::{Validity, validity};
use crate::receipt::{Receipt, ReceiptId};

/// At most so many refusals are shown per tenant.
const REFUSALS_SHOWN: usize = 50;

/// What the newest receipt of a probe is worth now.
pub(super) enum Proof<'a> {
    /// There is none.
    None,
    /// It can't be compared with the present, because we don't see this.
    Incomparable(String),
    /// It counts.
    Counts(&'a Receipt),
    /// It stopped counting.
    Lapsed(Lapsed),
}

/// A tenant's assessment with what the engine must remember to notice that it is out of date.
pub(super) struct Judged {
    pub assessment: TenantAssessment,
    /// When it must be made again though nothing changes.
    pub again_at: Option<Time>,
}

/// Judges a tenant. O(its namespaces × (policies × pods + checks) + receipts' dependencies).
pub(super) fn judge_tenant(view: &TenantView<'_>, book: &Book) -> Judged {
    let proofs: BTreeMap<ProbeId, Proof<'_>> = PROBES.into_iter().map(|probe| (probe, proof(view, book, probe))).collect();
    // of the size it needs: kept by the thousand, and a result is large
    let mut checks: Vec<CheckResult> = Vec::with_capacity(RULES.len());
    checks.extend(RULES.iter().filter_map(|rule| Some(judge_check(view, rule, find(rule.id)?, &proofs))));
    let walls: BTreeMap<Wall, Verdict> = WALLS.into_iter().map(|wall| (wall, wall_verdict(&checks, wall))).collect();
    let grade =
        walls.values().copied().filter(|v| !matches!(v, Verdict::NotApplicable | Verdict::Waived)).min().unwrap_or(Verdict::Unknown);
    let (coverage, oldest_proof) = coverage(&checks, book);
    let refusals = refusals(view);
    let again_at = again_at(view, book, &proofs);
    let pods = || view.namespaces.iter().flat_map(|(_, facts)| facts.pods.values()).filter(|pod| !pod.finished());
    let running = pods().filter(|pod| pod.phase == Phase::Running).count();
    let assessment = TenantAssessment {
        tenant: view.tenant.clone(),
        kind: view.namespaces.iter().map(|(_, facts)| apps::of_namespace(facts)).fold(AppKind::Other, apps::join),
        namespaces: view.namespaces.iter().map(|(name, _)| (*name).clone()).collect(),
        walls,
        checks,
        grade,
        coverage,
        oldest_proof,
        quota: view.namespaces.iter().flat_map(|(name, facts)| rows(name, facts)).collect(),
        covers: view.namespaces.iter().flat_map(|(_, facts)| covers(facts)).collect(),
        refusals,
        pods: (u32::try_from(running).unwrap_or(u32::MAX), u32::try_from(pods().count()).unwrap_or(u32::MAX)),
        changed: None,
    };
    Judged { assessment, again_at }
}

/// What the newest receipt of a probe is worth.
fn proof<'a>(view: &TenantView<'_>, book: &'a Book, probe: ProbeId) -> Proof<'a> {
    let Some(receipt) = book.newest(&*view.snapshot.server, view.tenant, probe) else { return Proof::None };
    let lapsed = |by| Proof::Lapsed(Lapsed { receipt: receipt.id.clone(), made: receipt.created, by });
    if let Some(why) = book.lapse_of(&receipt.id) {
        return lapsed(LapsedBy::Recorded(clean(why)));
    }
    if let Some(why) = unseen_of(view.snapshot, receipt) {
        return Proof::Incomparable(why);
    }
    let Some(present) = depends_by(view.snapshot, view.tenants, view.roles, probe, view.tenant, receipt.partner.as_deref()) else {
        return Proof::Incomparable(String::new());
    };
    match validity(receipt, &present, &view.snapshot.server, view.now) {
        Validity::Valid => Proof::Counts(receipt),
        Validity::Expired => lapsed(LapsedBy::Expired(receipt.expires)),
        Validity::Moved(object, how) => lapsed(LapsedBy::Moved(object, how)),
        Validity::Elsewhere => lapsed(LapsedBy::Recorded("made on another cluster".to_owned())),
    }
}

fn judge_check(view: &TenantView<'_>, rule: &Rule, check: &'static CheckInfo, proofs: &BTreeMap<ProbeId, Proof<'_>>) -> CheckResult {
    let mut points = points(view, rule);
    let declared = points.iter().map(|point| point.declared).min().unwrap_or(Declared::NotApplicable);
    let (mut tried, mut receipt, mut lapsed, mut denied) = (Tried::No, None, None, None);
    match check.probe.and_then(|probe| proofs.get(&probe)) {
        Some(Proof::Counts(newest)) => {
            if let Some(said) = judge::tried(newest, check.id) {
                (tried, receipt) = (said, Some(newest.id.clone()));
            }
            denied = disputed(newest).filter(|_| check.id == PREDICTED);
        }
        Some(Proof::Lapsed(gone)) => lapsed = Some(gone.clone()),
        Some(Proof::Incomparable(why)) => {
            for point in points.iter_mut().filter(|point| point.declared == Declared::Right) {
                point.message = format!("{}; whether its receipt still counts can't be said: {why}", point.message);
            }
        }
        Some(Proof::None) | None => {}
    }
    let result = result(check, declared, tried, receipt, lapsed, points);
    match denied {
        Some(said) => in_dispute(view, result, said),
        None => result,
    }
}

/// The check that speaks for what the policies foretell of every answer.
const PREDICTED: &str = "SEC-05";

/// A result whose receipt holds answers that the policies say otherwise: the dialect is wrong, something beside the ACL decides, or what is
/// known is old (`spec/vault.md` 2.5). It is not better than DISPUTED, whatever was declared and tried.
fn in_dispute(view: &TenantView<'_>, mut result: CheckResult, said: &str) -> CheckResult {
    let finding = Finding {
        check: result.check,
        reason: Some("prediction"),
        verdict: Verdict::Disputed,
        subject: view.subject(),
        message: clean(said),
        evidence: Vec::new(),
        fix: None,
    };
    result.verdict = result.verdict.min(Verdict::Disputed);
    let place = result.findings.partition_point(|other| other.verdict <= Verdict::Disputed);
    result.findings.insert(place, finding);
    result
}

/// Joins what is declared with what was tried.
pub(super) fn result(
    check: &'static CheckInfo,
    declared: Declared,
    tried: Tried,
    receipt: Option<ReceiptId>,
    lapsed: Option<Lapsed>,
    points: Vec<Point>,
) -> CheckResult {
    let mut findings: Vec<Finding> = points.into_iter().map(|point| finding(check, tried, point)).collect();
    findings.sort_by(|a, b| (a.verdict, &a.subject, a.reason, &a.message).cmp(&(b.verdict, &b.subject, b.reason, &b.message)));
    CheckResult { check, verdict: combine(declared, tried), declared, tried, receipt, lapsed, findings }
}

fn points(view: &TenantView<'_>, rule: &Rule) -> Vec<Point> {
    let unseen = rule.needs.iter().find_map(|source| Some((source, view.blind(*source)?)));
    match unseen {
        Some((source, why)) => {
            let reason = if source.not_asked(view.snapshot) { NOT_ASKED } else { "unseen" };
            vec![Point::new(Declared::Unknown, view.subject(), format!("{}: {why}", source.name())).because(reason)]
        }
        None => (rule.judge)(view),
    }
}

fn finding(check: &'static CheckInfo, tried: Tried, point: Point) -> Finding {
    let verdict = combine(point.declared, tried);
    let mut message = match (point.declared, tried) {
        (Declared::Right, Tried::Crossed) => format!("{}; yet a probe crossed it", point.message),
        (Declared::Right, Tried::Vacuous) => format!("{}; the attempt to cross it proved nothing", point.message),
        _ => point.message,
    };
    // kept by the thousand
    message.shrink_to_fit();
    let fix = check.fix.filter(|_| verdict.is_violation() && helped(check, point.reason));
    Finding { check, reason: point.reason, verdict, subject: point.subject, message, evidence: point.evidence, fix }
}

/// Reasons that a fix by addition can't answer: what a rule lets through, no further policy takes back.
const NOT_BY_ADDING: [&str; 2] = ["allows-everyone", "only-max"];
/// The only reasons of a network check beyond the default deny that the base of policies answers.
const BY_THE_BASE: [&str; 2] = ["not-isolated", "future-pods"];

/// Whether the check's fix answers this reason.
fn helped(check: &CheckInfo, reason: Option<&str>) -> bool {
    match (check.id, reason) {
        ("NET-01" | "NET-02", reason) => !reason.is_some_and(|reason| NOT_BY_ADDING.contains(&reason)),
        (_, Some(reason)) if check.wall == Wall::Net => BY_THE_BASE.contains(&reason),
        (_, reason) => !reason.is_some_and(|reason| NOT_BY_ADDING.contains(&reason)),
    }
}

/// The least severity that speaks for a wall. Of the secret wall only what opens or closes doors does (`spec/posture.md` 4.0 grades by checks of
/// high severity and above): how long a login lasts, for whom a token is made, whether a sync is late and what the cluster's own controller
/// may do is said by its check, in the list of violations, and makes no wall.
const fn speaks_from(wall: Wall) -> Severity {
    match wall {
        Wall::Sec => Severity::High,
        _ => Severity::Medium,
    }
}

/// Whether a result may speak for its wall: not a check of low severity, which says what it has to say for itself, unless a probe got past
/// what was declared right; and not one that rests on what the operator chose not to let us ask for: it stays unknown, and listed as such.
fn speaks(result: &CheckResult) -> bool {
    let heavy = result.check.severity <= speaks_from(result.check.wall) || result.verdict == Verdict::Disputed;
    let not_asked = || {
        let mut unknown = result.findings.iter().filter(|finding| finding.verdict == Verdict::Unknown).peekable();
        unknown.peek().is_some() && unknown.all(|finding| finding.reason == Some(NOT_ASKED))
    };
    heavy && !(result.verdict == Verdict::Unknown && not_asked())
}

/// A wall is its worst check that speaks for it. Checks that nothing can try don't hold a wall back from HOLDS while they find nothing wrong and another check
/// of the wall can be tried.
pub(super) fn wall_verdict(checks: &[CheckResult], wall: Wall) -> Verdict {
    let of_wall = || checks.iter().filter(|result| result.check.wall == wall && result.verdict != Verdict::NotApplicable && speaks(result));
    let can_be_tried = of_wall().any(|result| result.check.probe.is_some());
    let counts = |result: &&CheckResult| !can_be_tried || result.check.probe.is_some() || result.declared != Declared::Right;
    of_wall().filter(counts).map(|result| result.verdict).min().unwrap_or(Verdict::NotApplicable)
}

/// The share of probeable checks that a receipt says something of, and when the oldest of those receipts was made.
fn coverage(checks: &[CheckResult], book: &Book) -> ((u32, u32), Option<Time>) {
    let probeable: Vec<_> =
        checks.iter().filter(|result| result.check.probe.is_some() && result.verdict != Verdict::NotApplicable).collect();
    let shown: Vec<_> = probeable.iter().filter(|result| matches!(result.tried, Tried::Held | Tried::Crossed)).collect();
    let oldest = shown.iter().filter_map(|result| Some(book.get(result.receipt.as_ref()?)?.created)).min();
    ((shown.len() as u32, probeable.len() as u32), oldest)
}

fn refusals(view: &TenantView<'_>) -> Vec<Refusal> {
    let recent = |(namespace, facts): &(&crate::model::ids::Name, &crate::model::snapshot::NamespaceFacts)| {
        let namespace = (*namespace).clone();
        let kept: Vec<Refusal> = facts
            .refusals
            .values()
            .filter(|refusal| view.config.recent(refusal.last, view.now))
            .map(|refusal| Refusal {
                last: refusal.last,
                count: refusal.count,
                namespace: namespace.clone(),
                about: clean_to(&refusal.about_text, 200),
                authority: refusal.authority,
                message: clean(&refusal.message),
            })
            .collect();
        kept
    };
    let mut all: Vec<Refusal> = view.namespaces.iter().flat_map(recent).collect();
    all.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| (&a.namespace, &a.about, &a.message).cmp(&(&b.namespace, &b.about, &b.message))));
    all.truncate(REFUSALS_SHOWN);
    all
}

/// The next moment at which time alone changes this assessment: a receipt begins or ceases to count, a refusal is lately no more.
fn again_at(view: &TenantView<'_>, book: &Book, proofs: &BTreeMap<ProbeId, Proof<'_>>) -> Option<Time> {
    let receipts = PROBES
        .into_iter()
        .filter(|probe| matches!(proofs.get(probe), Some(Proof::Counts(_) | Proof::Lapsed(_))))
        .filter_map(|probe| book.newest(&*view.snapshot.server, view.tenant, probe));
    let turns = receipts.flat_map(|receipt| [receipt.created, receipt.expires]);
    let refusals = view.namespaces.iter().flat_map(|(_, facts)| facts.refusals.values());
    let forgotten = refusals.flat_map(|refusal| [refusal.last, refusal.last.plus(view.config.refusals_window).plus(1)]);
    let late = view.namespaces.iter().flat_map(|(_, facts)| super::sec::turns(facts));
    turns.chain(forgotten).chain(late).filter(|turn| *turn > view.now).min()
}
