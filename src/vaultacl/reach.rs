//! What every tenant can reach in Vault: the union over every role that any ServiceAccount of its namespaces could log in with
//! (`spec/vault.md` 1.8, 8.1). Follows snapshots; answers are shared with the assessment.

mod ask;
pub mod consumers;
mod follow;
mod ground;
mod judge;
mod lint;
mod logins;
mod partners;
mod pattern;
mod places;
mod policies;
mod tenant;
mod unseen;
mod witness;

pub use partners::Partners;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::acl::{Acl, Origin};
use super::capability::Operation;
use super::dialect::Dialect;
use super::kv::{Action, Harm};
use crate::model::ids::{Name, TenantId};
use crate::model::snapshot::{Dirty, Snapshot};
use crate::model::tenant::Tenants;
use crate::model::time::Time;

/// How reach is worked out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// The dialect to use whatever the server says of itself.
    pub dialect: Option<Dialect>,
    /// Where tenants keep their secrets: `mount/path` with `{namespace}` and `{tenant}` for the names. Empty: a folder or secret of the
    /// namespace's or the tenant's name on every key-value mount.
    pub roots: Vec<String>,
    /// Places that all tenants may read: patterns as in policies, `secret/shared/*`, without `data/`.
    pub shared: Vec<String>,
}

/// Whose answers changed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Touched {
    /// Everybody's may have.
    pub all: bool,
    /// Tenants whose reach came out differently.
    pub tenants: BTreeSet<TenantId>,
}

/// Follows snapshots.
#[derive(Debug, Default)]
pub struct VaultReach {
    options: Options,
    follow: Box<follow::Follow>,
    picture: Arc<Picture>,
}

impl VaultReach {
    /// A reach that has seen nothing.
    pub fn new(options: Options) -> Self {
        let picture = Picture { shared: options.shared.clone(), ..Picture::default() };
        Self { options, follow: Box::default(), picture: Arc::new(picture) }
    }

    /// Follows a snapshot; `dirty` says what changed of the cluster since the last one, what changed of Vault is seen from its facts. What did not
    /// change keeps its allocation. O(policies + tenants) to compare, plus the cost of what changed: the ACLs that carry a changed policy and the
    /// tenants that use them; where places move, everybody's.
    pub fn sync(&mut self, snapshot: &Snapshot, tenants: &Tenants, dirty: &Dirty, now: Time) -> Touched {
        self.follow.sync(&self.options, (snapshot, tenants, dirty, now), &mut self.picture)
    }

    /// What is known now.
    pub fn picture(&self) -> Arc<Picture> {
        self.picture.clone()
    }
}

/// Everybody's reach at one moment.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// By tenant.
    pub by_tenant: BTreeMap<TenantId, Arc<TenantReach>>,
    /// Whose rules were applied.
    pub dialect: Dialect,
    /// Why that dialect, in words: `OpenBao 2.7.2`, or that the server did not tell.
    pub dialect_from: String,
    /// Policies the server would refuse or that are missing, by name, in words.
    pub bad_policies: BTreeMap<Name, BadPolicy>,
    /// When time alone changes an answer: a block or policy of OpenBao expires.
    pub next_expiry: Option<Time>,
    /// Places that are nobody's, as configured.
    pub shared: Vec<String>,
}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadPolicy {
    /// A role names it and the server lacks it: the tenant simply has less.
    Missing,
    /// It can't be read by us: denied, with the reason.
    Unseen(String),
    /// The server would refuse it: a token that carries it fails with every request.
    Refused(super::policy::Refused),
}

/// What one tenant can reach.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TenantReach {
    /// What it calls its own.
    pub roots: Vec<Root>,
    /// Every way it can log in, its own roles first.
    pub logins: Vec<Arc<Login>>,
    /// What it can do to others' paths, worst first.
    pub crossings: Vec<Crossing>,
    /// Rules through which it could give itself more (VLT-09), worst first.
    pub escalations: Vec<Grant>,
    /// Rules that grant something outside its own roots, shared places and harmless self endpoints: language inclusion, a lint (SEC-05).
    pub beyond: Vec<Grant>,
    /// Rules that list an ancestor of its roots (SEC-07).
    pub ancestors: Vec<Grant>,
    /// Rules that write, delete or destroy on its own roots (SEC-18).
    pub writes: Vec<Grant>,
    /// Whether it can read its own paths.
    pub own: OwnCover,
    /// What can't be said, in words, sorted: each leaves its answers open.
    pub doubts: Vec<Doubt>,
}

/// A place where a tenant keeps its secrets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// The mount, without slashes at its ends.
    pub mount: Name,
    /// Version of the key-value engine.
    pub version: u8,
    /// The path below the mount, without `data/`, without a slash at its end.
    pub path: String,
    /// How we know.
    pub from: RootFrom,
}

/// How a root is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RootFrom {
    /// By the configuration.
    Configured,
    /// An object of the tenant asks for it: kind, namespace and name as written.
    Consumer(String),
    /// A policy of a role of its own, and of nobody else's, opens it.
    Policy(Name),
    /// By the convention: it bears the name of the namespace or the tenant.
    Named,
}

/// One way to log in.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// Auth mount.
    pub mount: Name,
    /// Role.
    pub role: Name,
    /// As whom.
    pub who: Who,
    /// The policies it ends up with, and from where each comes.
    pub policies: Vec<(Name, PolicyFrom)>,
    /// What they decide together.
    pub acl: Arc<Acl>,
    /// The role is this tenant's own: it names one of its namespaces, or bears its name.
    pub own_role: bool,
}

/// As whom a login is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A ServiceAccount that exists.
    Account {
        /// Namespace.
        namespace: Name,
        /// Name.
        name: Name,
    },
    /// A ServiceAccount that whoever may create one in this namespace could make: the reach of the namespace's owner.
    Maker {
        /// Namespace.
        namespace: Name,
        /// The name it would have to have: a name or pattern of the role.
        name: Name,
    },
}

impl Who {
    /// Whether the ServiceAccount exists.
    pub const fn exists(&self) -> bool {
        matches!(self, Self::Account { .. })
    }
}

/// Where a policy of a login comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyFrom {
    /// The role.
    Role,
    /// `default`.
    Default,
    /// The entity, by name.
    Entity(Name),
    /// A group, by name.
    Group(Name),
}

/// A rule and what makes it effective.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The login, as an index into [`TenantReach::logins`].
    pub login: usize,
    /// The block.
    pub origin: Origin,
    /// The pattern with its templates filled in.
    pub pattern: String,
    /// A path that it decides, as a witness.
    pub path: String,
    /// The operation that it allows there.
    pub operation: Operation,
    /// Only under conditions: parameters, wrapping, a control group.
    pub conditions: bool,
}

/// Something a tenant can do to others' paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// How bad.
    pub harm: Harm,
    /// What.
    pub action: Action,
    /// By which rule, with the witness: a path of the first partner.
    pub grant: Grant,
    /// Whose paths: all tenants that this rule leads to with this harm, sorted. The witness is of the first.
    pub partners: Partners,
}

/// Whether a tenant can read what it calls its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OwnCover {
    /// It has no root that we know of.
    #[default]
    NoRoot,
    /// No role admits any of its ServiceAccounts.
    NoRole,
    /// The path itself and what is below.
    Covered,
    /// The path itself and not what is below: an exact rule (VLT-18). Holds the path.
    ExactOnly(String),
    /// What is below and not the path itself: a prefix with a slash. Holds the path.
    BelowOnly(String),
    /// Nothing of it. Holds the path.
    Nothing(String),
}

/// Something that can't be said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// What, cleaned, with the policy line that is missing where one is.
    pub words: String,
    /// Whether what is unseen may add reach (so that nothing may be called green), or only take it away.
    pub may_add: bool,
}

/// Who can do something at a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Whose {
    /// The tenant.
    pub tenant: TenantId,
    /// By which login, as an index into its logins.
    pub login: usize,
    /// Allowed or not.
    pub allowed: bool,
    /// Under conditions.
    pub conditions: bool,
    /// The rule that decides; none where none matches.
    pub rule: Option<Ruling>,
}

/// A rule that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The pattern, templates filled in.
    pub pattern: String,
    /// The blocks it was merged from; those that do not have the capability asked for among them.
    pub from: Vec<Origin>,
}
