//! What every tenant reaches: 1,000 tenants, 1,000 roles, 1,500 policies.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use divan::{Bencher, black_box};
use partywall::model::ids::{Name, Uid};
use partywall::model::kind::Kind;
use partywall::model::labels::LabelSet;
use partywall::model::meta::Meta;
use partywall::model::pod::{NamespaceFact, ServiceAccountFact};
use partywall::model::snapshot::{Dirty, NamespaceFacts, Snapshot};
use partywall::model::source::SourceState;
use partywall::model::tenant::{TenantRules, Tenants};
use partywall::model::time::Time;
use partywall::model::vault::{AuthMount, Flavour, Part, SecretMount, VaultFacts, VaultPolicy, VaultRole, VaultServer};
use partywall::vaultacl::capability::Operation;
use partywall::vaultacl::reach::{Options, VaultReach};

const NOW: Time = Time(1_795_000_000_000);
const TENANTS: usize = 1_000;

/// What the tenants' policies say.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fleet {
    /// Their own paths; some with templates, some with `+`, a few too wide.
    Typical,
    /// Everything, all of them.
    Hostile,
}

fn meta(namespace: &str, name: &str) -> Meta {
    Meta { namespace: namespace.into(), name: name.into(), uid: Uid::parse(&format!("{namespace}/{name}")), version: 1, ..Meta::default() }
}

fn live<V>(items: BTreeMap<Name, V>) -> Part<Name, V> {
    Part { state: SourceState::Live, items: Arc::new(items), unreadable: Arc::default() }
}

fn block(pattern: &str, capabilities: &str) -> String {
    let list: Vec<String> = capabilities.split(' ').map(|word| format!("\"{word}\"")).collect();
    format!("path \"{pattern}\" {{\n  capabilities = [{}]\n}}\n", list.join(", "))
}

/// What the servers ship as `default`.
fn default_policy() -> String {
    let rows = [
        ("auth/token/lookup-self", "read"),
        ("auth/token/renew-self", "update"),
        ("auth/token/revoke-self", "update"),
        ("sys/capabilities-self", "update"),
        ("identity/entity/id/{{identity.entity.id}}", "read"),
        ("identity/entity/name/{{identity.entity.name}}", "read"),
        ("sys/internal/ui/resultant-acl", "read"),
        ("sys/renew", "update"),
        ("sys/leases/renew", "update"),
        ("sys/leases/lookup", "update"),
        ("cubbyhole/*", "create read update delete list"),
        ("sys/wrapping/wrap", "update"),
        ("sys/wrapping/lookup", "update"),
        ("sys/wrapping/unwrap", "update"),
        ("sys/tools/hash", "update"),
        ("sys/tools/hash/*", "update"),
        ("identity/oidc/provider/+/authorize", "read update"),
    ];
    rows.iter().fold(String::new(), |mut text, (pattern, capabilities)| {
        let _ = text.write_str(&block(pattern, capabilities));
        text
    })
}

fn own(number: usize, fleet: Fleet) -> String {
    let name = format!("web-tenant-{number:04}");
    let all = "create read update patch delete list";
    if fleet == Fleet::Hostile {
        return block("secret/*", all) + &block(&format!("secret/data/{name}/*"), "read");
    }
    let folder = block(&format!("secret/data/{name}/*"), "read") + &block(&format!("secret/metadata/{name}/*"), "read list");
    match number % 10 {
        0 | 1 => block(&format!("secret/data/{name}"), "read"),
        2 => block("secret/data/{{identity.entity.aliases.acc.metadata.service_account_namespace}}/*", "read"),
        3 => folder + &block(&format!("secret/+/{name}/+/public"), "read"),
        4 => folder + &block("secret/data/+/shared", "deny"),
        5 if number % 100 == 5 => folder + &block("secret/data/web-tenant-*", "read"),
        _ => folder,
    }
}

struct World {
    snapshot: Snapshot,
    tenants: Tenants,
}

fn world(fleet: Fleet) -> World {
    let mut namespaces: BTreeMap<Name, Arc<NamespaceFacts>> = BTreeMap::new();
    let mut policies: BTreeMap<Name, VaultPolicy> = BTreeMap::new();
    let mut roles: BTreeMap<Name, VaultRole> = BTreeMap::new();
    policies.insert("default".into(), VaultPolicy::new(default_policy()));
    for number in 0..TENANTS {
        let name: Name = format!("web-tenant-{number:04}").into();
        let labels = LabelSet::new([("kubernetes.io/metadata.name".into(), name.clone())]);
        let own_fact = NamespaceFact { meta: meta("", &name), labels: Arc::new(labels), terminating: false };
        let account = |account: &str| (Name::from(account), Arc::new(ServiceAccountFact { meta: meta(&name, account), automount: None }));
        let accounts = ["default", "web", "worker"].iter().map(|name| account(name)).collect();
        let facts = NamespaceFacts { own: Some(Arc::new(own_fact)), service_accounts: accounts, ..NamespaceFacts::default() };
        namespaces.insert(name.clone(), Arc::new(facts));
        policies.insert(name.clone(), VaultPolicy::new(own(number, fleet)));
        let second: Name = format!("team-{:03}", number % 500).into();
        let of_role = if number % 4 == 0 { vec![name.clone(), second] } else { vec![name.clone()] };
        let role = VaultRole {
            service_accounts: [Name::from("web")].into(),
            namespaces: [name.clone()].into(),
            policies: of_role.into(),
            ttl: 3_600,
            ..VaultRole::default()
        };
        roles.insert(name, role);
    }
    for number in 0..499 {
        policies.insert(format!("team-{number:03}").into(), VaultPolicy::new(block(&format!("secret/data/team-{number:03}/*"), "read")));
    }
    let mount = |version| SecretMount { kind: "kv".into(), version: Some(version), accessor: "".into() };
    let auth = AuthMount { kind: "kubernetes".into(), accessor: "acc".into(), default_ttl: 0, max_ttl: 0 };
    let server = VaultServer { state: SourceState::Live, flavour: Flavour::OpenBao, version: "2.7.2".into(), ..VaultServer::default() };
    let vault = VaultFacts {
        configured: true,
        server,
        auth_mounts: live([("kubernetes".into(), auth)].into()),
        kubernetes: [("kubernetes".into(), live(roles))].into(),
        kubernetes_config: live(BTreeMap::new()),
        policies: live(policies),
        secret_mounts: live([("secret".into(), mount(2))].into()),
        entities: live(BTreeMap::new()),
        groups: live(BTreeMap::new()),
        ..VaultFacts::default()
    };
    let all = namespaces.iter().map(|(name, facts)| (name, facts.own.as_ref().map(|own| own.labels.as_ref())));
    let tenants = TenantRules::default().resolve(all);
    let sources = [(Kind::ServiceAccount, SourceState::Live), (Kind::Namespace, SourceState::Live)];
    let snapshot =
        Snapshot { namespaces: Arc::new(namespaces), vault: Arc::new(vault), sources: Arc::new(sources.into()), ..Snapshot::default() };
    World { snapshot, tenants }
}

fn from_nothing(world: &World) -> VaultReach {
    let mut reach = VaultReach::new(Options::default());
    reach.sync(&world.snapshot, &world.tenants, &Dirty::default(), NOW);
    reach
}

/// The same with another text for one tenant's policy.
fn changed(world: &World, text: &str) -> Snapshot {
    let mut vault = (*world.snapshot.vault).clone();
    let mut policies = (*vault.policies.items).clone();
    policies.insert("web-tenant-0500".into(), VaultPolicy::new(text));
    vault.policies.items = Arc::new(policies);
    Snapshot { vault: Arc::new(vault), ..world.snapshot.clone() }
}

/// Goal 200 ms for the typical fleet.
#[divan::bench(args = [Fleet::Typical, Fleet::Hostile])]
fn reach_from_nothing(bencher: Bencher<'_, '_>, fleet: Fleet) {
    let world = world(fleet);
    bencher.bench_local(|| from_nothing(black_box(&world)));
}

/// Goal 1 ms: the policy of one tenant becomes too wide, and narrow again.
#[divan::bench(args = [Fleet::Typical, Fleet::Hostile])]
fn one_changed_policy(bencher: Bencher<'_, '_>, fleet: Fleet) {
    let world = world(fleet);
    let mut reach = from_nothing(&world);
    let own = "secret/data/web-tenant-0500/*";
    let both = [changed(&world, &block("secret/data/web-tenant-*", "read")), changed(&world, &block(own, "read"))];
    let dirty = Dirty { vault: true, ..Dirty::default() };
    let mut at = 0;
    bencher.bench_local(|| {
        at ^= 1;
        both.get(at).map(|snapshot| reach.sync(snapshot, &world.tenants, &dirty, NOW))
    });
}

/// A pod came or went somewhere: nothing of this wall moved.
#[divan::bench]
fn nothing_of_it_changed(bencher: Bencher<'_, '_>) {
    let world = world(Fleet::Typical);
    let mut reach = from_nothing(&world);
    let dirty = Dirty { namespaces: ["web-tenant-0500".into()].into(), ..Dirty::default() };
    bencher.bench_local(|| reach.sync(&world.snapshot, &world.tenants, &dirty, NOW));
}

/// Everybody who can read one path.
#[divan::bench(args = [Fleet::Typical, Fleet::Hostile])]
fn who_reads_one_path(bencher: Bencher<'_, '_>, fleet: Fleet) {
    let picture = from_nothing(&world(fleet)).picture();
    bencher.bench_local(|| picture.who(black_box("secret/data/web-tenant-0500/db"), Operation::Read, None));
}

/// Resident memory of this process in bytes; none where the system does not say.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse::<usize>().ok().map(|pages| pages * 4_096)
}

/// What one follower of a fleet holds.
pub fn memory() {
    for fleet in [Fleet::Typical, Fleet::Hostile] {
        let world = world(fleet);
        let warm = from_nothing(&world);
        let before = resident();
        let more: Vec<VaultReach> = (0..4).map(|_| from_nothing(&world)).collect();
        if let (Some(before), Some(after)) = (before, resident()) {
            println!("memory of one reach, {fleet:?}: {} KiB", after.saturating_sub(before) / 4 / 1_024);
        }
        drop((warm, more));
    }
}
