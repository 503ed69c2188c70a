//! What can happen to the screen: keys, data, and what effects report back.

use std::sync::Arc;

use crate::fix::plan::FixPlan;
use crate::model::ids::TenantId;
use crate::model::snapshot::Snapshot;
use crate::model::time::Time;
use crate::netpol::story::{End, Story};
use crate::posture::assessment::Assessment;
use crate::probe::spec::ProbeId;
use crate::receipt::book::Book;
use crate::receipt::{Receipt, Step};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key.
    Key(Key),
    /// Text pasted into a field.
    Paste(String),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// New data. Only the newest matters.
    Data(Arc<View>),
    /// Nothing happened but time: an age on screen reads differently now.
    Clock,
    /// A probe moved on.
    Probe(ProbeNews),
    /// A plan with its dry-run, or why there is none.
    Planned(TenantId, Result<Box<FixPlan>, String>),
    /// A fix was applied (`true`: undone), or why not. After it a probe is started by itself.
    Fixed {
        /// The tenant.
        tenant: TenantId,
        /// What was written, or the error.
        result: Result<String, String>,
        /// Whether this was an undo.
        undo: bool,
        /// The plan that undoes what was written, kept for `u`; none where nothing was written or it can't be undone.
        inverse: Option<Box<FixPlan>>,
    },
    /// Why one end reaches another, or does not; none where an end is gone.
    Story(End, End, Option<Box<Story>>),
    /// Something to tell the user.
    Note(Level, String),
    /// The theme of this name is in use now.
    Theme(String),
}

/// How loud a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For information.
    Info,
    /// Something needs attention.
    Warn,
    /// Something failed.
    Error,
}

/// Everything the screens show: one published moment.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The facts.
    pub snapshot: Arc<Snapshot>,
    /// What follows from them.
    pub assessment: Arc<Assessment>,
    /// The receipts.
    pub book: Arc<Book>,
}

/// How a probe goes.
#[derive(Clone, Debug)]
pub enum ProbeNews {
    /// It will do so many steps.
    Started {
        /// The tenant.
        tenant: TenantId,
        /// The probe.
        probe: ProbeId,
        /// Estimated steps.
        of: usize,
    },
    /// It is about to do this.
    Doing {
        /// The tenant.
        tenant: TenantId,
        /// The probe.
        probe: ProbeId,
        /// In words.
        what: String,
    },
    /// It did this.
    Did {
        /// The tenant.
        tenant: TenantId,
        /// The probe.
        probe: ProbeId,
        /// The step.
        step: Step,
    },
    /// It made a receipt.
    Done(Arc<Receipt>),
    /// It could not be run, or was cancelled: why.
    Failed {
        /// The tenant.
        tenant: TenantId,
        /// The probe.
        probe: ProbeId,
        /// Why, with what to do.
        why: String,
    },
}

/// A key press, free of any terminal library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
}

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyCode {
    /// A character, Shift already applied.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key.
    F(u8),
}

impl Key {
    /// A plain key.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// A character with Ctrl.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true, alt: false }
    }
}

/// When the screen must be looked at again by itself, if nothing else happens.
pub type WakeAt = Option<Time>;
