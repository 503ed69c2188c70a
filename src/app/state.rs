//! What the screen knows. Changed by [`super::update::update`] only.

mod dialogs;

use std::collections::BTreeMap;
use std::sync::Arc;

use tui_input::Input;

use super::list::{List, Row};
use super::matrix::Across;
use super::msg::{Level, View};
use super::redact::{Aliases, Say};
use super::run::Run;
use super::symbols::{Symbols, symbols};
use super::vault::Walls;
use crate::fix::guard::Mode;
use crate::fix::plan::FixPlan;
use crate::model::ids::TenantId;
use crate::model::time::Time;
use crate::posture::assessment::{CheckResult, TenantAssessment};

pub use dialogs::{Answer, AskDialog, Dialog, PlanDialog, StoryDialog};

/// What the screen starts with.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What this run may do.
    pub mode: Mode,
    /// Name of the theme in use.
    pub theme: String,
    /// ASCII symbols only.
    pub ascii: bool,
    /// Replace names by aliases.
    pub redact: bool,
    /// Context name, shown before the first answer.
    pub context: String,
    /// Simulated servers: said even before the first answer.
    pub simulated: bool,
}

/// A screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Screen {
    /// All tenants.
    #[default]
    Fleet,
    /// One tenant.
    Tenant,
    /// Who can reach whom.
    Matrix,
    /// Violations.
    Violations,
    /// Quota.
    Quota,
    /// What every tenant reaches in Vault.
    Vault,
    /// Receipts.
    Receipts,
}

/// Every screen, in the order of its number key.
pub const SCREENS: [Screen; 7] =
    [Screen::Fleet, Screen::Tenant, Screen::Matrix, Screen::Violations, Screen::Quota, Screen::Vault, Screen::Receipts];

impl Screen {
    /// Its number key. Numbers are kept for screens to come, so that none moves again.
    pub const fn digit(self) -> u8 {
        match self {
            Self::Fleet => 1,
            Self::Tenant => 2,
            Self::Matrix => 3,
            Self::Violations => 4,
            Self::Quota => 5,
            Self::Vault => 6,
            Self::Receipts => 7,
        }
    }

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Fleet => "Fleet",
            Self::Tenant => "Tenant",
            Self::Matrix => "Matrix",
            Self::Quota => "Quota",
            Self::Vault => "Vault",
            Self::Violations => "Violations",
            Self::Receipts => "Receipts",
        }
    }
}

/// One screen's list and what was asked of it.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Rows and cursor.
    pub list: List,
    /// Text filter.
    pub filter: Input,
    /// Only what fails.
    pub failing: bool,
    /// Which order: an index into the screen's table of orders.
    pub order: usize,
    /// First line of the detail shown.
    pub scroll: usize,
    /// The columns that did not fit are shown before those that did.
    pub others: bool,
    /// Rows before filtering.
    pub all: usize,
    /// Rows are older than the data or the question.
    pub outdated: bool,
}

/// The pages of all screens.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    fleet: Page,
    tenant: Page,
    matrix: Page,
    quota: Page,
    vault: Page,
    violations: Page,
    receipts: Page,
}

impl Pages {
    const fn get(&self, screen: Screen) -> &Page {
        match screen {
            Screen::Fleet => &self.fleet,
            Screen::Tenant => &self.tenant,
            Screen::Matrix => &self.matrix,
            Screen::Quota => &self.quota,
            Screen::Vault => &self.vault,
            Screen::Violations => &self.violations,
            Screen::Receipts => &self.receipts,
        }
    }

    pub(super) const fn get_mut(&mut self, screen: Screen) -> &mut Page {
        match screen {
            Screen::Fleet => &mut self.fleet,
            Screen::Tenant => &mut self.tenant,
            Screen::Matrix => &mut self.matrix,
            Screen::Quota => &mut self.quota,
            Screen::Vault => &mut self.vault,
            Screen::Violations => &mut self.violations,
            Screen::Receipts => &mut self.receipts,
        }
    }
}

/// Something told to the user.
#[derive(Clone, Debug)]
pub struct Note {
    /// When.
    pub at: Time,
    /// How loud.
    pub level: Level,
    /// What, cleaned.
    pub text: String,
}

/// The state of the screen.
#[derive(Debug)]
pub struct State {
    /// How it was started.
    pub settings: Settings,
    /// The time of the last message.
    pub now: Time,
    /// Terminal size.
    pub size: (u16, u16),
    /// What is shown.
    pub view: Arc<View>,
    /// Newer data that waits while the screen is frozen.
    pub held: Option<Arc<View>>,
    /// Frozen since.
    pub frozen: Option<Time>,
    /// The screen.
    pub screen: Screen,
    /// Screens to go back to.
    pub back: Vec<Screen>,
    /// The tenant of the Tenant screen.
    pub tenant: Option<TenantId>,
    /// Each screen's page.
    pub pages: Pages,
    /// The matrix's columns.
    pub across: Across,
    /// What the Vault screen keeps.
    pub walls: Walls,
    /// The layer over the screen.
    pub dialog: Option<Dialog>,
    /// The filter field has the keys.
    pub typing: bool,
    /// The probe run, until the next one begins.
    pub run: Option<Run>,
    /// A plan is being applied for this tenant.
    pub applying: Option<TenantId>,
    /// Inverse plans of the fixes applied in this session.
    pub undo: BTreeMap<TenantId, Box<FixPlan>>,
    /// Messages, oldest first, at most [`super::update::notes::KEPT`].
    pub notes: Vec<Note>,
    /// How many notes are no longer shown on the status line.
    pub read: usize,
    /// Names given to tenants while redacting.
    pub aliases: Aliases,
    /// The last key.
    pub last_key: Time,
    /// When Ctrl-C was pressed last without effect.
    pub interrupt: Option<Time>,
    /// Rows wait to be brought into order when the cursor has rested.
    pub reorder: bool,
    pub(super) generation: u64,
}

impl State {
    /// A fresh screen: it paints before anything was read.
    pub fn new(settings: Settings, size: (u16, u16), now: Time) -> Self {
        Self {
            settings,
            now,
            size,
            view: Arc::default(),
            held: None,
            frozen: None,
            screen: Screen::Fleet,
            back: Vec::new(),
            tenant: None,
            pages: Pages::default(),
            across: Across::default(),
            walls: Walls::default(),
            dialog: None,
            typing: false,
            run: None,
            applying: None,
            undo: BTreeMap::new(),
            notes: Vec::new(),
            read: 0,
            aliases: Aliases::default(),
            last_key: Time(0),
            interrupt: None,
            reorder: false,
            generation: 1,
        }
    }

    /// Counts changes of what is on screen: a frame drawn at this count is good until it moves.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether a frame drawn at `drawn` is out of date.
    pub const fn dirty(&self, drawn: u64) -> bool {
        self.generation != drawn
    }

    /// Marks the screen as changed.
    pub(super) const fn touch(&mut self) {
        self.generation = self.generation.wrapping_add(1);
    }

    /// The symbols in use.
    pub const fn symbols(&self) -> &'static Symbols {
        symbols(self.settings.ascii)
    }

    /// How foreign text is shown.
    pub fn sayer(&self) -> Say<'_> {
        Say { aliases: self.settings.redact.then_some(&self.aliases) }
    }

    /// The page of a screen.
    pub const fn page_of(&self, screen: Screen) -> &Page {
        self.pages.get(screen)
    }

    /// The page shown.
    pub const fn page(&self) -> &Page {
        self.pages.get(self.screen)
    }

    /// The page shown, to change.
    pub(super) const fn page_mut(&mut self) -> &mut Page {
        self.pages.get_mut(self.screen)
    }

    /// A tenant's assessment as shown.
    pub fn assessed(&self, tenant: &str) -> Option<&Arc<TenantAssessment>> {
        self.view.assessment.by_tenant.get(tenant)
    }

    /// What the cursor is on: a tenant and, where there is one, a check.
    pub fn subject(&self) -> (Option<TenantId>, Option<&'static str>) {
        let selected = self.page().list.selected.as_ref();
        match (self.screen, selected) {
            (Screen::Tenant, Some(Row::Check(check))) => (self.tenant.clone(), Some(check)),
            (Screen::Tenant, _) => (self.tenant.clone(), None),
            (_, Some(Row::Finding(tenant, check, ..))) => (Some(tenant.clone()), Some(check)),
            (_, Some(Row::Quota(tenant, ..) | Row::Refusal(tenant, ..))) => (Some(tenant.clone()), Some("RES-01")),
            (_, Some(Row::Receipt(id))) => match self.view.book.get(id) {
                Some(receipt) => {
                    let check = crate::posture::catalogue::CHECKS.iter().find(|check| check.probe == Some(receipt.probe));
                    (Some(receipt.tenant.clone()), check.map(|check| check.id))
                }
                None => (None, None),
            },
            (_, row) => (row.and_then(Row::tenant).cloned(), None),
        }
    }

    /// A check's result for a tenant; of the platform where the tenant has none.
    pub fn result<'a>(&'a self, tenant: &TenantAssessment, check: &str) -> Option<&'a CheckResult> {
        let assessment = &self.view.assessment;
        let own = assessment.by_tenant.get(&tenant.tenant).and_then(|t| t.checks.iter().find(|result| result.check.id == check));
        own.or_else(|| assessment.platform.iter().find(|result| result.check.id == check))
    }

    /// The check that a tenant's grade rests on.
    pub fn worst<'a>(&self, tenant: &'a TenantAssessment) -> Option<&'a CheckResult> {
        let grade = tenant.grade;
        tenant.checks.iter().min_by_key(|result| (result.verdict != grade, result.verdict, result.check.severity))
    }

    /// Simulated servers answer.
    pub fn simulated(&self) -> bool {
        self.settings.simulated || self.view.snapshot.server.simulated
    }

    /// Whether something the user started is under way.
    pub fn busy(&self) -> bool {
        self.applying.is_some() || self.run.as_ref().is_some_and(Run::running)
    }
}
