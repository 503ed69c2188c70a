//! What is counted once when the reach comes, so that no frame looks at tenants that are not on the screen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{HARMS, STANCES, Stance};
use crate::model::ids::{Name, TenantId};
use crate::vaultacl::kv::Harm;
use crate::vaultacl::reach::{Crossing, Partners, Picture, TenantReach};

/// What is counted for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// How it stands by declaration.
    pub stance: Stance,
    /// Roles that admit it.
    pub roles: usize,
    /// Ways to log in with ServiceAccounts that exist.
    pub configured: usize,
    /// Ways to log in if it may create ServiceAccounts: those that exist among them.
    pub owner: usize,
    /// Tenants whose paths it reaches, by harm in the order of [`HARMS`].
    pub partners: [usize; 3],
    /// Of those, whether all of a harm are reached only with ServiceAccounts that would have to be made.
    pub made: [bool; 3],
    /// Rules through which it could give itself more.
    pub escalations: usize,
    /// What can't be said.
    pub doubts: usize,
}

impl Count {
    /// Counts one tenant's. O(crossings × partners) at worst, O(crossings) where each harm has one rule.
    pub fn of(reach: &TenantReach) -> Self {
        let roles: BTreeSet<(&Name, &Name)> = reach.logins.iter().map(|login| (&login.mount, &login.role)).collect();
        Self {
            stance: Stance::declared(reach),
            roles: roles.len(),
            configured: reach.logins.iter().filter(|login| login.who.exists()).count(),
            owner: reach.logins.len(),
            partners: HARMS.map(|(harm, _)| partners(&reach.crossings, harm)),
            made: HARMS.map(|(harm, _)| made(reach, harm)),
            escalations: reach.escalations.len(),
            doubts: reach.doubts.len(),
        }
    }

    /// What puts a tenant before another: its stance, then how many it reaches, worst harm first.
    pub fn badness(&self) -> impl Ord + use<> {
        (self.stance, Reverse(self.partners), Reverse(self.escalations), Reverse(self.doubts))
    }
}

/// Whether what is reached with a harm needs a ServiceAccount that does not exist.
fn made(reach: &TenantReach, harm: Harm) -> bool {
    let exists = |crossing: &Crossing| reach.logins.get(crossing.grant.login).is_none_or(|login| login.who.exists());
    !reach.crossings.iter().any(|crossing| crossing.harm == harm && exists(crossing))
}

/// How many tenants are reached with a harm.
fn partners(crossings: &[Crossing], harm: Harm) -> usize {
    let mut of_harm = crossings.iter().filter(|crossing| crossing.harm == harm).map(|crossing| &crossing.partners);
    let Some(first) = of_harm.next() else { return 0 };
    let rest: Vec<_> = of_harm.filter(|partners| *partners != first).collect();
    if rest.is_empty() {
        return first.len();
    }
    let all: BTreeSet<&TenantId> = first.iter().chain(rest.into_iter().flat_map(Partners::iter)).collect();
    all.len()
}

/// The counts of all tenants.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    picture: Option<Arc<Picture>>,
    counts: BTreeMap<TenantId, (Arc<TenantReach>, Count)>,
    stances: [usize; STANCES.len()],
}

impl Tally {
    /// Counts what is new. O(tenants log tenants) for a new picture, and what each tenant that changed has.
    pub fn refresh(&mut self, picture: &Arc<Picture>) {
        if self.picture.as_ref().is_some_and(|known| Arc::ptr_eq(known, picture)) {
            return;
        }
        let mut before = std::mem::take(&mut self.counts);
        self.stances = [0; STANCES.len()];
        for (tenant, reach) in &picture.by_tenant {
            let known = before.remove(tenant).filter(|(known, _)| Arc::ptr_eq(known, reach));
            let kept = known.unwrap_or_else(|| (reach.clone(), Count::of(reach)));
            if let Some(n) = self.stances.get_mut(kept.1.stance as usize) {
                *n += 1;
            }
            self.counts.insert(tenant.clone(), kept);
        }
        self.picture = Some(picture.clone());
    }

    /// A tenant's counts. O(log tenants).
    pub fn of(&self, tenant: &str) -> Option<&Count> {
        self.counts.get(tenant).map(|(_, count)| count)
    }

    /// How many tenants stand how by declaration, in the order of [`STANCES`].
    pub const fn stances(&self) -> &[usize; STANCES.len()] {
        &self.stances
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vaultacl::acl::Origin;
    use crate::vaultacl::capability::{Capabilities, Operation};
    use crate::vaultacl::kv::VERSION_2;
    use crate::vaultacl::reach::{Doubt, Grant};

    fn crossing(harm: Harm, partners: &Partners) -> Crossing {
        let origin = Origin { policy: "p".into(), line: 1, capabilities: Capabilities::NONE, written: "a".into() };
        let grant = Grant { login: 0, origin, pattern: "a".into(), path: "a".into(), operation: Operation::Read, conditions: false };
        Crossing { harm, action: VERSION_2[0], grant, partners: partners.clone() }
    }

    #[test]
    fn partners_are_counted_once_whatever_the_rules() {
        let both = Partners::from(["a".into(), "b".into()]);
        let other = Partners::from(["b".into(), "c".into()]);
        let crossings = vec![crossing(Harm::Tamper, &both), crossing(Harm::Tamper, &other), crossing(Harm::Tamper, &both)];
        let mut reach = TenantReach { crossings, ..TenantReach::default() };
        let count = Count::of(&reach);
        assert_eq!((count.stance, count.partners), (Stance::Tamper, [0, 3, 0]));
        reach.crossings = vec![crossing(Harm::Structure, &both), crossing(Harm::Structure, &both)];
        assert_eq!(Count::of(&reach).partners, [0, 0, 2]);
    }

    #[test]
    fn nothing_found_is_not_apart_while_something_unseen_may_add() {
        let mut reach = TenantReach::default();
        assert_eq!(Stance::declared(&reach), Stance::Outside);
        reach.doubts = vec![Doubt { words: "takes away".into(), may_add: false }];
        assert_eq!(Stance::declared(&reach), Stance::Outside);
        reach.doubts = vec![Doubt { words: "policies can't be read".into(), may_add: true }];
        assert_eq!(Stance::declared(&reach), Stance::Unsure);
    }

    #[test]
    fn what_did_not_change_is_not_counted_again() {
        let picture =
            |reach: &Arc<TenantReach>| Arc::new(Picture { by_tenant: [("a".into(), reach.clone())].into(), ..Picture::default() });
        let reach = Arc::new(TenantReach::default());
        let mut tally = Tally::default();
        tally.refresh(&picture(&reach));
        assert_eq!(tally.stances()[Stance::Outside as usize], 1);
        tally.refresh(&picture(&reach));
        assert!(Arc::ptr_eq(&tally.counts["a"].0, &reach));
        tally.refresh(&Arc::default());
        assert!(tally.of("a").is_none() && tally.stances().iter().sum::<usize>() == 0);
    }
}
