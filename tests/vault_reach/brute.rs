//! Crossings against a search over all paths that there are with a small alphabet: what is told is exactly what some path allows, rule by rule.

use std::collections::BTreeSet;

use partywall::vaultacl::acl::{Request, Why};
use partywall::vaultacl::dialect::DIALECTS;
use partywall::vaultacl::kv::{Harm, actions};
use partywall::vaultacl::reach::Options;

use super::bed::{Bed, block};
use super::chance::Chance;

const TENANTS: [&str; 3] = ["a", "b", "ab"];

/// A pattern of these parts that often has to do with somebody's place.
pub fn pattern(chance: &mut Chance, deep: bool) -> String {
    let mut parts: Vec<String> = vec![chance.one(&["secret", "secret", "secret", "kv", "kv", "+"]).to_owned()];
    if parts[0] != "kv" {
        let sections = ["data", "data", "data", "metadata", "metadata", "delete", "subkeys", "detailed-metadata", "+"];
        parts.push(chance.one(&sections).to_owned());
    }
    if deep {
        parts.push(chance.one(&["x", "x", "+"]).to_owned());
    }
    for _ in 0..chance.below(3) {
        parts.push(chance.one(&["a", "b", "ab", "+", "+", "a", "b"]).to_owned());
    }
    if chance.below(6) == 0 {
        parts.truncate(1 + chance.below(parts.len()));
    }
    let text = parts.join("/");
    let end = chance.one(&["", "", "*", "/*", "/*", "/", "/a*"]);
    let text = format!("{text}{end}");
    if text.contains("+*") { text.replace("+*", "+/*") } else { text }
}

/// A wide grant, and denies that end at one depth after the other: what is left open lies deep.
fn ladder(chance: &mut Chance, deep: bool) -> String {
    let section = chance.one(&["data", "metadata"]);
    let head = if deep { format!("secret/{section}/x") } else { format!("secret/{section}") };
    let wide = chance.one(&["*", "+/*", "a/*", "a*"]);
    let mut text = block(&format!("{head}/{wide}"), &["read", "list"]);
    for depth in 1..=1 + chance.below(3) {
        if chance.below(5) > 0 {
            text.push_str(&block(&format!("{head}/{}", vec!["+"; depth].join("/")), &["deny"]));
        }
        if wide.contains('a') && chance.below(2) == 0 {
            text.push_str(&block(&format!("{head}/a{}", "/+".repeat(depth)), &[chance.one(&["deny", "list"])]));
        }
    }
    text
}

pub fn policy(chance: &mut Chance, deep: bool) -> String {
    if chance.below(5) == 0 {
        return ladder(chance, deep);
    }
    let mut text = String::new();
    for _ in 0..=chance.below(5) {
        let all = ["read", "update", "create", "delete", "list", "patch"];
        let mut capabilities: Vec<&str> = all.into_iter().filter(|_| chance.below(3) == 0).collect();
        if capabilities.is_empty() || chance.below(4) == 0 {
            capabilities = vec![if chance.below(2) == 0 { "deny" } else { "read" }];
        }
        text.push_str(&block(&pattern(chance, deep), &capabilities));
    }
    text
}

fn bed(chance: &mut Chance, deep: bool) -> Bed {
    let mut bed = Bed::new();
    for tenant in TENANTS {
        let namespace = format!("web-tenant-{tenant}");
        bed = bed
            .tenant(tenant, &["app"])
            .policy(tenant, &policy(chance, deep))
            .policy(&format!("{tenant}-more"), &policy(chance, deep))
            .role(tenant, &["app"], &[&namespace], &[tenant]);
        if chance.below(2) == 0 {
            bed = bed.role(&format!("{tenant}-2"), &["app"], &[&namespace], &[tenant, &format!("{tenant}-more")]);
        }
    }
    bed
}

/// Every path at and below a place, with and without a slash at its end.
fn universe(place: &str, deep: bool) -> Vec<String> {
    let words: &[&str] = if deep { &["a", "b", "ab", "zz", "azz", "x"] } else { &["a", "b", "ab", "zz", "azz"] };
    let mut all = vec![place.to_owned()];
    let mut level = all.clone();
    for _ in 0..3 {
        level = level.iter().flat_map(|path| words.iter().map(move |part| format!("{path}/{part}"))).collect();
        all.extend(level.iter().cloned());
    }
    all.iter().flat_map(|path| [path.clone(), format!("{path}/")]).collect()
}

/// What is really so: rule, harm, partner.
fn searched(bed: &Bed, options: &Options, tenant: &str, deep: bool) -> BTreeSet<(String, Harm, String)> {
    let picture = bed.picture_with(options.clone());
    let mut found = BTreeSet::new();
    for login in &picture.by_tenant[tenant].logins {
        for partner in TENANTS.iter().filter(|other| **other != tenant) {
            for root in &picture.by_tenant[*partner].roots {
                let (mount, path) = (&root.mount, &root.path);
                for action in actions(root.version) {
                    for request in universe(&format!("{mount}/{}{path}", action.below), deep) {
                        let decision = login.acl.decide(&Request::new(action.operation, &request));
                        let lets = decision.allowed || matches!(decision.why, Some(Why::Parameters | Why::Wrapping));
                        if let Some(rule) = decision.rule.filter(|_| lets) {
                            found.insert((rule.pattern.clone(), action.harm, (*partner).to_owned()));
                        }
                    }
                }
            }
        }
    }
    found
}

fn agree(seed: u64) -> usize {
    let mut chance = Chance::new(seed);
    let deep = chance.below(3) == 0;
    let bed = bed(&mut chance, deep);
    let roots: &[&str] = if deep { &["secret/x/{tenant}"] } else { &["secret/{tenant}", "kv/{tenant}"] };
    let roots = roots.iter().map(|root| (*root).to_owned()).collect();
    let options = Options { dialect: Some(DIALECTS[chance.below(DIALECTS.len())]), roots, ..Options::default() };
    let picture = bed.picture_with(options.clone());
    let mut crossings = 0;
    for tenant in TENANTS {
        let reach = &picture.by_tenant[tenant];
        let mut told = BTreeSet::new();
        for crossing in &reach.crossings {
            let grant = &crossing.grant;
            let acl = &reach.logins[grant.login].acl;
            let proof = acl.decide(&Request::new(grant.operation, &grant.path));
            assert!(proof.allowed, "seed {seed}: {tenant} {crossing:?} is not so");
            assert_eq!(proof.rule.unwrap().pattern, grant.pattern, "seed {seed}");
            let first = crossing.partners.first().unwrap();
            assert!(picture.crossings(tenant, first).iter().any(|one| one.harm == crossing.harm), "seed {seed}");
            for partner in crossing.partners.iter() {
                told.insert((grant.pattern.clone(), crossing.harm, partner.to_string()));
            }
        }
        let so = searched(&bed, &options, tenant, deep);
        assert_eq!(told, so, "seed {seed}: {tenant} {:?}\n{:#?}\n{:#?}", options.dialect, bed.policies, reach.crossings);
        crossings += so.len();
        let pairwise: BTreeSet<(String, Harm, String)> = TENANTS
            .iter()
            .flat_map(|partner| {
                picture.crossings(tenant, partner).into_iter().map(move |c| (c.grant.pattern, c.harm, (*partner).to_owned()))
            })
            .collect();
        assert_eq!(pairwise, so, "seed {seed}: {tenant} pair by pair");
    }
    crossings
}

#[test]
fn a_crossing_is_told_exactly_where_some_path_is_allowed() {
    let crossings: usize = (0..Chance::cases(150)).map(agree).sum();
    assert!(crossings > 500, "only {crossings} crossings: the search shows little");
}
