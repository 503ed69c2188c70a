//! The layers over a screen and what each of them keeps.

use tui_input::Input;

use crate::app::vault::answer::{ByRole, Everyone};
use crate::app::vault::path::Asked;
use crate::fix::plan::FixPlan;
use crate::model::ids::TenantId;
use crate::netpol::story::{End, Story};

/// A layer over the screen.
#[derive(Debug)]
pub enum Dialog {
    /// Keys.
    Help {
        /// First line shown.
        scroll: usize,
    },
    /// Messages so far.
    Log {
        /// First line shown.
        scroll: usize,
    },
    /// A probe under way, or done.
    Probe {
        /// First line shown; none follows the newest while it runs, and shows the beginning once it is done.
        scroll: Option<usize>,
    },
    /// A plan.
    Plan(Box<PlanDialog>),
    /// Why one end reaches another, or does not.
    Story(Box<StoryDialog>),
    /// Who decides at a path in Vault.
    Ask(Box<AskDialog>),
    /// Leaving while something runs.
    Quit,
}

/// A story, from asking for it.
#[derive(Debug)]
pub struct StoryDialog {
    /// The source: pinned, wherever the cursor goes.
    pub from: End,
    /// The destination.
    pub to: End,
    /// The story; none inside where an end is gone, none at all while it is asked for.
    pub story: Option<Option<Box<Story>>>,
    /// First line shown.
    pub scroll: usize,
}

/// A question about a path in Vault, from typing it.
#[derive(Debug)]
pub struct AskDialog {
    /// The tenant asked about: pinned, wherever the cursor goes.
    pub tenant: TenantId,
    /// The path as typed.
    pub input: Input,
    /// The field has the keys.
    pub typing: bool,
    /// Why what was typed was not taken.
    pub refused: Option<&'static str>,
    /// The path that is answered; none before the first.
    pub asked: Option<Asked>,
    /// Of all tenants, and not of one.
    pub everyone: bool,
    /// Which operation all tenants are asked about: an index into those that the server knows.
    pub operation: usize,
    /// The answer; made when the question or the data change, never while drawing.
    pub answer: Answer,
    /// First line shown.
    pub scroll: usize,
}

/// What is answered about a path.
#[derive(Debug, Default)]
pub enum Answer {
    /// Nothing yet.
    #[default]
    None,
    /// Of one tenant, by role.
    One(Vec<ByRole>),
    /// Of all tenants.
    Everyone(Box<Everyone>),
}

/// A fix plan, from asking for it to the typed confirmation.
#[derive(Debug)]
pub struct PlanDialog {
    /// The tenant: pinned, wherever the cursor goes.
    pub tenant: TenantId,
    /// The check it answers.
    pub check: &'static str,
    /// The plan, or why there is none; nothing yet while the servers are asked.
    pub plan: Option<Result<Box<FixPlan>, String>>,
    /// It undoes an earlier fix.
    pub undo: bool,
    /// First line shown.
    pub scroll: usize,
    /// The name being typed, once the plan was accepted.
    pub typed: Option<Input>,
    /// Why the confirmation was not taken.
    pub refused: Option<String>,
    /// The plan's objects as they were when it was made.
    pub seen: Vec<crate::app::pin::Pin>,
    /// What changed since, if something did.
    pub changed: Option<String>,
}
