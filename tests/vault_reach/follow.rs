//! Following changes gives what starting afresh gives, and says whose answers changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use partywall::model::ids::{Name, TenantId};
use partywall::model::snapshot::Dirty;
use partywall::model::source::SourceState;
use partywall::model::time::{MINUTE, Time};
use partywall::model::vault::{AliasFact, EntityFact, GroupFact, VaultPolicy, VaultRole};
use partywall::vaultacl::reach::{Options, Picture, VaultReach};

use super::bed::{Bed, NOW, block, names};
use super::brute::policy;
use super::chance::Chance;

const TENANTS: [&str; 4] = ["a", "b", "ab", "c"];

fn text(chance: &mut Chance) -> String {
    match chance.below(8) {
        0 => "path \"secret/data/{{identity.entity.aliases.acc.metadata.service_account_namespace}}*\" { capabilities = [\"read\"] }"
            .to_owned(),
        1 => "path \"secret/data/{{identity.entity.name}}\" { capabilities = [\"read\"] }".to_owned(),
        2 => "nonsense {".to_owned(),
        3 => format!("path \"secret/data/b\" {{ capabilities = [\"read\"]\n expiration = \"{}\" }}", NOW.plus(5 * MINUTE)),
        4 => block("secret/data/apps/*", &["read"]),
        5 => block(&format!("secret/data/apps/{}", chance.one(&TENANTS)), &["read"]),
        _ => policy(chance, false),
    }
}

/// One change; what of the cluster it touched.
fn change(bed: &mut Bed, chance: &mut Chance, now: &mut Time) -> Dirty {
    let tenant = chance.one(&TENANTS);
    let namespace: Name = format!("web-tenant-{tenant}").into();
    let mut dirty = Dirty { vault: true, ..Dirty::default() };
    match chance.below(16) {
        0..=4 => _ = bed.policies.insert(tenant.into(), VaultPolicy::new(text(chance))),
        5 => _ = bed.policies.remove(chance.one(&TENANTS)),
        6 => _ = bed.policies.insert("default".into(), VaultPolicy::new(text(chance))),
        7 => {
            let role = VaultRole {
                service_accounts: names(&[chance.one(&["app", "*", "x*"])]),
                namespaces: names(&[chance.one(&["web-tenant-a", "web-tenant-b", "web-*", "*"])]),
                namespace_selector: chance.one(&["", "", "{\"matchLabels\":{\"k\":\"v\"}}"]).into(),
                policies: names(&[chance.one(&TENANTS), chance.one(&["a", "gone", "Shared"])]),
                no_default: chance.below(2) == 0,
                ..VaultRole::default()
            };
            let roles = bed.roles.get_mut("kubernetes").unwrap();
            roles.insert(chance.one(&["a", "b", "wide", "team-c"]).into(), role);
        }
        8 => _ = bed.roles.get_mut("kubernetes").unwrap().remove(chance.one(&TENANTS)),
        9 | 10 => {
            let accounts: Vec<&str> = ["app", "web", "xy"].into_iter().filter(|_| chance.below(2) == 0).collect();
            let labels: &[(&str, &str)] = if chance.below(2) == 0 { &[("k", "v")] } else { &[] };
            let before = bed.namespaces.get(&namespace).cloned().unwrap_or_default();
            bed.namespace(&namespace, &accounts, labels);
            let facts = bed.namespaces.get_mut(&namespace).unwrap();
            (facts.consumers, facts.secret_stores) = (before.consumers, before.secret_stores);
            dirty = Dirty { namespaces: [namespace].into(), ..Dirty::default() };
        }
        11 => {
            if bed.namespaces.contains_key(&namespace) {
                let key = chance.one(&["apps/a", "apps/b", "a", "../kv/x", "b/deep"]);
                *bed = bed.clone().asks(&namespace, &[key]);
            }
            dirty = Dirty { namespaces: [namespace].into(), ..Dirty::default() };
        }
        12 => {
            bed.namespaces.remove(&namespace);
            dirty = Dirty { namespaces: [namespace].into(), ..Dirty::default() };
        }
        13 => {
            let alias = AliasFact { name: format!("{namespace}/app").into(), accessor: "acc".into(), ..AliasFact::default() };
            let entity = EntityFact { name: tenant.into(), policies: names(&["b"]), aliases: [alias].into(), ..EntityFact::default() };
            bed.entities.insert("e".into(), entity);
            let group = GroupFact { name: "g".into(), policies: names(&["c"]), entities: names(&["e"]), ..GroupFact::default() };
            bed.groups.insert("g".into(), group);
            bed.roles.get_mut("kubernetes").unwrap().values_mut().for_each(|role| role.alias_by_name = true);
        }
        14 => {
            let state = if chance.below(2) == 0 { SourceState::Live } else { SourceState::Denied { why: "no".into() } };
            match chance.below(3) {
                0 => bed.vault.policies.state = state,
                1 => bed.vault.entities.state = state,
                _ => bed.mounts.get_mut("kv").unwrap().version = [None, Some(1), Some(2)][chance.below(3)],
            }
        }
        _ => {
            *now = now.plus(2 * MINUTE);
            dirty = Dirty::default();
        }
    }
    dirty
}

fn same(a: &Picture, b: &Picture, what: &str) {
    assert_eq!(a.by_tenant.keys().collect::<Vec<_>>(), b.by_tenant.keys().collect::<Vec<_>>(), "{what}");
    for (tenant, reach) in &a.by_tenant {
        assert_eq!(**reach, *b.by_tenant[tenant], "{what}: {tenant}");
    }
    assert_eq!(a.bad_policies, b.bad_policies, "{what}");
    assert_eq!((a.dialect, &a.dialect_from, a.next_expiry), (b.dialect, &b.dialect_from, b.next_expiry), "{what}");
}

fn follow(seed: u64) -> usize {
    let mut chance = Chance::new(seed ^ 0xf0110);
    let mut bed = Bed::new();
    for tenant in TENANTS {
        let namespace = format!("web-tenant-{tenant}");
        bed = bed.tenant(tenant, &["app"]).policy(tenant, &text(&mut chance)).role(tenant, &["app"], &[&namespace], &[tenant]);
    }
    let mut now = NOW;
    let mut reach = VaultReach::new(Options::default());
    reach.sync(&bed.snapshot(), &bed.tenants(), &Dirty { everything: true, ..Dirty::default() }, now);
    let mut moves = 0;
    for step in 0..25 {
        let before = reach.picture();
        let dirty = change(&mut bed, &mut chance, &mut now);
        let (snapshot, tenants) = (bed.snapshot(), bed.tenants());
        let touched = reach.sync(&snapshot, &tenants, &dirty, now);
        let mut afresh = VaultReach::new(Options::default());
        afresh.sync(&snapshot, &tenants, &Dirty::default(), now);
        let (followed, afresh) = (reach.picture(), afresh.picture());
        same(&followed, &afresh, &format!("seed {seed} step {step}"));
        let all: BTreeSet<&TenantId> = before.by_tenant.keys().chain(followed.by_tenant.keys()).collect();
        let moved: BTreeSet<TenantId> =
            all.into_iter().filter(|tenant| before.by_tenant.get(*tenant) != followed.by_tenant.get(*tenant)).cloned().collect();
        assert_eq!(touched.tenants, moved, "seed {seed} step {step}");
        for (tenant, reach) in followed.by_tenant.iter().filter(|(tenant, _)| !moved.contains(*tenant)) {
            assert!(
                before.by_tenant.get(tenant).is_some_and(|old| Arc::ptr_eq(old, reach)),
                "seed {seed} step {step}: {tenant} was made again"
            );
        }
        moves += moved.len();
    }
    moves
}

#[test]
fn following_gives_what_starting_afresh_gives() {
    let moves: usize = (0..Chance::cases(40)).map(follow).sum();
    assert!(moves > 500, "only {moves} answers moved");
}

#[test]
fn one_changed_policy_touches_only_who_uses_it() {
    let bed = super::seed::seed(&block("secret/data/web-tenant-acme", &["read"]));
    let mut reach = VaultReach::new(Options::default());
    reach.sync(&bed.snapshot(), &bed.tenants(), &Dirty::default(), NOW);
    let before = reach.picture();
    let wide = bed.clone().policy("web-tenant-acme", &block("secret/data/web-tenant-*", &["read"]));
    let touched = reach.sync(&wide.snapshot(), &wide.tenants(), &Dirty { vault: true, ..Dirty::default() }, NOW);
    assert_eq!(touched.tenants, BTreeSet::from(["acme".into()]));
    let after = reach.picture();
    assert!(Arc::ptr_eq(&before.by_tenant["globex"], &after.by_tenant["globex"]));
    let touched = reach.sync(&wide.snapshot(), &wide.tenants(), &Dirty { vault: true, ..Dirty::default() }, NOW);
    assert!(touched.tenants.is_empty() && !touched.all);
    assert!(Arc::ptr_eq(&after, &reach.picture()), "nothing changed, so nothing was made");
}

#[test]
fn namespaces_that_become_tenants_because_of_another_one_are_asked_too() {
    let mut lone = Bed::new();
    lone.namespace("lone", &["app"], &[]);
    let lone = lone.asks("lone", &["apps/lone"]);
    let mut both = lone.clone();
    both.namespace("web-tenant-a", &["app"], &[]);
    let mut reach = VaultReach::new(Options::default());
    reach.sync(&both.snapshot(), &both.tenants(), &Dirty::default(), NOW);
    assert!(!reach.picture().by_tenant.contains_key("lone"));
    let dirty = Dirty { namespaces: ["web-tenant-a".into()].into(), ..Dirty::default() };
    reach.sync(&lone.snapshot(), &lone.tenants(), &dirty, NOW);
    let followed = reach.picture();
    same(&followed, &lone.picture(), "the pattern's last namespace went");
    assert!(followed.by_tenant["lone"].roots.iter().any(|root| root.path == "apps/lone"));
}
