//! What is wrong with rules whoever they lead to: ways up (VLT-09), patterns wider than one's own places (SEC-05), lists above them (SEC-07), writes on
//! them (SEC-18), and whether they are covered at all (VLT-18).

use std::collections::BTreeSet;

use super::super::acl::{Acl, Merged, Origin, Request};
use super::super::capability::{Capabilities, Capability, Operation};
use super::super::kv::{Action, Harm};
use super::super::policy::PatternKind;
use super::ground::{at, near, sections};
use super::judge::{Judge, Signature, lets, needs};
use super::pattern::tail;
use super::places::{Shared, whole};
use super::witness::witnesses;
use super::{Grant, OwnCover, Root};
use crate::model::ids::Name;

/// Ancestors of a place that are looked at, at most.
const ANCESTORS: usize = 32;

const fn caps(all: &[Capability]) -> &[Capability] {
    all
}

/// Endpoints at which a token only ever meets itself, with what is harmless there: what the servers' own `default` policies grant.
const SELF: [(&str, &[Capability]); 21] = {
    use Capability::{Create, Delete, List, Patch, Read, Scan, Update};
    [
        ("auth/token/lookup-self", caps(&[Read, Update])),
        ("auth/token/renew-self", caps(&[Update])),
        ("auth/token/revoke-self", caps(&[Update])),
        ("sys/capabilities-self", caps(&[Update])),
        ("identity/entity/id/{{identity.entity.id}}", caps(&[Read])),
        ("identity/entity/name/{{identity.entity.name}}", caps(&[Read])),
        ("sys/internal/ui/resultant-acl", caps(&[Read])),
        ("sys/internal/ui/mounts", caps(&[Read])),
        ("sys/internal/ui/mounts/*", caps(&[Read])),
        ("sys/renew", caps(&[Update])),
        ("sys/leases/renew", caps(&[Update])),
        ("sys/leases/lookup", caps(&[Update])),
        ("cubbyhole/*", caps(&[Create, Read, Update, Delete, List, Patch, Scan])),
        ("sys/wrapping/wrap", caps(&[Update])),
        ("sys/wrapping/lookup", caps(&[Update])),
        ("sys/wrapping/unwrap", caps(&[Update])),
        ("sys/tools/hash", caps(&[Update])),
        ("sys/tools/hash/*", caps(&[Update])),
        ("sys/tools/random", caps(&[Update])),
        ("sys/control-group/request", caps(&[Update])),
        ("identity/oidc/provider/+/authorize", caps(&[Read, Update])),
    ]
};

/// Whether a block grants nothing but what a token may do to itself.
pub(super) fn harmless(origin: &Origin) -> bool {
    if origin.capabilities.denies() {
        return origin.capabilities.is_empty();
    }
    let plain = origin.written.replace("{{ ", "{{").replace(" }}", "}}");
    let within = |allowed: &[Capability]| origin.capabilities.iter().all(|capability| allowed.contains(&capability));
    SELF.iter().any(|(pattern, allowed)| *pattern == plain && within(allowed))
}

const fn way(words: &'static str, operation: Operation) -> Action {
    Action { words, below: "", operation, harm: Harm::Tamper }
}

/// What one would do at a way up, in this order.
const CLIMB: [Action; 3] = [way("change it", Operation::Update), way("make one", Operation::Create), way("patch it", Operation::Patch)];

/// Places below which whoever may write gives itself more (`spec/vault.md` 8, VLT-09).
const WAYS_UP: [&str; 11] = [
    "sys/policies/acl",
    "sys/policy",
    "sys/mounts",
    "sys/auth",
    "sys/raw",
    "sys/remount",
    "identity/entity",
    "identity/entity-alias",
    "identity/group",
    "identity/group-alias",
    "identity/oidc/role",
];
/// The same below every auth mount.
const OF_MOUNTS: [&str; 6] = ["role", "config", "users", "groups", "map", "certs"];
/// Tokens with any policies, for whoever has sudo there.
const TOKENS: [&str; 2] = ["auth/token/create", "auth/token/create-orphan"];

/// A rule that stands out, and a path at which it decides.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standout {
    /// None for the root policy.
    pub rule: Option<u32>,
    pub path: String,
    pub operation: Operation,
}

/// What an ACL shows whoever carries it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lint {
    /// Ways up.
    pub up: Vec<Standout>,
    /// Rules that grant more than what a token may do to itself.
    pub grants: Vec<u32>,
}

/// Looks an ACL over. O(rules × ways up).
pub(super) fn look(judge: &Judge<'_>, auth_mounts: &[Name]) -> Lint {
    if judge.acl.is_root() {
        let up = Standout { rule: None, path: "sys/policies/acl/any".to_owned(), operation: Operation::Update };
        return Lint { up: vec![up], grants: Vec::new() };
    }
    let suspect = |rule: &Merged| !rule.capabilities.denies() && !(rule.from.iter().all(harmless));
    let grants: Vec<u32> = (0..).zip(judge.acl.rules()).filter(|(_, rule)| suspect(rule)).map(|(number, _)| number).collect();
    let mut lint = Lint { up: Vec::new(), grants };
    let outside: Vec<u32> =
        lint.grants.iter().copied().filter(|number| judge.rule(*number).is_some_and(|rule| climbs(&rule.pattern))).collect();
    if outside.is_empty() {
        return lint;
    }
    // what denies counts too
    let all: Vec<u32> = (0..).zip(judge.acl.rules()).map(|(number, _)| number).collect();
    let mut seen = BTreeSet::new();
    let mounts = auth_mounts.iter().flat_map(|mount| OF_MOUNTS.iter().map(move |part| format!("auth/{mount}/{part}")));
    for place in WAYS_UP.iter().map(|place| (*place).to_owned()).chain(mounts) {
        let signature = signature(judge, &all, &place);
        for found in judge.place(&place, &signature, &CLIMB, &|path, _| !is_way(&place, path)).0 {
            if seen.insert(found.rule) {
                let path = format!("{place}{}", found.rest);
                lint.up.push(Standout { rule: Some(found.rule), path, operation: found.action.operation });
            }
        }
    }
    for place in TOKENS {
        let decision = judge.acl.decide(&Request::new(Operation::Update, place));
        let number =
            decision.rule.and_then(|winner| all.iter().find(|number| judge.rule(**number).is_some_and(|rule| std::ptr::eq(rule, winner))));
        if lets(&decision) && decision.root_privs && number.is_some_and(|number| seen.insert(*number)) {
            lint.up.push(Standout { rule: number.copied(), path: place.to_owned(), operation: Operation::Update });
        }
    }
    lint
}

/// Whether a path is the way up: for most what is below the place, for some the place alone, for those of identity both.
fn is_way(place: &str, path: &str) -> bool {
    let below = path.len() > place.len() + 1;
    if place.ends_with("/config") || place == "sys/remount" {
        path == place
    } else {
        below || (place.starts_with("identity/") && path == place)
    }
}

/// Whether a pattern may have to do with the server's own paths.
fn climbs(pattern: &str) -> bool {
    let end = pattern.find(['+', '*']).unwrap_or(pattern.len());
    let head = pattern.get(..end).unwrap_or(pattern);
    ["sys/", "auth/", "identity/"].iter().any(|root| head.starts_with(root) || (root.starts_with(head) && end < pattern.len()))
}

/// What these rules say at a place.
pub(super) fn signature(judge: &Judge<'_>, rules: &[u32], place: &str) -> Signature {
    let one = |number: &u32| {
        let rule = judge.rule(*number)?;
        Some((*number, tail(&rule.pattern, rule.kind, place)?))
    };
    rules.iter().filter_map(one).collect()
}

/// Whether all that a pattern matches lies at or below places of one's own, or is shared. O(roots × sections × length).
pub(super) fn within(rule: &Merged, roots: &[Root], shared: &Shared) -> bool {
    roots.iter().any(|root| {
        sections(&root.mount, root.version)
            .iter()
            .any(|section| inside(&rule.pattern, rule.kind, &at(&section.head, &root.path), &root.mount))
            || shared_rule(rule, root, shared)
    })
}

fn shared_rule(rule: &Merged, root: &Root, shared: &Shared) -> bool {
    let reads = rule.capabilities.iter().all(|capability| matches!(capability, Capability::Read | Capability::List | Capability::Scan));
    reads
        && sections(&root.mount, root.version)
            .iter()
            .any(|section| rule.pattern.strip_prefix(&section.head).is_some_and(|path| shared.covers_all(&whole(&root.mount, path))))
}

/// Whether a pattern matches only at or below a place. `+` for the part behind the mount is as good as naming the section.
fn inside(pattern: &str, kind: PatternKind, place: &str, mount: &str) -> bool {
    let below = |text: &str| text.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match kind {
        PatternKind::Exact => below(pattern),
        PatternKind::Prefix => pattern.strip_suffix('*').is_some_and(|stem| stem != place && below(stem)),
        PatternKind::Segment => {
            let (body, open) = pattern.strip_suffix('*').map_or((pattern, false), |body| (body, true));
            let section = mount.split('/').count();
            let (mut written, parts) = (body.split('/'), place.split('/'));
            for (number, part) in parts.enumerate() {
                match written.next() {
                    Some(text) if text == part => {}
                    Some("+") if number == section => {}
                    _ => return false,
                }
            }
            !open || written.next().is_some()
        }
    }
}

/// A path at which a rule decides and what it allows there; where it never does, one that it covers.
pub(super) fn sample(judge: &Judge<'_>, number: u32) -> Option<(String, Operation)> {
    const OPERATIONS: [Operation; 8] = [
        Operation::Read,
        Operation::Update,
        Operation::Create,
        Operation::Patch,
        Operation::Delete,
        Operation::List,
        Operation::Scan,
        Operation::Recover,
    ];
    let rule = judge.rule(number)?;
    let (paths, _) = witnesses(rule.kind, Some(&rule.pattern), judge.fresh(), &BTreeSet::new());
    let may: Vec<Operation> =
        OPERATIONS.into_iter().filter(|operation| needs(*operation).is_some_and(|capability| rule.capabilities.has(capability))).collect();
    let decides = paths.iter().find_map(|path| {
        let operation = may.iter().find(|operation| judge.rules_so(path, **operation, rule))?;
        Some((path.clone(), *operation))
    });
    decides.or_else(|| Some((paths.first()?.clone(), may.first().copied().unwrap_or(Operation::Read))))
}

/// Lists of what is above one's own places. O(places × depth) decisions.
pub(super) fn ancestors(acl: &Acl, roots: &[&Root]) -> Vec<(u32, String, Operation)> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for root in roots {
        for section in sections(&root.mount, root.version) {
            let ends = root.path.match_indices('/').map(|(at, _)| at).take(ANCESTORS);
            let above = ends.filter_map(|end| root.path.get(..end)).chain((!root.path.is_empty()).then_some(""));
            for path in above {
                for action in section.actions.iter().filter(|action| matches!(action.operation, Operation::List | Operation::Scan)) {
                    let request = format!("{}/", at(&section.head, path));
                    let decision = acl.decide(&Request::new(action.operation, &request));
                    let rule = decision.rule.filter(|_| lets(&decision)).and_then(|rule| number(acl, rule));
                    if rule.is_some_and(|rule| seen.insert(rule)) {
                        found.extend(rule.map(|rule| (rule, request, action.operation)));
                    }
                }
            }
        }
    }
    found
}

fn number(acl: &Acl, rule: &Merged) -> Option<u32> {
    acl.rules().iter().position(|other| std::ptr::eq(other, rule)).map(|at| at as u32)
}

/// Rules that change what is at one's own places. O(places × sections × rules).
pub(super) fn writes(judge: &Judge<'_>, roots: &[&Root]) -> Vec<(u32, String, Operation)> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for root in roots {
        let near = near(judge.acl, &root.mount);
        for section in sections(&root.mount, root.version) {
            let actions: Vec<Action> = section.actions.into_iter().filter(|action| action.harm == Harm::Tamper).collect();
            let place = at(&section.head, &root.path);
            let signature = signature(judge, &near, &place);
            if !judge.may(&signature, &actions) {
                continue;
            }
            for one in judge.place(&place, &signature, &actions, &|_, _| false).0 {
                if seen.insert(one.rule) {
                    found.push((one.rule, format!("{place}{}", one.rest), one.action.operation));
                }
            }
        }
    }
    found
}

/// How well an ACL covers a place for reading.
pub(super) fn cover(judge: &Judge<'_>, root: &Root) -> OwnCover {
    let reads = |path: &str| lets(&judge.acl.decide(&Request::new(Operation::Read, path)));
    let heads = sections(&root.mount, root.version).into_iter().filter(|section| section.actions.iter().any(|a| a.harm == Harm::Value));
    let mut best = OwnCover::Nothing(whole(&root.mount, &root.path));
    for section in heads {
        let place = at(&section.head, &root.path);
        let (itself, below) = (root.path.is_empty() || reads(&place), reads(&format!("{place}/{}", judge.fresh())));
        let shown = || whole(&root.mount, &root.path);
        let one = match (itself && (below || !root.path.is_empty()), below) {
            (true, true) => OwnCover::Covered,
            (true, false) => OwnCover::ExactOnly(shown()),
            (false, true) => OwnCover::BelowOnly(shown()),
            (false, false) => OwnCover::Nothing(shown()),
        };
        best = better(best, one);
    }
    best
}

/// The better of two covers; of equals the first.
pub(super) fn better(a: OwnCover, b: OwnCover) -> OwnCover {
    let rank = |cover: &OwnCover| match cover {
        OwnCover::Covered => 0,
        OwnCover::ExactOnly(_) => 1,
        OwnCover::BelowOnly(_) => 2,
        OwnCover::Nothing(_) => 3,
        OwnCover::NoRole => 4,
        OwnCover::NoRoot => 5,
    };
    if rank(&b) < rank(&a) { b } else { a }
}

/// The block of a rule that has a capability, else its first.
pub(super) fn origin(rule: &Merged, operation: Operation) -> Option<&Origin> {
    let has = |origin: &&Origin| needs(operation).is_some_and(|capability| origin.capabilities.has(capability));
    rule.from.iter().find(has).or_else(|| rule.from.first())
}

/// A grant of a rule; of the root policy where there is none.
pub(super) fn grant(acl: &Acl, login: usize, rule: Option<u32>, path: String, operation: Operation) -> Option<Grant> {
    let Some(number) = rule else {
        let origin = Origin { policy: "root".into(), line: 0, capabilities: Capabilities::NONE, written: "".into() };
        return Some(Grant { login, origin, pattern: String::new(), path, operation, conditions: false });
    };
    let rule = acl.rules().get(number as usize)?;
    let origin = origin(rule, operation)?.clone();
    Some(Grant { login, origin, pattern: rule.pattern.clone(), path, operation, conditions: rule.limited })
}
