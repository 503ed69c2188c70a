//! What the core asks the effects ring to do. Each comes back as messages.

use crate::fix::guard::WritePermit;
use crate::fix::plan::FixPlan;
use crate::model::ids::TenantId;
use crate::netpol::story::End;
use crate::probe::spec::ProbeId;

/// One thing to do.
#[derive(Debug)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Stop as Ctrl-Z does, and come back.
    Suspend,
    /// Run probes for a tenant, in this order. Only asked for in a mode that permits it.
    Probe(TenantId, Vec<ProbeId>),
    /// Stop what is being probed.
    CancelProbe,
    /// Make the plan for a check of a tenant: read the live objects and ask the server's dry-run.
    Plan(TenantId, &'static str),
    /// Apply a plan. Afterwards the probes that feed its check are run again.
    Apply(Box<FixPlan>, WritePermit),
    /// Undo the last applied fix of a tenant. The permit was granted for the inverse plan.
    Undo(Box<FixPlan>, WritePermit),
    /// Tell why one end reaches another or does not; comes back as [`super::msg::Msg::Story`].
    Explain(End, End),
    /// Read everything again now.
    Reread,
    /// Put a text on the clipboard.
    Copy(String),
    /// Save the screen as it is, as SVG and text.
    SaveScreen,
    /// Use the next theme and tell its name with [`super::msg::Msg::Theme`].
    NextTheme,
}
