//! What the declarations behind a receipt rest on: the receipt stops counting when any of it changes. And who is a good partner to try.
//!
//! The same function is asked when a receipt is made and whenever it is checked, so the two lists differ exactly when something moved.

mod identity;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::adminpolicy::{AdminPolicyFact, TierSubject};
use crate::model::containers::PortProtocol;
use crate::model::ids::{Name, ObjectRef, TenantId, Uid, fold, fold_bytes};
use crate::model::kind::Kind;
use crate::model::labels::LabelSet;
use crate::model::meta::Meta;
use crate::model::platform::CiliumConfigFact;
use crate::model::snapshot::{NamespaceFacts, Snapshot};
use crate::model::source::{Sight, SourceState};
use crate::model::tenant::Tenants;
use crate::model::vault::policy_ref;
use crate::posture::net::{policies, selects_namespace};
use crate::posture::sight::Source;
use crate::posture::vaultroles::Roles;
use crate::probe::spec::ProbeId;
use crate::receipt::{Dependency, Receipt};

/// What a network receipt rests on: whatever may decide about the pair, and what it was aimed at.
const NETWORK: &[Source] = policies![Namespace Service];

/// Why a receipt of this probe can't be compared with the present: what it rests on and we don't see; none when we see it all. A receipt that
/// can't be compared does not count, and has not lapsed either.
pub fn unseen(snapshot: &Snapshot, probe: ProbeId) -> Option<String> {
    let needs: &[Source] = match probe {
        ProbeId::Network => NETWORK,
        ProbeId::Vault => {
            &[Source::VaultRoles, Source::VaultPolicies, Source::Objects(Kind::ServiceAccount), Source::Objects(Kind::Namespace)]
        }
        ProbeId::Resource => &[Source::Objects(Kind::ResourceQuota), Source::Objects(Kind::LimitRange), Source::Objects(Kind::Namespace)],
    };
    let words = |source: Source| Some(format!("{}: {}", source.name(), source.blind(snapshot)?));
    needs.iter().find_map(|source| words(*source)).or_else(|| {
        let mounts_waited_for = probe == ProbeId::Vault && !mounts_forbidden(snapshot);
        mounts_waited_for.then(|| words(Source::VaultMounts)).flatten()
    })
}

/// As [`unseen`], for a receipt that was made: mounts and identities that it rests on and that we may not read any more are out of sight, not gone.
pub fn unseen_of(snapshot: &Snapshot, receipt: &Receipt) -> Option<String> {
    let identities = || {
        let lost = receipt.depends.iter().any(|on| on.object.kind == Kind::VaultIdentity);
        (lost && !identity::seen(snapshot)).then(|| "Vault's identity store can't be read any more".to_owned())
    };
    let mounts = || {
        let secret = |on: &Dependency| on.object.kind == Kind::VaultMount && on.object.namespace.is_empty();
        let lost = mounts_forbidden(snapshot) && receipt.depends.iter().any(secret);
        lost.then(|| format!("{}: {}", Source::VaultMounts.name(), Source::VaultMounts.blind(snapshot).unwrap_or_default()))
    };
    // the CNI's configuration likewise
    let config = || {
        let rests = receipt.depends.iter().any(|on| on.object.kind == Kind::CiliumConfig);
        let why = Source::Objects(Kind::CiliumConfig).blind(snapshot).filter(|_| rests)?;
        Some(format!("{}: {why}", Kind::CiliumConfig))
    };
    unseen(snapshot, receipt.probe).or_else(mounts).or_else(identities).or_else(config)
}

/// Mounts that we may not read at all are left out on both sides: what a role and its policies allow is seen without them.
fn mounts_forbidden(snapshot: &Snapshot) -> bool {
    matches!(snapshot.vault.secret_mounts.state, SourceState::Denied { .. } | SourceState::Off)
}

/// The version of what is listed but can't be read.
const UNREADABLE: u64 = 0;

/// Everything a probe's receipt about this tenant (and its partner) rests on, sorted; none when [`unseen`] says why we can't see all of it,
/// because then neither "unchanged" nor "changed" may be claimed. O(objects of both tenants), and O(Vault roles) for the Vault probe.
pub fn depends(snapshot: &Snapshot, tenants: &Tenants, probe: ProbeId, tenant: &str, partner: Option<&str>) -> Option<Vec<Dependency>> {
    let roles = if probe == ProbeId::Vault { Roles::of(&snapshot.vault) } else { Roles::default() };
    depends_by(snapshot, tenants, &roles, probe, tenant, partner)
}

/// As [`depends`], with the snapshot's Vault roles indexed once for many tenants.
pub fn depends_by(
    snapshot: &Snapshot,
    tenants: &Tenants,
    roles: &Roles<'_>,
    probe: ProbeId,
    tenant: &str,
    partner: Option<&str>,
) -> Option<Vec<Dependency>> {
    if unseen(snapshot, probe).is_some() {
        return None;
    }
    let both = [Some(tenant), partner];
    let sides = both.into_iter().flatten();
    let mut list = match probe {
        ProbeId::Network => network(snapshot, &namespaces(snapshot, tenants, sides).collect::<Vec<_>>()),
        ProbeId::Vault => vault(snapshot, roles, &namespaces(snapshot, tenants, sides).collect::<Vec<_>>()),
        // nobody else's declarations bound this tenant's resources
        ProbeId::Resource => resource(namespaces(snapshot, tenants, std::iter::once(tenant))),
    };
    list.sort();
    list.dedup();
    Some(list)
}

fn namespaces<'a>(
    snapshot: &'a Snapshot,
    tenants: &'a Tenants,
    sides: impl Iterator<Item = &'a str> + 'a,
) -> impl Iterator<Item = (&'a Name, &'a NamespaceFacts)> + 'a {
    sides.filter_map(|side| tenants.namespaces.get(side)).flatten().filter_map(|name| Some((name, snapshot.namespace(name)?.as_ref())))
}

fn of(kind: Kind, meta: &Meta) -> Dependency {
    Dependency { object: meta.object(kind), uid: meta.uid, version: meta.version }
}

/// A Namespace by its labels: they are what policies and admission look at, and its resourceVersion moves for other reasons too.
fn of_namespace(facts: &NamespaceFacts) -> Option<Dependency> {
    let own = facts.own.as_ref()?;
    let object = ObjectRef::new(Kind::Namespace, "", own.meta.name.clone());
    Some(Dependency { object, uid: own.meta.uid, version: digest(&own.labels) })
}

fn digest(labels: &LabelSet) -> u64 {
    labels.iter().fold(fold("labels"), |hash, (key, value)| {
        let hash = fold_bytes(fold_bytes(hash, key.as_bytes()), &[0]);
        fold_bytes(fold_bytes(hash, value.as_bytes()), &[1])
    }) as u64
}

/// Policies of every kind decide, namespace labels are what they select by, and Services are what is aimed at: which ones is chosen when the
/// probe runs, so all of both tenants count. Pods do not: policies of a wall that holds select every pod.
fn network(snapshot: &Snapshot, namespaces: &[(&Name, &NamespaceFacts)]) -> Vec<Dependency> {
    let mut list = Vec::new();
    for (_, facts) in namespaces {
        list.extend(of_namespace(facts));
        list.extend(facts.policies.values().map(|policy| of(Kind::NetworkPolicy, &policy.meta)));
        list.extend(facts.cilium.values().map(|policy| of(Kind::CiliumNetworkPolicy, &policy.meta)));
        list.extend(facts.foreign.values().map(|policy| of(policy.kind, &policy.meta)));
        list.extend(facts.services.values().map(|service| of(Kind::Service, &service.meta)));
    }
    let cluster = &snapshot.cluster;
    let bears = |policy: &&AdminPolicyFact| namespaces.iter().any(|(name, facts)| may_be_about(&policy.subject, name, facts));
    list.extend(cluster.admin.values().map(AsRef::as_ref).filter(bears).map(|policy| of(policy.kind, &policy.meta)));
    list.extend(cluster.cilium.values().map(|policy| of(Kind::CiliumClusterwideNetworkPolicy, &policy.meta)));
    list.extend(cluster.cidr_groups.values().map(|group| of(Kind::CiliumCIDRGroup, &group.meta)));
    list.extend(cluster.foreign.values().map(|policy| of(policy.kind, &policy.meta)));
    list.extend(cluster.cilium_config.as_deref().filter(|_| snapshot.sight(Kind::CiliumConfig) == Sight::Clear).map(of_config));
    list
}

/// Whether a cluster-wide policy may be about pods of a namespace: by its labels, which are a dependency of their own.
fn may_be_about(subject: &TierSubject, name: &Name, facts: &NamespaceFacts) -> bool {
    match subject {
        TierSubject::Namespaces(of) | TierSubject::Pods { namespaces: of, .. } => selects_namespace(of, name, facts) != Some(false),
        TierSubject::Unreadable(_) => true,
    }
}

/// The CNI's configuration by what is read of it: the rest of the ConfigMap moves for other reasons.
fn of_config(config: &CiliumConfigFact) -> Dependency {
    let said = CiliumConfigFact { meta: Meta::default(), ..config.clone() };
    Dependency { version: fold(&format!("{said:?}")) as u64, ..of(Kind::CiliumConfig, &config.meta) }
}

fn resource<'a>(namespaces: impl Iterator<Item = (&'a Name, &'a NamespaceFacts)>) -> Vec<Dependency> {
    let mut list = Vec::new();
    for (_, facts) in namespaces {
        list.extend(of_namespace(facts));
        list.extend(facts.quotas.values().map(|quota| of(Kind::ResourceQuota, &quota.meta)));
        list.extend(facts.limit_ranges.values().map(|range| of(Kind::LimitRange, &range.meta)));
    }
    list
}

/// Roles that admit either tenant, the auth mounts they are of, the entities and groups of their logins, the policies that all those grant, the
/// ServiceAccounts (by uid: nothing else of them bears on a login), the secret mounts and the server's identity and version.
fn vault(snapshot: &Snapshot, roles: &Roles<'_>, namespaces: &[(&Name, &NamespaceFacts)]) -> Vec<Dependency> {
    let facts = &snapshot.vault;
    let server = Dependency {
        object: ObjectRef::new(Kind::VaultServer, "", facts.address.clone()),
        uid: Uid::default(),
        // with the version the rules may change by which policies are read
        version: fold(&format!("{}\n{}", facts.server.cluster_id.as_deref().unwrap_or(""), facts.server.version)) as u64,
    };
    let mut list = vec![server];
    let admitting = roles.admitting(namespaces.iter().map(|(name, facts)| (*name, facts.own.as_ref().map(|own| own.labels.as_ref()))));
    // every token also carries the policy `default`
    let mut policies: Vec<Name> = vec!["default".into()];
    let mut mounts: BTreeSet<&Name> = BTreeSet::new();
    for at in admitting {
        mounts.insert(at.mount);
        list.push(Dependency { object: at.object(), uid: Uid::default(), version: at.role.digest() });
        // names of policies are lower-case wherever Vault keeps them, but for those in roles of old
        policies.extend(at.role.policies.iter().map(|name| Name::from(name.to_lowercase())));
    }
    list.extend(mounts.iter().filter_map(|mount| identity::of_mount(facts, mount)));
    if identity::seen(snapshot) {
        identity::of_logins(facts, roles, &mounts, namespaces, &mut list, &mut policies);
    }
    // that a role can't be read is on record; the reason is not, because its words differ from poll to poll
    list.extend(roles.unreadable.iter().map(|(mount, name, _)| Dependency {
        object: crate::model::vault::role_ref(mount, name),
        uid: Uid::default(),
        version: UNREADABLE,
    }));
    for name in policies {
        let version = facts.policies.items.get(&name).map(|policy| policy.digest);
        let version = version.or_else(|| facts.policies.unreadable.get(&name).map(|_| UNREADABLE));
        list.extend(version.map(|version| Dependency { object: policy_ref(&name), uid: Uid::default(), version }));
    }
    let mounts = (!mounts_forbidden(snapshot)).then_some(&facts.secret_mounts.items);
    for (name, mount) in mounts.into_iter().flat_map(|mounts| mounts.iter()) {
        let text = format!("{}\n{}\n{:?}", mount.accessor, mount.kind, mount.version);
        list.push(Dependency {
            object: ObjectRef::new(Kind::VaultMount, "", name.clone()),
            uid: Uid::default(),
            version: fold(&text) as u64,
        });
    }
    for (_, facts) in namespaces {
        list.extend(of_namespace(facts));
        list.extend(facts.service_accounts.values().map(|account| Dependency { version: 0, ..of(Kind::ServiceAccount, &account.meta) }));
    }
    list
}

/// The tenant to try the walls against: the next one round the ring of names that has a Service with somebody behind it; else the next one;
/// none where there is no other. O(tenants × Services).
pub fn partner(snapshot: &Snapshot, tenants: &Tenants, tenant: &str) -> Option<TenantId> {
    let all: BTreeMap<&str, &TenantId> = tenants.namespaces.keys().map(|id| (id.as_ref(), id)).collect();
    let after = all.iter().filter(|(name, _)| **name > tenant);
    let before = all.iter().filter(|(name, _)| **name < tenant);
    let ring: Vec<&TenantId> = after.chain(before).map(|(_, id)| *id).collect();
    let live = |id: &&&TenantId| {
        tenants.namespaces.get(**id).into_iter().flatten().any(|name| snapshot.namespace(name).is_some_and(|facts| answers(facts)))
    };
    ring.iter().find(live).or_else(|| ring.first()).map(|id| (*id).clone())
}

/// Whether a TCP Service here has a ready endpoint.
fn answers(facts: &NamespaceFacts) -> bool {
    facts.services.values().any(|service| {
        let tcp = service.kind.as_ref() != "ExternalName" && service.ports.iter().any(|port| port.protocol == PortProtocol::Tcp);
        let ready = || facts.endpoint_slices.values().any(|slice| slice.ready > 0 && slice.service.as_ref() == Some(&service.meta.name));
        tcp && ready()
    })
}
