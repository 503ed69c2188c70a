//! Evaluates a fleet, and evaluates again only what may have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::assessment::{Assessment, CheckResult, TenantAssessment, Unknown, unenforced};
use super::catalogue::find;
use super::commons::Commons;
use super::moves::wall_move;
use super::net::granted::Granted;
use super::plt::FleetView;
use super::refers::{Outlines, Refers};
use super::rules::{PLATFORM_RULES, resting_on};
use super::sight::{Source, VAULT_SOURCES};
use super::tenant::{judge_tenant, result};
use super::vaultmoves::{VaultMoved, bad_policies, moved};
use super::vaultroles::Roles;
use super::verdict::{Declared, Tried, Verdict};
use super::view::TenantView;
use crate::model::ids::{Name, TenantId};
use crate::model::kind::{Kind, WATCHED};
use crate::model::pod::NamespaceFact;
use crate::model::snapshot::{Dirty, NamespaceFacts, ServerFacts, Snapshot};
use crate::model::source::Sight;
use crate::model::tenant::{TenantRules, Tenants};
use crate::model::time::{HOUR, Time};
use crate::model::vault::VaultFacts;
use crate::netpol::reach::{Options, Reach};
use crate::netpol::story::{End, Side, Story};
use crate::probe::spec::{PROBES, ProbeId};
use crate::receipt::ReceiptId;
use crate::receipt::book::Book;
use crate::vaultacl::{self, reach::VaultReach};

/// What the verdicts hang on besides the facts.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How tenants are found.
    pub rules: TenantRules,
    /// From this share of a quota, in thousandths, its filling up is a finding.
    pub warn_permille: u32,
    /// From this share it counts as full.
    pub full_permille: u32,
    /// How long a refusal counts as recent, in milliseconds.
    pub refusals_window: i64,
    /// How network policies are read, and where the fixed targets are.
    pub reach: Options,
    /// Entry points and addresses that are granted to every tenant.
    pub network: Granted,
    /// How reach in Vault is worked out.
    pub secrets: vaultacl::reach::Options,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            rules: TenantRules::default(),
            warn_permille: 800,
            full_permille: 950,
            refusals_window: HOUR,
            reach: Options::default(),
            network: Granted::default(),
            secrets: vaultacl::reach::Options::default(),
        }
    }
}

impl EngineConfig {
    /// Whether something seen last at that time counts as recent.
    pub const fn recent(&self, last: Time, now: Time) -> bool {
        let age = now.since(last);
        age >= 0 && age <= self.refusals_window
    }
}

/// What the engine remembers of a tenant, to notice that its assessment is out of date.
#[derive(Debug)]
struct Entry {
    assessment: Arc<TenantAssessment>,
    again_at: Option<Time>,
    /// Newest receipts, with whether each is on record as lapsed.
    receipts: Vec<(ReceiptId, bool)>,
    /// Tenants that the receipts involve besides this one.
    partners: Vec<TenantId>,
    /// One of the receipts is of Vault.
    tried_vault: bool,
    /// Other namespaces that it looks at.
    refers: Refers,
}

/// Evaluates a fleet step by step.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    tenants: Arc<Tenants>,
    entries: BTreeMap<TenantId, Entry>,
    /// The Namespace objects that the tenants were worked out from.
    seen: BTreeMap<Name, Option<Arc<NamespaceFact>>>,
    reach: Reach,
    secrets: VaultReach,
    outlines: Outlines,
    commons: Commons,
    /// Vault as it was looked at last.
    vault: Arc<VaultFacts>,
    platform: Vec<CheckResult>,
    book_revision: u64,
    /// When it looked last; none before the first time.
    looked: Option<Time>,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(config: EngineConfig) -> Self {
        Self {
            reach: Reach::new(config.reach.clone()),
            secrets: VaultReach::new(config.secrets.clone()),
            config,
            tenants: Arc::default(),
            entries: BTreeMap::new(),
            seen: BTreeMap::new(),
            outlines: Outlines::default(),
            commons: Commons::default(),
            vault: Arc::default(),
            platform: Vec::new(),
            book_revision: 0,
            looked: None,
        }
    }

    /// The assessment of a snapshot. `dirty` says what changed since the snapshot given last; the first call looks at everything.
    /// Tenants that can't have changed keep their assessment. O(tenants) plus the cost of each tenant that is judged again.
    pub fn evaluate(&mut self, snapshot: &Arc<Snapshot>, dirty: &Dirty, book: &Book, now: Time) -> Arc<Assessment> {
        // a clock that was put back may bring anything back that time had ended
        let all = self.looked.is_none_or(|last| now < last) || dirty.everything;
        let regrouped = self.regroup(snapshot, dirty, all);
        let touched = self.reach.sync(snapshot, &self.tenants, dirty);
        let before = self.secrets.picture();
        let told = self.secrets.sync(snapshot, &self.tenants, dirty, now);
        let secrets = self.secrets.picture();
        let vault = if dirty.vault { moved(&self.vault, snapshot, &self.tenants) } else { VaultMoved::default() };
        self.vault = snapshot.vault.clone();
        let with_vault = (!vault.log.is_empty()).then(|| {
            let log = dirty.log.iter().chain(&vault.log).cloned().collect();
            Dirty { log, ..dirty.clone() }
        });
        let moves = with_vault.as_ref().unwrap_or(dirty);
        let anew = all || regrouped || dirty.stores || vault.frame;
        let mut concerned = self.commons.follow(snapshot, &self.tenants, dirty, &secrets, anew);
        bad_policies(&before, &secrets, snapshot, &self.tenants, &mut concerned);
        let book_changed = self.book_revision != book.revision();
        let roles = Roles::of(&snapshot.vault);
        let outlines = self.outlines.follow(snapshot, dirty, all || regrouped);
        let everybody = anew || touched.all || told.all || dirty.cluster || concerned.all;
        let mut again = self.out_of_date((dirty, &outlines), everybody, (book, &snapshot.server), book_changed, now);
        let mut too: BTreeSet<TenantId> =
            [&touched.tenants, &told.tenants, &concerned.tenants, &vault.tenants].into_iter().flatten().cloned().collect();
        // who asks by another's ServiceAccount is judged by that one's logins
        let lent = |name: &Name| self.tenants.of.get(name).is_some_and(|whose| told.tenants.contains(whose));
        too.extend(self.entries.iter().filter(|(_, entry)| entry.refers.names(lent)).map(|(tenant, _)| tenant.clone()));
        // what receipts of Vault were made with may have moved with these, and with whoever they were tried against
        too.extend(
            self.entries
                .iter()
                .filter(|(_, entry)| {
                    entry.tried_vault && (vault.identities || entry.partners.iter().any(|partner| vault.tenants.contains(partner)))
                })
                .map(|(tenant, _)| tenant.clone()),
        );
        let judged_already: BTreeSet<&TenantId> = again.iter().collect();
        let too: Vec<TenantId> = too.into_iter().filter(|tenant| !judged_already.contains(tenant)).collect();
        again.extend(too.into_iter().filter(|tenant| self.tenants.namespaces.contains_key(tenant)));
        self.entries.retain(|tenant, _| self.tenants.namespaces.contains_key(tenant));
        for tenant in again {
            let view = TenantView::new(snapshot, &self.tenants, &tenant, &roles, (&self.config, &self.reach, &secrets, &self.commons), now);
            let judged = judge_tenant(&view, book);
            let mut assessment = judged.assessment;
            let before = self.entries.get(&tenant).map(|entry| entry.assessment.clone());
            if let Some(before) = &before {
                assessment.changed = wall_move(before, &assessment, moves, now).or_else(|| before.changed.clone());
            }
            // what came out the same stays the same allocation: a fleet is not held twice while a reader has the last view
            let assessment = before.filter(|before| **before == assessment).unwrap_or_else(|| Arc::new(assessment));
            let (receipts, partners) = newest(book, &snapshot.server, &tenant);
            let refers = Refers::of(&view, &assessment);
            let tried_vault = book.newest(&*snapshot.server, &tenant, ProbeId::Vault).is_some();
            self.entries.insert(tenant, Entry { assessment, again_at: judged.again_at, receipts, partners, tried_vault, refers });
        }
        let fleet = FleetView { snapshot, tenants: &self.tenants, roles: &roles, config: &self.config, commons: &self.commons };
        let everywhere = all || regrouped || vault.frame || dirty.stores;
        // what enforces and what brings secrets is of the cluster's own namespaces; what there is to enforce, of all
        let of_cluster = dirty.cluster
            || concerned.all
            || concerned.platform
            || !outlines.is_empty()
            || dirty.namespaces.iter().any(|name| !self.tenants.of.contains_key(name) || self.commons.runs_controller(name));
        let fresh = platform(&fleet, |rule| everywhere || (rule.enforcement && of_cluster) || (!rule.enforcement && vault.roles));
        for result in fresh {
            match self.platform.iter_mut().find(|old| old.check.id == result.check.id) {
                Some(place) => *place = result,
                None => self.platform.push(result),
            }
        }
        self.book_revision = book.revision();
        self.looked = Some(now);
        Arc::new(self.assemble(snapshot, now))
    }

    /// Why one end reaches another, or does not: as of the snapshot given last.
    pub fn explain(&self, from: &End, to: &End) -> Option<Story> {
        let mut story = self.reach.explain(from, to)?;
        let sides = story.segments.iter().flat_map(|segment| [&segment.egress, &segment.ingress]);
        let kinds: BTreeSet<&str> = sides.flat_map(Side::objects).map(|object| object.kind.as_str()).collect();
        let idle = unenforced(&self.platform).into_iter().filter(|kind| kinds.contains(kind));
        story.notes.extend(idle.map(|kind| {
            format!("{kind}: nothing that was recognised in this cluster enforces it, so it may have no effect at all (PLT-01)")
        }));
        Some(story)
    }

    /// Works out the tenants again if a Namespace appeared, changed or went. O(changed namespaces) when none did.
    fn regroup(&mut self, snapshot: &Snapshot, dirty: &Dirty, all: bool) -> bool {
        let own = |facts: &Arc<NamespaceFacts>| facts.own.clone();
        let same = |a: &Option<Arc<NamespaceFact>>, b: &Option<Arc<NamespaceFact>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        let moved = |name: &Name| match (self.seen.get(name), snapshot.namespace(name).map(own)) {
            (Some(before), Some(after)) => !same(before, &after),
            (None, None) => false,
            _ => true,
        };
        if !all && !dirty.namespaces.iter().any(moved) {
            return false;
        }
        self.seen = snapshot.namespaces.iter().map(|(name, facts)| (name.clone(), own(facts))).collect();
        let tenants = resolve(&self.config.rules, snapshot);
        let changed = *self.tenants != tenants;
        if changed {
            self.tenants = Arc::new(tenants);
        }
        // labels may have changed without moving a namespace to another tenant; receipts and roles look at them
        true
    }

    /// Tenants to judge again.
    fn out_of_date(
        &self,
        (dirty, outlines): (&Dirty, &BTreeSet<Name>),
        all: bool,
        (book, server): (&Book, &ServerFacts),
        book_changed: bool,
        now: Time,
    ) -> Vec<TenantId> {
        if all {
            return self.tenants.namespaces.keys().cloned().collect();
        }
        let touched: BTreeSet<&TenantId> = dirty.namespaces.iter().filter_map(|name| self.tenants.of.get(name)).collect();
        let is_out = |tenant: &TenantId| {
            let Some(entry) = self.entries.get(tenant) else { return true };
            touched.contains(tenant)
                || entry.partners.iter().any(|partner| touched.contains(partner))
                || entry.refers.moved(dirty, outlines)
                || entry.again_at.is_some_and(|at| now >= at)
                || (book_changed && newest(book, server, tenant).0 != entry.receipts)
        };
        self.tenants.namespaces.keys().filter(|tenant| is_out(tenant)).cloned().collect()
    }

    fn assemble(&self, snapshot: &Snapshot, now: Time) -> Assessment {
        let by_tenant: BTreeMap<_, _> = self.entries.iter().map(|(tenant, entry)| (tenant.clone(), entry.assessment.clone())).collect();
        let unknowns = unknowns(snapshot, &by_tenant, &self.platform);
        Assessment {
            generation: snapshot.generation,
            at: now,
            tenants: self.tenants.clone(),
            unknowns,
            by_tenant,
            platform: self.platform.clone(),
            matrix: self.reach.matrix(),
            secrets: self.secrets.picture(),
            next_expiry: self.entries.values().filter_map(|entry| entry.again_at).chain(self.secrets.picture().next_expiry).min(),
        }
    }
}

/// The assessment of a snapshot without any memory: what [`Engine::evaluate`] must agree with, save for what changed last.
pub fn from_scratch(config: &EngineConfig, snapshot: &Arc<Snapshot>, book: &Book, now: Time) -> Assessment {
    let mut engine = Engine::new(config.clone());
    Arc::unwrap_or_clone(engine.evaluate(snapshot, &Dirty { everything: true, ..Dirty::default() }, book, now))
}

/// The tenants of a snapshot. Where all Namespaces are seen, what is left of a deleted one makes no tenant.
fn resolve(rules: &TenantRules, snapshot: &Snapshot) -> Tenants {
    let all_seen = snapshot.sight(Kind::Namespace) == Sight::Clear;
    let there = snapshot.namespaces.iter().filter(|(_, facts)| facts.own.is_some() || !all_seen);
    rules.resolve(there.map(|(name, facts)| (name, facts.own.as_ref().map(|own| own.labels.as_ref()))))
}

/// A tenant's newest receipts, and who else they involve.
fn newest(book: &Book, server: &ServerFacts, tenant: &str) -> (Vec<(ReceiptId, bool)>, Vec<TenantId>) {
    let receipts = || PROBES.into_iter().filter_map(|probe| book.newest(server, tenant, probe));
    let ids = receipts().map(|receipt| (receipt.id.clone(), book.lapse_of(&receipt.id).is_some())).collect();
    (ids, receipts().filter_map(|receipt| receipt.partner.clone()).collect())
}

fn platform(view: &FleetView<'_>, wanted: impl Fn(&super::rules::PlatformRule) -> bool) -> Vec<CheckResult> {
    let judge = |rule: &super::rules::PlatformRule| {
        let points = (rule.judge)(view);
        let declared = points.iter().map(|point| point.declared).min().unwrap_or(Declared::NotApplicable);
        Some(result(find(rule.id)?, declared, Tried::No, None, None, points))
    };
    PLATFORM_RULES.iter().filter(|rule| wanted(rule)).filter_map(judge).collect()
}

/// Each source that is not seen, once, with the checks that are unknown somewhere and may rest on it (all that may, while there is no tenant).
fn unknowns(snapshot: &Snapshot, by_tenant: &BTreeMap<TenantId, Arc<TenantAssessment>>, platform: &[CheckResult]) -> Vec<Unknown> {
    let sources = WATCHED.iter().map(|info| Source::Objects(info.kind)).chain(VAULT_SOURCES);
    let mut unseen: Vec<(Source, String)> = sources.filter_map(|source| Some((source, source.blind(snapshot)?))).collect();
    if unseen.is_empty() {
        return Vec::new();
    }
    // one reason is enough: without the server nothing of it is seen
    if unseen.iter().any(|(source, _)| *source == Source::Vault) {
        unseen.retain(|(source, _)| *source == Source::Vault || !VAULT_SOURCES.contains(source));
    }
    let results = by_tenant.values().flat_map(|tenant| tenant.checks.iter()).chain(platform);
    let unknown = |result: &&CheckResult| result.findings.iter().any(|finding| finding.verdict == Verdict::Unknown);
    let unknown: BTreeSet<&str> = results.filter(unknown).map(|result| result.check.id).collect();
    let cost = |source| resting_on(source).into_iter().filter(|id| by_tenant.is_empty() || unknown.contains(id)).collect();
    let mut list: Vec<Unknown> =
        unseen.into_iter().map(|(source, why)| Unknown { source: source.name().to_owned(), why, costs: cost(source) }).collect();
    list.sort();
    list
}
