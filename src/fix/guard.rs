//! What may be done, and what must be confirmed first. The permit to write can be made here only.

use serde::{Deserialize, Serialize};

use super::plan::FixPlan;

/// What this run may do to the servers. The order is that of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Reads and self reviews only.
    #[default]
    Observe,
    /// Adds access reviews, dry-run requests, short-lived tenant tokens, and a fixed script in a tenant's own container.
    Probe,
    /// Adds writes, each after diff and confirmation.
    Fix,
}

impl Mode {
    /// As a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Probe => "probe",
            Self::Fix => "fix",
        }
    }

    /// From a word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Observe, Self::Probe, Self::Fix].into_iter().find(|mode| mode.word() == text)
    }
}

/// Leave to try walls. The prober's functions demand it.
#[derive(Clone, Copy, Debug)]
pub struct ProbePermit(());

impl ProbePermit {
    /// Given from `--mode probe` upwards.
    pub fn for_mode(mode: Mode) -> Option<Self> {
        (mode >= Mode::Probe).then_some(Self(()))
    }
}

/// Leave to write one plan. The writer's functions demand it; it can't be cloned, and it names the plan it was given for.
#[derive(Debug)]
pub struct WritePermit {
    plan: String,
}

/// Why a write was not permitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// Wrong mode.
    #[error("this is {} mode: start with --mode fix to apply fixes", .0.word())]
    Mode(Mode),
    /// The name typed is not the tenant's.
    #[error("not confirmed: type the tenant's name, {0}, to apply this plan")]
    Confirmation(String),
}

impl WritePermit {
    /// Given when the mode is fix and the operator typed the tenant's name.
    pub fn grant(mode: Mode, plan: &FixPlan, typed: &str) -> Result<Self, NotPermitted> {
        if mode != Mode::Fix {
            return Err(NotPermitted::Mode(mode));
        }
        // a tenant without a name could be confirmed by a mere Enter
        if typed.trim().is_empty() || typed.trim() != plan.tenant.as_ref() {
            return Err(NotPermitted::Confirmation(crate::model::text::clean(&plan.tenant)));
        }
        Ok(Self { plan: plan.digest() })
    }

    /// Whether this permit was given for that plan, unchanged since.
    pub fn covers(&self, plan: &FixPlan) -> bool {
        self.plan == plan.digest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_confirms_nothing() {
        let plan = |tenant: &str| FixPlan {
            recipe: String::new(),
            check: String::new(),
            tenant: tenant.into(),
            steps: Vec::new(),
            notes: Vec::new(),
        };
        for (tenant, typed, granted) in [("acme", "acme\n", true), ("acme", "", false), ("acme", "Acme", false), ("", "\n", false)] {
            assert_eq!(WritePermit::grant(Mode::Fix, &plan(tenant), typed).is_ok(), granted, "{tenant} {typed}");
        }
        assert!(WritePermit::grant(Mode::Probe, &plan("acme"), "acme").is_err());
    }
}
